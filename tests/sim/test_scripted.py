"""Scripts: worlds that are told by hand, for the turns that chance meets too seldom to rely on."""

from __future__ import annotations

import pytest

from events import facts as f
from events.refusals import Reason
from exchange.core.apply import APPLY
from exchange.core.state import State
from tests.sim import cover
from tests.sim.__main__ import shortest
from tests.sim.cover import after_scripts, unreachable
from tests.sim.scripted import played
from tests.sim.scripts import SCRIPTS, TURNS, venues
from tests.sim.scripts.refusing import refusals


def test_they_reach_every_branch_of_the_waterfall_and_every_layer() -> None:
    found = after_scripts(workers=1)
    missing = [goal for goal in found.branches if goal not in found.scripted and not unreachable(goal)]
    assert missing == []
    assert not [goal for goal in found.missing if goal.startswith("layers ")]


def test_each_refusal_has_one_that_leads_to_it() -> None:
    assert {*refusals()} == {reason.value for reason in Reason}
    for name, script in refusals().items():
        facts = played(script).batches[-1].facts
        assert f.Refused(Reason(name)) in facts, name


def test_under_every_pack_that_is_shipped_somebody_is_liquidated() -> None:
    for name, script in venues.SCRIPTS.items():
        facts = played(script).batches[-1].facts
        assert [fact.account for fact in facts if isinstance(fact, f.LiquidationEnded)] == ["ann"], name


def test_a_script_means_the_same_every_time() -> None:
    script = TURNS["full batch of winners"]
    assert played(script).bodies == played(script).bodies


def test_one_that_fails_is_shown_as_the_shortest_list_of_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = APPLY[f.LossShared]

    def careless(state: State, fact: f.LossShared) -> None:
        honest(state, fact)
        assert fact.account != "cat", "cat has to pay"

    script = SCRIPTS["loss shared"]
    told = script.tell()
    monkeypatch.setitem(APPLY, f.LossShared, careless)
    monkeypatch.setitem(SCRIPTS, "loss shared", script._replace(tell=lambda: told))
    with pytest.raises(cover.SessionFailed, match="loss shared"):
        after_scripts(workers=1)
    text = shortest("loss shared", 0)
    assert "cat has to pay" in text
    assert "def test_loss_shared() -> None:" in text
