"""A conditional order is placed: it waits for its price, or is refused."""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import OrderNumber, PlaceTrigger, Side
from events.facts import Fact, Refused, TriggerPlaced
from events.instructions import Arming
from events.refusals import Reason
from exchange.core.contract import Contract
from exchange.core.matching.checks import name_refusal
from exchange.core.matching.good_till import until_of
from exchange.core.state import Account, Position, State
from exchange.core.triggers.rules import form_refusal, is_reached, lots_refusal, price_refusal, reduces, waits_refusal
from exchange.core.triggers.trigger import closing_bit

BUY = Side.BUY
ALONE = OrderNumber(0)


def decide_place_trigger(state: State, command: PlaceTrigger) -> Iterator[Fact]:
    """Let a conditional order wait for its price, or refuse it."""
    account = state.accounts[command.account]
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
        return
    if refusal := trigger_refusal(state, account, contract, command):
        yield Refused(refusal)
    else:
        yield placed(command)


def trigger_refusal(
    state: State, account: Account, contract: Contract, command: PlaceTrigger, beside: int = 0
) -> Reason | None:
    """The rule that a conditional order breaks, or None; so many others are placed with it."""
    refusal = own_refusal(account, contract, command)
    return refusal or _standing_refusal(state, state.position(account, contract, command.leg), command, beside)


def placed(
    command: PlaceTrigger, linked: OrderNumber = ALONE, entry: OrderNumber = ALONE, arms: Arming = Arming.FIRST_FILL
) -> TriggerPlaced:
    """The fact that no rule speaks against a conditional order, by itself, linked to another, attached to an entry."""
    return TriggerPlaced(
        command.account, command.number, command.instrument, command.side, command.trigger_kind, command.lots,  # type: ignore[arg-type]
        command.trigger, command.price, command.time_in_force, command.source, entry != ALONE or reduces(command),  # type: ignore[arg-type]
        command.callback, command.closes, command.protects, command.leg, command.client, command.self_trade,
        until_of(command), command.price_match, command.with_position, linked, entry, arms,
    )  # fmt: skip


def own_refusal(account: Account, contract: Contract, command: PlaceTrigger) -> Reason | None:
    """The rule about a conditional order itself that it breaks, or None."""
    refusal = name_refusal(account, command) or price_refusal(command) or lots_refusal(contract, command)
    return refusal or form_refusal(account, contract, command)


def _standing_refusal(state: State, position: Position, command: PlaceTrigger, beside: int) -> Reason | None:
    if refusal := waits_refusal(position, command) or number_refusal(state, position, beside):
        return refusal
    contract, sign = position.contract, 1 if command.side is BUY else -1
    if command.closes and position.closing & closing_bit(command.trigger_kind, sign):
        return Reason.CLOSING_TRIGGER_EXISTS
    if is_reached(contract, command):
        return Reason.WOULD_TRIGGER_AT_ONCE
    return Reason.NO_POSITION if command.with_position and position.lots * sign >= 0 else None


def number_refusal(state: State, position: Position, beside: int) -> Reason | None:
    """Whether the account has as many conditional orders in the instrument as it may, with so many that come along."""
    assert state.pack is not None
    most, legs = state.pack.max_triggers, state.accounts[position.account].legs(position.contract.id)
    return Reason.TOO_MANY_TRIGGERS if most and sum(leg.open_triggers for leg in legs) + beside >= most else None
