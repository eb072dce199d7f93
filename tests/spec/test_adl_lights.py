"""Where a position stands in the queue of auto-deleveraging: a light from 5, the first to be taken, to 1."""

from __future__ import annotations

from events.commands import INSURANCE
from exchange.core.liquidation.adl import quantile
from exchange.projections.adl import light, lights
from replay.strategy import Context
from tests.scenario import Scenario, scenario
from tests.spec.contracts import LONG, hedge
from tests.spec.words import BUY, GOLD, TIN, account, deposit, mark, place, position, proceed, resting


def shorts() -> Scenario:
    """Five shorts of the same size against the taker, with ever less equity: ever more leverage, ever sooner taken."""
    session = scenario()
    for number, (name, money) in enumerate((("ann", 900), ("bob", 700), ("cat", 500), ("dan", 300), ("eve", 150))):
        session.given(
            account(name, money), *position(2 * number + 1, BUY, price=100, lots=10, by="taker", against=name)
        )
    return session.given(mark(95))


def test_five_of_a_kind_have_a_light_each() -> None:
    found = lights(shorts().state)
    assert {name: found[name, GOLD] for name in ("ann", "bob", "cat", "dan", "eve")} == {
        "ann": 1, "bob": 2, "cat": 3, "dan": 4, "eve": 5,
    }  # fmt: skip
    assert found["taker", GOLD] == 1


def test_equal_ones_have_the_same_light() -> None:
    session = scenario().given(account("ann", 500), account("bob", 500))
    session.given(*position(1, BUY, price=100, lots=10, by="taker", against="ann"))
    session.given(*position(3, BUY, price=100, lots=10, by="taker", against="bob"))
    assert {lights(session.state)[name, GOLD] for name in ("ann", "bob")} == {1}


def test_all_at_once_and_one_by_one_are_the_same() -> None:
    state = shorts().state
    for (name, held), found in lights(state).items():
        assert (
            light(state, name, held) == found == quantile(state.contracts[GOLD], state.accounts[name].positions[held])
        )  # type: ignore[index]


def test_the_fund_and_who_holds_nothing_have_none() -> None:
    session = scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(deposit(INSURANCE, 500), mark(89), proceed())
    assert (INSURANCE, GOLD) not in lights(session.state)
    assert light(session.state, "ann", GOLD) is None  # type: ignore[arg-type]
    assert light(session.state, "ann", TIN) is None  # type: ignore[arg-type]


def test_a_strategy_sees_its_own() -> None:
    session = shorts().given(account("leo", 500), hedge("leo"), resting(20, BUY, price=80, lots=1))
    session.given(resting(21, BUY, price=95, lots=2, by="leo", leg=LONG), place(22, BUY, lots=1, price=80))
    context = Context(lambda: session.state, "dan", lambda _: None)  # type: ignore[arg-type]
    assert context.adl_light(GOLD) == 4
    assert context.adl_light(TIN) is None
    assert Context(lambda: session.state, "leo", lambda _: None).adl_light(GOLD, LONG) is None  # type: ignore[arg-type]
