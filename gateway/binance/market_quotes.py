"""Mark and index price, funding, open interest, and the last 24 hours.

Source: Binance USD-M, "Mark Price", "Get Funding Rate History", "Get Funding Rate Info", "Open Interest", "24hr Ticker
Price Change Statistics", "Query Index Price Constituents".
"""

from __future__ import annotations

from typing import Any

from events.units import SECOND, UNIT
from gateway.binance.desk import Desk, Request
from gateway.binance.market_asking import Asked, asked, limited, of_symbol, one_or_all, ranged, traded
from gateway.binance.texts import fixed, money
from gateway.serving.tape.candles import DAY
from gateway.serving.tape.quotes import Funding
from gateway.serving.tape.ticker import Ticker

FUNDINGS_DEFAULT, FUNDINGS_MAX = 100, 1_000
HOUR_NS = 3_600 * SECOND


def premium_index(desk: Desk, request: Request) -> Any:
    """Mark and index price, and the funding to come."""
    one, all_of_them = one_or_all(desk, request)
    found = [_premium(desk, of_it) for of_it in all_of_them]
    return found[0] if one else found


def _premium(desk: Desk, of_it: Asked) -> dict[str, Any]:
    quotes, terms = of_it.tape.quotes, of_it.tape.terms
    return {
        "symbol": of_it.symbol,
        "markPrice": fixed(quotes.mark),
        "indexPrice": fixed(quotes.index or quotes.mark),
        "estimatedSettlePrice": fixed(quotes.index or quotes.mark),
        "lastFundingRate": "" if terms.expiry else fixed(quotes.rate // quotes.over),
        "interestRate": "" if terms.expiry else fixed(terms.interest),
        "nextFundingTime": 0 if terms.expiry else desk.tape.next_funding(of_it.symbol),
        "time": desk.venue.shown_ms,
    }


def funding_rate(desk: Desk, request: Request) -> list[dict[str, Any]]:
    """Funding that was paid, oldest first: of a range of time, or the newest."""
    symbol = request.params.get("symbol")
    names = traded(desk) if symbol is None else [of_symbol(desk, symbol).symbol]
    limit, (start, end) = limited(request.params, FUNDINGS_DEFAULT, FUNDINGS_MAX), ranged(request.params)
    found = sorted(
        ((funding.at, name, funding) for name in names for funding in desk.tape[name].records.fundings),
        key=lambda one: one[:2],
    )
    found = [one for one in found if (start or 0) <= one[0] and (end is None or one[0] <= end)]
    return [_funding(name, funding) for _, name, funding in (found[:limit] if start is not None else found[-limit:])]


def _funding(name: str, funding: Funding) -> dict[str, Any]:
    return {
        "symbol": name,
        "fundingTime": funding.at,
        "fundingRate": fixed(funding.rate // funding.over),
        "markPrice": fixed(funding.mark),
        "rateType": "Regular",
    }


def funding_info(desk: Desk, _request: Request) -> list[dict[str, Any]]:
    """How often funding is paid, and its bounds."""
    found = []
    for terms in desk.venue.pack.instruments:
        if not terms.expiry:
            floor = terms.funding_floor or -terms.funding_cap
            found.append({
                "symbol": terms.id,
                "adjustedFundingRateCap": fixed(terms.funding_cap or 2 * UNIT // 100),
                "adjustedFundingRateFloor": fixed(floor or -2 * UNIT // 100),
                "fundingIntervalHours": terms.funding_interval // HOUR_NS,
                "disclaimer": False,
            })  # fmt: skip
    return found


def open_interest(desk: Desk, request: Request) -> dict[str, Any]:
    """What is held on either side."""
    of_it = asked(desk, request)
    held = of_it.digits.size(of_it.tape.quotes.open_interest)
    return {"openInterest": held, "symbol": of_it.symbol, "time": desk.venue.shown_ms}


def ticker_24h(desk: Desk, request: Request) -> Any:
    """The last 24 hours of one instrument, or of all."""
    one, all_of_them = one_or_all(desk, request)
    now = desk.venue.shown_ms
    found = [_day(of_it, ticker) for of_it in all_of_them if (ticker := of_it.tape.ticker(now)) is not None]
    return (found[0] if found else {}) if one else found


def _day(of_it: Asked, ticker: Ticker) -> dict[str, Any]:
    digits, day = of_it.digits, ticker.day
    return {
        "symbol": of_it.symbol,
        "priceChange": digits.price(ticker.change),
        "priceChangePercent": percent_of(ticker),
        "weightedAvgPrice": digits.price(average_of(of_it, ticker)),
        "lastPrice": digits.price(day.close),
        "lastQty": digits.size(ticker.last_lots),
        "openPrice": digits.price(day.open),
        "highPrice": digits.price(day.high),
        "lowPrice": digits.price(day.low),
        "volume": digits.size(day.lots),
        "quoteVolume": money(day.value),
        "openTime": ticker.at - DAY,
        "closeTime": ticker.at,
        "firstId": day.first,
        "lastId": day.last,
        "count": day.trades,
    }


def percent_of(ticker: Ticker) -> str:
    """By how much the price changed, in per cent."""
    return fixed(ticker.change * 100 * UNIT // ticker.day.open, 3) if ticker.day.open else "0.000"


def average_of(of_it: Asked, ticker: Ticker) -> int:
    """The average price by volume, whole ticks rounded down; of no volume the last price."""
    day = ticker.day
    return day.value // (of_it.tape.terms.atoms_per_tick_lot * day.lots) if day.lots else day.close


def constituents(desk: Desk, request: Request) -> dict[str, Any]:
    """What the index is made of: it is the venue's own price here."""
    of_it = asked(desk, request)
    terms, quotes = of_it.tape.terms, of_it.tape.quotes
    part = {
        "exchange": "ringfence", "symbol": terms.base + terms.quote, "price": fixed(quotes.index or quotes.mark),
        "weight": "1.00000000",
    }  # fmt: skip
    return {"symbol": of_it.symbol, "time": desk.venue.shown_ms, "constituents": [part]}
