"""The story of a liquidation as tables: what led to it, what it held, what was done, who took it, who paid."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from events import facts as f
from events.commands import Command
from events.instruments import Inverse
from events.units import UNIT, decimal_text
from exchange.core.margin.model import Margin
from exchange.projections.deficits import Bearer
from gateway.console import time_text
from gateway.reports.lab_figures import ratio_text
from gateway.reports.why_figures import Line, lines, parts, shares
from gateway.reports.why_words import Words, fills, grouped, percent, price_text
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
    yield _holdings(story, words)
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
    return ratio_text(ratio_of(margin)) if margin.maintenance else "-"


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
        rows.append([str(record.seq), time, words.tell(message) + _since(story, message)])
    equity = words.atoms(story.margin.equity // UNIT, story.asset)
    needed = words.atoms(-(-story.margin.maintenance // UNIT), story.asset)
    figures = f"equity {equity}, maintenance margin {needed}, margin ratio {margin_ratio(story.margin)}"
    rows.append([str(its.due.seq), time_text(its.due_at), f"the pool fell due: {figures}"])
    notes = []
    if story.trigger is not None:
        mark = words.mark(story.trigger, story.trigger_of)
        notes.append(f"it was due from a mark of {mark} on, all else being equal")
    return Block("what led to it", rows, (0,), notes)


def _since(story: Story, message: Any) -> str:
    """From which mark a mark moved."""
    if not isinstance(message, f.MarkPriceMoved):
        return ""
    before = story.liquidation.marks_before.get(message.instrument)
    if not before or before == message.mark:
        return ""
    change = (message.mark - before) * 100 / before
    return f", from {grouped(decimal_text(before))} ({change:+.2f} %)"


def _holdings(story: Story, words: Words) -> Block:
    rows = [["position", "size", "entry", "mark", "notional", "leverage", "unrealised PnL", "MM", "bracket"]]
    for one in story.holdings:
        asset = words.settle(one.instrument)
        rows.append(
            [
                f"{one.name} {'long' if one.lots > 0 else 'short'}",
                words.size(one.lots, one.instrument),
                _entry(one, words),
                grouped(decimal_text(one.mark)),
                words.atoms(one.notional // UNIT, asset),
                f"{one.leverage}x",
                words.atoms(one.unrealised // UNIT, asset),
                words.atoms(-(-one.maintenance // UNIT), asset),
                _bracket(one, words),
            ]
        )
    notes = []
    if story.balance is not None:
        wallet = "isolated wallet" if story.mode == "isolated" else "cross wallet"
        pnl = words.atoms(story.margin.equity // UNIT - story.balance, story.asset)
        equity = words.atoms(story.margin.equity // UNIT, story.asset)
        balance = words.atoms(story.balance, story.asset)
        notes.append(f"{wallet} {balance}, unrealised PnL {pnl}: equity {equity}")
    return Block("what the pool held", rows, range(1, 8), notes)


def _entry(one: Holding, words: Words) -> str:
    """The mean entry price, for reading: sessions keep the entry value."""
    terms = words.instruments[one.instrument]
    size, value = abs(one.lots) * terms.lot, abs(one.entry_value)
    if isinstance(terms, Inverse):
        return price_text(size * terms.contract_value / (value * UNIT))
    return price_text(value / size)


def _bracket(one: Holding, words: Words) -> str:
    if one.bracket is None:
        return "-"
    asset = words.settle(one.instrument)
    rate = grouped(decimal_text(one.bracket.mmr * 100))
    cum = words.number(one.bracket.cum // UNIT, asset)
    floor, cap = (f"{amount // UNIT // UNIT:,}" for amount in (one.bracket.floor, one.bracket.cap))
    return f"{one.bracket.number}: {floor} to {cap}, MMR {rate} %, cum {cum}"


def _steps(story: Story, words: Words) -> Block:
    rows = [["record", "equity", "MM", "ratio", "step"]]
    for line in lines(story):
        first, after = line.first.record.seq, line.last.after
        rows.append(
            [
                str(first) if len(line.steps) == 1 else f"{first} +{len(line.steps) - 1}",
                words.number(after.equity // UNIT, story.asset),
                words.number(-(-after.maintenance // UNIT), story.asset),
                margin_ratio(after),
                line_text(line, words),
            ]
        )
    what = "equity, maintenance margin (MM) and margin ratio after each step"
    return Block(f"what was done; {what}, in {story.asset}", rows, range(4), [])


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
        mean = "-" if isinstance(terms, Inverse) else price_text(share.value / (share.lots * terms.lot))
        size = words.size(share.lots, share.instrument)
        rows.append([LAYERS[share.who], size, words.atoms(share.value, asset), mean])
    return Block("who took it", rows, (1, 2, 3), [])


def _parts(story: Story, words: Words) -> Block:
    rows = [["", story.asset], ["equity when it fell due", words.number(story.margin.equity // UNIT, story.asset)]]
    rows += [[part.what, words.number(part.amount // UNIT, story.asset)] for part in parts(story)]
    last = story.steps[-1].after.equity if story.steps else story.margin.equity
    rows.append(["left in the pool", words.number(last // UNIT, story.asset)])
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
