"""The crowd of the cascade laboratory: what is drawn has the stated moments, and the same seed draws the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from functools import cache
from statistics import mean, median, pstdev

import pytest

from events.commands import AccountId
from events.units import UNIT
from replay.stress.chance import exponential, happens, normal, stream, uniform
from replay.stress.population import LEVERAGES, Crowd, Member, Stake

MANY = 20_000
CROWD = Crowd(MANY, second=30 * UNIT // 100)


@cache
def crowd() -> tuple[Member, ...]:
    return tuple(CROWD.members(11))


def share(count: int) -> float:
    return count / MANY


def test_sides_and_modes_come_as_often_as_stated() -> None:
    assert share(sum(m.stakes[0].sign > 0 for m in crowd())) == pytest.approx(0.6, abs=0.01)
    assert share(sum(m.is_isolated for m in crowd())) == pytest.approx(0.5, abs=0.01)
    assert share(sum(len(m.stakes) == 2 for m in crowd())) == pytest.approx(0.3, abs=0.01)
    assert {m.stakes[0].sign for m in crowd()} == {1, -1}


def test_leverages_come_by_their_weights() -> None:
    found = Counter(m.leverage for m in crowd())
    weights = sum(weight for _, weight in LEVERAGES)
    for leverage, weight in LEVERAGES:
        assert share(found[leverage]) == pytest.approx(weight / weights, abs=0.01)
    assert mean(m.leverage for m in crowd()) == pytest.approx(float(CROWD.mean_leverage), rel=0.02)
    assert CROWD.mean_leverage == Decimal("26.05")


def test_sizes_follow_the_bounded_pareto_distribution() -> None:
    # the exponent is what the logarithms say, the median is low x 2^(1 / tail), nearly: little lies beyond the largest
    sizes = [m.stakes[0].notional / UNIT for m in crowd()]
    assert 1_000 <= min(sizes) < 1_001
    assert max(sizes) <= 1_000_000
    assert mean(sizes) == pytest.approx(CROWD.mean_size / UNIT, rel=0.05)
    assert median(sizes) == pytest.approx(1_000 * 2 ** (1 / 1.5), rel=0.02)
    for times, rest in ((10, 10**-1.5), (100, 100**-1.5)):
        assert share(sum(size > 1_000 * times for size in sizes)) == pytest.approx(rest, rel=0.2)


@pytest.mark.parametrize(("tail", "expected"), [("1", 6_914), ("1.5", 2_905), ("3", 1_499)])
def test_the_mean_size_is_that_of_the_formula(tail: str, expected: int) -> None:
    # tail 1: low x ln(1000) / (1 - 1/1000); tail 3: 1.5 x low, less what the bound takes
    assert replace(CROWD, tail=Decimal(tail)).mean_size // UNIT == expected


def test_what_is_spare_is_exponential_mean_and_deviation_alike() -> None:
    spares = [m.spare / UNIT for m in crowd()]
    assert mean(spares) == pytest.approx(1, rel=0.03)
    assert pstdev(spares) == pytest.approx(1, rel=0.05)
    assert share(sum(spare > 2 for spare in spares)) == pytest.approx(0.1353, abs=0.01)


def test_the_normal_numbers_have_the_deviation_asked_for() -> None:
    random = stream(5, "test")
    numbers = [normal(random, UNIT) / UNIT for _ in range(5_000)]
    assert mean(numbers) == pytest.approx(0, abs=0.05)
    assert pstdev(numbers) == pytest.approx(1, rel=0.05)


def test_nothing_depends_on_anything_else() -> None:
    sizes = [m.stakes[0].notional for m in crowd()]
    spares = [m.spare for m in crowd()]
    for one, other in ((sizes, spares), (spares, [m.leverage for m in crowd()])):
        ranks = [sorted(range(MANY), key=values.__getitem__) for values in (one, other)]
        both = set(ranks[0][: MANY // 2]) & set(ranks[1][: MANY // 2])
        assert share(len(both)) == pytest.approx(0.25, abs=0.01)


def test_to_change_one_distribution_leaves_the_others_as_they_were() -> None:
    other = tuple(replace(CROWD, isolated=0, leverages=((7, 1),)).members(11))
    assert [m.stakes for m in other] == [m.stakes for m in crowd()]
    assert [m.spare for m in other] == [m.spare for m in crowd()]
    assert {m.is_isolated for m in other} == {False}
    assert {m.leverage for m in other} == {7}


def test_a_larger_crowd_begins_with_the_smaller_one() -> None:
    few = tuple(replace(CROWD, accounts=100).members(11))
    assert [m._replace(name="") for m in few] == [m._replace(name="") for m in crowd()[:100]]  # type: ignore[arg-type]


def test_the_same_seed_draws_the_same_and_another_one_does_not() -> None:
    assert tuple(CROWD.members(11)) == crowd()
    assert tuple(CROWD.members(12)) != crowd()


def test_the_numbers_are_these_on_every_python() -> None:
    random = stream(1, "golden")
    assert [random.below(1_000) for _ in range(4)] == [462, 663, 358, 692]
    assert str(uniform(stream(1, "uniform"))) == "0.196656722545539"
    assert exponential(stream(1, "exponential"), UNIT) == 118_835_484
    first = next(iter(Crowd(10).members(1)))
    assert first == Member(AccountId("acct01"), (Stake(-1, 283_222_395_939),), 50, False, 632_802_083)


def test_what_is_certain_always_happens_and_what_is_not_never() -> None:
    random = stream(1, "certain")
    assert all(happens(random, UNIT) for _ in range(100))
    assert not any(happens(random, 0) for _ in range(100))
