"""What falls due by the passing of time: computed funding, the expiry of dated contracts, interest on debts, the end of
a trading phase, of a halt or of the withdrawal gate.

`step` lets the timers fire before it decides a command, so that a command at or after a funding time, an expiry, is
decided after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import FundingSource
from events.facts import (
    AuctionStepReached,
    CountdownsReached,
    Fact,
    FundingDue,
    InterestDue,
    LiquidationWindowEnded,
    SettlementDue,
)
from events.rules import FundingPrice
from events.units import MarkUnits, Nanos, Rate
from exchange.core.contract import Contract
from exchange.core.due import DueKind
from exchange.core.funding import computed_rate, weighted
from exchange.core.gate import at_the_end
from exchange.core.matching.phases import halt_ends, resumes
from exchange.core.state import FAR, State


def fire(state: State) -> Iterator[Fact]:
    """Say what fell due up to now, the earliest first."""
    while (first := min(state.timers[0][0] if state.timers else FAR, state.next_countdown())) <= state.now:
        if not state.timers or state.timers[0][0] > first:
            yield CountdownsReached()
            continue
        at, kind, instrument = state.timers[0]
        if kind == DueKind.INTEREST:
            yield InterestDue()
        elif kind == DueKind.FUNDING:
            contract = state.contracts[instrument]  # type: ignore[index]
            yield funding_due(state, contract, at)
        elif kind == DueKind.GATE:
            yield at_the_end(state)
        elif kind == DueKind.AUCTION:
            yield AuctionStepReached(state.contracts[instrument].id, Nanos(at))  # type: ignore[index]
        elif kind == DueKind.WINDOW:
            yield LiquidationWindowEnded(state.contracts[instrument].id)  # type: ignore[index]
        elif kind == DueKind.BREAKER:
            yield halt_ends(state, state.contracts[instrument])  # type: ignore[index]
        elif kind == DueKind.PHASE:
            yield resumes(state.contracts[instrument])  # type: ignore[index]
        else:
            contract = state.contracts[instrument]  # type: ignore[index]
            yield SettlementDue(contract.id, MarkUnits(settlement_price(contract)))


def funding_due(state: State, contract: Contract, at: int) -> FundingDue:
    """The funding time of a contract, at the rate that its premium comes to; of nothing where it has no prices yet."""
    assert state.pack is not None
    price = funding_price(state, contract)
    pack = state.pack
    known = price and contract.average.at
    rate, over = computed_rate(contract, at, pack.premium_hours, pack.rate_hours) if known else (0, 1)
    return FundingDue(contract.id, Rate(rate), MarkUnits(price), over)


def settlement_price(contract: Contract) -> int:
    """The price at which a dated contract settles, mark units: its index, averaged where the venue does; else its mark.

    Source: Binance, "Delivery & Settlement of Quarterly Futures": the average of the index over the last hour.
    """
    if contract.average.at:
        return weighted(contract.average, contract.terms.expiry)
    return contract.index or contract.mark


def funding_price(state: State, contract: Contract) -> int:
    """The price at which positions are valued for funding, mark units: the mark, or the index; 0 while unknown."""
    assert state.pack is not None
    return contract.index if state.pack.funding_price is FundingPrice.INDEX else contract.mark


def set_first(state: State) -> None:
    """Set the timers of a session that opens. For `apply` only."""
    assert state.pack is not None
    for contract in state.contracts.values():
        if contract.terms.expiry:
            state.set_timer(contract.terms.expiry, DueKind.SETTLEMENT, contract.id)
        elif state.options.funding is FundingSource.PREMIUM:
            state.set_timer(_next(state.now, contract.terms.funding_interval), DueKind.FUNDING, contract.id)
    if state.pack.interest_interval and state.assets:
        state.set_timer(_next(state.now, state.pack.interest_interval), DueKind.INTEREST)


def forget(state: State, kind: DueKind, instrument: str) -> None:
    """What was to fall due does not. For `apply` only."""
    state.timers = [timer for timer in state.timers if timer[1:] != (kind, instrument)]
    state.rewind()


def has_timer(state: State, kind: DueKind, instrument: str) -> bool:
    """Whether something of a kind is to fall due."""
    return any(timer[1:] == (kind, instrument) for timer in state.timers)


def took_effect(state: State, kind: DueKind, instrument: str = "", makes_up: bool = False) -> int:
    """A timer fired: take it off and set the next one of its kind. Returns when it was set for. For `apply` only.

    Intervals that passed unseen are made up for one by one where something accrued in them, else once.
    """
    timer = next((t for t in state.timers if t[1] == kind and t[2] == instrument and t[0] <= state.now), None)
    if timer is None:
        return state.now
    state.timers.remove(timer)
    state.rewind()
    assert state.pack is not None
    if kind == DueKind.FUNDING:
        state.set_timer(_next(state.now, state.contracts[instrument].terms.funding_interval), kind, instrument)  # type: ignore[index]
    elif kind == DueKind.INTEREST:
        state.set_timer(_next(timer[0] if makes_up else state.now, state.pack.interest_interval), kind)
    return timer[0]


def _next(now: int, interval: int) -> int:
    """The first whole interval of the day after that time."""
    return (now // interval + 1) * interval
