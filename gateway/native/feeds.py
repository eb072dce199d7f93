"""What the channels of the native stream say: the account's facts, and of each instrument its book and its trades."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from events.instruments import Instrument, InstrumentId
from gateway.native.desk import Client, Desk, facts_of
from gateway.native.problems import Asked
from gateway.native.standing import account_of
from gateway.serving.models import Moment
from gateway.serving.tape.seen import DepthSeen, TradeSeen


class Push(Protocol):
    """Sends a message of a channel, with the record that it is of."""

    def __call__(self, channel: str, record: int, data: Any, **more: Any) -> None:
        """Send it as soon as the reader takes it."""
        ...


End = Callable[[], object]


def account(desk: Desk, client: Client, push: Push) -> End:
    """The account as it stands, then the facts that concern it, batch by batch, as they become durable."""
    venue, name = desk.venue, client.account
    told = account_of(venue.state, name, venue.calendar.shown(venue.now))
    push("account", told.record, told, snapshot=True)

    def hear(moment: Moment) -> None:
        if moment.batch.last_seq > told.record and (facts := facts_of(moment.batch, name)):
            push("account", moment.batch.last_seq, facts, at=venue.calendar.shown(moment.batch.at))

    return venue.listen(hear)


def _terms(desk: Desk, instrument: str) -> Instrument:
    contract = desk.venue.state.contracts.get(InstrumentId(instrument))
    if contract is None:
        raise Asked("unknown_instrument", f"there is no instrument {instrument!r}", 404)
    return contract.terms


def depth(desk: Desk, instrument: str, channel: str, push: Push) -> End:
    """The book, then what changes of it: levels with their new size, 0 for gone."""
    terms, tape = _terms(desk, instrument), desk.tape
    last, bids, asks = tape.depth(terms.id, 1_000)
    push(channel, last, sides(terms, bids, asks), snapshot=True)

    def hear(seen: Any) -> None:
        nonlocal last
        if type(seen) is DepthSeen and seen.instrument == terms.id:
            change = seen.change
            push(channel, change.last, sides(terms, change.bids, change.asks), previous=last)
            last = change.last

    end: End = tape.listen(hear)
    return end


def sides(terms: Instrument, bids: Any, asks: Any) -> dict[str, list[tuple[str, str]]]:
    """Levels of both sides as clients read them."""
    texts = ([(terms.price_text(price), terms.size_text(lots)) for price, lots in side] for side in (bids, asks))
    return dict(zip(("bids", "asks"), texts, strict=True))


def trades(desk: Desk, instrument: str, channel: str, push: Push) -> End:
    """Trades as they happen, history's and those of traders; `id` is greater from trade to trade."""
    terms = _terms(desk, instrument)

    def hear(seen: Any) -> None:
        if type(seen) is TradeSeen and seen.instrument == terms.id:
            push(channel, desk.venue.durable.seq, trade_told(terms, seen.trade))

    end: End = desk.tape.listen(hear)
    return end


def trade_told(terms: Instrument, trade: Any) -> dict[str, Any]:
    """A trade as clients read it; its time is the shown one, ns."""
    return {
        "id": trade.id,
        "at": trade.at * 10**6,
        "price": terms.price_text(trade.price),
        "size": terms.size_text(trade.lots),
        "taker": "buy" if trade.bought else "sell",
    }


MARKET: dict[str, Callable[[Desk, str, str, Push], End]] = {"depth": depth, "trades": trades}
"""Channel kind -> what subscribes to it for an instrument."""
