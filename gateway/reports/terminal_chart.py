"""Series over time for a terminal: a few lines of bars with a scale at their left."""

from __future__ import annotations

from collections.abc import Callable

BARS = " ▁▂▃▄▅▆▇█"
STEPS = len(BARS) - 1


def chart(
    values: list[int | None], height: int, low: int, high: int, label: Callable[[int], str], rule: int | None = None
) -> list[str]:
    """The values as bars from low to high, in so many lines of text, the highest first; None leaves a column empty.

    rule is a value at which a dotted line runs where no bar is. The ends of the scale are labelled.
    """
    span = max(1, high - low)
    eighths = [None if v is None else 1 + min(max(v, low) - low, span) * (height * STEPS - 1) // span for v in values]
    ruled = None if rule is None or not low <= rule <= high else (rule - low) * (height * STEPS - 1) // span // STEPS
    labels = {height - 1: label(high), 0: label(low)}
    if ruled is not None and ruled not in labels:
        labels[ruled] = label(rule or 0)
    width = max(map(len, labels.values()))
    return [
        f"{labels.get(row, ''):>{width}} ┤{''.join(_cell(e, row, row == ruled) for e in eighths)}".rstrip()
        for row in range(height - 1, -1, -1)
    ]


def _cell(eighths: int | None, row: int, is_ruled: bool) -> str:
    filled = 0 if eighths is None else min(STEPS, max(0, eighths - row * STEPS))
    return BARS[filled] if filled or not is_ruled else "·"
