"""A conditional order is placed: it waits for its price, or is refused."""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import PlaceTrigger, Side
from events.facts import Fact, Refused, TriggerPlaced
from events.refusals import Reason
from exchange.core.matching.checks import name_refusal
from exchange.core.matching.good_till import until_of
from exchange.core.state import Account, Position, State
from exchange.core.triggers.rules import form_refusal, is_reached, lots_refusal, price_refusal, reduces, waits_refusal
from exchange.core.triggers.trigger import closing_bit

BUY = Side.BUY


def decide_place_trigger(state: State, command: PlaceTrigger) -> Iterator[Fact]:
    """Let a conditional order wait for its price, or refuse it."""
    account = state.accounts[command.account]
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
        return
    position = state.position(account, contract, command.leg)
    refusal = name_refusal(account, command) or price_refusal(command) or lots_refusal(contract, command)
    refusal = refusal or form_refusal(account, contract, command)
    if refusal := refusal or _standing_refusal(state, account, position, command):
        yield Refused(refusal)
        return
    yield TriggerPlaced(
        command.account, command.number, contract.id, command.side, command.trigger_kind, command.lots,  # type: ignore[arg-type]
        command.trigger, command.price, command.time_in_force, command.source, reduces(command), command.callback,  # type: ignore[arg-type]
        command.closes, command.protects, command.leg, command.client, command.self_trade, until_of(command),
        command.price_match, command.with_position,
    )  # fmt: skip


def _standing_refusal(state: State, account: Account, position: Position, command: PlaceTrigger) -> Reason | None:
    if refusal := waits_refusal(position, command):
        return refusal
    contract, sign = position.contract, 1 if command.side is BUY else -1
    assert state.pack is not None
    most = state.pack.max_triggers
    if most and sum(position.open_triggers for position in account.legs(contract.id)) >= most:
        return Reason.TOO_MANY_TRIGGERS
    if command.closes and position.closing & closing_bit(command.trigger_kind, sign):
        return Reason.CLOSING_TRIGGER_EXISTS
    if is_reached(contract, command):
        return Reason.WOULD_TRIGGER_AT_ONCE
    return Reason.NO_POSITION if command.with_position and position.lots * sign >= 0 else None
