"""The watch names exactly those who are due, after every change, as a scan of all pools would."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import AccountId, Command, Side
from events.instruments import Bracket, MarginMode, PackError, RulePack, load_pack
from events.record import Batch
from events.units import UNIT
from exchange.core.invariants import check_end_of_batch
from exchange.core.liquidation.watch import is_due
from exchange.core.margin.model import is_open, solvency
from exchange.core.state import RULES_VERSION, Pool, Position, State
from exchange.core.step import step
from tests.property.portfolios import due_at, first_due_mark, is_stepped, pools, portfolios, say, traders, trigger
from tests.property.rules import PAIR, USD, wide_packs
from tests.property.sessions import indices, instruments, made, marks, rates

some = st.sampled_from(("A0", "A1"))
steps = st.one_of(
    made(c.SetMarkPrice, instrument=instruments, mark=marks),
    made(c.SetMarkPrice, instrument=instruments, mark=marks),
    st.tuples(st.integers(0, 20), st.integers(-1, 1)),
    st.tuples(st.integers(0, 20), st.integers(-1, 1)),
    made(c.Proceed, limit=st.sampled_from((1, 4096))),
    made(c.ApplyFunding, instrument=instruments, rate=rates),
    made(c.SetIndexPrice, instrument=st.just(PAIR), index=indices),
    made(c.SetIndexPrice, instrument=st.just(PAIR), index=indices),
    made(c.Deposit, account=some, asset=st.just(USD), amount=st.integers(1, 999)),
    made(c.AddMargin, account=some, instrument=instruments, amount=st.integers(1, 99)),
    made(c.SetMarginMode, account=some, instrument=instruments, mode=st.sampled_from(MarginMode)),
    made(c.SetCollateralMode, account=some, multi=st.booleans()),
    made(c.SetLeverage, account=some, instrument=instruments, leverage=st.integers(1, 50)),
)
"""Commands, and (position, offset): the mark goes to the first at which the position's pool is due, give or take."""


def command(state: State, asked: Any, place: int) -> Command | None:
    """What a step means in this state."""
    if isinstance(asked, c.TradersCommand):
        return type(asked)(**{**{k: getattr(asked, k) for k in asked.__struct_fields__}, "request": f"r{place}"})
    if isinstance(asked, Command):
        return asked
    held = [p for account in traders(state) for p in account.positions.values() if p.lots and not p.pool.due]
    if not held:
        return None
    position = held[asked[0] % len(held)]
    mark = first_due_mark(position)
    return None if mark is None else c.SetMarkPrice(0, position.contract.id, max(1, mark + asked[1]))


@settings(max_examples=150)
@given(portfolios(), st.lists(steps, min_size=5, max_size=25))
def test_who_is_named_is_who_a_full_scan_finds(state: State, asked: list[Any]) -> None:
    for place, one in enumerate(asked):
        if (given := command(state, one, place)) is None:
            continue
        batch = step(state, given)
        assert isinstance(batch, Batch)
        check_end_of_batch(state)
        named = {(due.account, due.pool) for due in batch.facts if isinstance(due, f.LiquidationDue)}
        assert named == {pool.id for pool in pools(state) if pool.due and state.due[pool.due].seq > batch.first_seq}
        assert all(is_due(pool) for pool in pools(state) if pool.id in named)
        assert all(pool.due for pool in pools(state) if is_due(pool))


warnings = st.sampled_from((UNIT * 8 // 10, UNIT * 95 // 100, UNIT))
recoveries = st.sampled_from((0, UNIT * 4 // 10, UNIT * 6 // 10, UNIT * 79 // 100))


def with_warning(pack: RulePack, warning: int, recovery: int) -> RulePack:
    """The pack, with margin calls and a ratio of recovery where its maintenance margin rates leave room for them."""
    for stated in (recovery, 0):
        rules = replace(pack.liquidation, warning=warning, recovery=stated)
        with suppress(PackError):
            return replace(pack, liquidation=rules).check()
    return pack


def is_beyond(pool: Pool, ratio: int) -> bool:
    """Whether MM / equity of a pool with a position open is at a ratio, a Rate, or beyond."""
    equity, maintenance = solvency(pool)
    return is_open(pool) and equity * ratio <= maintenance * UNIT


@settings(max_examples=150)
@given(
    portfolios(packs=st.builds(with_warning, wide_packs(), warnings, recoveries)),
    st.lists(steps, min_size=5, max_size=25),
)
def test_who_is_warned_is_who_a_full_scan_finds_and_is_told_once(state: State, asked: list[Any]) -> None:
    assert state.pack is not None
    rules, told = state.pack.liquidation, {pool.id for pool in pools(state) if pool.warned}
    for place, one in enumerate(asked):
        if (given := command(state, one, place)) is None:
            continue
        before = told.copy()
        batch = step(state, given)
        assert isinstance(batch, Batch)
        check_end_of_batch(state)
        for fact in batch.facts:
            if isinstance(fact, f.MarginCalled):
                assert (fact.account, fact.pool) not in told
                told.add((fact.account, fact.pool))
            elif isinstance(fact, f.MarginRecovered):
                told.remove((fact.account, fact.pool))
        told &= {pool.id for pool in pools(state)}
        assert told == {pool.id for pool in pools(state) if pool.warned}
        for pool in [pool for pool in pools(state) if rules.warning and not pool.due]:
            assert pool.warned == is_beyond(pool, rules.recovers_at if pool.id in before else rules.warning)


@settings(max_examples=150)
@given(portfolios())
def test_the_trigger_of_an_isolated_position_is_the_first_mark_unit_at_which_it_is_due(state: State) -> None:
    isolated = [p for p in pools(state) if isinstance(p, Position) and p.lots and not p.due]
    for position in isolated:
        if not is_stepped(position):
            assert trigger(position) == first_due_mark(position)


@settings(max_examples=100)
@given(portfolios(packs=wide_packs()), st.lists(st.floats(0, 1), min_size=20, max_size=20))
def test_between_the_mark_and_the_trigger_of_an_isolated_position_it_is_nowhere_due(
    state: State, shares: list[float]
) -> None:
    for position in [p for p in pools(state) if isinstance(p, Position) and p.lots and not p.due]:
        mark, contract = trigger(position), position.contract
        if mark is None:
            assert first_due_mark(position) is None
            continue
        assert due_at(position, contract, mark)
        before = mark + (1 if position.lots > 0 else -1)
        between = [before + int((contract.mark - before) * share) for share in shares]
        assert not [at for at in (before, *between) if due_at(position, contract, at)]


@settings(max_examples=100)
@given(portfolios(), st.data())
def test_a_mark_unit_before_a_pool_is_due_it_is_left_alone_and_there_it_is_named(
    state: State, data: st.DataObject
) -> None:
    held = [p for account in traders(state) for p in account.positions.values() if p.lots and not p.pool.due]
    if not held:
        return
    position = data.draw(st.sampled_from(held))
    first = first_due_mark(position)
    if first is None:
        return
    before = first + 1 if position.lots > 0 else first - 1
    for mark, is_named in ((before, False), (first, True)):
        if mark == position.contract.mark and not is_named:
            continue
        batch = step(state, c.SetMarkPrice(0, position.contract.id, mark))
        assert isinstance(batch, Batch)
        assert (f.LiquidationDue(*position.pool.id) in batch.facts) == is_named


VENUE = load_pack("binance-usdm")
BTC = VENUE.instruments[0]
SILENT = replace(VENUE, liquidation=replace(VENUE.liquidation, warning=0))


def held_in(pack: RulePack, bracket: Bracket, side: Side, percent: int) -> tuple[State, Position]:
    """A position whose notional at the mark lies in the bracket; with much margin its trigger lies in another one."""
    mark = 60_000 * UNIT + 12_345
    notional = (bracket.floor + min(bracket.cap, 2 * bracket.floor + 10**5 * UNIT)) // 2
    lots = max(1, notional * UNIT // (mark * BTC.lot))
    value = lots * BTC.lot * mark // UNIT
    state, ann = State(), AccountId("ANN")
    for fact in (
        f.SessionOpened(RULES_VERSION, pack, c.SessionOptions()),
        f.MarkPriceMoved(BTC.id, mark), f.AccountOpened(ann), f.Deposited(ann, BTC.settle, 10**20),
        f.MarginModeSet(ann, BTC.id, MarginMode.ISOLATED), f.LeverageSet(ann, BTC.id, bracket.max_leverage),
        f.TakenOver(ann, BTC.id, side, lots, value, mark), f.MarginMoved(ann, BTC.id, value * percent // 100 + 1),
    ):  # fmt: skip
        say(state, fact)
    step(state, c.AdvanceTime(0))
    return state, state.accounts[ann].positions[BTC.id]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("bracket", BTC.brackets, ids=lambda bracket: f"from {bracket.floor // UNIT}")
@pytest.mark.parametrize("percent", [0, 30, 90])
def test_the_trigger_is_exact_in_every_bracket_of_a_venue(bracket: Bracket, side: Side, percent: int) -> None:
    _, position = held_in(SILENT, bracket, side, percent)
    assert not position.due
    assert trigger(position) == first_due_mark(position)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("bracket", BTC.brackets, ids=lambda bracket: f"from {bracket.floor // UNIT}")
def test_the_margin_call_comes_within_a_mark_unit_of_its_trigger(bracket: Bracket, side: Side) -> None:
    state, position = held_in(VENUE, bracket, side, 0)
    first, away = trigger(position), 1 if position.lots > 0 else -1
    path = [(1, False)] if first is None else [(first + away, False), (first - away, True), (first + 2 * away, False)]
    for mark, is_called in path:
        step(state, c.SetMarkPrice(0, BTC.id, mark))
        check_end_of_batch(state)
        assert (position.warned, position.due) == (is_called, None)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("bracket", BTC.brackets[:-1], ids=lambda bracket: f"from {bracket.floor // UNIT}")
def test_a_recovery_comes_at_its_mark_unit_and_not_before(bracket: Bracket, side: Side) -> None:
    rules = replace(VENUE.liquidation, recovery=UNIT * 6 // 10)
    state, position = held_in(replace(VENUE, liquidation=rules).check(), bracket, side, 0)
    away, first = 1 if position.lots > 0 else -1, trigger(position)
    assert first is not None
    step(state, c.SetMarkPrice(0, BTC.id, first - away))
    assert position.warned
    recovered = first_mark(position, away, lambda: not is_beyond(position, rules.recovery))
    for mark, is_called in ((recovered - away, True), (recovered, False), (first + away, False), (first - away, True)):
        step(state, c.SetMarkPrice(0, BTC.id, mark))
        check_end_of_batch(state)
        assert (position.warned, position.due) == (is_called, None)


def first_mark(position: Position, away: int, reached: Callable[[], bool]) -> int:
    """The first mark, up or down from the present one, at which that is so; it stays so beyond it."""
    contract, near = position.contract, position.contract.mark
    short, far = 0, near // 2
    while far - short > 1:
        middle = (short + far) // 2
        contract.set_mark(near + away * middle)
        short, far = (short, middle) if reached() else (middle, far)
    contract.set_mark(near)
    return near + away * far
