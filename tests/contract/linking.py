"""Linked orders by chance, for the core and the naive exchange side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from events.commands import Side, TimeInForce
from events.instructions import Arming, PriceMatch
from events.linked import PlaceLinked
from events.triggers import TriggerKind
from events.units import Rate
from tests.contract import exchanges
from tests.spec.words import PERCENT

if TYPE_CHECKING:
    from tests.contract.exchanges import Desk

OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


def pair(desk: Desk) -> PlaceLinked:
    """Two orders of which one ends the other; most are as they may be."""
    random, above, below = (
        desk.random,
        exchanges.MIDDLE + desk.random.randint(0, 6),
        exchanges.MIDDLE - desk.random.randint(0, 6),
    )
    limit, stop = desk.place(), desk.trigger()
    gains, loses = (below, above) if limit.side is Side.BUY else (above, below)
    stop = replace(stop, trigger=loses, trigger_kind=TriggerKind.STOP, callback=0, closes=False)
    force = random.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.POST_ONLY, TimeInForce.IOC))
    one: Any = replace(limit, price=gains, time_in_force=force, good_till=0, price_match=PriceMatch.NONE)
    if random.random() < 0.4:
        one = replace(stop, trigger=gains, trigger_kind=TriggerKind.TAKE_PROFIT, client=desk.client())
    lots = limit.lots if random.random() < 0.97 else 9
    return _together(desk, [replace(one, side=limit.side, lots=limit.lots), replace(stop, side=limit.side, lots=lots)])


def bracket(desk: Desk) -> PlaceLinked:
    """An entry with a take-profit, a stop or both; most are as they may be."""
    random, entry = desk.random, desk.place()
    sign = 1 if entry.side is Side.BUY else -1
    profit, stop = (replace(desk.trigger(), lots=0, closes=False, side=OTHER[entry.side]) for _ in range(2))
    near = exchanges.MIDDLE if entry.price is None else int(entry.price)
    profit = replace(
        profit, trigger_kind=TriggerKind.TAKE_PROFIT, trigger=near + sign * random.randint(0, 4), callback=Rate(0)
    )
    stop = replace(stop, trigger_kind=TriggerKind.STOP, trigger=near - sign * random.randint(0, 4), callback=0)
    if random.random() < 0.2:
        stop = replace(
            stop, trigger_kind=TriggerKind.TRAILING_STOP, callback=2 * PERCENT, price=None, protects=False,
            trigger=random.choice((None, stop.trigger)),
        )  # fmt: skip
    some = random.choice(([profit, stop], [profit, stop], [profit], [stop]))
    some = [one if one.trigger_kind is TriggerKind.TRAILING_STOP else replace(one, callback=Rate(0)) for one in some]
    arms = random.choice((Arming.FIRST_FILL, Arming.FIRST_FILL, Arming.FULL_FILL))
    made = _together(desk, [replace(entry, reduce_only=random.random() < 0.03), *some])
    return replace(made, entry=made.linked[0], linked=made.linked[1:], arms=arms)


def _together(desk: Desk, orders: list[Any]) -> PlaceLinked:
    """Linked orders of one account, which are numbered one after the other; now and then one is not."""
    account, request = desk.random.choice(exchanges.ACCOUNTS), desk.request()
    first = desk.naive.used.get(account, 0) + 1
    numbered = enumerate(orders, first) if desk.random.random() < 0.98 else ((first, one) for one in orders)
    named = (replace(one, account=account, request=request, number=number) for number, one in numbered)
    return PlaceLinked(desk.at, account, request, tuple(named))
