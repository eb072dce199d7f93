"""Two real captures through the whole exchange: what was published of them holds of the replay and of its session."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from events.commands import AdvanceMarket
from events.facts import MarkPriceMoved
from tests.command_line import ringfence
from tests.playing import Played, play

PROMISED = ("trades", "volume", "top_of_book")


@dataclass(frozen=True)
class Facts:
    """What is published about a capture. first_at is the time of the first line that gives a row."""

    file: str
    trades: int
    volume: str
    top_of_book: list[int]
    lines: int
    skipped: dict[str, int]
    first_at: int
    last_at: int
    marks: int = 0
    levels: tuple[int, int] | None = None
    best: tuple[str, str] | None = None


CAPTURES = {
    "2023": Facts(
        "btcusdt_20230405.dat.gz",
        trades=10_737,
        volume="987.497",
        top_of_book=[1_255, 0],
        lines=60_381,
        skipped={"trade_insurance_fund": 1},
        first_at=1_680_652_800_005_184_000,
        last_at=1_680_653_214_683_925_000,
        marks=415,
    ),
    "2024": Facts(
        "btcusdt_20240808.gz",
        trades=21_313,
        volume="2429.366",
        top_of_book=[503, 0],
        lines=93_954,
        skipped={"before_snapshot": 4},
        first_at=1_723_161_255_088_169_167,
        last_at=1_723_161_599_833_492_584,
        levels=(5_018, 4_578),
        best=("61659.70", "61659.80"),
    ),
}


@pytest.fixture(scope="module", params=CAPTURES)
def capture(request: pytest.FixtureRequest, data: Path) -> tuple[Facts, Path]:
    facts = CAPTURES[request.param]
    return facts, data / "binance_usdm_ws" / facts.file


@dataclass(frozen=True)
class Kept:
    """A replay with two leveraged accounts, its session in a file, and what was said about it."""

    facts: Facts
    session: Path
    said: dict[str, Any]


@pytest.fixture(scope="module")
def kept(capture: tuple[Facts, Path], tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The source is gone once it was replayed."""
    facts, file = capture
    folder = tmp_path_factory.mktemp("kept")
    source, session = folder / "source", folder / "session.db"
    source.symlink_to(file)
    accounts = ("--account", "iso:isolated:20:10000", "--account", "cross:cross:50:10000")
    strategy = ("--strategy", "examples.dip_buyer:DipBuyer", "--insurance", 100_000)
    said = ringfence("replay", source, *accounts, *strategy, "--out", session, "--json").json
    source.unlink()
    return Kept(facts, session, said)


@pytest.fixture(scope="module")
def bare(capture: tuple[Facts, Path]) -> tuple[Facts, Played]:
    """The market alone."""
    facts, file = capture
    return facts, play(file)


def test_trades_volume_and_top_of_book_are_as_published(kept: Kept) -> None:
    assert [kept.said[name] for name in PROMISED] == [kept.facts.trades, kept.facts.volume, kept.facts.top_of_book]


def test_every_line_is_a_row_or_was_left_out_for_a_reason(kept: Kept) -> None:
    assert kept.said["skipped"] == kept.facts.skipped
    assert kept.said["observations"] == kept.facts.lines - sum(kept.facts.skipped.values())


def test_the_session_lasts_from_the_first_row_to_the_last(kept: Kept) -> None:
    assert (kept.said["first_at"], kept.said["last_at"]) == (kept.facts.first_at, kept.facts.last_at)


def test_the_session_alone_gives_the_same_figures_and_verifies(kept: Kept) -> None:
    verified = ringfence("verify", kept.session, "--json").json
    assert verified["ok"] is True
    same = (*PROMISED, "observations", "records", "head", "liquidations", "own_fills")
    assert {name: verified[name] for name in same} == {name: kept.said[name] for name in same}


def test_leveraged_accounts_traded_in_it(kept: Kept) -> None:
    figures = kept.said["accounts"]
    assert all(account["fills"] > 0 for account in figures.values())
    assert sum(account["fills"] for account in figures.values()) == kept.said["own_fills"]
    assert kept.said["facts_by_kind"]["traded.1"] <= kept.said["own_fills"]


def test_traders_leave_the_market_as_it_was(kept: Kept, bare: tuple[Facts, Played]) -> None:
    _, played = bare
    feed = played.state.contracts["BTCUSDT"].feed  # type: ignore[index]
    assert [feed.prints, feed.equal, feed.different] == [kept.said["trades"], *kept.said["top_of_book"]]
    assert Decimal(feed.volume) / 1_000 == Decimal(kept.said["volume"])


def test_no_update_is_lost_and_no_whole_diff_leaves_a_crossed_book(bare: tuple[Facts, Played]) -> None:
    _, played = bare
    feed = played.state.contracts["BTCUSDT"].feed  # type: ignore[index]
    assert (feed.gaps, feed.crossed, played.player.problems) == (0, 0, [])


def test_the_last_book_is_the_published_one(bare: tuple[Facts, Played]) -> None:
    facts, played = bare
    book = played.state.contracts["BTCUSDT"].book  # type: ignore[index]
    bids, asks = book.bids.history, book.asks.history
    assert not book.stale
    bid, ask = bids.best(), asks.best()
    assert bid is not None
    assert ask is not None
    assert bid < ask
    if facts.levels:
        assert (len(bids.stated), len(asks.stated)) == facts.levels
    if facts.best:
        assert (Decimal(bid) / 10, Decimal(ask) / 10) == tuple(map(Decimal, facts.best))


def test_marks_come_from_the_data_or_once_a_second_from_the_book(bare: tuple[Facts, Played], kept: Kept) -> None:
    facts, played = bare
    if facts.marks:
        assert len(played.facts(MarkPriceMoved)) == facts.marks
    marks = kept.said["facts_by_kind"]["mark_price_moved.1"]
    seconds = facts.last_at // 10**9 - facts.first_at // 10**9 + 1
    assert marks == facts.marks or 0 < marks <= seconds


def test_the_market_alone_needs_few_batches(bare: tuple[Facts, Played]) -> None:
    facts, played = bare
    batches = [batch for batch in played.batches if isinstance(batch.command, AdvanceMarket)]
    assert len(batches) <= facts.marks + facts.lines // 1_000
