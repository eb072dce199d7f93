"""The benchmarks measure what they say: their populations, walks and crashes, at sizes too small for any timing."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import before, cascade, durable, filling, growing, marks, matching, peers, seeking
from benchmarks.__main__ import main
from benchmarks.figures import Figure
from benchmarks.population import MARKS, populated
from benchmarks.sessions import PREFIX, session_of
from events.instruments import load_pack
from events.store.sqlite import open_session
from events.units import UNIT
from exchange.committer import GROUP_BATCHES
from exchange.core.invariants import check_end_of_batch
from exchange.core.margin.model import requirement
from exchange.core.snapshot import STATE_VERSION
from exchange.core.state import Account, Position, State
from exchange.rebuild import rebuild
from tests.tidy.tree import ROOT

NAMES = list(MARKS)


def owners(state: State) -> list[Account]:
    return [account for account in state.accounts.values() if not account.is_reserved]


def value(figures: list[Figure], name: str) -> float:
    return next(figure.value for figure in figures if figure.name == name)


@pytest.fixture
def small() -> State:
    return populated(load_pack("binance-usdm"), 200, seed=1)


def test_a_population_holds_so_many_positions_of_five_an_account_half_of_them_isolated(small: State) -> None:
    held = [position for account in owners(small) for position in account.positions.values() if position.lots]
    assert len(held) == 200
    assert len(owners(small)) == 40
    assert sum(position.is_isolated for position in held) == 100
    check_end_of_batch(small)


def test_margin_ratios_of_a_population_lie_between_5_and_95_percent(small: State) -> None:
    pools = {position.pool: None for account in owners(small) for position in account.positions.values()}
    margins = [requirement(pool) for pool in pools]
    ratios = [100 * margin.maintenance // margin.equity for margin in margins]
    assert min(ratios) >= 4
    assert max(ratios) <= 95
    assert max(ratios) - min(ratios) > 60


def test_a_walk_stays_in_its_corridor_and_counts_the_updates_that_made_nobody_due(small: State) -> None:
    walk = marks.Walk(small, seed=1)
    costs, looked, moved = walk.run(100, updates=400)
    assert 0 < len(costs) <= 400
    assert walk.liquidated > 0
    assert looked + moved > 0
    assert not small.due
    for name, first in MARKS.items():
        mark = small.contracts[name].mark  # type: ignore[index]
        assert abs(mark - first * UNIT) * 10_000 <= marks.CORRIDOR * first * UNIT
    check_end_of_batch(small)


def test_the_table_of_marks_has_a_row_for_each_size_and_step_and_says_where_a_peer_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "lrvx", None)
    figures, grid = marks.measure([10, 40], updates=20, seed=1)
    assert [row[1:3] for row in grid.rows if row[0] == "Ringfence"] == [
        ["10", "0.02"], ["10", "0.1"], ["10", "1"], ["40", "0.02"], ["40", "0.1"], ["40", "1"],
    ]  # fmt: skip
    assert [row[:3] for row in grid.rows[6:]] == [
        [f"with margin calls{recovered}", size, "0.1"]
        for recovered in (", recovered below 70 %", "") for size in ("10", "40")
    ]  # fmt: skip
    assert "not installed" in grid.title
    assert value(figures, "mark_cost_ratio_1m_to_1k") > 0


class Peer(SimpleNamespace):
    """A stand-in for the peer's engine and accounts: notes what it is told."""

    def add_tier(self, *tier: float) -> None:
        self.tiers = [tier]

    def attach_account(self, account: Any) -> None:
        self.accounts.append(account)

    def set_margin_mode(self, mode: str) -> None:
        self.mode = mode

    def open_position(self, *given: float) -> None:
        self.positions.append(given)

    def on_mark(self, symbol: int, mark: float) -> dict[str, int]:
        self.marks.append((symbol, mark))
        return {"liquidations_count": 0}


def test_a_peer_is_given_the_same_positions_and_marks(small: State, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Peer(accounts=[], marks=[])
    fake = SimpleNamespace(
        LiquidationEngine=lambda: engine, Account=lambda number, equity: Peer(equity=equity, positions=[])
    )
    monkeypatch.setitem(sys.modules, "lrvx", fake)
    monkeypatch.setattr(peers, "version", lambda _name: "0")
    monkeypatch.setattr(peers, "PEER_UPDATES", 7)
    assert peers.peer_name() == "lrvx 0"
    assert len(peers.peer_costs(small, 100, seed=1)) == 7
    assert engine.tiers == [(0, 0.004)]
    assert len(engine.accounts) == 40
    assert [symbol for symbol, _ in engine.marks] == [0, 1, 2, 3, 4, 0, 1]
    account, told = small.accounts["a2"], engine.accounts[2]  # type: ignore[index]
    assert told.mode == "isolated"
    wanted = [(NAMES.index(p.contract.id), *given(p)) for p in account.positions.values()]
    assert told.positions == wanted


def given(position: Position) -> tuple[float, float, float]:
    """Size, entry price and isolated margin."""
    return (
        position.lots * position.contract.lot / UNIT,
        float(MARKS[position.contract.id]),
        position.isolated / UNIT,
    )


def test_the_crash_liquidates_every_long_and_nobody_else() -> None:
    figures = cascade.measure(30, seed=1)
    said = next(figure for figure in figures if figure.name == "liquidations_per_cpu_s").includes
    assert said.startswith("30 pools due by one mark")
    whole = next(figure for figure in figures if figure.name == "liquidations_full_close_per_cpu_s").includes
    assert whole.startswith("30 of the same pools")
    assert value(figures, "cascade_largest_batch") <= 4096


def test_orders_of_others_are_acknowledged_while_the_cascade_runs() -> None:
    crash, waits = asyncio.run(cascade._durable(30, seed=1))
    assert crash.facts["LiquidationEnded"] == 30
    assert crash.facts["OrderRested"] == len(waits.seconds) == len(waits.batches) >= cascade.TRADERS
    assert min(waits.batches) >= 1


def test_the_matching_flow_is_measured_with_nothing_refused() -> None:
    figures = matching.measure(400, seed=1)
    assert {"match_core_commands_per_cpu_s", "rebuild_facts_per_cpu_s"} <= {figure.name for figure in figures}


def test_a_rebuild_is_measured_without_the_snapshots_of_the_session_and_an_opening_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = []

    async def counted(log: Any, *given: Any) -> Any:
        read.append(await log.snapshot(STATE_VERSION) is not None)
        return await rebuild(log, *given)

    monkeypatch.setattr(matching, "rebuild", counted)
    matching.measure(400, seed=1)
    assert read == [False, True]


def test_the_session_file_is_measured_and_one_session_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(durable, "SECONDS", 0.05)
    monkeypatch.setattr(durable, "TURNS", 1)
    (tmp_path / f"{PREFIX}of-an-older-commit.db").touch()
    figures, grid = durable.measure(600, 3000, seed=1)
    assert {"durable_commands_per_cpu_s", "log_to_raw_sqlite_ratio"} <= {figure.name for figure in figures}
    assert 1 <= value(figures, "group_commit_batches") <= GROUP_BATCHES
    assert [row[0] for row in grid.rows] == ["1,000", "10,000", "as fast as it goes"]
    (kept,) = tmp_path.iterdir()
    assert session_of(3000, seed=1) == kept
    assert asyncio.run(records(kept)) >= 3000


async def records(path: Path) -> int:
    log = await open_session(path, read_only=True)
    head = await log.head()
    await log.close()
    return head.seq


def test_the_flow_of_before_is_that_of_now_and_so_are_its_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(before, "TURNS", 1)
    monkeypatch.setattr(before, "older", lambda _commit: nullcontext(ROOT))
    figures = before.measure("this", 200, seed=1)
    assert [figure.name for figure in figures] == [
        "match_core_before_commands_per_cpu_s",
        "match_core_after_commands_per_cpu_s",
        "match_core_after_to_before_ratio",
    ]
    assert figures[0].includes.endswith("the two logs are the same byte for byte")


def test_a_commit_that_is_not_there_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert before.measure("0" * 40, 200, seed=1) == []
    assert "there is no commit 0000" in capsys.readouterr().err


def test_commands_are_measured_among_few_and_many_of_everything() -> None:
    figures, grid = growing.measure([4, 400], rounds=10)
    assert [row[:2] for row in grid.rows] == [[what, name] for what in growing.POPULATIONS for name in growing.COMMANDS]
    assert grid.header[2:] == ["4", "400", "ratio"]
    assert value(figures, "command_cost_ratio_1m_to_1k") == pytest.approx(
        max(float(row[-1]) for row in grid.rows), abs=0.01
    )


@pytest.mark.parametrize("what", growing.POPULATIONS)
def test_the_populations_that_commands_are_measured_among_hold_together(what: str) -> None:
    trader = growing._Traders(growing._among(growing.POPULATIONS[what], 450))
    growing._in_turns([trader], 20)
    check_end_of_batch(trader.state)
    for name in growing.OWNERS:
        owner = trader.state.accounts[name]
        assert not owner.orders
        assert not owner.positions[growing.INSTRUMENT].lots


def test_fills_are_measured_with_few_orders_and_with_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "FILLS", 10)
    monkeypatch.setattr(filling, "MANY", 50)
    what = filling.measure()[0].includes
    assert what.startswith("40 fills")


def test_a_part_can_be_measured_by_itself_and_written_down(tmp_path: Any) -> None:
    app = typer.Typer()
    app.command()(main)
    path = tmp_path / "figures.json"
    options = ["--only", "marks", "--positions", "10", "--positions", "20", "--updates", "10", "--json", str(path)]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert "mark updates that make nobody due" in result.output
    assert '"mark_cost_ratio_1m_to_1k"' in path.read_text()


def test_seeking_names_what_it_took_to_get_there_and_back() -> None:
    figures = seeking.measure(seed=3, seconds=30)
    assert [figure.name for figure in figures] == [
        "seek_one_hour_cpu_s", "seek_a_minute_back_cpu_s", "step_back_cpu_s",
    ]  # fmt: skip
    assert all(figure.value > 0 for figure in figures)
