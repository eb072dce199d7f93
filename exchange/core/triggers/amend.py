"""A conditional order that waits is amended: another trigger price or callback, another size, another limit price.

What it waits for is always stated, be it as before: so nobody amends an order in the book whom he takes for waiting.
One whose new trigger price has come already is refused, and waits as before. Source: OKX, "Amend algo order"; Binance
USD-M amends none.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import AmendOrder, PlaceTrigger, RequestId
from events.facts import Fact, Refused, TriggerAmended
from events.refusals import Reason
from events.units import Rate
from exchange.core.changes.triggers import is_laid, price_of
from exchange.core.matching.limit import named
from exchange.core.state import State
from exchange.core.triggers.rules import callback_refusal, is_reached, lots_refusal, price_refusal, waits_refusal
from exchange.core.triggers.trailing import level_at
from exchange.core.triggers.trigger import Trigger


def decide_amend_trigger(state: State, command: AmendOrder) -> Iterator[Fact]:
    """Refuse, or let the order wait as it was amended."""
    account = state.accounts[command.account]
    trigger = account.triggers.get(named(account, command.number, command.client))
    if trigger is None:
        yield Refused(Reason.UNKNOWN_ORDER)
        return
    placed, asked = trigger.placed, _asked(trigger, command)
    if refusal := _refusal(state, trigger, asked, command):
        yield Refused(refusal)
        return
    keeps = (asked.trigger, asked.callback) == (placed.trigger, placed.callback)
    yield TriggerAmended(
        placed.account, placed.number, asked.lots, asked.trigger, asked.price, asked.callback, keeps,  # type: ignore[arg-type]
    )  # fmt: skip


def _asked(trigger: Trigger, command: AmendOrder) -> PlaceTrigger:
    """The order as it would have been placed with what it is amended to."""
    placed = trigger.placed
    return PlaceTrigger(
        command.at, placed.account, RequestId(""), placed.number, placed.instrument, placed.side, placed.trigger_kind,
        placed.lots if command.lots is None else command.lots,
        placed.trigger if command.trigger is None else command.trigger,
        placed.price if command.price is None else command.price,
        placed.time_in_force, placed.source, placed.reduce_only, Rate(command.callback or placed.callback),
        placed.closes, price_match=placed.price_match,
    )  # fmt: skip


def _refusal(state: State, trigger: Trigger, asked: PlaceTrigger, command: AmendOrder) -> Reason | None:
    """The rule that the amendment breaks, or None."""
    assert state.pack is not None
    placed, position = trigger.placed, trigger.holder
    if refusal := price_refusal(asked) or lots_refusal(position.contract, asked) or callback_refusal(asked):
        return refusal
    if not _is_amendable(state, trigger, command):
        return Reason.NOT_AMENDABLE
    before = (placed.lots, placed.trigger, placed.price, placed.callback)
    if (asked.lots, asked.trigger, asked.price, asked.callback) == before:
        return Reason.NOTHING_TO_AMEND
    if trigger.amendments >= state.pack.max_amendments:
        return Reason.TOO_MANY_AMENDMENTS
    return waits_refusal(position, asked) or (Reason.WOULD_TRIGGER_AT_ONCE if _would_fire(trigger, asked) else None)


def _is_amendable(state: State, trigger: Trigger, command: AmendOrder) -> bool:
    """Whether it waits, and what is asked for is something that it has.

    One that closes its position has no size, a market order no limit price, and a stop that trails is activated. One
    that is linked, or attached to an entry, goes with the others.
    """
    placed = trigger.placed
    is_sized = command.lots is None or not placed.closes
    is_limited = command.price is None or placed.price is not None
    if placed.linked or placed.entry:
        return False
    return is_laid(state, trigger) and is_sized and is_limited and (command.trigger is None or trigger.group is None)


def _would_fire(trigger: Trigger, asked: PlaceTrigger) -> bool:
    """Whether its price has come to where it would wait; of a stop that trails, as far as it followed its price."""
    contract = trigger.holder.contract
    if trigger.group is None:
        return is_reached(contract, asked)
    level = level_at(trigger.group.extreme, asked.callback, trigger.sign)
    return price_of(contract, asked.source) * trigger.sign >= level
