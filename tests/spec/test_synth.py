"""Generated sessions: the same everywhere for a seed, whole as a market, with the crash and funding they promise."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from events.instruments import PackError
from events.observations import Kind, Observations
from replay.sources import SourceError
from replay.synth import FUNDING_TIME, generated, write_session
from replay.synth_market import Random
from tests.captures import Reading, back_in_time, crossed, gap, malformed, read, write
from tests.simple_book import SimpleBook

SECONDS = 120
TEXT_OF_SEED_7 = "5e9041521370c0ac7cbb0e2887bec75e49484eb1d53a2e47cd4e7c7ffcd36552"


@cache
def text() -> str:
    return "".join(generated(7, seconds=SECONDS))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    return read(write(tmp_path_factory.mktemp("synth") / "capture", [text()]), strict=True)


def prints(chunks: list[Observations]) -> list[int]:
    return [price for chunk in chunks for price in chunk.print_price]


def test_the_generator_of_numbers_is_splitmix64() -> None:
    random = Random(1234567)
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [random.below(1 << 64) for _ in published] == published


def test_a_seed_gives_the_same_text_everywhere() -> None:
    assert sha256(text().encode()).hexdigest() == TEXT_OF_SEED_7


def test_another_seed_gives_another_market() -> None:
    assert "".join(generated(8, seconds=2)) != "".join(generated(7, seconds=2))


def test_a_file_holds_the_text_packed_or_plain(tmp_path: Path) -> None:
    for name in ("session.txt", "session.gz"):
        write_session(tmp_path / name, seed=3, seconds=2)
    plain, packed = (tmp_path / "session.txt").read_bytes(), (tmp_path / "session.gz").read_bytes()
    assert plain == gzip.decompress(packed) == "".join(generated(3, seconds=2)).encode()
    assert packed[3:8] == bytes(5), "no name and no time in the gzip header"


def test_nothing_of_a_session_is_refused(session: Reading) -> None:
    report = session.report
    assert (report.problems, report.skipped, report.time_went_back) == ([], {"before_snapshot": 2}, 0)
    assert report.lines == text().count("\n")


def test_the_book_is_whole(session: Reading) -> None:
    book = SimpleBook().follow(session.chunks)
    assert (book.gaps, book.crossed, book.different) == (0, 0, 0)
    assert book.equal > 20 * SECONDS


def test_there_are_about_thirty_diffs_a_second_and_every_kind_of_row(session: Reading) -> None:
    kinds = [kind for chunk in session.chunks for kind in chunk.kind]
    assert 25 * SECONDS < kinds.count(Kind.DIFF) < 35 * SECONDS
    assert kinds.count(Kind.TICKER) > 30 * SECONDS
    assert kinds.count(Kind.PRINT) > 20 * SECONDS
    assert SECONDS - 1 <= kinds.count(Kind.MARK) <= SECONDS
    assert kinds.count(Kind.SNAPSHOT) == 1


def test_some_trades_arrive_after_the_diff_that_contains_them(session: Reading) -> None:
    late = total = diffed = 0
    for chunk in session.chunks:
        for kind, transacted in zip(chunk.kind, chunk.transacted, strict=True):
            if kind == Kind.DIFF:
                diffed = transacted
            elif kind == Kind.PRINT:
                late += transacted <= diffed
                total += 1
    assert total // 40 < late < total // 10


def test_a_print_takes_from_the_best_level(session: Reading) -> None:
    apart = total = 0
    best = (0, 0)
    for chunk in session.chunks:
        for kind, i in zip(chunk.kind, chunk.index, strict=True):
            if kind == Kind.TICKER:
                best = (chunk.ticker_bid[i], chunk.ticker_ask[i])
            elif kind == Kind.PRINT and best[0]:
                apart += chunk.print_price[i] != best[chunk.print_side[i] > 0]
                total += 1
    assert apart < total // 10, "only those that arrive late"


def test_the_crash_is_as_deep_as_told_and_half_way_recovered(session: Reading) -> None:
    path = prints(session.chunks)
    start, low = path[0], min(path)
    assert start == pytest.approx(600_000, rel=0.002)
    assert low == pytest.approx(start * 0.9, rel=0.005)
    assert path[-1] == pytest.approx(start * 0.94, rel=0.01)


def test_the_mark_falls_with_it_far_enough_to_liquidate_twenty_times_leverage(session: Reading) -> None:
    marks = [mark for chunk in session.chunks for mark in chunk.mark]
    assert min(marks) < marks[0] * 91 // 100
    assert max(marks) < marks[0] * 101 // 100


@pytest.mark.parametrize(("options", "share"), [({"crash": False}, 1.0), ({"crash_bps": 500}, 0.95)])
def test_the_crash_can_be_less_or_left_out(tmp_path: Path, options: dict[str, object], share: float) -> None:
    path = prints(read(write(tmp_path / "capture", generated(5, seconds=60, **options)), strict=True).chunks)
    assert min(path) == pytest.approx(path[0] * share, rel=0.005)


def test_a_funding_time_passes_and_is_a_real_one(session: Reading) -> None:
    times = [time for chunk in session.chunks for time in chunk.mark_next_funding]
    assert sorted(set(times)) == [FUNDING_TIME, FUNDING_TIME + 8 * 3600 * 10**9]
    assert times.count(FUNDING_TIME) == pytest.approx(SECONDS // 3, abs=1)
    assert all(rate for chunk in session.chunks for rate in chunk.mark_rate)


def test_start_and_funding_can_be_told(tmp_path: Path) -> None:
    lines = generated(1, seconds=5, start_at=FUNDING_TIME + 10**9, funding_after=2)
    (chunk,) = read(write(tmp_path / "capture", lines)).chunks
    assert FUNDING_TIME + 10**9 < chunk.at[0] < FUNDING_TIME + 2 * 10**9
    assert set(chunk.mark_next_funding) == {FUNDING_TIME + 3 * 10**9, FUNDING_TIME + 3 * 10**9 + 8 * 3600 * 10**9}


def test_a_session_may_start_without_a_depth_body(tmp_path: Path) -> None:
    (chunk,) = read(write(tmp_path / "capture", generated(1, seconds=5, snapshot=False)), strict=True).chunks
    assert Kind.SNAPSHOT not in chunk.kind
    assert chunk.kind.count(Kind.DIFF) > 100


def test_other_symbols_of_the_pack_have_their_own_ticks(tmp_path: Path) -> None:
    lines = generated(1, seconds=5, symbol="ETHUSDT", price="3000")
    (chunk,) = read(write(tmp_path / "capture", lines), strict=True).chunks
    assert chunk.instrument == "ETHUSDT"
    assert chunk.print_price[0] == pytest.approx(300_000, rel=0.002)


def test_a_symbol_that_the_pack_lacks_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"^rule pack binance-usdm has no NOUSDT; it has BTCUSDT, "):
        write_session(tmp_path / "session.gz", seed=1, symbol="NOUSDT")
    assert not list(tmp_path.iterdir())


def test_faults_can_be_put_in(tmp_path: Path) -> None:
    lines = text().splitlines(keepends=True)[:2_000]
    path = tmp_path / "capture"
    assert SimpleBook().follow(read(write(path, gap(lines, 500))).chunks).gaps == 1
    assert SimpleBook().follow(read(write(path, crossed(lines, 500))).chunks).crossed > 0
    assert read(write(path, back_in_time(lines, 500)), strict=True).report.time_went_back == 1
    assert read(write(path, malformed(lines, 500))).report.skipped["malformed_json"] == 1
    with pytest.raises(SourceError, match=f"{path}:501: "):
        read(path, strict=True)
