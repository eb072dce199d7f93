"""Limits of requests and orders, against what was allowed written down and summed up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.serving.limits import (
    BAN_MS,
    BAN_MS_MAX,
    BANNED,
    MINUTE_MS,
    OK,
    PATIENCE,
    TOO_MANY,
    UNLIMITED,
    Limits,
    Rules,
    wall_ms,
)

STEPS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 40), st.integers(0, 25_000)), max_size=60)


class Clock:
    """A clock that a test sets, ms."""

    def __init__(self, now: int = 0) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@given(STEPS)
def test_in_no_minute_is_more_weight_let_through_and_none_is_refused_without_need(
    steps: list[tuple[str, int, int]],
) -> None:
    clock, taken = Clock(), dict[tuple[str, int], int]()
    limits = Limits(Rules(100, 0, 0), clock)
    for address, weight, wait in steps:
        clock.now += wait
        window = (address, clock.now // MINUTE_MS)
        before = taken.get(window, 0)
        verdict = limits.spend(address, weight)
        assert (verdict.status == OK) == (before + weight <= 100)
        taken[window] = before + weight * (verdict.status == OK)
        assert verdict.used == taken[window] <= 100
        if verdict.status == TOO_MANY:
            assert (clock.now + verdict.wait_s * 1000) // MINUTE_MS == window[1] + 1


@given(STEPS)
def test_orders_keep_both_their_limits_and_none_is_refused_without_need(steps: list[tuple[str, int, int]]) -> None:
    clock, placed = Clock(), list[tuple[str, int, int]]()
    limits = Limits(Rules(0, 30, 80), clock)

    def within(account: str, length: int) -> int:
        return sum(n for name, at, n in placed if name == account and at // length == clock.now // length)

    for account, count, wait in steps:
        clock.now += wait // 4
        short, long = within(account, 10_000), within(account, MINUTE_MS)
        verdict = limits.order(account, count)
        assert (verdict.status == OK) == (short + count <= 30 and long + count <= 80)
        if verdict.status == OK:
            placed.append((account, clock.now, count))
        else:
            assert verdict.wait_s >= 1
        assert limits.counts(account)[1:3] == verdict[1:3] == (within(account, 10_000), within(account, MINUTE_MS))
        assert verdict.last_10s <= 30
        assert verdict.last_1m <= 80


def _insist(limits: Limits, times: int) -> list[int]:
    return [limits.spend("a", 1).status for _ in range(times)]


def test_who_goes_on_after_429_is_banned_for_longer_each_time_and_nobody_else_is() -> None:
    clock = Clock()
    limits = Limits(Rules(1, 0, 0), clock)
    lengths = []
    for _ in range(14):
        assert _insist(limits, PATIENCE + 1) == [OK] + [TOO_MANY] * PATIENCE
        verdict = limits.spend("a", 1)
        assert verdict.status == BANNED
        assert limits.spend("a", 1) == verdict, "and stays so"
        clock.now += verdict.wait_s * 1000 - 1
        assert limits.spend("a", 1).status == BANNED
        lengths.append(verdict.wait_s * 1000)
        clock.now = (clock.now // MINUTE_MS + 1) * MINUTE_MS
        assert limits.spend("b", 1).status == OK
    assert lengths == [min(BAN_MS * 2**n, BAN_MS_MAX) for n in range(14)]


def test_who_was_good_for_as_long_as_a_ban_may_last_begins_anew() -> None:
    clock = Clock()
    limits = Limits(Rules(1, 0, 0), clock)
    for _ in range(2):
        _insist(limits, PATIENCE + 1)
        assert limits.spend("a", 1).wait_s * 1000 == BAN_MS
        clock.now += BAN_MS + BAN_MS_MAX


def test_without_limits_all_is_let_through() -> None:
    limits = Limits(UNLIMITED, Clock())
    assert limits.spend("a", 10**9).status == limits.spend("a", 10**9).status == OK
    assert limits.order("a", 10**9).status == limits.order("a", 10**9).status == OK
    assert limits.counts("nobody") == (OK, 0, 0, 0)


def test_only_so_many_are_known_and_the_longest_unheard_of_is_forgotten() -> None:
    limits = Limits(Rules(1, 1, 1), Clock(), known=2)
    for name in "abac":
        limits.spend(name, 1)
        limits.order(name)
    assert [limits.spend(name, 1).status for name in "acb"] == [TOO_MANY, TOO_MANY, OK]
    assert [limits.order(name).status for name in "cb"] == [TOO_MANY, OK]


def test_the_clock_is_the_walls_where_none_is_given() -> None:
    before = wall_ms()
    assert before > 1_600_000_000_000
    assert Limits().spend("a", 1) == (OK, 1, 0)
