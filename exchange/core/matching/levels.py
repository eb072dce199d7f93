"""Levels where traders' orders rest, as history states them: growth joins the back of the queue, shrinkage leaves it
where the queue model says, and is remembered for a print that may yet explain it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.commands import MARKET, QueueModel
from events.units import SECOND
from exchange.core.book import BookSide, Level, Order
from exchange.core.history import SPARSE

if TYPE_CHECKING:
    from exchange.core.matching.market import MarketFeed

Leaving = QueueModel | tuple[int, ...]
"""Where volume leaves a queue: by one of the models, or by weights of its equal parts, front first."""

LATE_PRINT = 10 * SECOND
"""How long, in transaction time, a decrease waits for the print that explains it."""


def restate(feed: MarketFeed, side: BookSide, level: Level, price: int, lots: int, transacted: int) -> None:
    """History says how much MARKET has at a price where traders' orders rest."""
    change = lots - level.market
    if change > 0:
        level.add_market(price, side.sign, change)
    elif change < 0:
        shrink(feed.queue_model, level, -change)
        waiting = [c for c in feed.credits.get(price, ()) if c[0] >= transacted - LATE_PRINT]
        feed.credits[price] = [*waiting, [transacted, -change]]
        if len(feed.credits) > SPARSE:
            _forget_credits(feed, transacted - LATE_PRINT)


def shrink(model: Leaving, level: Level, lots: int) -> None:
    """Volume that is known by size only left without a print: from where the queue model says, or by weights; what
    these leave over, from the back.
    """
    segments = [entry for entry in level.queue if entry.lots and entry.account == MARKET and not entry.number]
    if isinstance(model, tuple):
        lots = _shrink_by_weight(model, level, segments, lots)
        model = QueueModel.BEHIND
    if model is QueueModel.PROPORTIONAL:
        total = sum(entry.lots for entry in segments)
        for entry in segments:
            part = lots * entry.lots // total
            total, lots = total - entry.lots, lots - part
            if part:
                level.shrink(entry, part)
        assert not lots
        return
    for entry in segments if model is QueueModel.AHEAD else reversed(segments):
        part = min(lots, entry.lots)
        lots -= part
        if part:
            level.shrink(entry, part)


def _shrink_by_weight(weights: tuple[int, ...], level: Level, segments: list[Order], lots: int) -> int:
    """Spread what left over segments in proportion to the weights of their lots, rounded down but for the last one's;
    no segment loses more than it has. What is left over by that.
    """
    masses = _masses(weights, [entry.lots for entry in segments])
    total = sum(masses)
    for entry, mass in zip(segments, masses, strict=True):
        part = min(entry.lots, lots * mass // total) if mass else 0
        total, lots = total - mass, lots - part
        if part:
            level.shrink(entry, part)
    return lots


def _masses(weights: tuple[int, ...], sizes: list[int]) -> list[int]:
    """The sum of the weights of the lots of each segment, times the number of weights."""
    whole, many, start, masses = sum(sizes), len(weights), 0, []
    for size in sizes:
        end = start + size * many
        parts = enumerate(weights)
        masses.append(sum(w * max(0, min(end, (k + 1) * whole) - max(start, k * whole)) for k, w in parts))
        start = end
    return masses


def explained(feed: MarketFeed, price: int, lots: int, transacted: int) -> int:
    """How much of a print is the explanation, come late, of a decrease that was already taken from the queue."""
    used = 0
    for credit in feed.credits.get(price, ()):
        if credit[0] >= transacted:
            part = min(credit[1], lots - used)
            credit[1] -= part
            used += part
    left = [credit for credit in feed.credits.pop(price, ()) if credit[1] and credit[0] >= transacted]
    if left:
        feed.credits[price] = left
    return used


def _forget_credits(feed: MarketFeed, before: int) -> None:
    """Drop the prices at which no decrease is young enough to wait for a print."""
    feed.credits = {price: waiting for price, waiting in feed.credits.items() if waiting[-1][0] >= before}
