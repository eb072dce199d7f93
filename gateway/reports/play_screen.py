"""A player as lines that fit a terminal: the price, the best of the book, what accounts hold, the news."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from events.instruments import InstrumentId
from events.units import exact_units
from gateway.console import aligned, money_text, time_text
from gateway.reports import moment_table
from gateway.reports.terminal_chart import chart
from gateway.reports.why_words import Words

if TYPE_CHECKING:
    from gateway.playing.deck import Deck


class Room(NamedTuple):
    """What is shown where there is room: so many lines of charts, levels of books and news, and what only spaces."""

    chart: int
    levels: int
    news: int
    is_airy: bool


ROOMS = (Room(7, 3, 6, True), Room(5, 1, 3, True), Room(3, 0, 2, False), Room(0, 0, 2, False))
"""The first of these that a terminal is high enough for is taken, else the last."""

FIRST = ("positions", "pools", "wallets")
"""Tables that come first where there may be no room for all."""

SPARED = ("notional", "ADL", "reduces", "isolated margin", "withdrawable", "mode", "balance")
"""Columns that a terminal goes without which is too narrow for all, one after the other."""

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
    head = [*_head(deck), ""]
    body = HELP.splitlines() if is_helping else _body(deck, width, height - 1 - len(head))
    shown = [*head, *body][: height - 1]
    shown += [""] * (height - 1 - len(shown))
    return [line[:width] for line in (*shown, prompt or message or "? help  q quit")]


def _head(deck: Deck) -> Iterable[str]:
    who = f"  account {deck.account}" if deck.account else ""
    yield f"{deck.title}{who}"
    yield deck.line()


def _body(deck: Deck, width: int, height: int) -> list[str]:
    """What there is to see, in the largest room that the height has."""
    pack = deck.state.pack
    if pack is None:
        return []
    words, shown = Words(pack), deck.moment(ROOMS[0].levels)
    body: list[str] = []
    for room in ROOMS:
        body = list(_in_room(deck, shown, words, width, room))
        if len(body) <= height:
            break
    return body


def _in_room(deck: Deck, shown: dict[str, Any], words: Words, width: int, room: Room) -> Iterable[str]:
    air = ("",) if room.is_airy else ()
    for name, instrument in shown["instruments"].items():
        yield from _instrument(deck, InstrumentId(name), instrument, words, width, room)
    if deck.news:
        yield from air
        yield from (str(one) for one in islice(reversed(deck.news), room.news))
    tables = [*moment_table.tables(shown["accounts"], words)]
    if not room.is_airy:
        tables.sort(key=lambda table: FIRST.index(table[0]) if table[0] in FIRST else len(FIRST))
    for heading, rows, left in tables:
        yield from air
        if room.is_airy:
            yield heading
        narrow = _narrow(rows, width, left)
        yield from aligned(narrow, range(left, len(narrow[0])))


def _narrow(rows: moment_table.Rows, width: int, left: int) -> moment_table.Rows:
    """The table without the columns that it can spare, as far as it is too wide."""
    for name in SPARED:
        if max(map(len, aligned(rows, range(left, len(rows[0]))))) <= width:
            break
        if name in rows[0][left:]:
            spared = rows[0].index(name)
            rows = [[*row[:spared], *row[spared + 1 :]] for row in rows]
    return rows


def _instrument(
    deck: Deck, name: InstrumentId, instrument: dict[str, Any], words: Words, width: int, room: Room
) -> Iterable[str]:
    mark = exact_units(instrument["mark"])
    best = "" if room.levels else _best(name, instrument, words)
    yield f"{name}  mark {words.mark(mark, name) if mark else 'none yet'}{best}"
    if room.chart and (trail := deck.trails.get(name)):
        marks = [price for _, price in trail][-(width - 20) :]
        low, high = min(marks), max(marks)
        yield from chart([*marks], room.chart, low, high, lambda price: money_text(price))
        if room.is_airy:
            yield f"{time_text(trail[-len(marks)][0])} to {time_text(trail[-1][0])}"
    levels = {side: instrument[side][: room.levels] for side in ("bids", "asks")}
    if levels["bids"] or levels["asks"]:
        yield from aligned(moment_table.book(name, levels, words), range(4))


def _best(name: str, instrument: dict[str, Any], words: Words) -> str:
    """The best of both sides, in a few words."""
    best = [(side, instrument[f"{side}s"]) for side in ("bid", "ask")]
    return "".join(f"  {side} {moment_table.priced(levels[0][0], name, words)}" for side, levels in best if levels)
