"""History and traders in one book: history goes its own way, and no way of cutting it up makes a difference."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import Command, Impact
from events.record import Batch
from exchange.core.contract import Contract
from exchange.core.state import State
from exchange.core.step import step
from tests.property.sessions import CHUNKS, HOME, Script, X, Y, deals, instruments, made, orders, rows, scripts
from tests.sim.world import lend

joining = made(
    c.PlaceOrder, number=st.just(0), instrument=instruments, side=st.sampled_from(c.Side), lots=st.integers(1, 9),
    price=st.integers(HOME - 4, HOME + 4), time_in_force=st.just(c.TimeInForce.POST_ONLY),
)  # fmt: skip
trading = st.one_of(rows(), rows(), deals(), orders(), joining, joining, made(c.CancelOrder, number=st.integers(0, 5)))
"""Traders among history, some of them in its queues."""

COUNTS = ("equal", "different", "prints", "volume", "observations", "gaps", "crossed", "last_price", "last_id")


def history(contract: Contract) -> tuple[Any, ...]:
    """What is known of history alone."""
    book, feed = contract.book, contract.feed
    stated = [sorted(side.history.stated.items()) for side in (book.bids, book.asks)]
    return stated, book.stale, [getattr(feed, name) for name in COUNTS]


def volumes(contract: Contract) -> dict[tuple[int, int], int]:
    """MARKET's lots that could be traded with, by side and price."""
    return {
        (side.sign, price): side.levels[price].market if price in side.levels else side.available(price)
        for side in (contract.book.bids, contract.book.asks)
        for price in side.history.stated
    }


def with_impact(opening: list[Command], impact: Impact) -> list[Command]:
    """The opening of the same session with another choice of impact."""
    opened = opening[0]
    assert isinstance(opened, c.OpenSession)
    return [replace(opened, options=replace(opened.options, impact=impact)), *opening[1:]]


def after(commands: list[Command]) -> State:
    """The state after these commands."""
    state = lend(State(), CHUNKS)
    for command in commands:
        step(state, command)
    return state


@settings(max_examples=60)
@given(scripts(trading))
def test_history_goes_its_own_way_whatever_traders_do(script: Script) -> None:
    commands = [*script.opening, *script.commands]
    alone = [command for command in commands if not isinstance(command, c.PlaceOrder | c.CancelOrder)]
    with_traders, without = after(commands), after(alone)
    for name in (X, Y):
        assert history(with_traders.contracts[name]) == history(without.contracts[name])


@settings(max_examples=60)
@given(scripts(trading), st.sampled_from(Impact))
def test_what_a_trader_takes_stays_taken_until_history_goes_on_or_is_there_again_at_once(
    script: Script, impact: Impact
) -> None:
    """Each of the two where the session says so, however orders come and go around MARKET's volume."""
    state = after(with_impact(script.opening, impact))
    for command in script.commands:
        expected = {name: volumes(state.contracts[name]) for name in (X, Y)}
        batch = step(state, command)
        if isinstance(command, c.AdvanceMarket) or not isinstance(batch, Batch):
            continue
        for fact in batch.facts:
            if isinstance(fact, f.Traded) and fact.maker == c.MARKET and impact is Impact.CONSUME:
                expected[fact.instrument][-1 if fact.side is c.Side.BUY else 1, fact.price] -= fact.lots
        assert {name: volumes(state.contracts[name]) for name in (X, Y)} == expected


@settings(max_examples=40)
@given(scripts(trading), st.sampled_from(sorted(CHUNKS)))
def test_rows_in_one_command_lead_to_the_same_facts_as_row_by_row(script: Script, chunk: str) -> None:
    """Where impact is kept: without it, what was taken comes back between two commands, and not within one."""
    commands = [*with_impact(script.opening, Impact.CONSUME), *script.commands]
    at, last = commands[-1].at, len(CHUNKS[chunk]) - 1
    whole = c.AdvanceMarket(at, CHUNKS[chunk].instrument, chunk, 0, last)
    assume(not after(commands).contracts[whole.instrument].expired)
    at_once = consequences(commands, [whole])
    assert at_once == consequences(commands, [replace(whole, first_row=row, last_row=row) for row in range(last + 1)])


def consequences(commands: list[Command], rows: list[Command]) -> list[Any]:
    """What the rows lead to: fills, funding, marks; who is due is said when a batch ends, so it is left out here."""
    state = after(commands)
    batches = [step(state, command) for command in rows]
    facts = [fact for batch in batches if isinstance(batch, Batch) for fact in batch.facts]
    return [fact for fact in facts if not isinstance(fact, f.MarketAdvanced | f.LiquidationDue)]
