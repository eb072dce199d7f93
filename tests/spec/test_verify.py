"""Verification: whatever is changed in a session, however well the change is hidden, is found and named."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from events.chunks import encode_chunk
from events.log import NO_CHUNK, time_goes_back
from events.store.sqlite import open_session
from exchange.rebuild import rebuild
from exchange.snapshots import taken
from replay.sources import open_source
from tests.captures import PACK
from tests.command_line import Said, ringfence
from tests.playing import capture, market
from tests.tampering import ACCOUNTS, Row, altered, forged, recorded, renumbered, rows_of

Change = Callable[[list[Row]], list[Row] | None]


def verify(session: Path, status: int) -> Said:
    return ringfence("verify", session, "--json", status=status)


def or_repaired(session: Path) -> str:
    """What a message about a damaged session ends with."""
    return f", or keep what is good of it: ringfence log repair {session}"


def first(rows: list[Row], kind: str) -> tuple[Row, int]:
    """The first batch with a record of this kind, and that record's place in it."""
    for row in rows:
        for place, (_, _, message) in enumerate(row.records):
            if message["kind"] == kind:
                return row, place
    raise AssertionError(f"no {kind} in the session")


def saying(kind: str, **fields: Any) -> Change:
    """Change fields of the first record of this kind."""

    def change(rows: list[Row]) -> None:
        row, place = first(rows, kind)
        records = row.records
        assert set(fields) <= set(records[place][2])
        records[place][2] |= fields
        row.records = records

    return change


# Nothing changed


def test_an_untouched_session_agrees_with_its_chain_its_facts_and_its_commands(tmp_path: Path) -> None:
    session = recorded(tmp_path)
    before = session.read_bytes()
    said = verify(session, 0).json
    assert said["ok"] is True
    assert said["difference"] is None
    assert (said["decided_by"], said["compared_by"]) == (1, 1)
    assert said["records"] == rows_of(session)[-1].last_seq
    assert bytes.fromhex(said["head"]) == rows_of(session)[-1].digest
    assert session.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["session.db"]


def test_the_session_alone_tells_of_the_market_what_the_replay_told(tmp_path: Path) -> None:
    source, session = capture(tmp_path), tmp_path / "session.db"
    replayed = ringfence("replay", source, *ACCOUNTS, "--out", session, "--json").json
    source.unlink()
    verified = verify(session, 0).json
    same = ("trades", "volume", "top_of_book", "observations", "records", "head", "liquidations", "own_fills")
    assert {name: verified[name] for name in same} == {name: replayed[name] for name in same}


# A change, and every later digest computed anew


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("session_opened.1", {"options": {"impact": "none"}}),
        ("deposited.1", {"amount": 1}),
        ("account_opened.1", {"account": "eve"}),
        ("margin_mode_set.1", {"mode": "cross"}),
        ("leverage_set.1", {"leverage": 21}),
        ("market_advanced.1", {"first_row": 1}),
        ("mark_price_moved.1", {"mark": 1}),
        ("order_accepted.1", {"lots": 1}),
        ("traded.1", {"value": 1}),
        ("traded.1", {"taker_fee": 0}),
        ("funding_due.1", {"rate": 0}),
        ("liquidation_due.1", {"pool": "USDT"}),
        ("liquidation_started.1", {"equity": 1}),
        ("liquidation_order_placed.1", {"limit": 1}),
        ("taken_over.1", {"value": 1}),
        ("liquidation_ended.1", {"outcome": "cured"}),
    ],
)
def test_a_changed_fact_is_named_with_both_sides(tmp_path: Path, kind: str, fields: dict[str, Any]) -> None:
    session = forged(recorded(tmp_path), saying(kind, **fields))
    row, place = first(rows_of(session), kind)
    (_, _, changed), (_, _, true) = row.records[place], _true_record(tmp_path, kind)
    difference = verify(session, 1).json["difference"]
    assert (difference["record"], difference["kind"]) == (row.records[place][0], kind)
    assert json.loads(difference["recorded"]) == [*row.records[place][:2], changed]
    assert json.loads(difference["decided"]) == [*row.records[place][:2], true]


def _true_record(folder: Path, kind: str) -> list[Any]:
    row, place = first(rows_of(folder / "session.db"), kind)
    return row.records[place]  # type: ignore[no-any-return]


def test_the_text_names_the_record_and_both_sides(tmp_path: Path) -> None:
    session = forged(recorded(tmp_path), saying("traded.1", value=1))
    row, place = first(rows_of(session), "traded.1")
    first_line, *sides = ringfence("verify", session, status=1).out.splitlines()
    assert first_line == f"DIFFERS  at record {row.records[place][0]} (traded.1)"
    assert [side.split(" ", 1)[0] for side in sides] == ["recorded", "decided"]
    assert '"value":1,' in sides[0]


def test_a_changed_command_shows_in_the_first_fact_that_no_longer_follows(tmp_path: Path) -> None:
    session = forged(recorded(tmp_path), saying("place_order.1", side="sell"))
    row, place = first(rows_of(session), "place_order.1")
    difference = verify(session, 1).json["difference"]
    assert (difference["record"], difference["kind"]) == (row.records[place][0] + 1, "order_accepted.1")


def _without_a_fact(rows: list[Row]) -> None:
    row, place = first(rows, "traded.1")
    row.records = [record for at, record in enumerate(row.records) if at != place]
    renumbered(rows)


def _without_the_last_fact_of_a_batch(rows: list[Row]) -> None:
    row, _ = first(rows, "mark_price_moved.1")
    row.records = row.records[:-1]
    renumbered(rows)


def _with_a_fact_too_many(rows: list[Row]) -> None:
    row, _ = first(rows, "mark_price_moved.1")
    seq, cause, _ = row.records[-1]
    gift = {"kind": "deposited.1", "account": "ann", "asset": "USDT", "amount": 1}
    row.records = [*row.records, [seq + 10**6, cause, gift]]
    renumbered(rows)


def _with_another_cause(rows: list[Row]) -> None:
    row, place = first(rows, "liquidation_started.1")
    records = row.records
    records[place][1] = 1
    row.records = records


def _without_a_middle_batch(rows: list[Row]) -> None:
    row, _ = first(rows, "place_order.1")
    rows.remove(row)
    renumbered(rows)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (_without_a_fact, "traded.1"),
        (_without_the_last_fact_of_a_batch, "mark_price_moved.1"),
        (_with_a_fact_too_many, "deposited.1"),
        (_with_another_cause, "liquidation_started.1"),
        (_without_a_middle_batch, "proceed.1"),
    ],
)
def test_facts_taken_out_put_in_or_given_another_cause_are_found_though_all_is_numbered_anew(
    tmp_path: Path, change: Change, kind: str
) -> None:
    assert verify(forged(recorded(tmp_path), change), 1).json["difference"]["kind"] == kind


def test_a_repeated_request_that_was_smuggled_in_is_named_as_such(tmp_path: Path) -> None:
    def twice(rows: list[Row]) -> None:
        row, _ = first(rows, "deposit.1")
        again = copy.copy(row)
        again.records = [[seq + 10**6, cause and cause + 10**6, message] for seq, cause, message in row.records]
        rows.insert(rows.index(row) + 1, again)
        renumbered(rows)

    difference = verify(forged(recorded(tmp_path), twice), 1).json["difference"]
    assert difference["kind"] == "deposit.1"
    assert difference["decided"] == "a repeated request: no record"


def test_the_same_records_in_other_bytes_are_a_difference_too(tmp_path: Path) -> None:
    def spaced(rows: list[Row]) -> None:
        rows[4].body = rows[4].body.replace(",", ", ", 1)

    session = forged(recorded(tmp_path), spaced)
    difference = verify(session, 1).json["difference"]
    assert (difference["record"], difference["kind"]) == (rows_of(session)[4].first_seq, "bytes")


def test_a_session_of_other_rules_is_told_apart_from_a_wrong_one(tmp_path: Path) -> None:
    def newer(rows: list[Row]) -> None:
        records = rows[0].records
        for record in records:
            record[2]["rules_version"] = 2
        rows[0].records = records

    session = forged(recorded(tmp_path), newer)
    said = verify(session, 3).json
    assert (said["decided_by"], said["compared_by"], said["ok"]) == (2, 1, False)
    assert ringfence("verify", session, status=3).out.startswith("decided by rules 2, compared by rules 1\n")


# A change that the stored bytes themselves give away


def test_a_session_without_its_last_batch_is_a_shorter_session_and_its_head_says_so(tmp_path: Path) -> None:
    session = recorded(tmp_path)
    shorter = verify(forged(session, lambda rows: rows[:-1]), 0).json
    assert shorter["head"] != verify(session, 0).json["head"]
    assert shorter["records"] < verify(session, 0).json["records"]


def _earlier(rows: list[Row]) -> None:
    row, _ = first(rows, "place_order.1")
    records = row.records
    records[0][2]["at"] = row.at = rows[0].at
    row.records = records


def _swap(rows: list[Row]) -> list[Row]:
    rows[10].body, rows[11].body = rows[11].body, rows[10].body
    return rows


def _flip(rows: list[Row]) -> None:
    rows[9].body = rows[9].body.replace("BTCUSDT", "BTCUSDU", 1)


def _set(field: str, step: int = 1) -> Change:
    return lambda rows: setattr(rows[9], field, getattr(rows[9], field) + step)


@pytest.mark.parametrize(
    ("change", "digests", "complaint"),
    [
        (_flip, False, r"batch 10: the digest is not that of its body and of what came before"),
        (lambda rows: rows[:30] + rows[31:], False, r"batch 31 is missing"),
        (_swap, False, r"batch 11: the digest is not that of its body and of what came before"),
        (_swap, True, r"batch 11: the columns say records 26 to 27, the body says \d+ to \d+"),
        (_set("at"), True, r"batch 10: the column says at \d+, the command \d+"),
        (_set("first_seq"), True, r"batch 10: it begins with record 24, after record 22"),
        (_set("last_seq"), True, r"batch 10: the columns say records 23 to 26, the body says 23 to 25"),
        (_set("body", "x"), True, r"batch 10: the body is not a list of records"),  # type: ignore[arg-type]
        (lambda rows: setattr(rows[9], "digest", b""), False, r"batch 10: the digest is not that of .*"),
    ],
)
def test_what_the_chain_cannot_carry_names_the_batch(
    tmp_path: Path, change: Change, digests: bool, complaint: str
) -> None:
    session = forged(recorded(tmp_path), change, digests=digests)
    said = ringfence("verify", session, status=2).complaint
    assert re.fullmatch(f"{session}: {complaint}; restore the session from a copy{or_repaired(session)}", said), said


def test_a_session_without_its_beginning_is_refused_and_nothing_of_it_can_be_repaired(tmp_path: Path) -> None:
    session = forged(recorded(tmp_path), lambda rows: rows[1:], digests=False)
    said = ringfence("verify", session, status=2).complaint
    assert said == f"{session}: begins with batch 2, all before it is missing; restore it from a copy"
    assert "nothing of it can be saved" in ringfence("log", "repair", session, "--yes", status=1).out


def test_a_first_batch_that_is_false_names_no_repair(tmp_path: Path) -> None:
    session = altered(recorded(tmp_path), "UPDATE batches SET digest = zeroblob(32) WHERE batch = 1")
    said = ringfence("verify", session, status=2).complaint
    assert said.startswith(f"{session}: batch 1: the digest is not that of its body")
    assert said.endswith("; restore the session from a copy")


def test_a_command_whose_time_goes_back_is_named(tmp_path: Path) -> None:
    session = forged(recorded(tmp_path), _earlier)
    row, _ = first(rows_of(session), "place_order.1")
    said = ringfence("verify", session, status=2).complaint
    assert said == f"{session}: {time_goes_back(row.first_seq)}"
    assert said.endswith("it was written so, there is nothing to repair; use a copy from elsewhere")


def test_a_record_of_a_kind_from_the_future_is_named_with_its_batch(tmp_path: Path) -> None:
    def newer(rows: list[Row]) -> None:
        row, _ = first(rows, "traded.1")
        row.body = row.body.replace("traded.1", "traded.2")

    session = forged(recorded(tmp_path), newer)
    number = next(row.batch for row in rows_of(session) if "traded.2" in row.body)
    said = ringfence("verify", session, status=2).complaint
    assert said.startswith(f"{session}: batch {number}: ")
    assert "traded.2" in said
    assert said.endswith("; read it with the version of Ringfence that wrote it")


# Chunks of observations


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("UPDATE chunks SET data = CAST(data || x'00' AS BLOB)", "cannot be read (wrong checksum)"),
        ("UPDATE chunks SET data = zeroblob(length(data))", "cannot be read (version 0, this program knows 1 and 2)"),
        ("UPDATE chunks SET data = x''", "cannot be read (unpack_from requires a buffer of at least 5 bytes"),
    ],
)
def test_a_chunk_of_other_bytes_is_named(tmp_path: Path, sql: str, complaint: str) -> None:
    session = altered(recorded(tmp_path), sql)
    said = ringfence("verify", session, status=2).complaint
    assert said.startswith(f"{session}: chunk {_first_chunk(session)}: {complaint}")
    assert said.endswith(f"; restore the session from a copy{or_repaired(session)}")


def test_a_chunk_that_holds_another_ones_rows_is_named(tmp_path: Path) -> None:
    other = encode_chunk(next(iter(open_source(capture(tmp_path, market(20, seed=4)), PACK))))
    session = altered(recorded(tmp_path), "UPDATE chunks SET data = ?", other.data)
    said = ringfence("verify", session, status=2).complaint
    what = f"holds other observations than it names; restore the session from a copy{or_repaired(session)}"
    assert said == f"{session}: chunk {_first_chunk(session)}: {what}"


def test_a_chunk_that_is_gone_is_named(tmp_path: Path) -> None:
    session = altered(recorded(tmp_path), "DELETE FROM chunks")
    said = ringfence("verify", session, status=2).complaint
    chunk = _first_chunk(session)
    assert said == f"{session}: does not hold chunk {chunk}; {NO_CHUNK}"


def _first_chunk(session: Path) -> str:
    row, place = first(rows_of(session), "advance_market.1")
    return str(row.records[place][2]["chunk"])


# Snapshots


@pytest.mark.parametrize("is_false", [False, True])
def test_snapshots_are_compared_with_the_state_that_the_facts_add_up_to(tmp_path: Path, is_false: bool) -> None:
    session = recorded(tmp_path)
    asyncio.run(with_snapshots(session, is_false))
    said = verify(session, 1 if is_false else 0).json
    assert (said["snapshots"], said["false_snapshot"]) == ((1, 9) if is_false else (2, None))
    text = ringfence("verify", session, status=1 if is_false else 0).out
    told = "kept     ANOTHER STATE in the snapshot of batch 9;" if is_false else "kept     2 snapshots of the state"
    assert told in text


async def with_snapshots(session: Path, is_false: bool) -> None:
    """Keep the states after batches 5 and 9; the latter may be that of batch 8."""
    log = await open_session(session)
    for batch in (5, 9):
        state, head = await rebuild(log, until=batch)
        if is_false and batch == 9:
            state, _ = await rebuild(log, until=8)
        await log.keep(taken(state, head))
    await log.close()
