"""Margins that are rounded up to a step, in the calculator: they jump, and so does what is due."""

from __future__ import annotations

from fractions import Fraction

import pytest

from events.instruments import load_pack
from events.units import UNIT
from exchange.calculator import LONG, SHORT, Holding, Pool, liquidation, rules_of
from exchange.calculator.rules import Rules
from exchange.calculator.schedule import flat
from exchange.calculator.steps import Steps

ONE = Fraction(1)
WHOLE = Steps(ONE, Fraction(1, 5), Fraction(1, 2))
"""A fifth of the notional, and half of that, in whole dollars."""


def test_both_margins_are_rounded_up() -> None:
    assert [WHOLE.maintenance(Fraction(value)) for value in (0, 1, 5, 6, 10, 11, 20, 21)] == [0, 1, 1, 1, 1, 2, 2, 3]


def test_the_jumps_are_where_a_margin_ends() -> None:
    jumps = dict(WHOLE.jumps(Fraction(35)))
    assert [jumps[ONE * margin] for margin in (0, 1, 2, 3, 4)] == [0, 10, 20, 30, 40]
    assert list(Steps(ONE, Fraction(0)).jumps(ONE)) == []


@pytest.mark.parametrize(
    ("sign", "wallet", "first"),
    [
        # a long of 1 from 100: wallet - 100 + P <= MM(P); at 88 the margin is 9, and at 89 too
        (LONG, 20, 89), (LONG, 21, 88),
        # a short of 1 from 100: wallet + 100 - P <= MM(P); at 109 the margin is 11, from above 110 on 12
        (SHORT, 20, 109), (SHORT, 22, 110),
    ],
)  # fmt: skip
def test_the_first_due_mark_is_where_equity_comes_down_to_a_margin(sign: int, wallet: int, first: int) -> None:
    rules = Rules(flat(Fraction(1, 10)), steps=WHOLE)
    found = liquidation(Pool(Fraction(wallet), (Holding(sign, ONE, Fraction(100)),), rules))
    due, safe = (found.trigger, found.trigger + (1 if sign > 0 else -1)) if found.trigger else (0, 0)
    pool = Pool(Fraction(wallet), (Holding(sign, ONE, Fraction(100)),), rules)
    assert pool.is_due(Fraction(due, UNIT))
    assert not pool.is_due(Fraction(safe, UNIT))
    assert due // UNIT == first


def test_a_pack_says_its_steps_and_a_rate_that_is_given_is_rounded_once() -> None:
    pack = load_pack("dydx-v4")
    terms = pack.instruments[0]
    assert rules_of(pack, terms).steps == Steps(Fraction(1, 10**6), Fraction(1, 20), Fraction(3, 5))
    assert rules_of(pack, terms, mmr=Fraction(1, 50)).steps == Steps(Fraction(1, 10**6), Fraction(1, 50))
    assert rules_of(load_pack("gate"), mmr=Fraction(1, 50)).steps is None
