"""`ringfence diff`: how far two sessions are one, where they part, and what came of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from tests.command_line import ringfence
from tests.playing import capture, market
from tests.tampering import ACCOUNTS, Row, forged, recorded, rows_of


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def test_a_session_is_the_same_as_its_copy(session: Path) -> None:
    copy = session.with_name("copy.db")
    shutil.copy(session, copy)
    said = ringfence("diff", session, copy, "--json").json
    assert said["same"] is True
    assert said["first"] == [None, None]
    assert said["records"] == [rows_of(session)[-1].last_seq] * 2
    assert "same     every record" in ringfence("diff", session, copy).out


def test_the_first_record_that_differs_is_named_with_its_fields(session: Path) -> None:
    rows = rows_of(session)
    row = next(row for row in rows if any(record[2]["kind"] == "traded.1" for record in row.records))
    place = next(n for n, record in enumerate(row.records) if record[2]["kind"] == "traded.1")
    seq, _, trade = row.records[place]

    def other_price(rows: list[Row]) -> None:
        records = rows[row.batch - 1].records
        records[place][2]["price"] += 7
        rows[row.batch - 1].records = records

    other = forged(session, other_price)
    said = ringfence("diff", session, other, "--json", status=1).json
    assert said["same"] is False
    assert said["shared"] == {"record": row.first_seq - 1, "batch": row.batch - 1}
    ours, theirs = said["first"]
    assert ours == [seq, *rows[row.batch - 1].records[place][1:]]
    assert theirs[2]["price"] == trade["price"] + 7
    text = ringfence("diff", session, other, status=1).out
    assert f"same     {row.first_seq - 1:,} records, batches 1 to {row.batch - 1:,}" in text
    assert f"field    price: {trade['price']} in A, {trade['price'] + 7} in B" in text
    assert text.count("field ") == 1


def test_a_session_that_goes_on_parts_where_the_other_ends(session: Path) -> None:
    cut = session.with_name("cut.db")
    shutil.copy(session, cut)
    rows = rows_of(session)
    half = rows[len(rows) // 2]
    with closing(sqlite3.connect(cut)) as db, db:
        db.execute("DELETE FROM batches WHERE batch > ?", (half.batch,))
    said = ringfence("diff", cut, session, "--json", status=1).json
    assert said["shared"] == {"record": half.last_seq, "batch": half.batch}
    assert said["first"][0] is None
    assert said["first"][1][0] == half.last_seq + 1
    assert "A        ends there" in ringfence("diff", cut, session, status=1).out
    (account,) = said["accounts"]
    whole = ringfence("verify", session, "--json").json
    assert account["a"]["liquidations"] == 0
    assert account["b"]["liquidations"] == whole["liquidations"] > 0
    after = [record[2] for row in rows[half.batch :] for record in row.records if record[2]["kind"] == "traded.1"]
    assert account["b"]["fills"] == sum("ann" in (trade.get("maker"), trade.get("taker")) for trade in after)


def test_what_came_of_it_is_told_by_account(session: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    twice = [word.replace("10000", "20000") for word in ACCOUNTS]
    (tmp_path / "again").mkdir()
    ringfence("replay", capture(tmp_path / "again", market()), *twice, "--insurance", 100_000, "--out", other)
    said = ringfence("diff", session, other, "--json", status=1).json
    (account,) = said["accounts"]
    ends = [ringfence("log", "at", path, "--account", "ann", "--json").json for path in (session, other)]
    for side, end in zip("ab", ends, strict=True):
        held = end["accounts"]["ann"]
        whole = Decimal(held["wallets"]["USDT"]["balance"])
        whole += sum(Decimal(p["isolated_margin"]) + Decimal(p["unrealised_pnl"]) for p in held["positions"])
        assert abs(Decimal(account[side]["equity"]) - whole) < Decimal("1e-6")
    assert json.dumps(said["first"]).count("deposit.1") == 2
    assert (account["a"]["paid_in"], account["b"]["paid_in"]) == ("10000", "20000")
    earned = [Decimal(account[side]["equity"]) - Decimal(account[side]["paid_in"]) for side in "ab"]
    assert Decimal(account["gain"]) == earned[1] - earned[0]


def test_what_was_paid_in_since_is_no_gain(session: Path) -> None:
    fork = session.with_name("fork.db")
    end = rows_of(session)[-1].last_seq
    ringfence("fork", session, "--at", end, "--set", "ann:deposit:USDT=1000", "--out", fork)
    (account,) = ringfence("diff", session, fork, "--json", status=1).json["accounts"]
    assert Decimal(account["b"]["equity"]) - Decimal(account["a"]["equity"]) == 1000
    assert (account["a"]["paid_in"], account["b"]["paid_in"], account["gain"]) == ("0", "1000", "0")
    row = next(line for line in ringfence("diff", session, fork, status=1).out.splitlines() if "ann  " in line)
    assert row.split()[4:8] == ["0.00", "/", "1,000.00", "0.00"]


def test_a_file_that_cannot_be_used_is_named(session: Path) -> None:
    complaint = ringfence("diff", session, session.with_name("no.db"), status=2).complaint
    assert "no.db: there is no such session" in complaint
