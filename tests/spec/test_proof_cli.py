"""`ringfence proof root`, `make` and `check`: the root of a session, the file for an account, and the verdict."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from exchange.projections.solvency import proof as p
from tests.command_line import ringfence, ringfence_process
from tests.tampering import recorded, rows_of


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return recorded(tmp_path).relative_to(tmp_path)


def made_proof(session: Path, *arguments: object) -> dict[str, Any]:
    return ringfence("proof", "make", session, "--account", "ann", "--json", *arguments).json["proof"]  # type: ignore[no-any-return]


def test_make_writes_what_check_holds_true(session: Path) -> None:
    said = ringfence("proof", "make", session, "--account", "ann", "--out", "ann.json")
    root = ringfence("proof", "root", session, "--json").json["root"]
    assert f"root     {root}\n" in said.out
    assert said.out.endswith("written  ann.json\n")
    said = ringfence("proof", "check", "ann.json", "--root", root.upper(), "--session", session)
    assert said.out.startswith("holds    ann is owed ")
    assert said.out.endswith(f"root     {root}\nequals   the published root and the root of session.db\n")
    alone = ringfence("proof", "check", "ann.json").out
    assert alone.endswith(f"root     {root}\ncompare  the root with the published one\n")


def test_a_proof_names_the_digest_of_the_session_at_its_record(session: Path) -> None:
    rows = rows_of(session)
    row = next(row for row in rows if row.last_seq > row.first_seq and row.batch > 20)
    for record in (row.first_seq, row.last_seq):
        proof = made_proof(session, "--at", record)
        assert (proof["record"], proof["head"]) == (row.last_seq, row.digest.hex())
    assert made_proof(session)["record"] == rows[-1].last_seq


def test_the_backing_is_printed_beside_the_root(session: Path) -> None:
    found = ringfence("proof", "root", session, "--json").json
    layers = found["backing"]["layers"]
    assert layers["owed to accounts"][1] == found["sum"]
    for column in (0, 1):
        assert sum(int(amounts[column]) for amounts in layers.values()) == int(found["backing"]["entered"])
    text = ringfence("proof", "root", session).out
    assert [name for name in (*layers, "deposits - withdrawals") if name not in text] == []


def test_check_says_as_an_object_what_it_found(session: Path) -> None:
    proof = made_proof(session)
    found = ringfence("proof", "check", "proof.json", "--session", session, "--json").json
    assert found["ok"]
    assert (found["root"], found["recomputed"], found["published"]) == (proof["root"], True, False)
    found = ringfence("proof", "check", "proof.json", "--root", "00" * 32, "--json", status=1).json
    assert found == {"ok": False, "reason": f"it leads to the root {proof['root']}, not to the published one"}


def test_a_proof_of_another_session_or_record_is_told_apart(session: Path) -> None:
    proof = made_proof(session, "--at", 100)
    fails = ringfence("proof", "check", altered("record", proof["record"] + 1), status=1).out
    assert fails == "fails    altered.json: the path leads to another root\n"
    other = sealed_again(proof, head="00" * 32)
    fails = ringfence("proof", "check", other, "--session", session, status=1).out
    assert fails == f"fails    altered.json: session.db has another digest at record {proof['record']}\n"
    other = sealed_again(proof, record=10**9)
    fails = ringfence("proof", "check", other, "--session", session, status=1).out
    assert fails.startswith("fails    altered.json: session.db: record 1000000000: the session has records 1 to ")
    for lie in ({"owed": "1", "sum": "1"}, {"asset": "GULDEN"}):
        fails = ringfence("proof", "check", sealed_again(proof, **lie), "--session", session, status=1).out
        assert fails == f"fails    altered.json: session.db has another root at record {proof['record']}\n"


def altered(field: str, value: Any) -> str:
    """The proof in proof.json with another value in a field."""
    Path("altered.json").write_text(json.dumps(json.loads(Path("proof.json").read_text()) | {field: value}))
    return "altered.json"


def sealed_again(fields: dict[str, Any], **lie: Any) -> str:
    """A lie that is consistent in itself, as a venue could sign it: the account is alone in its tree."""
    proof = p.read(json.dumps(fields | lie))
    top = p.leaf(proof.nonce, proof.account, proof.owed)
    root = p.root_of(top, head=proof.head, record=proof.record, asset=proof.asset, accounts=proof.accounts)
    Path("altered.json").write_text(p.write(proof._replace(sum=top.sum, root=root)))
    return "altered.json"


def test_the_same_session_has_the_same_root_whatever_the_hash_seed(session: Path, tmp_path: Path) -> None:
    said = [
        ringfence_process("proof", "root", session, "--json", folder=tmp_path, PYTHONHASHSEED=seed).json
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("make", "session.db", "--account", "zoe"), r"session.db: no account 'zoe' at record \d+; it has ann"),
        (("make", "session.db", "--account", "MARKET"), r"session.db: no account 'MARKET' at record \d+; it has ann"),
        (("make", "session.db", "--account", "ann", "--at", "1"), r"session.db: nobody has .*; name the asset .*"),
        (("make", "session.db", "--account", "ann", "--at", "1", "--asset", "USDT"), r".* at record 2; it has none"),
        (("make", "session.db", "--account", "ann", "--at", "99999"), r"session.db: record 99999: .* 1 to \d+"),
        (("make", "session.db", "--account", "ann", "--asset", "X"), r"--asset X: .*; accounts have USDT"),
        (
            ("make", "session.db", "--account", "ann", "--out", "session.db"),
            r"session.db is there already and is no .*",
        ),
        (("make", "session.db", "--account", "ann", "--out", "no/a.json"), r"no/a.json: No such file or directory; .*"),
        (("root", "none.db"), r"none.db: .*"),
        (("check", "none.json"), r"none.json: No such file or directory; .*"),
        (("check", "session.db", "--root", "beef"), r"--root beef: a root is 64 digits of 0-9 and a-f"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(session: Path, arguments: tuple[str, ...], line: str) -> None:
    assert re.fullmatch(line, ringfence("proof", *arguments, status=2).complaint)


def test_a_file_of_any_other_kind_is_no_proof(session: Path) -> None:
    assert (
        ringfence("proof", "check", session, status=2).complaint
        == "session.db: this is no JSON; give the file of a proof"
    )
    Path("other.json").write_text("{}")
    said = ringfence("proof", "check", "other.json", "--json", status=2).complaint
    assert re.fullmatch(r"other.json: this is no '.*'; give the file of a proof", said)


def test_an_older_proof_is_replaced(session: Path) -> None:
    first = made_proof(session, "--at", 100)
    second = made_proof(session)
    assert json.loads(Path("proof.json").read_text()) == second != first
