"""`ringfence log export`: a session as tables, each of which says what the records say."""

from __future__ import annotations

import csv
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from exchange.projections.tables import TABLES, Column
from tests.command_line import ringfence
from tests.tampering import recorded, rows_of

LOT, TICK, ATOMS = Decimal("0.001"), Decimal("0.1"), Decimal(10**8)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def exported(session: Path, *options: object) -> dict[str, list[dict[str, str]]]:
    folder = session.with_name("tables")
    ringfence("log", "export", session, folder, *options)
    found = {}
    for path in sorted(folder.iterdir()):
        with path.open(newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


def records(session: Path, *kinds: str) -> list[tuple[int, int, dict[str, Any]]]:
    """(time, number, message) of the records of these kinds."""
    return [(row.at, r[0], r[2]) for row in rows_of(session) for r in row.records if r[2]["kind"] in kinds]


def test_trades_marks_and_funding_are_the_records(session: Path) -> None:
    tables = exported(session)
    trades = records(session, "traded.1")
    assert len(tables["trades"]) == len(trades) > 0
    for row, (at, seq, trade) in zip(tables["trades"], trades, strict=True):
        assert int(row["record"]) == seq
        assert row["at"].endswith(f".{at % 10**9:09d}Z")
        assert Decimal(row["price"]) == trade["price"] * TICK
        assert Decimal(row["size"]) == trade["lots"] * LOT
        assert Decimal(row["value"]) == trade["value"] / ATOMS
        assert (row["maker"], row["taker"], row["side"]) == (trade["maker"], trade["taker"], trade["side"])
        assert Decimal(row["taker_fee"]) == trade["taker_fee"] / ATOMS
    marks = records(session, "mark_price_moved.1")
    assert [Decimal(row["mark"]) for row in tables["marks"]] == [mark["mark"] / ATOMS for _, _, mark in marks]
    funding = records(session, "funding_paid.1")
    assert [Decimal(row["amount"]) for row in tables["funding"]] == [paid["amount"] / ATOMS for _, _, paid in funding]


def test_orders_are_followed_to_their_end(session: Path) -> None:
    orders = exported(session)["orders"]
    kinds = ("order_accepted.1", "order_rested.1", "order_cancelled.1", "order_expired.1")
    happened = records(session, *kinds)
    assert [int(row["record"]) for row in orders] == [seq for _, seq, _ in happened]
    assert [f"order_{row['event']}.1" for row in orders] == [message["kind"] for _, _, message in happened]
    assert {row["instrument"] for row in orders} == {"BTCUSDT"}
    assert all((row["why"] != "") == (row["event"] == "expired") for row in orders)


def test_positions_and_equity_are_those_of_the_moment(session: Path) -> None:
    tables = exported(session, "--every", 30)
    for row in tables["positions"][::5]:
        then = ringfence("log", "at", session, "--record", row["record"], "--account", row["account"], "--json").json
        held = {p["name"]: p for p in then["accounts"][row["account"]]["positions"]}
        if not Decimal(row["size"]):
            assert row["position"] not in held
            continue
        position = held[row["position"]]
        assert Decimal(position["size"]) == Decimal(row["size"])
        assert Decimal(position["isolated_margin"]) == Decimal(row["isolated_margin"])
        assert Decimal(position["unrealised_pnl"]) == Decimal(row["unrealised_pnl"])
    samples = [row for row in tables["equity"] if row["account"] == "ann"]
    times = [row["at"] for row in samples]
    assert times == sorted(set(times))
    span = rows_of(session)[-1].at - rows_of(session)[0].at
    assert len(samples) == pytest.approx(span / 30e9, abs=2)
    for row in samples[::5]:
        then = ringfence("log", "at", session, "--record", row["record"], "--json").json["accounts"]["ann"]
        isolated = sum(Decimal(p["isolated_margin"]) for p in then["positions"])
        profit = sum(Decimal(p["unrealised_pnl"]) for p in then["positions"])
        assert Decimal(row["balance"]) == Decimal(then["wallets"]["USDT"]["balance"]) + isolated
        assert abs(Decimal(row["equity"]) - Decimal(row["balance"]) - profit) <= Decimal("1e-8")


def test_parquet_says_what_csv_says_in_types_of_its_own(session: Path) -> None:
    text = exported(session)
    folder = session.with_name("parquet")
    ringfence("log", "export", session, folder, "--format", "parquet")
    kinds = {
        Column.TIME: pa.timestamp("ns", "UTC"),
        Column.NUMBER: pa.int64(),
        Column.TEXT: pa.string(),
        Column.DECIMAL: pa.decimal128(38, 8),
    }
    for name, columns in TABLES.items():
        table = parquet.read_table(folder / f"{name}.parquet")
        assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
            column: kinds[kind] for column, kind in columns.items()
        }
        for column, kind in columns.items():
            cells = [row[column] for row in text[name]]
            values = table[column].cast(pa.int64() if kind is Column.TIME else table[column].type).to_pylist()
            if kind is Column.DECIMAL:
                assert values == [Decimal(cell) if cell else None for cell in cells]
            elif kind is Column.TIME:
                assert [value % 10**9 for value in values] == [int(cell[-10:-1]) for cell in cells]
            else:
                assert [str(value or "") for value in values] == ["" if cell == "0" else cell for cell in cells]


def test_some_tables_may_be_asked_for(session: Path) -> None:
    assert set(exported(session, "--tables", "trades, marks")) == {"trades", "marks"}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--tables", "candles"), "--tables 'candles': there are trades, orders, positions, equity, funding, marks"),
        (("--format", "xlsx"), "--format 'xlsx': there are csv, parquet"),
    ],
)
def test_what_there_is_not_is_told(session: Path, options: tuple[str, ...], complaint: str) -> None:
    folder = session.with_name("tables")
    assert ringfence("log", "export", session, folder, *options, status=2).complaint == complaint
    assert not folder.exists()


def test_nothing_is_written_over_and_nothing_is_left_of_an_export_that_fails(session: Path) -> None:
    exported(session, "--tables", "marks")
    complaint = ringfence("log", "export", session, session.with_name("tables"), status=2).complaint
    assert "marks.csv: exists already; name another folder, or remove it" in complaint
    bad = session.with_name("bad.db")
    bad.write_bytes(b"?" * 100 + session.read_bytes()[100:])
    ringfence("log", "export", bad, session.with_name("other"), status=2)
    assert list(session.with_name("other").iterdir()) == []


def test_without_pyarrow_parquet_is_refused_with_what_to_do(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    complaint = ringfence("log", "export", session, session.with_name("x"), "--format", "parquet", status=2).complaint
    how = 'in the checkout, .venv/bin/pip install -e ".[export]"'
    assert complaint == f"--format parquet needs the extra `export`: {how}; or take csv"
