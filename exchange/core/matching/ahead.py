"""Looking for a price in prepared columns, further and further ahead: the cost is that of how far it is away."""

from __future__ import annotations

STRIDE = 32
"""So many entries are looked at first; then twice as many each time."""


def first_at_least(prices: list[int], price: int, start: int, stop: int) -> int:
    """The first entry from `start` on that is at or above the price, `stop` where none is before it."""
    stride = STRIDE
    while start < stop:
        part = prices[start : min(start + stride, stop)]
        if max(part) >= price:
            return start + next(n for n, found in enumerate(part) if found >= price)
        start, stride = start + stride, 2 * stride
    return stop


def first_at_most(prices: list[int], price: int, start: int, stop: int) -> int:
    """The first entry from `start` on that is at or below the price, `stop` where none is before it."""
    stride = STRIDE
    while start < stop:
        part = prices[start : min(start + stride, stop)]
        if min(part) <= price:
            return start + next(n for n, found in enumerate(part) if found <= price)
        start, stride = start + stride, 2 * stride
    return stop
