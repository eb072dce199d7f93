"""The story of a liquidation for a terminal: tables, bars over time, what would have prevented it."""

from __future__ import annotations

from functools import partial

from events.units import UNIT
from gateway.console import OUT, aligned, say, time_text
from gateway.reports.terminal_chart import chart
from gateway.reports.why_answers import cost, sentences
from gateway.reports.why_rows import blocks, title
from gateway.reports.why_words import Words, percent
from replay.why import Counterfactuals, Story

BARS = 80
"""How many bars a line has."""

HEIGHT = 5
"""How many lines a chart has."""


def show(number: int, story: Story, found: Counterfactuals, words: Words) -> None:
    """Print everything."""
    for line in title(number, story, words):
        say(line)
    for block in blocks(story, words):
        _heading(block.heading)
        for line in aligned(block.rows, block.right):
            OUT.print(line, markup=False)
        for note in block.notes:
            say(f" {note}", 1)
    _charts(story, words)
    _answers(story, found, words)


def _heading(text: str) -> None:
    OUT.print()
    OUT.print(text, markup=False)


def _charts(story: Story, words: Words) -> None:
    """Marks and margin ratio from the opening on until a while after the end."""
    line, its = story.timeline, story.liquidation
    end = its.ended_at or line.ended
    until = min(line.ended, end + max(1, (end - line.started) // 4))
    _heading(f"from {time_text(line.started)} to {time_text(until)} UTC")
    for instrument, series in line.marks.items():
        columns = series.columns(BARS, line.started, until)
        known = [value for value in columns if value is not None]
        OUT.print(f"mark of {instrument}", markup=False)
        for row in chart(columns, HEIGHT, min(known), max(known), partial(words.mark, instrument=instrument)):
            OUT.print(row, markup=False)
    ratios = [min(v, 2 * UNIT) if v else None for v in line.ratio.columns(BARS, line.started, until)]
    highest = max((value for value in ratios if value), default=UNIT)
    OUT.print("margin ratio; at 100 % the pool is due", markup=False)
    drawn = chart(ratios, HEIGHT, 0, max(UNIT, highest), percent, rule=UNIT)
    margin = drawn[0].index("┤") + 1
    for row in drawn:
        OUT.print(row, markup=False)
    moments = [(its.called_at, "margin call")] if its.call and its.called_at < its.due_at else []
    for at, what in [*moments, (its.due_at, "fell due")]:
        column = max(0, at - line.started) * BARS // max(1, until - line.started + 1)
        OUT.print(f"{'':{margin + column}}▲ {time_text(at).partition(' ')[2]} {what}", markup=False)


def _answers(story: Story, found: Counterfactuals, words: Words) -> None:
    if not found.answers:
        return
    _heading("what would have prevented it, each decided again in forks of the session")
    for statement, *evidence in sentences(story, found, words):
        say(f" {statement}", 3)
        for line in evidence:
            say(f"     {line}", 9)
    OUT.print(f" {cost(found)}", markup=False)
