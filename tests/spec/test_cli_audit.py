"""The audit: an untouched session agrees at every record, and a fact that was changed is named with both figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.command_line import Said, ringfence
from tests.tampering import Row, altered, forged, recorded, rows_of


def audit(session: Path, status: int, *more: str) -> Said:
    return ringfence("audit", session, "--json", *more, status=status)


def changed(rows: list[Row], kind: str, **fields: Any) -> int:
    """Change fields of the first record of this kind; the number of that record."""
    for row in rows:
        records = row.records
        for seq, _, message in records:
            if message["kind"] == kind:
                message |= fields
                row.records = records
                return int(seq)
    raise AssertionError(f"no {kind} in the session")


def test_an_untouched_session_agrees_at_every_record(tmp_path: Path) -> None:
    session = recorded(tmp_path)
    before = session.read_bytes()
    said = audit(session, 0).json
    assert (said["ok"], said["difference"]) == (True, None)
    assert said["records"] == rows_of(session)[-1].last_seq
    assert bytes.fromhex(said["head"]) == rows_of(session)[-1].digest
    assert said["comparisons"] == sum(pool["records"] for pool in said["pools"]) > 50
    assert session.read_bytes() == before


def test_the_text_names_every_pool_and_no_difference(tmp_path: Path) -> None:
    out = ringfence("audit", recorded(tmp_path)).out
    rows = [line.split() for line in out.splitlines()]
    compared = {(row[0], row[1]): int(row[2]) for row in rows if len(row) == 3 and row[2].isdecimal()}
    assert {("ann", "USDT"), ("ann", "BTCUSDT"), ("INSURANCE", "USDT")} <= compared.keys()
    assert all(compared.values())
    assert f"of {len(compared)} pools: all the same\n" in out


def test_one_account_is_compared_alone(tmp_path: Path) -> None:
    said = audit(recorded(tmp_path), 0, "--account", "ann").json
    assert {pool["account"] for pool in said["pools"]} == {"ann"}


def test_an_account_that_is_not_there_is_told(tmp_path: Path) -> None:
    session = recorded(tmp_path)
    said = ringfence("audit", session, "--account", "eve", status=2).complaint
    assert said == f"{session}: no account 'eve'; it has INSURANCE, MARKET, ann"


@pytest.mark.parametrize(
    ("kind", "fields", "figure"),
    [
        ("deposited.1", {"amount": 1}, "amount as asked for"),
        ("leverage_set.1", {"leverage": 21}, "leverage as asked for"),
        ("account_opened.1", {"account": "eve"}, "account as asked for"),
        ("margin_mode_set.1", {"mode": "cross"}, "mode as asked for"),
        ("market_advanced.1", {"first_row": 1}, "first row"),
        ("order_accepted.1", {"lots": 1}, "lots as asked for"),
        ("traded.1", {"value": 1}, "value of the trade"),
        ("traded.1", {"taker_fee": 0}, "fee, rounded up"),
        ("traded.1", {"maker": "eve"}, "what it names is there, and its figures can be computed"),
        ("liquidation_started.1", {"equity": 1}, "equity, rounded down"),
        ("liquidation_order_placed.1", {"limit": 1}, "limit of the forced order"),
        ("taken_over.1", {"value": 1}, "bankruptcy value"),
        ("liquidation_ended.1", {"outcome": "cured"}, "whether it had started"),
    ],
)
def test_a_changed_fact_is_named(tmp_path: Path, kind: str, fields: dict[str, Any], figure: str) -> None:
    numbers: list[int] = []
    session = forged(recorded(tmp_path), lambda rows: numbers.append(changed(rows, kind, **fields)))
    found = audit(session, 1).json["difference"]
    assert (found["record"], found["kind"], found["figure"]) == (numbers[0], kind, figure)
    assert found["session"] != found["auditor"]


def test_the_text_says_where_and_both_figures_with_their_unit(tmp_path: Path) -> None:
    numbers: list[int] = []
    change = {"equity": 100_000_000}
    session = forged(recorded(tmp_path), lambda rows: numbers.append(changed(rows, "liquidation_started.1", **change)))
    first, figure, theirs, ours = ringfence("audit", session, status=1).out.splitlines()
    assert first == f"DIFFERS  at record {numbers[0]} (liquidation_started.1), account ann, pool BTCUSDT"
    assert figure == "figure   equity, rounded down"
    assert theirs == "session  1 USDT"
    assert ours.startswith("auditor  ")
    assert ours.endswith(" USDT")


def test_a_core_that_computes_another_margin_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_grain_less(pool: Any) -> Any:
        found = requirement(pool)
        return found._replace(maintenance=found.maintenance - (1 if found.maintenance else 0))

    from replay.audit import requirement  # noqa: PLC0415

    monkeypatch.setattr("replay.audit.requirement", one_grain_less)
    found = audit(recorded(tmp_path), 1, "--account", "ann").json["difference"]
    assert (found["account"], found["pool"], found["figure"]) == ("ann", "BTCUSDT", "maintenance margin")
    theirs, ours = (found[side].removesuffix(" USDT") for side in ("session", "auditor"))
    assert theirs != ours


def test_what_the_chain_cannot_carry_names_the_batch(tmp_path: Path) -> None:
    session = forged(recorded(tmp_path), lambda rows: rows[:30] + rows[31:], digests=False)
    said = ringfence("audit", session, status=2).complaint
    what = f"{session}: batch 31 is missing; restore the session from a copy"
    assert said == f"{what}, or keep what is good of it: ringfence log repair {session}"


def test_a_chunk_that_is_gone_is_named(tmp_path: Path) -> None:
    session = altered(recorded(tmp_path), "DELETE FROM chunks")
    assert "does not hold chunk" in ringfence("audit", session, status=2).complaint


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert ringfence("audit", tmp_path / "none.db", status=2).complaint.startswith(f"{tmp_path}/none.db: ")


def test_what_liquidations_left_to_others_is_told_by_layer(tmp_path: Path) -> None:
    session = recorded(tmp_path)
    told = audit(session, 0).json["deficits"]
    lines = [line for line in ringfence("audit", session).out.splitlines() if line.startswith("deficits ")]
    assert len(lines) == len(told)
    for asset, amounts in told.items():
        assert f"{amounts['total']} {asset}: " in lines[0]
        assert set(amounts) == {"total", "fund", "adl", "market", "socialised", "open"}
