"""`ringfence play` without a terminal, and `ringfence replay --speed`: lines in, what came of each out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.units import SECOND
from replay.clock import ManualClock
from tests.command_line import Said, ringfence
from tests.playing import capture, market
from tests.tampering import ACCOUNTS


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with a crash, and with two quoting accounts that it hits."""
    folder = tmp_path_factory.mktemp("session")
    quoting = (
        "--strategy",
        "examples.quoter:Quoter",
        "--account",
        "ann:isolated:20:3000",
        "--account",
        "ben:cross:5:3000",
    )
    ringfence("replay", capture(folder, market(30)), *quoting, "--out", folder / "session.db")
    return folder / "session.db"


def play(session: Path, *lines: str, status: int = 0, options: tuple[str, ...] = ()) -> Said:
    return ringfence("play", session, *options, status=status, typed="".join(f"{line}\n" for line in lines))


def objects(session: Path, *lines: str, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    said = play(session, *lines, options=("--json", *options))
    return [json.loads(line) for line in said.out.splitlines()]


class TestLines:
    """Each line is done before the next one is looked at."""

    def test_a_line_each_says_where_it_led(self, session: Path) -> None:
        said = play(session, "step", "", "speed max   # as fast as it goes", "seek +10s")
        first, told, speed, further = said.out.splitlines()[:4]
        assert first == "step                      2024-03-05 15:59:50.002 UTC, record 4 (batch 2), paused, 1x"
        assert told == "          4  2024-03-05 15:59:50.002  account_opened account=ann"
        assert speed == "speed max                 2024-03-05 15:59:50.002 UTC, record 4 (batch 2), paused, max"
        assert further.startswith("seek +10s                 2024-03-05 16:00:0")

    def test_the_moment_is_the_one_of_log_at(self, session: Path) -> None:
        (shown,) = objects(session, "show", options=("--at", "200"))
        at = ringfence("log", "at", session, "--record", "200", "--levels", "5", "--json").json
        assert {key: shown["moment"][key] for key in ("record", "instruments", "accounts")} == {
            key: at[key] for key in ("record", "instruments", "accounts")
        }
        shown_text, at_text = (
            play(session, "show", options=("--at", "200")).out,
            ringfence("log", "at", session, "--record", "200").out,
        )
        assert shown_text == at_text

    def test_a_time_without_a_day_is_one_of_the_present_day(self, session: Path) -> None:
        whole, short = objects(session, "seek 2024-03-05T16:00:05", "seek 16:00:05")
        assert (short["at"], short["record"]) == (whole["at"], whole["record"])
        complaint = play(session, "seek 25:00", status=2).complaint
        assert complaint.startswith("line 1: seek '2024-03-05T25:00': write it as 2023-04-05T08:00:12.5")

    @pytest.mark.parametrize("at", ["200", "2024-03-05T16:00:05", "16:00:05", "1709654405000000000"])
    def test_it_begins_where_it_was_told_to(self, session: Path, at: str) -> None:
        (there,) = objects(session, "speed 2", options=("--at", at))
        (gone,) = objects(session, f"record {there['record']}")
        assert (there["at"], there["record"]) == (gone["at"], gone["record"])
        assert there["speed"] == "2x"

    def test_back_and_forth_leads_to_the_same_moment(self, session: Path) -> None:
        lines = ("step 3 fill", "back 2 fill", "step 2 fill", "seek end", "seek start", "step 3 fill")
        there, _, again, end, start, once_more = objects(session, *lines)
        for moment in (again, once_more):
            assert {**moment, "did": 0, "now": 0} == {**there, "did": 0, "now": 0}
        assert there["news"]
        assert end["at_end"]
        assert start["record"] == 2

    def test_only_what_concerns_the_account_counts(self, session: Path) -> None:
        for name in ("ann", "ben"):
            by_option = objects(session, "step 2 fill", options=("--account", name))[-1]
            by_line = objects(session, "step 9", f"account {name}", "back 8", "step 2 fill")[-1]
            assert by_option["record"] == by_line["record"]
            assert any(f"={name} " in line for line in by_option["news"])
        assert objects(session, "step 99", "account ann", "account all", "show")[-1]["moment"]["accounts"].keys() >= {
            "ann",
            "ben",
        }

    def test_so_much_session_time_is_played(self, session: Path) -> None:
        before, _, after = objects(session, "step 5", "speed max", "play 5s")
        assert after["now"] - before["now"] == 5 * SECOND
        assert not after["playing"]
        *_, end = objects(session, "speed max", "play")
        assert end["at_end"]

    def test_a_loop_goes_round(self, session: Path) -> None:
        lines = (
            "seek +10s",
            "speed max",
            "loop 2024-03-05T16:00:05 2024-03-05T16:00:09",
            "play 10s",
            "loop off",
            "play 5s",
        )
        *_, looped, off, after = objects(session, *lines)
        start, end = looped["loop"]
        assert start <= looped["at"] <= end
        assert off["loop"] is None
        assert after["at"] > end

    def test_before_the_first_there_is_nothing(self, session: Path) -> None:
        (there,) = objects(session, "back 5 liquidation")
        assert (there["record"], there["said"]) == (2, "there are not so many before: this is the beginning")

    def test_pausing_and_leaving(self, session: Path) -> None:
        assert [one["did"] for one in objects(session, "pause", "quit", "step")] == ["pause", "quit"]

    def test_nothing_to_do_is_done(self, session: Path) -> None:
        assert play(session).out == ""


class TestForks:
    """From any moment a session goes another way."""

    def test_a_fork_shares_what_was_up_to_here(self, session: Path, tmp_path: Path) -> None:
        out = tmp_path / "fork.db"
        here, forked = objects(session, "seek +15s", f"fork {out} ann:deposit:USDT=500")
        assert forked["said"] == (
            f"written {out}: the same {here['record']:,} records, then otherwise; see ringfence diff {session} {out}"
        )
        difference = ringfence("diff", session, out, "--json", status=1).json
        assert difference["shared"]["record"] == here["record"]
        assert ringfence("verify", out, "--json").json["ok"] is True

    def test_another_strategy_goes_on_from_here(self, session: Path, tmp_path: Path) -> None:
        out = tmp_path / "fork.db"
        fork = f"fork {out} strategy=tests.strategies:Diary"
        here, forked = objects(session, "seek +15s", fork, options=("--account", "ann"))
        assert "then otherwise" in forked["said"]
        orders = [
            json.loads(line) for line in ringfence("log", out, "--kind", "place_order", "--json").out.splitlines()
        ]
        assert {order["account"] for order in orders if order["seq"] > here["record"]} == {"ben"}

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            (
                "fork x.db",
                "give fork FILE CHANGE..., as fork b.db ann:leverage:BTCUSDT=5, or FILE strategy=module:Class",
            ),
            ("fork {session} ann:deposit:USDT=5", "{session}: exists already; choose another name"),
            ("fork x.db nonsense", "--set 'nonsense'"),
        ],
    )
    def test_what_cannot_be_is_told(self, session: Path, line: str, why: str) -> None:
        said = play(session, line.format(session=session), status=2)
        assert why.format(session=session) in said.complaint
        assert not Path("x.db").exists()


class TestMistakes:
    """One line says what and where."""

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("jump", "line 1: 'jump' is nothing to do here; give play, pause, step, back, seek,"),
            ("step 2 fils", "line 1: step 2 fils: 'fils'; give batch, fill,"),
            ("step 2 fill 3", "line 1: give step 3 fill"),
            ("seek", "line 1: give seek 2023-04-05T08:00:12, +10s, -1m, start or end"),
            ("seek soon", "line 1: seek 'soon': write it as 2023-04-05T08:00:12.5 (UTC), or in ns"),
            ("seek +10", "line 1: seek 10: give a time with its unit"),
            ("seek 2001-01-01T00:00:00", "nothing had happened yet; the session begins at 2024-03-05T15:59:50"),
            ("record x", "line 1: record 'x': give its number"),
            ("record 99999999", "line 1: record 99999999: record 99999999: the session has records 1 to"),
            ("speed fast", "line 1: speed fast: speed 'fast'; give a number such as 0.1 or 10, or max"),
            ("loop 5", "line 1: give loop FROM TO, two times, or loop off"),
            ("loop 9 5", "line 1: loop 9 5: a loop ends after it begins"),
            ("account zoe", "line 1: no account 'zoe' at this moment; it has INSURANCE"),
            ("step 'fill", 'line 1: "step \'fill": No closing quotation'),
        ],
    )
    def test_in_a_line(self, session: Path, line: str, why: str) -> None:
        assert why in play(session, line, status=2).complaint

    def test_a_loop_without_end(self, session: Path) -> None:
        said = play(session, "loop 1709654400000000000 1709654401000000000", "play", status=2)
        assert (
            said.err
            == "ringfence: line 2: a loop has no end: give play a length, as play 30s, or say loop off before\n"
        )

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            (("--speed", "0"), "--speed '0'; give 0.001 to 1,000,000, or max"),
            (("--at", "0"), "record 0: the session has records 1 to"),
            (("--account", "zoe"), "--account zoe: {session} has no such account; it has"),
        ],
    )
    def test_in_the_options(self, session: Path, options: tuple[str, ...], why: str) -> None:
        assert why.format(session=session) in play(session, "step", status=2, options=options).complaint


class TestUnderWay:
    """A replay that keeps to a speed is the same session."""

    def test_the_session_is_the_same_at_any_speed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("replay.control.WallClock", ManualClock)
        source = capture(tmp_path, market(10))
        heads = {
            ringfence("replay", source, *ACCOUNTS, *speed, "--json").json["head"]
            for speed in ((), ("--speed", "0.5"), ("--speed", "max"))
        }
        assert len(heads) == 1

    def test_what_is_no_speed_is_told(self, tmp_path: Path) -> None:
        said = ringfence("replay", capture(tmp_path, market(10)), "--speed", "fast", status=2)
        assert said.complaint == "--speed 'fast'; give a number such as 0.1 or 10, or max"
