"""Two searches on forks: for the least amount that is enough, and for the highest number that is not too much.

Each ends with two neighbours that were both tried: one survives, the other does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from replay.why.branch import Course

NEWTON_STEPS = 8
"""So often the next amount follows from what the last fork had left, or lacked; then the middle is tried."""

Try = Callable[[int], Awaitable[Course]]


async def least(attempt: Try, guess: int, most: int) -> int | None:
    """The least amount up to `most` with which a fork survives while with one less it does not; 0 is known not to.

    None where even the most is not enough, or the change itself is refused.
    """
    dead, alive = 0, None
    amount, steps = min(max(guess, 1), most), 0
    while alive is None or alive - dead > 1:
        course = await attempt(amount)
        steps += 1
        if course.impossible is not None:
            return None
        if course.survives:
            alive = amount
        elif amount == most:
            return None
        else:
            dead = amount
        amount = _next(course, dead, alive, most, steps)
    return alive


def _next(course: Course, dead: int, alive: int | None, most: int, steps: int) -> int:
    """The amount to try between the largest that died and the least that lived."""
    if alive is None:
        assert course.fall is not None
        lack = max(1, course.fall.maintenance - course.fall.equity)
        return min(most, dead + (lack if steps < NEWTON_STEPS else lack + dead * 8))
    if steps < NEWTON_STEPS:
        spare = max(1, course.spare or 1) if course.survives else alive - dead - 1
        return max(dead + 1, alive - spare)
    return (alive + dead) // 2


async def highest(attempt: Try, beyond: int) -> int:
    """The highest number below `beyond` with which a fork survives while with the next one it does not; `beyond` is
    known not to, and 0 stands for none.
    """
    low, high = 0, beyond
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if (await attempt(middle)).survives else (low, middle)
    return low
