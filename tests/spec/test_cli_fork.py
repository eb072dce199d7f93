"""`ringfence fork`: the same past, one thing changed, everything after it decided again."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import ringfence
from tests.tampering import Row, recorded, rows_of


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def forked(session: Path, at: object, *settings: str) -> tuple[dict[str, Any], Path]:
    """What came of it, and the file; the fork stands every check that a session stands."""
    out = session.with_name("fork.db")
    out.unlink(missing_ok=True)
    changes = [word for setting in settings for word in ("--set", setting)]
    said = ringfence("fork", session, "--at", at, *changes, "--out", out, "--json").json
    assert ringfence("verify", out, "--json").json["ok"]
    assert ringfence("audit", out, "--json").json["ok"]
    shared = said["shared"]["batch"]
    assert rows_of(out)[:shared] == rows_of(session)[:shared]
    return said, out


def first(session: Path, kind: str) -> tuple[Row, dict[str, Any]]:
    """The first batch that was asked by such a command, and the command."""
    return next((row, row.records[0][2]) for row in rows_of(session) if row.records[0][2]["kind"] == kind)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_fork_that_changes_nothing_is_the_session(session: Path, share: float) -> None:
    rows = rows_of(session)
    said, out = forked(session, rows[int(len(rows) * share)].first_seq)
    assert said["same"] is True
    assert rows_of(out) == rows


def test_from_a_record_on_the_account_may_have_more(session: Path) -> None:
    order, _ = first(session, "place_order.1")
    said, out = forked(session, order.last_seq, "ann:deposit:USDT=5000")
    assert said["shared"] == {"record": order.first_seq - 1, "batch": order.batch - 1}
    deposit = rows_of(out)[order.batch - 1].records[0][2]
    assert (deposit["kind"], deposit["account"], deposit["amount"]) == ("deposit.1", "ann", 5000 * 10**8)
    assert rows_of(out)[order.batch].records[0][2] == order.records[0][2], "and then the world goes on"
    assert Decimal(said["accounts"][0]["b"]["equity"]) > Decimal(said["accounts"][0]["a"]["equity"])


def test_after_a_time_the_next_batch_is_the_first_that_differs(session: Path) -> None:
    rows = rows_of(session)
    at = rows[len(rows) // 2].at
    said, _ = forked(session, at, "ann:deposit:USDT=1")
    assert said["shared"]["batch"] == max(row.batch for row in rows if row.at <= at)


def test_a_time_without_its_day_is_one_of_the_day_on_which_the_session_begins(session: Path) -> None:
    (whole, _), (short, _) = (
        forked(session, at, "ann:deposit:USDT=1") for at in ("2024-03-05T15:59:58.5", "15:59:58.5")
    )
    assert short["shared"] == whole["shared"]
    asked = ("fork", session, "--at", "25:00", "--out", session.with_name("other.db"))
    complaint = ringfence(*asked, status=2).complaint
    assert "--at '2024-03-05T25:00': write it as 2023-04-05T08:00:12.5 (UTC), or in ns" in complaint


@pytest.mark.parametrize(
    ("setting", "kind", "field", "value"),
    [
        ("ann:leverage:BTCUSDT=5", "set_leverage.1", "leverage", 5),
        ("ann:mode:BTCUSDT=cross", "set_margin_mode.1", "mode", "cross"),
    ],
)
def test_leverage_and_mode_are_as_asked_from_the_opening_of_the_account_on(
    session: Path, setting: str, kind: str, field: str, value: object
) -> None:
    _, out = forked(session, 1, setting)
    asked = [row.records[0][2] for row in rows_of(out) if row.records[0][2]["kind"] == kind]
    assert len(asked) >= 2
    assert {command[field] for command in asked} == {value}
    end = ringfence("log", "at", out, "--account", "ann", "--json").json["accounts"]["ann"]
    assert all(position[{"leverage": "leverage", "mode": "mode"}[field]] == value for position in end["positions"])


def test_one_order_is_left_out_or_placed_otherwise(session: Path) -> None:
    row, order = first(session, "place_order.1")
    number = order["number"]
    said, out = forked(session, 1, f"ann:order:{number}=none")
    assert said["shared"]["record"] == row.first_seq - 1
    assert number not in [r[2].get("number") for other in rows_of(out) for r in other.records]
    half = Decimal(order["lots"] // 2) / 1000
    _, out = forked(session, 1, f"ann:order:{number}:size={half}")
    assert rows_of(out)[row.batch - 1].records[0][2]["lots"] == order["lots"] // 2
    _, out = forked(session, 1, f"ann:order:{number}:price=1.5")
    assert rows_of(out)[row.batch - 1].records[0][2]["price"] == 15


def test_what_is_no_whole_number_of_lots_is_refused_in_the_fork(session: Path) -> None:
    row, order = first(session, "place_order.1")
    said, out = forked(session, 1, f"ann:order:{order['number']}:size=0.00051")
    assert rows_of(out)[row.batch - 1].records[-1][2]["kind"] == "refused.1"
    assert said["accounts"][0]["b"]["refusals"] > said["accounts"][0]["a"]["refusals"]


def test_another_rule_pack_is_that_of_the_whole_fork(session: Path) -> None:
    said, out = forked(session, 1, "pack=bybit-linear")
    assert said["shared"] == {"record": 0, "batch": 0}
    assert rows_of(out)[0].records[0][2]["pack"]["id"] == "bybit-linear"


@pytest.mark.parametrize("rerun", [(), ("--rerun", "--strategy", "examples.rider:Rider")], ids=["kept", "rerun"])
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"id": "BTCUSDC"}, "coarse has no BTCUSDT, which the session trades; name a pack that has it"),
        (
            {"tick": "0.5"},
            "BTCUSDT has ticks of 0.1 and lots of 0.001 in the session, of 0.5 and 0.001 in coarse; "
            "name a pack that has the same, as prices and sizes are recorded in them",
        ),
        (
            {"lot": "0.0001"},
            "BTCUSDT has ticks of 0.1 and lots of 0.001 in the session, of 0.1 and 0.0001 in coarse; "
            "name a pack that has the same, as prices and sizes are recorded in them",
        ),
    ],
)
def test_a_rule_pack_in_which_the_record_means_something_else_is_refused(
    session: Path, changes: dict[str, str], complaint: str, rerun: tuple[str, ...]
) -> None:
    pack = json.loads((resources.files("events") / "packs" / "binance-usdm.json").read_text())
    (bitcoin,) = (terms for terms in pack["instruments"] if terms["id"] == "BTCUSDT")
    bitcoin |= changes
    path, out = session.with_name("coarse.json"), session.with_name("fork.db")
    path.write_text(json.dumps(pack | {"id": "coarse"}))
    asked = ("fork", session, "--at", 1, *rerun, "--set", f"pack={path}", "--out", out)
    assert ringfence(*asked, status=2).complaint == f"--set 'pack={path}': {complaint}"
    assert not out.exists()


def test_what_is_refused_is_told(session: Path) -> None:
    settings = ("ann:margin:BTCUSDT=1000000", "ann:collateral=multi")
    at = rows_of(session)[-1].first_seq
    said, out = forked(session, at, *settings)
    assert {entry["set"] for entry in said["refused"]} == set(settings)
    out.unlink()
    text = ringfence("fork", session, "--at", at, "--set", settings[0], "--out", out).out
    assert text.startswith(f"refused  {settings[0]}: ")


@pytest.mark.parametrize(
    ("at", "setting", "complaint"),
    [
        (10**9, "ann:deposit:USDT=1", "record 1000000000: the session has records 1 to "),
        ("noon", "ann:deposit:USDT=1", "--at 'noon': write it as 2023-04-05T08:00:12.5 (UTC), or in ns"),
        (1, "ann:hat=1", "--set 'ann:hat=1': not understood; write NAME:leverage:INSTRUMENT=N, "),
        (1, "ann:leverage:BTCUSDT", "--set 'ann:leverage:BTCUSDT': not understood; write "),
        (1, "ann:order:1:side=sell", "--set 'ann:order:1:side=sell': not understood; write "),
        (1, "ann:leverage:BTCUSDT=high", "--set 'ann:leverage:BTCUSDT=high': a leverage is a whole number"),
        (1, "ann:mode:BTCUSDT=both", "--set 'ann:mode:BTCUSDT=both': write cross or isolated"),
        (1, "ann:deposit:USDT=much", "--set 'ann:deposit:USDT=much': 'much' is not a number"),
        (1, "ann:margin:BTCUSDT=0.000000001", "an amount is below 10^15 and has 8 decimals at most"),
        (1, "ann:deposit:USDT=1e400", "an amount is below 10^15 and has 8 decimals at most"),
        (1, "pack=nowhere", "no rule pack 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_no_file(
    session: Path, at: object, setting: str, complaint: str
) -> None:
    out = session.with_name("fork.db")
    said = ringfence("fork", session, "--at", at, "--set", setting, "--out", out, status=2).complaint
    assert complaint in said
    assert not out.exists()


def test_a_fork_is_not_written_over_anything(session: Path) -> None:
    there = session.with_name("there.db")
    shutil.copy(session, there)
    said = ringfence("fork", session, "--at", 1, "--out", there, status=2).complaint
    assert "there.db: exists already; choose another name" in said
    assert there.read_bytes() == session.read_bytes()
