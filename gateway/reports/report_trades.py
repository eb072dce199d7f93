"""The report of a session as tables for people: fills against the quote, orders, round trips, liquidations."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gateway.reports.report_numbers import quotient, seconds, share
from gateway.reports.report_rows import Told, asset_text, money, parts, risk
from gateway.reports.why_rows import Block
from replay.report import HORIZONS, AccountReport, FillFigures, InstrumentReport, Standing

LISTED = 10
"""So many liquidations are listed; programs get them all."""


def blocks(told: Told, in_full: bool) -> Iterator[Block]:
    """All tables, in the order in which they tell; in full with every part of the money."""
    yield from money(told)
    if in_full:
        yield from parts(told)
    yield from risk(told)
    yield from fills(told)
    yield from orders(told)
    yield from trips(told)
    yield from returns(told)
    yield from liquidations(told)


def fills(told: Told) -> Iterator[Block]:
    """Fills by account, instrument and role."""
    found = [(its, *one) for its in told.accounts for one in its.figures()]
    if not found:
        return
    heads = ["account", "instrument", "as", "fills", "size", "share", "value"]
    rows = [
        [its.name, name, role.value, *_fills(told, its.instruments[name], name, figures)]
        for its, name, role, figures in found
    ]
    yield Block("fills", [heads, *rows], range(3, len(heads)), [])
    heads = ["account", "instrument", "as", "mid, ticks", "mid", "best", "at fill", *AFTER]
    rows = [[its.name, name, role.value, *_quality(figures)] for its, name, role, figures in found]
    notes = [
        "per lot, volume-weighted. Against the mid and the best price when the order was accepted, and the mid just "
        "before the fill: above 0 is a cost, below 0 an edge. Then what the mid gained for the account so many seconds "
        "after the fill",
    ]
    yield Block("fills against the quote, basis points (bp)", [heads, *rows], range(3, len(heads)), notes)


def _fills(told: Told, its: InstrumentReport, instrument: str, figures: FillFigures) -> Iterator[str]:
    words = told.words
    yield f"{figures.fills:,}"
    yield words.size(figures.lots, instrument)
    yield share(figures.lots, sum(other.lots for other in its.fills.values()))
    yield words.atoms(figures.value, words.settle(instrument))


AFTER = tuple(f"+{seconds} s" for seconds in HORIZONS)


def _quality(figures: FillFigures) -> Iterator[str]:
    yield quotient(figures.asked_mid.ticks)
    for slip in (figures.asked_mid, figures.asked_best, figures.met_mid, *figures.after.values()):
        yield quotient(slip.points)


def orders(told: Told) -> Iterator[Block]:
    """What became of the orders, and how long makers waited."""
    heads = ["account", "placed", "conditional", "amended", "filled", "cancelled", "expired", "refused", "per fill"]
    rows = [[its.name, *_orders(its)] for its in told.accounts]
    notes = ["per fill: orders placed, amended and cancelled, for each fill"]
    for its in told.accounts:
        for what, counted in (("expired", its.orders.expired), ("refused", its.orders.refused)):
            if counted:
                reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counted.items()))
                notes.append(f"{its.name}, {what}: {reasons}")
    yield Block("orders", [heads, *rows], range(1, len(heads)), notes)
    yield from queues(told)


def _orders(its: AccountReport) -> Iterator[str]:
    found = its.orders
    for count in (
        found.placed, found.conditional, found.amended, found.filled, found.cancelled, found.expired.total(),
        found.refused.total(),
    ):  # fmt: skip
        yield f"{count:,}"
    yield quotient(found.per_fill(its.fills))


def queues(told: Told) -> Iterator[Block]:
    """How long orders that rested waited for their fills."""
    heads = ["account", "instrument", "filled at rest", "first fill, p50", "p90", "last fill, p50", "p90"]
    rows = [
        [its.name, name, f"{one.queue.first.total:,}", *_waits(one)]
        for its in told.accounts
        for name, one in its.instruments.items()
        if one.queue.first.total
    ]
    if rows:
        yield Block("time in the queue, from joining it", [heads, *rows], range(2, len(heads)), [])


def _waits(one: InstrumentReport) -> Iterator[str]:
    for spread in (one.queue.first, one.queue.whole):
        yield from (seconds(spread.percentile(percent)) for percent in (50, 90))


def trips(told: Told) -> Iterator[Block]:
    """Round trips by account and instrument."""
    heads = ["account", "instrument", "trips", "won", "net", "gain", "loss", "profit factor", "held"]
    heads += ["p50"]
    rows = [
        [its.name, name, *_trips(told, one, told.words.settle(name))]
        for its in told.accounts
        for name, one in its.instruments.items()
        if one.all_trips().closed
    ]
    if rows:
        notes = [
            "from flat to flat, net of the fees and the funding of the position, in what it settles in; gain, loss and "
            "held are means, p50 is the median time held"
        ]
        yield Block("round trips", [heads, *rows], range(2, len(heads)), notes)


def _trips(told: Told, one: InstrumentReport, asset: str) -> Iterator[str]:
    found = one.all_trips()
    yield f"{found.closed:,}"
    yield share(found.won, found.closed)
    yield told.atoms(found.gains - found.losses, asset)
    yield told.atoms(found.gains // found.won, asset) if found.won else "-"
    yield told.atoms(found.losses // found.lost, asset) if found.lost else "-"
    yield quotient(found.profit_factor)
    yield seconds(found.held_in_all // found.closed)
    yield seconds(found.held.percentile(50))


def returns(told: Told) -> Iterator[Block]:
    """Sharpe's and Sortino's ratios, where there are samples enough."""
    rows = [
        [its.name, asset_text(name, one), f"{one.samples.count:,}", *_returns(one, told.per_year)]
        for its in told.accounts
        for name, one in its.standings.items()
        if one.samples.sharpe() is not None
    ]
    if rows:
        every = f"every {told.report.sampled:,} s of session time"
        year = "annualised" if told.per_year > 1 else "not annualised"
        heads = ["account", "asset", "samples", "Sharpe", "Sortino"]
        yield Block(f"returns, sampled {every}, {year}", [heads, *rows], range(2, 5), [])


def _returns(one: Standing, per_year: int) -> Iterator[str]:
    for ratio in (one.samples.sharpe(per_year), one.samples.sortino(per_year)):
        yield quotient(None if ratio is None else Fraction(ratio), 3)


def liquidations(told: Told) -> Iterator[Block]:
    """The liquidations, and how to have one explained."""
    names = {its.name for its in told.accounts}
    found = {number: one for number, one in told.liquidations.items() if one.account in names}
    if not found:
        return
    heads = ["no.", "account", "pool", "fell due", "equity", "MM", "outcome"]
    rows = [heads]
    for number, one in list(found.items())[:LISTED]:
        asset, started = told.words.pool_asset(one.pool), one.started
        figures = (
            [told.words.atoms(started.equity, asset), told.words.atoms(started.maintenance, asset)]
            if started
            else ["", ""]
        )
        outcome = one.outcome.value if one.outcome else "under way"
        rows.append([str(number), one.account, one.pool, told.time(one.due_at), *figures, outcome])
    more = [f"{len(found) - LISTED:,} more; ringfence why {told.session} lists them"] if len(found) > LISTED else []
    notes = [*more, f"one in full: ringfence why {told.session} --liquidation {next(iter(found))}"]
    yield Block("liquidations", rows, (0, 4, 5), notes)
