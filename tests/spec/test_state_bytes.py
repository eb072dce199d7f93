"""State as bytes: what a snapshot keeps, and what is set anew from it. Every scenario passes through it as well."""

from __future__ import annotations

import msgspec
import pytest

from events.refusals import Reason
from exchange.core.snapshot import STATE_VERSION, OtherVersion, decode, digest, encode
from exchange.core.state import State
from exchange.core.step import apply_batch, finish_rebuild
from tests.scenario import scenario
from tests.spec.words import BUY, GOLD, account, position, refused, withdraw


def test_a_session_that_was_not_opened_has_bytes_too() -> None:
    assert encode(decode(encode(State()))) == encode(State())


def test_bytes_of_another_version_are_refused() -> None:
    raw = msgspec.json.decode(encode(State()))
    raw["version"] += 1
    with pytest.raises(OtherVersion, match=f"state version {STATE_VERSION + 1}, this code knows {STATE_VERSION}"):
        decode(msgspec.json.encode(raw))


def test_without_outcomes_two_states_that_answered_differently_are_the_same() -> None:
    session = scenario().given(account("ann", 100))
    whole, rest = digest(session.state), digest(session.state, outcomes=False)
    now = session.state.now
    session.when(withdraw("ann", 101)).then(refused(Reason.INSUFFICIENT_BALANCE))
    session.state.now = now
    assert digest(session.state) != whole
    assert digest(session.state, outcomes=False) == rest


def test_a_rebuilt_state_watches_as_the_live_one_does() -> None:
    live = scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
    rebuilt = State()
    for batch in live.batches:
        apply_batch(rebuilt, batch)
    finish_rebuild(rebuilt)
    watched = [[(p.account, p.low, p.high) for p in state.contracts[GOLD].positions] for state in (live.state, rebuilt)]
    assert watched[0] == watched[1]
    assert not rebuilt.dirty
