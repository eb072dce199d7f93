"""The market over the native API: instruments, books, trades, candles. Nobody needs a key for it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from events.instruments import Instrument, InstrumentId
from events.units import decimal_text
from exchange.core.contract import Contract
from gateway.native.desk import Desk
from gateway.native.feeds import sides, trade_told
from gateway.native.messages import Candle, Depth, InstrumentTold
from gateway.native.problems import Asked
from gateway.serving.tape.candles import INTERVALS
from replay.quotes import funding_of

LEVELS_MAX = 1_000
MS = 10**6


def contract_of(desk: Desk, instrument: str) -> Contract:
    """The instrument as it trades. Raises Asked."""
    found = desk.venue.state.contracts.get(InstrumentId(instrument))
    if found is None:
        raise Asked("unknown_instrument", f"there is no instrument {instrument!r}", 404)
    return found


@get("/instruments")
async def list_instruments(desk: NamedDependency[Desk]) -> list[InstrumentTold]:
    """The terms of everything that can be traded."""
    return [_told(contract.terms) for contract in desk.venue.state.contracts.values()]


@get("/instruments/{instrument:str}")
async def show_instrument(desk: NamedDependency[Desk], instrument: FromPath[str]) -> InstrumentTold:
    """The terms of one instrument."""
    return _told(contract_of(desk, instrument).terms)


def _told(terms: Instrument) -> InstrumentTold:
    return InstrumentTold(
        id=terms.id,
        kind=str(terms.__struct_config__.tag),
        base=terms.base,
        quote=terms.quote,
        settle=terms.settle,
        tick=decimal_text(terms.tick),
        lot=decimal_text(terms.lot),
        min_size=terms.size_text(terms.min_lots),
        max_size=terms.size_text(terms.max_lots),
        min_notional=decimal_text(terms.min_notional),
        maker_fee=decimal_text(terms.maker_fee),
        taker_fee=decimal_text(terms.taker_fee),
        max_leverage=max(bracket.max_leverage for bracket in terms.brackets),
        brackets=msgspec.to_builtins(terms.brackets),
    )


@get("/market/{instrument:str}")
async def show_market(desk: NamedDependency[Desk], instrument: FromPath[str]) -> dict[str, Any]:
    """Mark, index, last price, best prices, funding, open interest, phase."""
    contract, venue = contract_of(desk, instrument), desk.venue
    await venue.settled()
    terms, book = contract.terms, contract.book
    funding = funding_of(venue.state, contract)
    bid, ask = (book.best_price(side) for side in (book.bids, book.asks))
    return {
        "instrument": instrument,
        "record": venue.state.seq,
        "at": venue.calendar.shown(venue.now),
        "mark": decimal_text(contract.mark),
        "index": decimal_text(contract.index) if contract.index else None,
        "last": terms.price_text(contract.feed.traded) if contract.feed.traded else None,
        "bid": None if bid is None else terms.price_text(bid),
        "ask": None if ask is None else terms.price_text(ask),
        "funding_rate": f"{funding.rate:f}",
        "next_funding": venue.calendar.shown(funding.at) if funding.at else None,
        "open_interest": terms.size_text(contract.open_interest),
        "phase": contract.phase.value,
    }


@get("/market/{instrument:str}/depth")
async def show_depth(desk: NamedDependency[Desk], instrument: FromPath[str], levels: FromQuery[int] = 100) -> Depth:
    """The book, best prices first; diffs of the stream whose `previous` is its `record`, or greater, go on from it."""
    terms = contract_of(desk, instrument).terms
    last, bids, asks = desk.tape.depth(terms.id, max(1, min(levels, LEVELS_MAX)))
    shown = sides(terms, bids, asks)
    return Depth(
        instrument=instrument, record=last, at=desk.venue.calendar.shown(desk.venue.now), bids=shown["bids"],
        asks=shown["asks"],
    )  # fmt: skip


@get("/market/{instrument:str}/trades")
async def list_trades(
    desk: NamedDependency[Desk], instrument: FromPath[str], limit: FromQuery[int] = 100
) -> list[dict[str, Any]]:
    """The newest trades, oldest first."""
    terms = contract_of(desk, instrument).terms
    return [trade_told(terms, trade) for trade in desk.tape.trades(terms.id, max(1, min(limit, LEVELS_MAX)))]


@get("/market/{instrument:str}/candles")
async def list_candles(
    desk: NamedDependency[Desk], instrument: FromPath[str], interval: FromQuery[str] = "1m",
    start: FromQuery[int | None] = None, end: FromQuery[int | None] = None, limit: FromQuery[int] = 500,
) -> list[Candle]:  # fmt: skip
    """Candles, oldest first, the running one last: from `start` on, or the newest up to `end`, both ns."""
    terms = contract_of(desk, instrument).terms
    if interval not in INTERVALS:
        raise Asked("bad_request", f"interval {interval!r}: give {', '.join(INTERVALS)}")
    first, last = (None if at is None else at // MS for at in (start, end))
    most = max(1, min(limit, LEVELS_MAX))
    now = desk.venue.calendar.shown_ms(desk.venue.now)
    return [
        Candle(
            start=one.start * MS, open=terms.price_text(one.open), high=terms.price_text(one.high),
            low=terms.price_text(one.low), close=terms.price_text(one.close), volume=terms.size_text(one.lots),
            value=decimal_text(one.value), trades=one.trades,
        )
        for one in desk.tape.candles(terms.id, interval, first, last, most, now=now)
    ]  # fmt: skip


HANDLERS = [list_instruments, show_instrument, show_market, show_depth, list_trades, list_candles]
