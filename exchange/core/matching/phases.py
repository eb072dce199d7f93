"""Trading phases: what is refused in them, and how trading becomes continuous again.

A contract is in one phase at a time. The breaker's halt is one too: what the operator says ends it. While trading is
not continuous, marks, funding and settlement go on, liquidations wait, the fund offers nothing, and history meets no
order (but in the breaker's own halt, where it always did). Source: `docs/phases.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import PlaceOrder, SetTradingPhase, TimeInForce
from events.facts import BreakerReset, Fact, Refused, TradingPhaseSet
from events.phases import TradingPhase
from events.refusals import Reason
from events.units import Nanos
from exchange.core.contract import Contract
from exchange.core.matching.uncrossing import uncrossed
from exchange.core.state import State

CONTINUOUS, CANCEL_ONLY, AUCTION = TradingPhase.CONTINUOUS, TradingPhase.CANCEL_ONLY, TradingPhase.AUCTION
IMMEDIATE = TimeInForce.IOC, TimeInForce.FOK


def phase_refusal(contract: Contract, command: PlaceOrder) -> Reason | None:
    """Why the phase of a contract that is closed does not take an order, None where it does.

    An auction takes what can rest, post-only orders too. Source: OKX, "Call Auction mechanism"; Coinbase Exchange,
    "What is Auction Mode?".
    """
    if contract.uncrossing is not None:
        return Reason.AUCTION_UNCROSSES
    if contract.phase is AUCTION:
        can_rest = command.price is not None and command.time_in_force not in IMMEDIATE
        return None if can_rest else Reason.AUCTION_TAKES_LIMITS
    return waiting_refusal(contract)


def waiting_refusal(contract: Contract) -> Reason | None:
    """Why the phase of a contract that is closed does not take a conditional order, None in an auction: it waits."""
    if contract.phase is AUCTION:
        return None
    return Reason.CANCEL_ONLY if contract.phase is CANCEL_ONLY else Reason.TRADING_HALTED


def decide_set_trading_phase(state: State, command: SetTradingPhase) -> Iterator[Fact]:
    """Take up a phase; continuous trading only once nothing crosses any more."""
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif contract.expired:
        yield Refused(Reason.INSTRUMENT_EXPIRED)
    elif contract.uncrossing is not None:
        yield Refused(Reason.AUCTION_UNCROSSES)
    elif command.until and (command.until <= state.now or command.phase is CONTINUOUS):
        yield Refused(Reason.PHASE_END_NOT_AHEAD)
    elif command.phase is CONTINUOUS:
        yield resumes(contract)
    else:
        yield TradingPhaseSet(contract.id, command.phase, command.until)


def auctions_open(state: State, lasts: Nanos) -> Iterator[Fact]:
    """Every contract begins in an auction of so many ns."""
    for name in state.contracts:
        yield TradingPhaseSet(name, AUCTION, Nanos(state.now + lasts))


def resumes(contract: Contract) -> Fact:
    """Trading is continuous again, or what crosses has to trade before that."""
    return uncrossed(contract) or TradingPhaseSet(contract.id, CONTINUOUS)


def halt_ends(state: State, contract: Contract) -> Fact:
    """What follows on the breaker's halt: continuous trading, or an auction where the pack wants one."""
    auction = state.guards.breaker.auction
    if not auction or contract.expired:
        return BreakerReset(contract.id)
    return TradingPhaseSet(contract.id, AUCTION, Nanos(state.now + auction))
