"""What the venue owes, and the proof of it: leaves, sum tree, what a verifier refuses, and the file."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from events.instruments import AssetId
from exchange.projections.solvency import proof as p
from exchange.projections.solvency.backing import Layer, backing
from exchange.projections.solvency.liabilities import Liabilities, Moment, liabilities, next_secret
from exchange.projections.solvency.tree import SumTree
from tests.command_line import ROOT
from tests.scenario import RICH, Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, inverse, join, pack_of, price, several_assets
from tests.spec.words import (
    BUY,
    CROSS,
    ISOLATED,
    SELL,
    USD,
    account,
    add_margin,
    deposit,
    mark,
    mark_at,
    place,
    position,
    withdraw,
)

MOMENT = Moment(record=7, head=bytes(range(32)), secret=bytes(32))


def owed(session: Scenario, asset: str = USD) -> dict[str, int]:
    """What the traders that a scenario does not bring along are owed."""
    found = liabilities(session.state, MOMENT, AssetId(asset)).owed
    return {name: atoms for name, atoms in found.items() if name not in ("maker", "taker")}


def made(**amounts: int) -> Liabilities:
    return Liabilities(MOMENT, AssetId("USD"), amounts.items())


# What is owed


def test_a_wallet_is_owed_and_so_is_nothing() -> None:
    session = scenario().given(account("ann", 1_000), account("ben"), account("cy", 500), withdraw("cy", 200))
    assert owed(session) == {"ann": 1_000, "ben": 0, "cy": 300}


@pytest.mark.parametrize("mode", [CROSS, ISOLATED])
@pytest.mark.parametrize(("side", "at", "expected"), [(BUY, 110, 1_100), (BUY, 95, 950), (SELL, 95, 1_050)])
def test_profit_and_loss_at_the_mark_count_in_either_mode(mode: Any, side: Any, at: int, expected: int) -> None:
    session = scenario().given(
        account("ann", 1_000, mode=mode), position(1, side, price=100, lots=10, by="ann"), mark(at)
    )
    assert owed(session) == {"ann": expected}


def test_what_open_orders_reserve_is_owed_all_the_same() -> None:
    session = scenario().given(account("ann", 1_000), place(1, BUY, price=99, lots=50, by="ann"))
    assert owed(session) == {"ann": 1_000}


def test_an_atom_that_is_not_whole_is_rounded_down() -> None:
    session = scenario().given(account("ann", 1_000), position(1, BUY, price=100, lots=1, by="ann"))
    assert owed(session.given(mark_at(999_999))) == {"ann": 999}


def test_margin_added_is_still_owed() -> None:
    session = scenario().given(account("ann", 1_000, mode=ISOLATED), position(1, BUY, price=100, lots=10, by="ann"))
    assert owed(session.given(add_margin("ann", 300))) == {"ann": 1_000}


def test_an_isolated_position_takes_away_no_more_than_its_wallet() -> None:
    session = scenario().given(account("ann", 1_000, mode=ISOLATED), position(1, BUY, price=100, lots=10, by="ann"))
    session.holds("ann", wallet=900, isolated=100).given(mark(50))
    assert owed(session) == {"ann": 900}


def test_who_has_less_than_nothing_is_owed_nothing() -> None:
    session = scenario().given(account("ann", 100), account("ben", 70), position(1, BUY, price=100, lots=10, by="ann"))
    assert owed(session.given(mark(80))) == {"ann": 0, "ben": 70}


def test_each_asset_has_a_tree_of_its_own() -> None:
    rules = pack_of(*scenario().state.pack.instruments, inverse())  # type: ignore[union-attr]
    session = scenario(rules).given(account("ann", 1_000), deposit("ann", 500, asset=OUNCE))
    session.given(position(1, BUY, price=100, lots=1, by="ann", on=COIN), mark(125, on=COIN))
    assert (owed(session), owed(session, OUNCE)) == ({"ann": 1_000}, {"ann": 520})


def test_a_debt_in_one_asset_lessens_nothing_in_another() -> None:
    session = scenario(several_assets(debt_limit=10_000)).given(
        price(2), account("ann"), deposit("ann", 500, asset=OUNCE), join("ann"),
        position(1, BUY, price=100, lots=5, by="ann"), mark(90),
    )  # fmt: skip
    assert (owed(session), owed(session, OUNCE)) == ({"ann": 0}, {"ann": 500})


def test_the_house_has_no_leaf() -> None:
    session = scenario().given(deposit("INSURANCE", 5_000))
    assert list(liabilities(session.state, MOMENT, AssetId(USD)).owed) == ["maker", "taker"]


def test_leaves_stand_in_the_order_of_names() -> None:
    session = scenario().given(account("zoe", 1), account("Ann", 2), account("ann", 3))
    assert list(liabilities(session.state, MOMENT, AssetId(USD)).owed) == ["Ann", "ann", "maker", "taker", "zoe"]


# What backs it


def test_the_layers_add_up_to_what_entered_in_either_column() -> None:
    session = scenario().given(
        deposit("INSURANCE", 5_000), account("ann", 100), account("ben", 1_000, mode=ISOLATED),
        position(1, BUY, price=100, lots=10, by="ann"), position(3, BUY, price=100, lots=20, by="ben"), mark(80),
    )  # fmt: skip
    behind = backing(session.state, AssetId(USD))
    assert behind.entered == 2 * RICH + 6_100
    assert behind.layers == (
        Layer("owed to accounts", 2 * RICH + 1_100, 2 * RICH + 1_400),
        Layer("accounts below zero", 0, -300),
        Layer("insurance fund", 5_000, 5_000),
        Layer("market", 0, 0),
        Layer("fees", 0, 0),
        Layer("interest", 0, 0),
        Layer("remainders", 0, 0),
        Layer("clearing", 0, 0),
    )


def test_clearing_holds_what_trades_left_at_their_entry_values() -> None:
    session = scenario().given(
        account("ann", 1_000), position(1, BUY, price=100, lots=10, by="ann"),
        position(3, SELL, price=90, lots=10, by="ann", against="taker"),
    )  # fmt: skip
    layers = {layer.name: layer for layer in backing(session.state, AssetId(USD)).layers}
    assert layers["owed to accounts"] == Layer("owed to accounts", 2 * RICH + 900, 2 * RICH + 1_000)
    assert layers["clearing"] == Layer("clearing", 100, 0)


# The tree


def digest(text: bytes, *parts: bytes) -> bytes:
    return sha256(b"ringfence proof 1 " + text + b"\n" + b"".join(parts)).digest()


def number(atoms: int) -> bytes:
    return bytes.fromhex(f"{atoms:064x}")


def test_the_bytes_are_those_of_the_documentation() -> None:
    found = made(ann=300, ben=5)
    names = [found.proof(name) for name in ("ann", "ben")]
    ann, ben = (
        digest(b"leaf", digest(b"id", proof.nonce, proof.account.encode()), number(proof.owed)) for proof in names
    )
    top = digest(b"node", number(300), ann, number(5), ben)
    where = MOMENT.head + (7).to_bytes(8, "big") + (2).to_bytes(8, "big")
    assert found.root == digest(b"root", where, number(305), top, b"USD")


def test_the_roots_of_this_format_never_change() -> None:
    assert [made(**amounts).root.hex()[:16] for amounts in ({}, {"ann": 1}, {"ann": 300, "ben": 5, "cy": 0})] == ROOTS


ROOTS = ["acb4ba363a4af905", "49fb9dbf7ca61864", "5c3ba8a884263a5b"]


@pytest.mark.parametrize(
    ("accounts", "turns"),
    [
        (1, [""]),
        (2, ["R", "L"]),
        (3, ["RR", "LR", "L"]),
        (4, ["RR", "LR", "RL", "LL"]),
        (5, ["RRR", "LRR", "RLR", "LLR", "L"]),
        (6, ["RRR", "LRR", "RLR", "LLR", "RL", "LL"]),
        (7, ["RRR", "LRR", "RLR", "LLR", "RRL", "LRL", "LL"]),
    ],
)
def test_an_odd_node_goes_up_as_it_is(accounts: int, turns: list[str]) -> None:
    found = ["".join(side[0].upper() for side in p.sides(leaf, accounts)) for leaf in range(accounts)]
    assert found == turns
    tree = SumTree(p.leaf(bytes(32), f"a{n}", n) for n in range(accounts))
    tree.check()
    assert [[step.side for step in tree.path(leaf)] for leaf in range(accounts)] == [
        list(p.sides(leaf, accounts)) for leaf in range(accounts)
    ]


def test_nobody_is_owed_nothing() -> None:
    nobody = made()
    assert (nobody.sum, nobody.tree.top) == (0, p.EMPTY)
    nobody.tree.check()


def test_one_account_is_its_own_tree() -> None:
    proof = made(ann=5).proof("ann")
    assert proof.path == ()
    p.check(proof)


# What a verifier refuses


def refusal(proof: p.Proof) -> str:
    with pytest.raises(p.ProofError) as refused:
        p.check(proof)
    return str(refused.value)


PROOF = made(ann=300, ben=5, cy=0).proof("ben")
"""A path of two steps: ann to the left, then cy, who went up alone, to the right."""


def sealed(proof: p.Proof, top: p.Node) -> p.Proof:
    """The proof of a venue that publishes this top: its root and its sum are consistent with it."""
    root = p.root_of(top, head=proof.head, record=proof.record, asset=proof.asset, accounts=proof.accounts)
    return proof._replace(sum=top.sum, root=root)


@pytest.mark.parametrize("step", [0, 1])
def test_a_debt_hidden_in_a_subtree_is_refused(step: int) -> None:
    path = list(PROOF.path)
    path[step] = p.Step(path[step].side, p.Node(-100, path[step].node.hash))
    assert refusal(PROOF._replace(path=tuple(path))).startswith("an amount of -100 is below zero")


def test_an_account_that_owes_has_no_leaf() -> None:
    with pytest.raises(p.ProofError, match="an amount of -1 is below zero"):
        made(ann=300, ben=-1)
    assert refusal(PROOF._replace(owed=-5)).startswith("an amount of -5 is below zero")


def test_sums_cannot_wrap_around() -> None:
    with pytest.raises(p.ProofError, match="does not fit into 32 bytes"):
        made(ann=2**256 - 1, ben=1)
    assert made(ann=2**256 - 2, ben=1).sum == 2**256 - 1


def test_a_sum_smaller_than_its_parts_is_refused() -> None:
    top = made(ann=300, ben=5, cy=0).tree.top
    assert refusal(sealed(PROOF, p.Node(5, top.hash))) == "the amounts on the path add up to 305, the proof says 5"


def test_a_sum_cannot_be_shifted_from_one_half_to_the_other() -> None:
    ann, cy = PROOF.path
    shifted = (ann._replace(node=p.Node(0, ann.node.hash)), cy._replace(node=p.Node(300, cy.node.hash)))
    assert refusal(PROOF._replace(path=shifted)) == "the path leads to another root"


def test_a_node_is_no_leaf() -> None:
    tree = SumTree([p.leaf(bytes(32), "ann", 1), p.leaf(bytes(32), "ben", 2)])
    left, right = tree.levels[0]
    preimage = number(1) + left.hash + number(2) + right.hash
    assert tree.top.hash == digest(b"node", preimage) != digest(b"leaf", preimage)


def test_two_accounts_with_the_same_amount_have_leaves_of_their_own() -> None:
    found = made(ann=5, ben=5)
    one, other = found.tree.levels[0]
    assert one.hash != other.hash
    assert refusal(found.proof("ann")._replace(account="ben")) == "the path leads to another root"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"leaf": 3}, "there is no leaf 3 among 3"),
        ({"accounts": 0}, "there is no leaf 1 among 0"),
        ({"leaf": 0}, "the path does not lead up from leaf 0 of 3"),
        ({"accounts": 2}, "the path does not lead up from leaf 1 of 2"),
        ({"path": PROOF.path[:1]}, "the path does not lead up from leaf 1 of 3"),
        ({"path": PROOF.path[::-1]}, "the path does not lead up from leaf 1 of 3"),
        ({"accounts": 4}, "the path leads to another root"),
        ({"record": 8}, "the path leads to another root"),
        ({"asset": "USDT"}, "the path leads to another root"),
        ({"account": "bob"}, "the path leads to another root"),
        ({"head": bytes(32)}, "the path leads to another root"),
        ({"nonce": bytes(32)}, "the path leads to another root"),
        ({"root": bytes(32)}, "the path leads to another root"),
        ({"owed": 6}, "the amounts on the path add up to 306, the proof says 305"),
        ({"sum": 306}, "the amounts on the path add up to 305, the proof says 306"),
    ],
)
def test_nothing_in_a_proof_can_be_changed(changed: dict[str, Any], reason: str) -> None:
    p.check(PROOF)
    assert refusal(PROOF._replace(**changed)) == reason


# Names


def test_a_nonce_hangs_on_account_asset_and_all_that_the_session_holds() -> None:
    def nonce(bodies: tuple[bytes, ...] = (b"a", b"b"), asset: str = "USD", name: str = "ann") -> bytes:
        secret = bytes(32)
        for body in bodies:
            secret = next_secret(secret, body)
        return Liabilities(Moment(1, bytes(32), secret), AssetId(asset), [(name, 1)]).proof(name).nonce

    others = [nonce((b"a",)), nonce((b"b", b"b")), nonce(asset="BTC"), nonce(name="ben")]
    assert len({nonce(), nonce(), *others}) == 5


# The file


def test_a_file_gives_the_proof_again() -> None:
    assert p.read(p.write(PROOF)) == PROOF


def test_a_file_has_these_fields() -> None:
    fields = json.loads(p.write(PROOF))
    assert {name: type(value) for name, value in fields.items()} == {
        "format": str, "head": str, "record": int, "asset": str, "accounts": int, "sum": str, "root": str,
        "account": str, "nonce": str, "owed": str, "leaf": int, "path": list,
    }  # fmt: skip
    assert (fields["format"], fields["owed"], fields["sum"]) == ("ringfence proof 1", "5", "305")
    assert [(step["side"], step["sum"]) for step in fields["path"]] == [("left", "300"), ("right", "0")]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("format", "ringfence proof 2", "this is no 'ringfence proof 1'"),
        ("head", "AB" * 32, "head is not 64 digits of 0-9 and a-f"),
        ("root", "ab" * 31, "root is not 64 digits of 0-9 and a-f"),
        ("nonce", 5, "nonce is not 64 digits of 0-9 and a-f"),
        ("sum", 305, "sum is not the decimal text of a whole number"),
        ("sum", "0305", "sum is not the decimal text of a whole number"),
        ("sum", "305.0", "sum is not the decimal text of a whole number"),
        ("sum", "٣", "sum is not the decimal text of a whole number"),
        ("sum", "-0", "sum is not the decimal text of a whole number"),
        ("sum", "9" * 78, "an amount does not fit into 32 bytes"),
        ("owed", "-5", "an amount of -5 is below zero; a sum tree has none, for it would hide what others are owed"),
        ("record", True, "record is not a whole number from 0 to 2^53 - 1"),
        ("leaf", 1.0, "leaf is not a whole number from 0 to 2^53 - 1"),
        ("accounts", -1, "accounts is not a whole number from 0 to 2^53 - 1"),
        ("accounts", 2**53, "accounts is not a whole number from 0 to 2^53 - 1"),
        ("account", "", "account is not printable ASCII"),
        ("asset", "US\nD", "asset is not printable ASCII"),
        ("path", {}, "path is no list"),
        ("path", ["left"], "a step of the path is no object"),
        ("path", [{"side": "left"}], "these fields are missing or unknown: 'hash', 'sum'"),
        ("path", [{"side": "up", "sum": "0", "hash": "00" * 32}], "a side of the path is neither left nor right"),
        ("note", "", "these fields are missing or unknown: 'note'"),
    ],
)
def test_a_file_is_refused_for_any_field_that_is_not_as_it_must_be(field: str, value: Any, reason: str) -> None:
    with pytest.raises(p.ProofError) as refused:
        p.read(json.dumps(json.loads(p.write(PROOF)) | {field: value}))
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "this is no JSON"),
        ("{", "this is no JSON"),
        ("[" * 100_000, "this is no JSON"),
        ("[]", "this is no 'ringfence proof 1'"),
        ("{}", "this is no 'ringfence proof 1'"),
        ('{"format": "ringfence proof 1", "format": "ringfence proof 1"}', "a field stands there twice"),
    ],
)
def test_a_file_that_is_no_proof_is_refused(text: str, reason: str) -> None:
    with pytest.raises(p.ProofError) as refused:
        p.read(text)
    assert str(refused.value) == reason


def test_a_client_can_check_with_a_copy_of_the_one_file(tmp_path: Path) -> None:
    copy = tmp_path / "proof.py"
    copy.write_bytes((ROOT / "exchange/projections/solvency/proof.py").read_bytes())
    (tmp_path / "ben.json").write_text(p.write(PROOF))
    program = "import sys; sys.path[:0] = ['.']; import proof; proof.check(proof.read(open('ben.json').read()))"
    assert subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, check=False).returncode == 0
