"""By which rules orders met a recorded market, where that is not the ordinary way: what results say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from events.commands import Impact, QueueModel, SessionOptions, TradeFills
from events.latency import NO_LATENCY, Latency
from exchange.core.state import State
from replay.fills import has_no_book
from replay.latency import short

_INSTEAD = {
    TradeFills.BOOK: "none in the data, so that nothing could trade with history; see --trade-fills",
    TradeFills.THROUGH: "none in the data; trades through an order's price filled it, takers met the last trade's size",
    TradeFills.TOUCH: "none in the data; trades at an order's price filled it, takers met the last trade's size",
}
_MOVES = {
    QueueModel.AHEAD: "what left a price without a trade left from ahead of resting orders (ahead)",
    QueueModel.BEHIND: "what left a price without a trade left from behind resting orders (behind)",
}


def ways(state: State) -> Iterator[tuple[str, str]]:
    """What an account's orders met where that was no book, how they moved up in queues, whether what they took was
    gone, and how late they came: a word and what it says.
    """
    options = state.options
    if without := [c.id for c in state.contracts.values() if has_no_book(c)]:
        yield "book", f"{', '.join(without)}: {_INSTEAD[options.trade_fills]}"
    if options.queue_weights:
        yield (
            "queue",
            f"what left a price without a trade left by weights ({','.join(map(str, options.queue_weights))})",
        )
    elif options.queue_model in _MOVES:
        yield "queue", _MOVES[options.queue_model]
    if options.impact is Impact.NONE:
        yield "impact", "none: what an account took of history's book was there again for the next order"
    if options.latency != NO_LATENCY:
        yield "latency", _latency(options.latency)


def _latency(told: Latency) -> str:
    entry, feed = (
        "as long as the rows of the data" if is_measured else short(time)
        for time, is_measured in ((told.entry, told.entry_measured), (told.feed, told.feed_measured))
    )
    jitter = f" and up to {short(told.jitter)} more (seed {told.seed})" if told.jitter else ""
    return f"orders {entry}{jitter}, news {feed}"


def options_object(options: SessionOptions) -> dict[str, Any]:
    """All of that in plain types, the ordinary ways too; a latency that was measured is null."""
    told = options.latency
    return {
        "mark": options.mark_source.value,
        "queue_model": list(options.queue_weights) or options.queue_model.value,
        "impact": options.impact.value,
        "trade_fills": options.trade_fills.value,
        "latency_ns": None if told.entry_measured else told.entry,
        "feed_latency_ns": None if told.feed_measured else told.feed,
        "latency_jitter_ns": told.jitter,
        "latency_seed": told.seed,
    }
