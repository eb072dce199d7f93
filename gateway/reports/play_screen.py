"""A player as lines that fit a terminal: the price, the best of the book, what accounts hold, the news."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from events.instruments import InstrumentId
from events.units import exact_units
from gateway.console import aligned, money_text, time_text
from gateway.reports import moment_table
from gateway.reports.terminal_chart import chart
from gateway.reports.why_words import Words

if TYPE_CHECKING:
    from gateway.playing.deck import Deck

CHART_HEIGHT = 7
LEVELS = 3
NEWS = 6

HELP = """\
space    play, pause                    g    go to a time or a record
→  ←     a batch on, back               :    any command, as  step 3 liquidation
↑  ↓     ten seconds on, back           l    a loop: its begin, its end, no loop
n  p     next, previous fill            f    fork here: FILE CHANGE...
m        next mark                      a    look at the next account, at all
x        next liquidation               home end   the beginning, the end
+  -     twice, half as fast            0    as fast as it goes    1   as it went
r        of a replay: look back at what was, q goes on
q        quit                           ?    this, and back"""


def lines(deck: Deck, width: int, height: int, prompt: str, message: str, is_helping: bool) -> list[str]:
    """All that fits into so many lines of so many letters; the last one is the prompt, or a message."""
    body = HELP.splitlines() if is_helping else list(_body(deck, width))
    body = [*_head(deck), "", *body][: height - 1]
    body += [""] * (height - 1 - len(body))
    return [line[:width] for line in (*body, prompt or message or "? help  q quit")]


def _head(deck: Deck) -> Iterable[str]:
    who = f"  account {deck.account}" if deck.account else ""
    yield f"{deck.title}{who}"
    yield deck.line()


def _body(deck: Deck, width: int) -> Iterable[str]:
    pack = deck.state.pack
    if pack is None:
        return
    words, shown = Words(pack), deck.moment(LEVELS)
    for name, instrument in shown["instruments"].items():
        yield from _instrument(deck, InstrumentId(name), instrument, words, width)
    if deck.news:
        yield ""
        yield from (str(one) for one in islice(reversed(deck.news), NEWS))
    for heading, rows, left in moment_table.tables(shown["accounts"], words):
        yield ""
        yield heading
        yield from aligned(rows, range(left, len(rows[0])))


def _instrument(deck: Deck, name: InstrumentId, instrument: dict[str, Any], words: Words, width: int) -> Iterable[str]:
    mark = exact_units(instrument["mark"])
    yield f"{name}  mark {words.mark(mark, name) if mark else 'none yet'}"
    if trail := deck.trails.get(name):
        marks = [price for _, price in trail][-(width - 20) :]
        low, high = min(marks), max(marks)
        yield from chart([*marks], CHART_HEIGHT, low, high, lambda price: money_text(price))
        yield f"{time_text(trail[-len(marks)][0])} to {time_text(trail[-1][0])}"
    if instrument["bids"] or instrument["asks"]:
        yield from aligned(moment_table.book(name, instrument, words), range(4))
