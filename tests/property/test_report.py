"""The report of a session, whatever happened in it: its money adds up to the atom, and it looks without touching."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from events import facts as f
from events.codec import decode_body
from events.record import Batch
from events.units import UNIT
from exchange.core import snapshot
from exchange.core.state import State
from exchange.core.step import finish_rebuild
from exchange.projections.results import Results
from replay.quotes import equity_atoms
from replay.report import Report, Role
from tests.property.sessions import CHUNKS, Script, scripts
from tests.sim.session import run

SEEDS = range(12)


def folded(batches: list[Batch], columns: dict, only: str | None = None) -> Report:  # type: ignore[type-arg]
    """The report of a session, whose money adds up after every batch."""
    report = Report(only)  # type: ignore[arg-type]
    report.state.columns = dict(columns)
    for batch in batches:
        report.observe(batch)
        report.check()
    report.end()
    return report


def agrees(report: Report, batches: list[Batch], state: State) -> None:
    """The report says of the end what the state says, and of counts what the facts do."""
    finish_rebuild(report.state)
    assert snapshot.digest(report.state, outcomes=False) == snapshot.digest(state, outcomes=False)
    facts = [fact for batch in batches for fact in batch.facts]
    results = Results()
    for batch in batches:
        results.observe(batch)
    for name, its in report.accounts.items():
        for asset, by in its.parts.items():
            standing = its.standings[asset]
            equity = sum(part.brought_in + part.earned for part in by.values()) * UNIT + open_pnl(state, name, asset)
            assert standing.holdings.equity == equity
            assert equity // UNIT == equity_atoms(state.accounts[name], asset)  # type: ignore[index]
            whole, money = its.whole(asset), results.accounts[name].of(asset)
            assert (whole.brought_in, whole.funding) == (money.deposits, money.funding)
        for figures in (one for _, _, one in its.figures()):
            slips = [figures.asked_mid, figures.asked_best, figures.met_mid, figures.met_best, *figures.after.values()]
            assert all(slip.fills <= figures.fills and slip.lots <= figures.lots for slip in slips)
        fills = [x for x in facts if isinstance(x, f.Traded) for who in (x.maker, x.taker) if who == name]
        assert its.fills == len(fills) == results.accounts[name].fills
        assert its.orders.refused.total() == results.accounts[name].refusals
        assert its.orders.placed == sum(isinstance(x, f.OrderAccepted) and x.account == name for x in facts)
        opened = sum(trips.still_open for trips in (one.all_trips() for one in its.instruments.values()))
        assert opened == sum(p.lots != 0 for p in state.accounts[name].positions.values())  # type: ignore[index]
        waiting = sum(key.account == name for key in report._trading.open)
        assert waiting == len(state.accounts[name].orders)  # type: ignore[index]


def open_pnl(state: State, name: str, asset: str) -> int:
    """Unrealised PnL at the end, grains, from worth and entry values."""
    held = [p for p in state.accounts[name].positions.values() if p.lots and p.contract.settle == asset]  # type: ignore[index]
    return sum(p.lots * p.contract.num // p.contract.den - p.entry_value * UNIT for p in held)


@settings(max_examples=40)
@given(scripts())
def test_the_money_of_any_session_adds_up(script: Script) -> None:
    world = script.play()
    agrees(folded(world.batches, CHUNKS), world.batches, world.state)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_money_of_a_simulated_session_adds_up(seed: int) -> None:
    world = run(seed)
    batches = [decode_body(number, body) for number, body in enumerate(world.bodies, 1)]
    agrees(folded(batches, world.columns), batches, world.state)


def test_one_account_is_reported_alone_as_among_all() -> None:
    world = run(3)
    together = folded(world.batches, world.columns)
    name = max(together.accounts, key=lambda one: together.accounts[one].fills)
    alone = folded(world.batches, world.columns, name)
    assert list(alone.accounts) == [name]
    ours, theirs = alone.accounts[name], together.accounts[name]
    assert (ours.parts, ours.orders, ours.fills) == (theirs.parts, theirs.orders, theirs.fills)
    assert [(i, role, one) for i, role, one in ours.figures()] == [(i, role, one) for i, role, one in theirs.figures()]
    assert ours.fills > 0
    assert any(role is Role.TAKER for _, role, _ in ours.figures())
