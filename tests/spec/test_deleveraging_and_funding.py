"""Deleveraging while funding is being settled one by one: who is first in the queue settles, and is ranked again."""

from __future__ import annotations

from msgspec.structs import replace

from events import facts as f
from events.instruments import Liquidation
from events.rules import Layer
from events.units import Nanos
from exchange.audit import audit
from tests.scenario import scenario
from tests.spec.words import BUY, GOLD, account, funding, mark, pack, position, proceed


def test_a_winner_whose_funding_is_due_settles_before_it_is_deleveraged() -> None:
    rules = replace(pack(), liquidation=Liquidation(last_resort=(Layer.ADL,)))
    told = scenario(rules).given(account("ann", 100), account("bob", 1_000))
    told.given(*position(1, BUY, price=100, lots=10, by="ann", against="bob"), mark(88))
    later = replace(funding(rate=1_000), at=Nanos(told.state.now + 5))
    told.given(later).when(proceed())
    facts = [fact for fact in told.batches[-1].facts if isinstance(fact, f.FundingPaid | f.Deleveraged)]
    assert [(type(fact).__name__, fact.account) for fact in facts] == [
        ("FundingPaid", "ann"),
        ("FundingPaid", "bob"),
        ("Deleveraged", "ann"),
    ]
    assert facts[-1].against == "bob"  # type: ignore[union-attr]
    assert not told.state.accounts["bob"].positions[GOLD].lots
    audit(told.batches)
