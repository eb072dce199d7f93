"""The story of a liquidation for a terminal: what led to it, what it held, what was done, who took it, who paid."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from events import facts as f
from events.commands import Command
from events.units import UNIT, decimal_text
from exchange.core.margin.model import Margin
from gateway.console import OUT, aligned, time_text
from gateway.reports.lab_figures import ratio_text
from gateway.reports.terminal_chart import chart
from gateway.reports.why_answers import cost, sentences
from gateway.reports.why_figures import Line, lines, parts, shares
from gateway.reports.why_words import Words, fills, grouped, percent
from replay.lab.figures import ratio_of
from replay.why import Counterfactuals, Story
from replay.why.holding import Holding

COLUMNS = 84
"""How many bars a line has."""

HEIGHT = 5
"""How many lines a chart has."""


def show(number: int, story: Story, found: Counterfactuals, words: Words) -> None:
    """Print everything."""
    its = story.liquidation
    OUT.print(f"liquidation {number} of {its.account}: {words.pool_name(its.pool)}", markup=False)
    OUT.print(f"fell due {time_text(its.due_at)} UTC, {_end(story, words)}", markup=False)
    _causes(story, words)
    _holdings(story, words)
    _steps(story, words)
    _shares(story, words)
    _parts(story, words)
    _charts(story)
    _answers(story, found, words)


def margin_ratio(margin: Margin) -> str:
    """The margin ratio of a pool; nothing where nothing is required."""
    return ratio_text(ratio_of(margin)) if margin.maintenance else "-"


def _print(rows: list[list[str]], right: Collection[int] = ()) -> None:
    for line in aligned(rows, right):
        OUT.print(line, markup=False)


def _end(story: Story, words: Words) -> str:
    its = story.liquidation
    if its.ended is None or its.ended_at is None:
        return "still under way when the session ends"
    left = words.atoms(its.ended.equity, story.asset)
    return f"ended {time_text(its.ended_at)} UTC: {its.ended.outcome.value}, {left} left in the pool"


def _heading(text: str) -> None:
    OUT.print()
    OUT.print(text, markup=False)


def _causes(story: Story, words: Words) -> None:
    its = story.liquidation
    _heading("what led to it")
    rows = [["record", "time", "what happened"]]
    for record in its.chain[:-1]:
        message = record.message
        time = time_text(message.at) if isinstance(message, Command) else ""
        rows.append([str(record.seq), time, words.tell(message) + _since(story, message)])
    equity = words.atoms(story.margin.equity // UNIT, story.asset)
    needed = words.atoms(-(-story.margin.maintenance // UNIT), story.asset)
    figures = f"equity {equity}, maintenance margin {needed}, margin ratio {margin_ratio(story.margin)}"
    rows.append([str(its.due.seq), time_text(its.due_at), f"the pool fell due: {figures}"])
    _print(rows, right=(0,))
    if story.trigger is not None:
        mark = words.mark(story.trigger, story.trigger_of)
        OUT.print(f" it was due from a mark of {mark} on, all else being equal", markup=False)


def _since(story: Story, message: Any) -> str:
    """From which mark a mark moved."""
    if not isinstance(message, f.MarkPriceMoved):
        return ""
    before = story.liquidation.marks_before.get(message.instrument)
    if not before:
        return ""
    change = (message.mark - before) * 100 / before
    return f", from {grouped(decimal_text(before))} ({change:+.2f} %)"


def _holdings(story: Story, words: Words) -> None:
    _heading("what the pool held")
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
    _print(rows, right=range(1, 8))
    if story.balance is not None:
        wallet = "isolated wallet" if story.mode == "isolated" else "cross wallet"
        pnl = words.atoms(story.margin.equity // UNIT - story.balance, story.asset)
        equity = words.atoms(story.margin.equity // UNIT, story.asset)
        balance = words.atoms(story.balance, story.asset)
        OUT.print(f" {wallet} {balance}, unrealised PnL {pnl}: equity {equity}", markup=False)


def _entry(one: Holding, words: Words) -> str:
    """The mean entry price, for reading: sessions keep the entry value."""
    terms = words.instruments[one.instrument]
    size, value = abs(one.lots) * terms.lot, abs(one.entry_value)
    if terms.settle == terms.base:
        face = size * getattr(terms, "contract_value", 0)
        return grouped(f"{face / (value * UNIT):.2f}") if value and face else "-"
    return grouped(f"{value / size:.2f}") if size else "-"


def _bracket(one: Holding, words: Words) -> str:
    if one.bracket is None:
        return "-"
    asset = words.settle(one.instrument)
    rate = grouped(decimal_text(one.bracket.mmr * 100))
    cum = words.number(one.bracket.cum // UNIT, asset)
    floor, cap = (f"{amount // UNIT // UNIT:,}" for amount in (one.bracket.floor, one.bracket.cap))
    return f"{one.bracket.number}: {floor} to {cap}, MMR {rate} %, cum {cum}"


def _steps(story: Story, words: Words) -> None:
    _heading(f"what was done; equity, maintenance margin (MM) and margin ratio after each step, in {story.asset}")
    rows = [["record", "equity", "MM", "ratio", "step"]]
    for line in lines(story):
        first, after = line.first.record.seq, line.last.after
        rows.append(
            [
                str(first) if len(line.steps) == 1 else f"{first} +{len(line.steps) - 1}",
                words.number(after.equity // UNIT, story.asset),
                words.number(-(-after.maintenance // UNIT), story.asset),
                margin_ratio(after),
                _line(line, words),
            ]
        )
    _print(rows, right=range(4))


def _line(line: Line, words: Words) -> str:
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


def _shares(story: Story, words: Words) -> None:
    found = shares(story)
    if not found:
        return
    _heading("who took it")
    rows = [["who", "size", "value", "mean price"]]
    for share in found:
        terms, asset = words.instruments[share.instrument], words.settle(share.instrument)
        is_coin = terms.settle == terms.base
        mean = "-" if is_coin else grouped(f"{share.value / (share.lots * terms.lot):.2f}")
        size = words.size(share.lots, share.instrument)
        rows.append([LAYERS[share.who], size, words.atoms(share.value, asset), mean])
    _print(rows, right=(1, 2, 3))


def _parts(story: Story, words: Words) -> None:
    _heading("where the equity went")
    rows = [["", story.asset], ["equity when it fell due", words.number(story.margin.equity // UNIT, story.asset)]]
    rows += [[part.what, words.number(part.amount // UNIT, story.asset)] for part in parts(story)]
    last = story.steps[-1].after.equity if story.steps else story.margin.equity
    _print([*rows, ["left in the pool", words.number(last // UNIT, story.asset)]], right=(1,))


def _charts(story: Story) -> None:
    """Marks and margin ratio from the opening on until a while after the end."""
    line, its = story.timeline, story.liquidation
    end = its.ended_at or line.ended
    until = min(line.ended, end + max(1, (end - line.started) // 4))
    _heading(f"from {time_text(line.started)} to {time_text(until)} UTC")
    for instrument, series in line.marks.items():
        columns = series.columns(COLUMNS, line.started, until)
        known = [value for value in columns if value is not None]
        OUT.print(f"mark of {instrument}", markup=False)
        for row in chart(columns, HEIGHT, min(known), max(known), lambda v: f"{v / UNIT:,.2f}"):
            OUT.print(row, markup=False)
    ratios = [min(v, 2 * UNIT) if v else None for v in line.ratio.columns(COLUMNS, line.started, until)]
    highest = max((value for value in ratios if value), default=UNIT)
    OUT.print("margin ratio; at 100 % the pool is due", markup=False)
    drawn = chart(ratios, HEIGHT, 0, max(UNIT, highest), percent, rule=UNIT)
    column = (its.due_at - line.started) * COLUMNS // max(1, until - line.started + 1)
    margin = drawn[0].index("┤") + 1
    for row in [*drawn, f"{'':{margin + column}}▲ {time_text(its.due_at).partition(' ')[2]} fell due"]:
        OUT.print(row, markup=False)


def _answers(story: Story, found: Counterfactuals, words: Words) -> None:
    if not found.answers:
        return
    _heading("what would have prevented it, each decided again in forks of the session")
    for statement, *evidence in sentences(story, found, words):
        OUT.print(f" {statement}", markup=False)
        for line in evidence:
            OUT.print(f"     {line}", markup=False)
    OUT.print(f" {cost(found)}", markup=False)
