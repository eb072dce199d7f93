"""`ringfence log at`, `schema`, `backup`, `pack`, `unpack` and `repair`: a session file in its owner's hands."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import pytest

from events.chunks import decode_chunk
from events.log import DamagedLog
from events.store.archive import FORMAT, read
from events.store.sqlite import open_session
from exchange.core.snapshot import encode
from exchange.rebuild import rebuild
from replay.travel import state_at, state_when
from tests.command_line import ringfence
from tests.loop import in_loop
from tests.tampering import forged, recorded, rows_of

Damage = Callable[[Path], object]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def head(session: Path) -> str:
    return str(ringfence("verify", session, "--json").json["head"])


def sql(session: Path, *statements: str) -> list[Any]:
    with closing(sqlite3.connect(session)) as db, db:
        return [row for statement in statements for row in db.execute(statement).fetchall()]


# Any moment


@in_loop
async def test_the_state_at_a_record_or_a_time_is_that_of_the_batches_up_to_it(session: Path) -> None:
    rows = rows_of(session)
    log = await open_session(session, read_only=True)
    for row in rows[:: len(rows) // 12]:
        until = encode((await rebuild(log, until=row.batch)).state)
        for record in {row.first_seq, row.last_seq}:
            assert encode((await state_at(log, record)).state) == until
        last = max(r.batch for r in rows if r.at <= row.at)
        found = await state_when(log, row.at)  # type: ignore[arg-type]
        assert found.head.batch == last
        assert encode(found.state) == encode((await rebuild(log, until=last)).state)
    await log.close()


def test_a_moment_shows_what_an_account_had_then(session: Path) -> None:
    rows = rows_of(session)
    bought = next(row for row in rows if any(r[2]["kind"] == "traded.1" for r in row.records))
    trades = [m for _, _, m in bought.records if m["kind"] == "traded.1"]
    then = ringfence("log", "at", session, "--record", bought.last_seq, "--json").json
    assert (then["record"], then["batch"], then["at"]) == (bought.last_seq, bought.batch, bought.at)
    (position,) = then["accounts"]["ann"]["positions"]
    assert position["adl_light"] == 1
    lots, value = sum(trade["lots"] for trade in trades), sum(trade["value"] for trade in trades)
    assert abs(Decimal(position["size"])) == Decimal(lots) / 1000
    assert Decimal(position["entry_price"]) == (Decimal(value) / lots / 10**5).quantize(Decimal("1e-8"), ROUND_DOWN)
    assert (position["mode"], position["leverage"]) == ("isolated", 20)
    text = ringfence("log", "at", session, "--record", bought.last_seq).out
    assert f"after record {bought.last_seq:,} (batch {bought.batch:,})" in text
    (pool,) = then["accounts"]["ann"]["pools"]
    assert (pool["pool"], pool["isolated_margin"]) == ("BTCUSDT", position["isolated_margin"])
    assert (pool["equity"], pool["maintenance"]) == (position["pool_equity"], position["pool_maintenance"])
    assert pool["margin_ratio"] == then["accounts"]["ann"]["margin_ratio"]
    wallet = then["accounts"]["ann"]["wallets"]["USDT"]
    parts = (wallet["balance"], position["isolated_margin"], position["unrealised_pnl"])
    assert abs(Decimal(wallet["equity"]) - sum(map(Decimal, parts))) <= Decimal("2e-8")
    for shown in (
        f"{float(position['entry_price']):,.3f} USDT", f"{float(wallet['equity']):,.2f} USDT",
        f"{float(pool['isolated_margin']):,.2f} USDT", f"{pool['margin_ratio'] * 100:,.1f} %",
    ):  # fmt: skip
        assert shown in text, shown
    assert max(map(len, text.splitlines())) <= 100
    before = ringfence("log", "at", session, "--record", bought.first_seq - 1, "--json").json
    assert before["accounts"]["ann"]["positions"] == []


def test_the_end_is_the_moment_that_is_meant_where_none_is_named(session: Path) -> None:
    said = ringfence("log", "at", session, "--json").json
    assert said["head"] == head(session)
    assert said["record"] == rows_of(session)[-1].last_seq
    assert set(said["accounts"]) == {"INSURANCE", "ann"}
    one = ringfence("log", "at", session, "--account", "ann", "--levels", 2, "--json").json
    assert set(one["accounts"]) == {"ann"}
    assert len(one["instruments"]["BTCUSDT"]["bids"]) == 2
    assert one["instruments"]["BTCUSDT"]["bids"] == said["instruments"]["BTCUSDT"]["bids"][:2]


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (("--record", 10**9), "record 1000000000: the session has records 1 to "),
        (
            ("--time", "1999-12-31T23:59:59.5"),
            "1999-12-31T23:59:59.5Z: nothing had happened yet; the session begins at 2024-03-05T15:59:54.0020755",
        ),
        (
            ("--time", "15:59"),
            "2024-03-05T15:59:00Z: nothing had happened yet; the session begins at 2024-03-05T15:59:54",
        ),
        (("--time", "noon"), "--time 'noon': write it as 2023-04-05T08:00:12.5 (UTC), or in ns"),
        (("--time", "1", "--record", 1), "--record and --time: give one of them"),
        (("--account", "bob"), "no account 'bob' at that moment; it has INSURANCE, MARKET, ann"),
    ],
)
def test_a_moment_that_is_none_is_told(session: Path, asked: tuple[object, ...], complaint: str) -> None:
    assert complaint in ringfence("log", "at", session, *asked, status=2).complaint


def test_a_time_is_written_in_utc_with_or_without_a_fraction_or_in_ns(session: Path) -> None:
    at = rows_of(session)[-1].at
    seconds, nanos = divmod(at, 10**9)
    whole = sql(session, f"SELECT strftime('%Y-%m-%dT%H:%M:%S', {seconds}, 'unixepoch')")[0][0]
    said = [
        ringfence("log", "at", session, "--time", time, "--json").json["head"]
        for time in (f"{whole}.{nanos:09d}", f"{whole}.{nanos:09d}Z", at)
    ]
    assert said == [head(session)] * 3


def test_a_time_without_its_day_is_one_of_the_day_on_which_the_session_begins(session: Path) -> None:
    whole, short = (
        ringfence("log", "at", session, "--time", time, "--json").json for time in ("2024-03-05T15:59:58", "15:59:58")
    )
    assert short == whole
    assert short["head"] != head(session)


# Kinds


def test_every_kind_has_a_schema(session: Path) -> None:
    schema = ringfence("log", "schema", "--json").json
    kinds = {record[2]["kind"] for row in rows_of(session) for record in row.records}
    assert kinds <= set(schema["kinds"])
    assert all(kind["$ref"].removeprefix("#/$defs/") in schema["$defs"] for kind in schema["kinds"].values())
    listed = ringfence("log", "schema").out
    assert all(kind in listed for kind in schema["kinds"])


def test_one_kind_may_be_asked_for(session: Path) -> None:
    assert list(ringfence("log", "schema", "traded", "--json").json["kinds"]) == ["traded.1"]
    assert "no kind 'trade'; the nearest of " in ringfence("log", "schema", "trade", status=2).complaint


# Copies


@pytest.mark.parametrize("road", ["backup", "archive"])
def test_a_copy_is_the_session(session: Path, tmp_path: Path, road: str) -> None:
    before, copy = session.read_bytes(), tmp_path / "copy.db"
    if road == "backup":
        said = ringfence("log", "backup", session, copy).out
    else:
        archive = tmp_path / "session.rfa"
        assert head(session) in ringfence("log", "pack", session, archive).out
        assert archive.stat().st_size < session.stat().st_size
        said = ringfence("log", "unpack", archive, copy).out
    assert head(session) in said
    assert "every digest checked" in said
    assert head(copy) == head(session)
    assert rows_of(copy) == rows_of(session)
    assert sql(copy, "SELECT * FROM chunks ORDER BY id") == sql(session, "SELECT * FROM chunks ORDER BY id")
    assert session.read_bytes() == before


@in_loop
async def test_a_session_is_backed_up_while_it_is_written_to(session: Path, tmp_path: Path) -> None:
    log = await open_session(session)
    await asyncio.to_thread(ringfence, "log", "backup", session, tmp_path / "copy.db")
    await log.close()
    assert rows_of(tmp_path / "copy.db") == rows_of(session)


@pytest.mark.parametrize("verb", ["backup", "pack", "unpack"])
def test_nothing_is_written_over_and_nothing_is_left_of_a_copy_that_fails(
    session: Path, tmp_path: Path, verb: str
) -> None:
    there = tmp_path / "there"
    there.write_text("precious")
    assert "there: exists already; choose another name" in ringfence("log", verb, session, there, status=2).complaint
    assert there.read_text() == "precious"
    bad = tmp_path / "bad"
    bad.write_bytes(FORMAT + b"no xz" if verb == "unpack" else b"no session")
    ringfence("log", verb, bad, tmp_path / "new", status=2)
    ringfence("log", verb, tmp_path / "nowhere", tmp_path / "new", status=2)
    assert not (tmp_path / "new").exists()


def test_a_damaged_archive_is_refused_with_the_place(session: Path, tmp_path: Path) -> None:
    archive, bad = tmp_path / "session.rfa", tmp_path / "bad.rfa"
    ringfence("log", "pack", session, archive)
    data = archive.read_bytes()
    for size in (len(FORMAT), len(data) // 2, len(data) - 1):
        bad.write_bytes(data[:size])
        with pytest.raises(DamagedLog, match=r"bad.rfa: damaged after batch \d+ \("):
            list(read(bad))
    for at in range(len(FORMAT), len(data), len(data) // 9):
        bad.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(DamagedLog):
            list(read(bad))
    bad.write_bytes(b"x" + data)
    with pytest.raises(DamagedLog, match=r"bad.rfa: not an archive of a session; choose another file"):
        list(read(bad))


def test_an_archive_of_a_newer_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "new.rfa").write_bytes(FORMAT.replace(b"1", b"9"))
    said = ringfence("log", "unpack", tmp_path / "new.rfa", tmp_path / "new.db", status=2).complaint
    assert said.endswith("new.rfa: an archive of a form that this program does not know; use a newer Ringfence")


@pytest.mark.parametrize("verb", [("verify",), ("log", "repair"), ("fork", "--at", "3", "--out", "fork.db")])
def test_an_archive_where_a_session_is_asked_for_is_told_how_to_become_one(
    session: Path, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    archive = tmp_path / "session.rfa"
    ringfence("log", "pack", session, archive)
    said = ringfence(*verb, archive, status=2).complaint
    assert said == f"{archive}: a packed session; make a session of it first: ringfence log unpack {archive} FILE"


def test_an_archive_holds_each_chunk_once_before_the_batches_that_need_it(session: Path, tmp_path: Path) -> None:
    ringfence("log", "pack", session, tmp_path / "session.rfa")
    chunks = [chunk for _, chunk in read(tmp_path / "session.rfa") if chunk]
    assert len({chunk.id for chunk in chunks}) == len(chunks) == sql(session, "SELECT count(*) FROM chunks")[0][0]
    for chunk in chunks:
        decode_chunk(chunk)


# Repair


def cut(session: Path) -> None:
    data = session.read_bytes()
    session.write_bytes(data[: len(data) - len(data) // 3])


def cut_at_the_end(session: Path) -> None:
    data = session.read_bytes()
    session.write_bytes(data[: len(data) - len(data) // 20])


def cut_by_a_byte(session: Path) -> None:
    session.write_bytes(session.read_bytes()[:-1])


def zeroed(session: Path) -> None:
    data = bytearray(session.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 5000] = bytes(5000)
    session.write_bytes(data)


def belied(session: Path) -> None:
    sql(session, "UPDATE batches SET body = replace(body, '\"BUY\"', '\"SELL\"') || ' ' WHERE batch = 20")


def missing(session: Path) -> None:
    sql(session, "DELETE FROM batches WHERE batch = 20")


def chunkless(session: Path) -> None:
    sql(session, "DELETE FROM chunks WHERE rowid = (SELECT max(rowid) FROM chunks)")


def headless(session: Path) -> None:
    session.write_bytes(b"?" * 100 + session.read_bytes()[100:])


def beheaded(session: Path) -> None:
    session.write_bytes(session.read_bytes()[:5_000])


DAMAGES: dict[str, Damage] = {
    "zeros in the middle": zeroed,
    "a changed body": belied,
    "a missing batch": missing,
    "a missing chunk": chunkless,
    "cut short": cut_at_the_end,
    "cut short by a byte": cut_by_a_byte,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_session_is_cut_back_to_its_last_good_batch_on_request(session: Path, damage: str) -> None:
    rows = rows_of(session)
    DAMAGES[damage](session)
    bad = session.read_bytes()
    said = ringfence("log", "repair", session, "--yes").out
    kept = rows_of(session)
    assert kept == rows[: len(kept)]
    assert len(kept) < len(rows)
    if damage.startswith("cut short"):
        assert len(kept) > 0
        assert "cut short, " in said
    if damage in ("a changed body", "a missing batch"):
        assert len(kept) == 19
        assert f"lost     batches after it: {len(rows) - 19 - (damage == 'a missing batch'):,}\n" in said
    assert f"damaged  after batch {len(kept):,}: " in said
    assert session.with_name("session.db.damaged").read_bytes() == bad
    if kept:
        assert ringfence("verify", session, "--json", status=None).json["ok"]
    assert "nothing to repair" in ringfence("log", "repair", session).out


@pytest.mark.parametrize("options", [(), ("--yes",)])
@pytest.mark.parametrize("damage", [headless, cut, beheaded])
def test_what_has_nothing_good_in_it_is_left_as_it_is(session: Path, damage: Damage, options: tuple[str, ...]) -> None:
    damage(session)
    before = session.read_bytes()
    said = ringfence("log", "repair", session, *options, status=1).out
    assert "good     nothing" in said
    assert "how many, the file cannot say" in said
    assert "as it is: nothing of it can be saved; restore it from a copy" in said
    assert session.read_bytes() == before
    assert [path.name for path in session.parent.iterdir()] == ["session.db"]


def test_of_what_is_no_database_nothing_is_counted(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"Not a session, and long enough to have a header. " * 9)
    said = ringfence("log", "repair", tmp_path / "notes.txt", status=1).out
    assert "damaged  after batch 0: file is not a database" in said


def test_nobody_there_to_answer_means_no(session: Path) -> None:
    missing(session)
    before = session.read_bytes()
    said = ringfence("log", "repair", session, status=1).out
    assert "Cut the session back? [y/N]:" in said
    assert "left     " in said
    assert session.read_bytes() == before


def test_an_older_damaged_file_is_not_written_over(session: Path) -> None:
    missing(session)
    old = session.with_name("session.db.damaged")
    old.write_text("precious")
    complaint = ringfence("log", "repair", session, "--yes", status=2).err
    assert "session.db.damaged: exists already; move it away first" in complaint
    assert old.read_text() == "precious"


@in_loop
async def test_a_session_that_is_written_to_is_not_repaired(session: Path) -> None:
    log = await open_session(session)
    said = await asyncio.to_thread(ringfence, "log", "repair", session, status=2)
    assert "another process writes to this session; stop it first" in said.complaint
    await log.close()


def test_kinds_of_a_newer_version_are_no_damage(session: Path) -> None:
    records = rows_of(session)[-1].records
    records[0][2]["kind"] = "foreseen.7"
    newer = forged(session, lambda rows: [*rows[:-1], altered_body(rows[-1], records)])
    before = newer.read_bytes()
    assert (
        "read it with the version of Ringfence that wrote it" in ringfence("log", "repair", newer, status=2).complaint
    )
    assert newer.read_bytes() == before


def altered_body(row: Any, records: list[Any]) -> Any:
    row.body = json.dumps(records, separators=(",", ":"))
    return row
