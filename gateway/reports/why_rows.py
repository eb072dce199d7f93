"""The story of a liquidation as tables: what led to it, what it held, what was done, who took it, who paid."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from events import facts as f
from events.commands import Command
from events.instruments import Instrument, Inverse
from events.units import UNIT, decimal_text
from exchange.core.margin.model import Margin
from exchange.projections.deficits import Bearer
from gateway.console import time_text
from gateway.reports.lab_figures import rate_text
from gateway.reports.why_figures import Line, Share, lines, parts, shares
from gateway.reports.why_words import Words, fills, grouped, percent
from replay.lab.figures import ratio_of
from replay.why import Story
from replay.why.holding import Holding


class Block(NamedTuple):
    """A table under its heading: the first row is the head, `right` the columns of numbers, notes stand below."""

    heading: str
    rows: list[list[str]]
    right: Collection[int]
    notes: list[str]


def blocks(story: Story, words: Words) -> Iterator[Block]:
    """The tables, in the order in which they tell."""
    yield _causes(story, words)
    yield from _holdings(story, words)
    yield _steps(story, words)
    if shares(story):
        yield _shares(story, words)
    yield _parts(story, words)
    if any(story.deficits.values()):
        yield _deficits(story, words)


def title(number: int, story: Story, words: Words) -> list[str]:
    """Which liquidation it is, and how it ended."""
    its = story.liquidation
    pool = words.pool_name(its.pool)
    return [
        f"liquidation {number} of {its.account}: {pool}",
        f"fell due {time_text(its.due_at)} UTC, {_end(story, words)}",
    ]


def margin_ratio(margin: Margin) -> str:
    """The margin ratio of a pool; nothing where nothing is required."""
    return rate_text(ratio_of(margin)) if margin.maintenance else "-"


def _end(story: Story, words: Words) -> str:
    its = story.liquidation
    if its.ended is None or its.ended_at is None:
        return "still under way when the session ends"
    left = words.atoms(its.ended.equity, story.asset)
    return f"ended {time_text(its.ended_at)} UTC: {its.ended.outcome.value}, {left} left in the pool"


def _causes(story: Story, words: Words) -> Block:
    its = story.liquidation
    rows = [["record", "time", "what happened"]]
    if its.call is not None and its.call not in its.chain:
        rows.append([str(its.call.seq), time_text(its.called_at), words.tell(its.call.message)])
    for record in its.chain[:-1]:
        message = record.message
        time = time_text(message.at) if isinstance(message, Command) else ""
        rows.append([str(record.seq), time, words.tell(message) + _since(story, message, words)])
    equity = words.atoms(story.margin.equity // UNIT, story.asset)
    needed = words.atoms(-(-story.margin.maintenance // UNIT), story.asset)
    figures = f"equity {equity}, maintenance margin {needed}, margin ratio {margin_ratio(story.margin)}"
    rows.append([str(its.due.seq), time_text(its.due_at), f"the pool fell due: {figures}"])
    notes = []
    if story.trigger is not None:
        mark = words.mark(story.trigger, story.trigger_of)
        notes.append(f"it was due from a mark of {mark} on, all else being equal")
    return Block("what led to it", rows, (0,), notes)


def _since(story: Story, message: Any, words: Words) -> str:
    """From which mark a mark moved."""
    if not isinstance(message, f.MarkPriceMoved):
        return ""
    before = story.liquidation.marks_before.get(message.instrument)
    if not before or before == message.mark:
        return ""
    change = (message.mark - before) * 100 / before
    return f", from {words.mark(before, message.instrument)} ({change:+.2f} %)"


def _holdings(story: Story, words: Words) -> Iterator[Block]:
    """A column for each position, so many beside each other."""
    notes = []
    if story.balance is not None:
        wallet = "isolated wallet" if story.mode == "isolated" else "cross wallet"
        pnl = words.atoms(story.margin.equity // UNIT - story.balance, story.asset)
        equity = words.atoms(story.margin.equity // UNIT, story.asset)
        balance = words.atoms(story.balance, story.asset)
        notes.append(f"{wallet} {balance}, unrealised PnL {pnl}: equity {equity}")
    for first in range(0, max(1, len(story.holdings)), BESIDE):
        held = story.holdings[first : first + BESIDE]
        rows = list(map(list, zip(_HELD, *(_figures(one, words) for one in held), strict=True)))
        heading = "what the pool held, continued" if first else "what the pool held"
        yield Block(heading, rows, range(1, len(held) + 1), notes if first + BESIDE >= len(story.holdings) else [])


BESIDE = 3
"""So many positions are shown beside each other."""

_HELD = (
    *("position", "size", "entry price", "mark", "notional", "leverage", "unrealised PnL", "maintenance margin (MM)"),
    *("bracket", "notional from", "notional up to", "MMR", "cum"),
)
"""What is told of a position."""


def _figures(one: Holding, words: Words) -> list[str]:
    asset = words.settle(one.instrument)
    return [
        f"{one.name} {'long' if one.lots > 0 else 'short'}",
        words.size(one.lots, one.instrument),
        _entry(one, words),
        words.mark(one.mark, one.instrument),
        words.atoms(one.notional // UNIT, asset),
        f"{one.leverage}x",
        words.atoms(one.unrealised // UNIT, asset),
        words.atoms(-(-one.maintenance // UNIT), asset),
        *_bracket(one, words),
    ]


def _entry(one: Holding, words: Words) -> str:
    """The mean entry price, for reading: sessions keep the entry value."""
    terms = words.instruments[one.instrument]
    size, value = abs(one.lots) * terms.lot, abs(one.entry_value)
    if isinstance(terms, Inverse):
        return words.mark(size * terms.contract_value // value, one.instrument)
    return words.mark(value * UNIT // size, one.instrument)


def _bracket(one: Holding, words: Words) -> list[str]:
    """Its number, from and up to which notional, rate and amount; dashes where the venue has no brackets."""
    if one.bracket is None:
        return ["-"] * 5
    asset, bracket = words.settle(one.instrument), one.bracket
    bounds = [words.atoms(amount // UNIT, asset) for amount in (bracket.floor, bracket.cap)]
    rate = f"{grouped(decimal_text(bracket.mmr * 100))} %"
    return [str(bracket.number), *bounds, rate, words.atoms(bracket.cum // UNIT, asset)]


def _steps(story: Story, words: Words) -> Block:
    rows = [["record", "equity", "MM", "ratio", "step"]]
    for line in lines(story):
        first, after = line.first.record.seq, line.last.after
        rows.append(
            [
                str(first) if len(line.steps) == 1 else f"{first} +{len(line.steps) - 1}",
                words.atoms(after.equity // UNIT, story.asset),
                words.atoms(-(-after.maintenance // UNIT), story.asset),
                margin_ratio(after),
                line_text(line, words),
            ]
        )
    what = "equity, maintenance margin (MM) and margin ratio after each step"
    return Block(f"what was done; {what}", rows, range(4), [])


def line_text(line: Line, words: Words) -> str:
    """What is told of one or more steps."""
    messages: list[Any] = [told.record.message for told in line.steps]
    if isinstance(messages[0], f.Traded):
        return fills(words, messages)
    if len(messages) > 1:
        return f"{len(messages)} orders were cancelled, {messages[0].number} to {messages[-1].number}"
    text, ranked = words.tell(messages[0]), line.first.ranked
    if ranked is None:
        return text
    return f"{text}; place {ranked.place} in the queue: PnL {percent(ranked.profit)}, {ranked.leverage / UNIT:.1f}x"


LAYERS = {
    "netting": "its own other leg",
    "book": "the book",
    "fund": "the insurance fund",
    "adl": "deleveraged accounts",
    "market": "MARKET",
}


def _shares(story: Story, words: Words) -> Block:
    rows = [["who", "size", "value", "mean price"]]
    for share in shares(story):
        terms, asset = words.instruments[share.instrument], words.settle(share.instrument)
        mean = _mean(share, terms, words)
        size = words.size(share.lots, share.instrument)
        rows.append([LAYERS[share.who], size, words.atoms(share.value, asset), mean])
    return Block("who took it", rows, (1, 2, 3), [])


def _mean(share: Share, terms: Instrument, words: Words) -> str:
    if isinstance(terms, Inverse):
        return "-"
    return words.mark(share.value * UNIT // (share.lots * terms.lot), share.instrument)


def _parts(story: Story, words: Words) -> Block:
    rows = [["", "amount"], ["equity when it fell due", words.atoms(story.margin.equity // UNIT, story.asset)]]
    rows += [[part.what, words.atoms(part.amount // UNIT, story.asset)] for part in parts(story)]
    last = story.steps[-1].after.equity if story.steps else story.margin.equity
    rows.append(["left in the pool", words.atoms(last // UNIT, story.asset)])
    return Block("where the equity went", rows, (1,), [])


BEARERS = {
    Bearer.FUND: "the insurance fund",
    Bearer.ADL: "deleveraged accounts",
    Bearer.MARKET: "MARKET",
    Bearer.SOCIALISED: "winners of the instrument",
    Bearer.OPEN: "nobody yet: it is open in the fund",
}


def _deficits(story: Story, words: Words) -> Block:
    rows = [["who", "amount"]]
    rows += [[BEARERS[who], words.atoms(amount, asset)] for (asset, who), amount in story.deficits.items() if amount]
    return Block("who bore the deficit, what it left to others", rows, (1,), [])
