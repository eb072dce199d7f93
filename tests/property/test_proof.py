"""Whoever is owed whatever: every account proves its part, the sums add up, and nothing in a proof can be changed."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.instruments import AssetId
from exchange.core.due import DueKind
from exchange.core.state import State
from exchange.core.step import step
from exchange.projections.solvency import proof as p
from exchange.projections.solvency.backing import backing
from exchange.projections.solvency.liabilities import Liabilities, Moment, liabilities
from tests.property.sessions import CHUNKS, USD, Script, scripts
from tests.sim.world import lend

PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)

names = st.text(PRINTABLE, min_size=1, max_size=12)
amounts = st.sampled_from((0, 1, 10**8)) | st.integers(0, 10**30)
hashes = st.binary(min_size=32, max_size=32)
moments = st.builds(Moment, st.integers(1, 2**40), hashes, hashes)
trees = st.builds(
    Liabilities, moments, names.map(AssetId), st.dictionaries(names, amounts, max_size=40).map(dict.items)
)
some = trees.filter(lambda tree: bool(tree.owed))


@st.composite
def proofs(draw: st.DrawFn) -> p.Proof:
    """The proof of one of the accounts."""
    tree = draw(some)
    return tree.proof(draw(st.sampled_from(sorted(tree.owed))))


@given(trees)
def test_every_account_proves_its_part_and_the_sums_add_up(tree: Liabilities) -> None:
    tree.tree.check()
    assert tree.sum == sum(tree.owed.values())
    for leaf, (name, owed) in enumerate(sorted(tree.owed.items())):
        proof = p.read(p.write(tree.proof(name)))
        p.check(proof)
        assert (proof.account, proof.owed, proof.leaf, proof.root) == (name, owed, leaf, tree.root)
        assert len(proof.path) <= (len(tree.owed) - 1).bit_length()


@given(some, st.randoms(use_true_random=False))
def test_the_order_in_which_accounts_are_named_does_not_matter(tree: Liabilities, dice: Random) -> None:
    shuffled = list(tree.owed.items())
    dice.shuffle(shuffled)
    assert Liabilities(tree.moment, tree.asset, shuffled).root == tree.root


@given(proofs(), st.data())
def test_any_other_byte_of_a_file_that_is_not_mere_space_spoils_it(proof: p.Proof, data: st.DataObject) -> None:
    text = json.dumps(p.as_object(proof), separators=(",", ":"))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(max_codepoint=255).filter(lambda letter: letter != text[place]))
    with pytest.raises(p.ProofError):
        p.check(p.read(text[:place] + other + text[place + 1 :]))


@given(proofs(), st.data())
def test_any_other_value_of_a_field_spoils_it(proof: p.Proof, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from([name for name in p.Proof._fields if name != "path"]))
    kind = type(getattr(proof, field))
    values: st.SearchStrategy[Any] = {int: st.integers(-(2**60), 2**60), bytes: hashes, str: names}[kind]
    changed = proof._replace(**{field: data.draw(values.filter(lambda value: value != getattr(proof, field)))})
    with pytest.raises(p.ProofError):
        p.check(changed)


@given(proofs().filter(lambda proof: bool(proof.path)), st.data())
def test_a_debt_anywhere_on_the_path_is_refused_even_where_the_venue_signs_it(
    proof: p.Proof, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(proof.path) - 1))
    debt = data.draw(st.integers(-(10**30), -1))
    side, node = proof.path[place]
    path = (*proof.path[:place], p.Step(side, node._replace(sum=debt)), *proof.path[place + 1 :])
    total = proof.sum - node.sum + debt
    with pytest.raises(p.ProofError, match="below zero"):
        p.check(proof._replace(path=path, sum=total))


@given(proofs(), st.integers(-(10**30), -1))
def test_a_leaf_below_zero_is_refused(proof: p.Proof, debt: int) -> None:
    with pytest.raises(p.ProofError, match="below zero"):
        p.check(proof._replace(owed=debt, sum=proof.sum - proof.owed + debt))


@given(proofs(), proofs())
def test_no_proof_holds_under_the_root_of_another_tree(proof: p.Proof, other: p.Proof) -> None:
    if proof.root != other.root:
        with pytest.raises(p.ProofError):
            p.check(proof._replace(root=other.root))


@settings(max_examples=60)
@given(scripts(), moments)
def test_what_a_session_owes_is_what_entered_less_what_others_have(script: Script, moment: Moment) -> None:
    state = lend(State(), CHUNKS)
    for command in (*script.opening, *script.commands):
        step(state, command)
        settling = any(key[1] == DueKind.SETTLEMENT for key in state.owed)
        for asset in state.ledger:
            behind = backing(state, asset)
            ledger, marked = (sum(layer[column] for layer in behind.layers) for column in (1, 2))
            assert ledger == marked == behind.entered
            clearing = behind.layers[-1].marked
            assert settling or 0 <= clearing <= 2 * len(state.accounts), "more than rounding is nobody's"
    owed = liabilities(state, moment, USD)
    assert owed.sum == backing(state, USD).layers[0].marked
    for name in owed.owed:
        p.check(owed.proof(name))


@settings(max_examples=30)
@given(scripts(), moments)
def test_the_same_commands_give_the_same_root(script: Script, moment: Moment) -> None:
    roots = set()
    for _ in range(2):
        state = lend(State(), CHUNKS)
        for command in (*script.opening, *script.commands):
            step(state, command)
        roots.add(liabilities(state, moment, USD).root)
    assert len(roots) == 1
