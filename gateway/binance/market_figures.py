"""What is served below /futures/data: figures of the past in steps of five minutes to a day.

Source: Binance USD-M, "Open Interest Statistics", "Taker Buy/Sell Volume", "Basis", "Long/Short Ratio" and "Top Trader
Long/Short Ratio".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from events.units import UNIT
from gateway.binance.desk import Desk, Request
from gateway.binance.market_asking import Asked, asked, limited, need_one_of, of_pair, ranged
from gateway.binance.texts import fixed
from gateway.serving.tape.candles import INTERVALS, Candle
from gateway.serving.tape.instrument import Price
from gateway.serving.tape.quotes import INTEREST_EVERY, Interest

PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
FIGURES_DEFAULT, FIGURES_MAX = 30, 500


class _Wanted(NamedTuple):
    period: str
    start: int | None
    end: int | None
    limit: int


def _wanted(request: Request) -> _Wanted:
    params = request.params
    period = need_one_of(params, "period", PERIODS)
    return _Wanted(period, *ranged(params), limited(params, FIGURES_DEFAULT, FIGURES_MAX))


def open_interest_history(desk: Desk, request: Request) -> list[dict[str, Any]]:
    """Open interest as it was at the beginning of each period."""
    of_it, wanted = asked(desk, request), _wanted(request)
    terms = of_it.tape.terms
    return [
        {
            "symbol": of_it.symbol,
            "sumOpenInterest": fixed(sample.lots * terms.lot),
            "sumOpenInterestValue": fixed(sample.lots * terms.lot * sample.mark // UNIT),
            "CMCCirculatingSupply": "0",
            "timestamp": sample.at,
        }
        for sample in _samples(of_it, wanted)
    ]


def _samples(of_it: Asked, wanted: _Wanted) -> list[Interest]:
    """The samples with which a period begins."""
    interval = INTERVALS[wanted.period]
    found = [
        sample for sample in of_it.tape.records.interests
        if interval.begin(sample.at) > sample.at - INTEREST_EVERY
        and (wanted.start or 0) <= sample.at <= (sample.at if wanted.end is None else wanted.end)
    ]  # fmt: skip
    return found[: wanted.limit] if wanted.start is not None else found[-wanted.limit :]


def taker_volume(desk: Desk, request: Request) -> list[dict[str, Any]]:
    """How much takers bought and sold in each period."""
    of_it, wanted = asked(desk, request), _wanted(request)
    found = []
    for candle in _candles(desk, of_it, wanted):
        sold = candle.lots - candle.bought
        found.append({
            "buySellRatio": fixed(candle.bought * UNIT // sold if sold else 0, 4),
            "buyVol": of_it.digits.size(candle.bought),
            "sellVol": of_it.digits.size(sold),
            "timestamp": candle.start,
        })  # fmt: skip
    return found


def _candles(desk: Desk, of_it: Asked, wanted: _Wanted, price: Price = Price.LAST) -> list[Candle]:
    found: list[Candle] = desk.tape.candles(
        of_it.symbol, wanted.period, wanted.start, wanted.end, wanted.limit, price=price, now=desk.venue.shown_ms
    )
    return found


def basis(desk: Desk, request: Request) -> list[dict[str, Any]]:
    """By how much a contract was above its index at the end of each period."""
    of_it, wanted = of_pair(desk, request), _wanted(request)
    terms = of_it.tape.terms
    indices = {candle.start: candle.close for candle in _candles(desk, of_it, wanted, Price.INDEX)}
    found = []
    for candle in _candles(desk, of_it, wanted):
        price = candle.close * terms.tick
        index = indices.get(candle.start, price)
        found.append({
            "indexPrice": fixed(index),
            "contractType": request.params.need("contractType"),
            "basisRate": fixed((price - index) * UNIT // index, 4),
            "futuresPrice": fixed(price),
            "annualizedBasisRate": "",
            "basis": fixed(price - index),
            "pair": request.params.need("pair"),
            "timestamp": candle.start,
        })  # fmt: skip
    return found


def ratios(by_size: bool, least: int = 0) -> Callable[[Desk, Request], Awaitable[list[dict[str, Any]]]]:
    """Who is long and who is short now, by accounts or by what they hold; where `least`
    is given, of the largest ones, one in so many.

    The past of it is not kept: it is one figure, of the present period.
    """

    async def answer(desk: Desk, request: Request) -> list[dict[str, Any]]:
        of_it, wanted = asked(desk, request), _wanted(request)
        await desk.venue.settled()
        state = desk.venue.state
        house = state.house()
        held = [p.lots for p in state.contracts[of_it.symbol].holders if p.account not in house]
        if least:
            held = sorted(held, key=abs)[-max(1, len(held) // least) :]
        long = sum(abs(lots) if by_size else 1 for lots in held if lots > 0)
        short = sum(abs(lots) if by_size else 1 for lots in held if lots < 0)
        if not long + short:
            return []
        share = long * UNIT // (long + short)
        return [{
            "symbol": of_it.symbol,
            "longShortRatio": fixed(long * UNIT // short if short else 0, 4),
            "longAccount": fixed(share, 4),
            "shortAccount": fixed(UNIT - share, 4),
            "timestamp": INTERVALS[wanted.period].begin(desk.venue.shown_ms),
        }]  # fmt: skip

    return answer
