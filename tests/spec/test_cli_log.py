"""`ringfence log`: the records of a session, filtered, for people and for programs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import ringfence
from tests.tampering import Row, forged, recorded, rows_of


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def lines(session: Path, *filters: object) -> list[dict[str, Any]]:
    said = ringfence("log", session, *filters, "--json")
    assert said.err == ""
    return [json.loads(line) for line in said.out.splitlines()]


def expected(session: Path) -> list[dict[str, Any]]:
    """Every record as the file keeps it."""
    return [
        {"seq": seq, "batch": row.batch, "at": row.at, "cause": cause, **message}
        for row in rows_of(session)
        for seq, cause, message in row.records
    ]


def test_every_record_is_one_object_on_a_line_as_it_was_stored(session: Path) -> None:
    assert lines(session) == expected(session)


def test_a_kind_is_given_with_or_without_its_version(session: Path) -> None:
    traded = [record for record in expected(session) if record["kind"] == "traded.1"]
    assert traded
    assert lines(session, "--kind", "traded") == lines(session, "--kind", "traded.1") == traded


def test_several_kinds_are_those_of_any_of_them(session: Path) -> None:
    both = [record for record in expected(session) if record["kind"] in ("traded.1", "place_order.1")]
    assert {record["kind"] for record in both} == {"traded.1", "place_order.1"}
    assert lines(session, "--kind", "traded", "--kind", "place_order.1") == both
    assert "no kind 'bogus'" in ringfence("log", session, "--kind", "traded", "--kind", "bogus", status=2).complaint


@pytest.mark.parametrize("kind", ["trade", "traded.2", "traded.", "raded.1"])
def test_no_other_part_of_a_kind_is_taken_for_it_and_the_nearest_are_named(session: Path, kind: str) -> None:
    complaint = ringfence("log", session, "--kind", kind, "--json", status=2).complaint
    assert re.fullmatch(
        rf"--kind: no kind '{kind}'; the nearest of \d+: traded.*; `ringfence log schema` .*", complaint
    )
    assert ringfence("log", "schema", kind, status=2).complaint == complaint.removeprefix("--kind: ")


def test_a_kind_that_is_like_none_is_told_with_some_of_those_there_are(session: Path) -> None:
    complaint = ringfence("log", session, "--kind", "BOGUS!", status=2).complaint
    assert re.fullmatch(r"--kind: no kind 'BOGUS!'; it has account_opened, .* and \d+ more; .*", complaint)


def test_an_account_that_there_is_not_is_told_with_those_there_are(session: Path) -> None:
    complaint = ringfence("log", session, "--account", "bob", "--after", 30, status=2).complaint
    assert complaint == f"{session}: no account 'bob'; it has INSURANCE, MARKET, ann"


def test_where_no_record_is_so_people_are_told(session: Path) -> None:
    records, asked = len(expected(session)), ("log", session, "--kind", "transferred")
    said = ringfence(*asked)
    assert (said.out, said.err) == (f"none     of {records:,} records in {session} is so\n", "")
    assert ringfence(*asked, "--json").out == ""


def test_the_records_of_an_account_are_those_that_name_it(session: Path) -> None:
    found = lines(session, "--account", "ann")
    assert found == [r for r in expected(session) if "ann" in (r.get("account"), r.get("maker"), r.get("taker"))]
    assert {"open_account.1", "place_order.1", "traded.1", "liquidation_ended.1"} <= {r["kind"] for r in found}


def test_after_a_number_come_the_records_behind_it(session: Path) -> None:
    records = expected(session)
    last = records[-1]["seq"]
    assert lines(session, "--after", 30) == records[30:]
    assert lines(session, "--after", last - 1) == records[-1:]
    assert lines(session, "--after", last) == []
    assert lines(session, "--after", 0) == records


def test_filters_narrow_one_another(session: Path) -> None:
    first, *later = lines(session, "--kind", "traded", "--account", "ann")
    assert lines(session, "--kind", "traded", "--account", "ann", "--after", first["seq"]) == later


def test_people_get_number_cause_time_kind_and_fields_in_units_of_the_instrument(session: Path) -> None:
    said = ringfence("log", session, "--kind", "traded")
    record = lines(session, "--kind", "traded")[0]
    line = said.out.splitlines()[0]
    assert line.split()[:2] == [str(record["seq"]), f"<-{record['cause']}"]
    assert line.split()[2:5] == ["2024-03-05", "15:59:55.002", "traded.1"]
    assert f"price={record['price'] / 10:.1f} " in line
    assert f"lots={record['lots'] / 1000:.3f} " in line
    assert " taker=ann " in line


def test_people_see_of_a_rule_pack_its_name_and_of_a_chunk_the_start_of_its_name(session: Path) -> None:
    opened, advanced = (ringfence("log", session, "--kind", k).out for k in ("session_opened", "market_advanced"))
    assert len(opened) < 200
    assert "binance-usdm" in opened
    chunk = lines(session, "--kind", "market_advanced")[0]["chunk"]
    assert f"chunk={chunk[:12]} " in advanced
    assert chunk not in advanced


def test_reading_stops_where_the_chain_breaks_and_keeps_what_it_said_before(session: Path) -> None:
    def flip(rows: list[Row]) -> None:
        rows[20].body = rows[20].body.replace("BTCUSDT", "BTCUSDU")

    damaged = forged(session, flip, digests=False)
    said = ringfence("log", damaged, "--json", status=2)
    assert len(said.out.splitlines()) == rows_of(session)[19].last_seq
    what = "batch 21: the digest is not that of its body and of what came before; restore the session from a copy"
    remedy = f", or keep what is good of it: ringfence log repair {damaged}"
    assert said.err == f"ringfence: {damaged}: {what}{remedy}\n"
