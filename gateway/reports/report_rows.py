"""The report of a session as tables for people: what came of each account's money, and what it risked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from events.units import SECOND, UNIT
from exchange.core.margin.model import unrealised
from exchange.projections.explain import Liquidation
from gateway.console import ratio_text, time_text
from gateway.reports.report_numbers import quotient, seconds, share
from gateway.reports.why_rows import Block
from gateway.reports.why_words import Words, percent
from replay.lab.series import Point
from replay.report import TOGETHER, AccountReport, Parts, Report, Standing
from replay.report.drawdown import Decline
from replay.report.standing import holdings_of

DAY = 86_400 * SECOND


class Told(NamedTuple):
    """What the tables are made from: these accounts of the report, and their liquidations by number."""

    session: str
    report: Report
    accounts: list[AccountReport]
    liquidations: Mapping[int, Liquidation]
    words: Words
    per_year: int = 1

    def time(self, at: int | None) -> str:
        """A moment, to the second; without the day where the session has only one."""
        if at is None:
            return "-"
        text = time_text(at).partition(".")[0]
        return text.partition(" ")[2] if self.report.started // DAY == self.report.ended // DAY else text

    def amount(self, grains: int, asset: str) -> str:
        """Grains as an amount of the asset without its unit, rounded for reading unless that leaves nothing of it."""
        return self.words.number(grains // UNIT, asset)

    def atoms(self, atoms: int, asset: str) -> str:
        """Atoms likewise."""
        return self.words.number(atoms, asset)


def title(told: Told) -> tuple[str, str]:
    """Which session it is, and what there is of it."""
    report = told.report
    span = f"{time_text(report.started)} to {time_text(report.ended)} UTC"
    lasted = seconds(report.ended - report.started)
    rules = f"rules of {told.words.pack.id} {told.words.pack.version}"
    return told.session, f"{span} ({lasted}), {report.state.seq:,} records, {rules}"


def money(told: Told) -> Iterator[Block]:
    """A row an account and asset, which adds up to its equity."""
    heads = [
        "account", "asset", "brought in", "realised", "liquidated", "fees", "funding", "other", "unrealised", "equity",
    ]  # fmt: skip
    rows = [list(_money(told, its, asset)) for its in told.accounts for asset in its.parts]
    if rows:
        notes = [
            "before rounding each row adds up to its equity; realised PnL is before fees, other is what passed between "
            "the account and the insurance fund, and interest"
        ]
        yield Block("money: where the equity at the end comes from", [heads, *rows], range(2, len(heads)), notes)


def _money(told: Told, its: AccountReport, asset: str) -> Iterator[str]:
    whole = its.whole(asset)  # type: ignore[arg-type]
    wallet = told.report.state.accounts[its.name].wallets[asset]  # type: ignore[index]
    equity, settled = holdings_of(wallet).equity // UNIT, whole.brought_in + whole.earned
    yield from (its.name, asset)
    for amount in (
        whole.brought_in, whole.realised + whole.deleveraged, whole.liquidated, -whole.fees, whole.funding, whole.other,
        equity - settled, equity,
    ):  # fmt: skip
        yield told.atoms(amount, asset)


PARTS = (
    ("deposited", "deposited", 1), ("withdrawn", "withdrawn", -1), ("transferred, net", "transferred", 1),
    ("exchanged, net", "exchanged", 1), ("realised PnL", "realised", 1), ("  of its liquidations", "liquidated", 1),
    ("  of others' (deleveraging)", "deleveraged", 1), ("maker fees", "maker_fees", -1),
    ("taker fees", "taker_fees", -1), ("fees of forced trades", "forced_fees", -1),
    ("settlement fees", "settlement_fees", -1), ("exchange fees", "exchange_fees", -1), ("funding", "funding", 1),
    ("interest", "interest", -1), ("liquidation fees", "liquidation_fees", -1),
    ("deficits that the fund covered", "covered", 1), ("shared losses", "shared", -1),
)  # fmt: skip
"""The parts as people read them: name, field, and the sign with which they count."""


def parts(told: Told) -> Iterator[Block]:
    """Every part of an account's money, by instrument: for the one account that is asked for."""
    for its in told.accounts:
        for asset, by in its.parts.items():
            yield _parts(told, its, asset, by)


def _parts(told: Told, its: AccountReport, asset: str, by: Mapping[str, Parts]) -> Block:
    names = [name for name in by if name]
    columns = [its.whole(asset), *(by[name] for name in names)]  # type: ignore[arg-type]
    wallet = told.report.state.accounts[its.name].wallets[asset]  # type: ignore[index]
    open_pnl = [0] * len(columns)
    for p in wallet.positions:
        if p.lots:
            for place in (0, names.index(p.contract.id) + 1):
                open_pnl[place] += unrealised(p)
    rows = [["", "all", *names]]
    for name, field, sign in PARTS:
        amounts = [sign * getattr(column, field) for column in columns]
        if any(amounts):
            rows.append([name, *(told.atoms(amount, asset) for amount in amounts)])
    rows.append(["unrealised PnL", *(told.amount(amount, asset) for amount in open_pnl)])
    totals = [(one.brought_in + one.earned) * UNIT + pnl for one, pnl in zip(columns, open_pnl, strict=True)]
    rows.append(["sum", *(told.amount(amount, asset) for amount in totals)])
    notes = ["the sum of all is the equity; what belongs to no instrument, such as deposits, is only in it"]
    return Block(f"{its.name}: every part, {asset}", rows, range(1, len(rows[0])), notes)


def risk(told: Told) -> Iterator[Block]:
    """Drawdown, exposure, margin: a row an account and asset that it ever had something of."""
    standings = [(its.name, name, one) for its in told.accounts for name, one in its.standings.items()]
    shown = [(account, name, one) for account, name, one in standings if one.gross.highest and one.gross.highest.value]
    if not shown:
        return
    heads = [
        "account", "asset", "deepest", "steepest", "from its peak", "lowest", "back at", "longest below a peak",
    ]  # fmt: skip
    rows = [[account, asset_text(name, one), *_drawdown(told, one)] for account, name, one in shown]
    yield Block("drawdown of the profit", [heads, *rows], range(2, 8), [])
    heads = ["account", "asset", "gross, mean", "gross, most", "net, least", "net, most", "leverage, mean", "most"]
    rows = [[account, asset_text(name, one), *_exposure(told, one)] for account, name, one in shown]
    yield Block("exposure: notional at the mark", [[*heads, "open"], *rows], range(2, 9), [])
    heads = ["account", "asset", "headroom", "at", "beyond IM", "at", "margin ratio", "at"]
    rows = [[account, asset_text(name, one), *_margin(told, one)] for account, name, one in shown]
    notes = ["headroom: equity less maintenance margin (MM) of the pool with the least; beyond IM: less initial margin"]
    yield Block("margin at its worst, while a position was open", [heads, *rows], range(2, 8), notes)


def asset_text(name: str, one: Standing) -> str:
    """The asset in which an account stands, or that all of its assets are valued in."""
    return f"all in {one.asset}" if name == TOGETHER else one.asset


def _drawdown(told: Told, one: Standing) -> list[str]:
    deepest: Decline | None = one.drawdown.deepest
    if deepest is None:
        return [told.amount(0, one.asset), "0.00 %", "-", "-", "-", "-"]
    steepest = one.drawdown.steepest
    steep = "-" if steepest is None or steepest.share is None else percent(steepest.share, 2)
    times = [told.time(at) for at in (deepest.peak_at, deepest.lowest_at, deepest.back_at)]
    return [told.amount(deepest.depth, one.asset), steep, *times, seconds(one.drawdown.longest)]


def _exposure(told: Told, one: Standing) -> Iterator[str]:
    extremes = [one.gross.highest, one.net.lowest, one.net.highest]
    yield told.amount(one.average(one.gross_time), one.asset)
    yield from (told.amount(point.value if point else 0, one.asset) for point in extremes)
    yield _times(one.mean_leverage)
    highest = one.leverage.highest
    yield _times(Fraction(highest.value, UNIT) if highest else None)
    yield share(one.open_time, one.lasted)


def _times(value: Fraction | None) -> str:
    return "-" if value is None else f"{quotient(value)} x"


def _margin(told: Told, one: Standing) -> Iterator[str]:
    for point in (one.headroom.lowest, one.initial.lowest):
        yield "-" if point is None else told.amount(point.value, one.asset)
        yield _at(told, point)
    ratio = one.ratio.highest
    yield ratio_text(None if ratio is None else ratio.value / UNIT)
    yield _at(told, ratio)


def _at(told: Told, point: Point | None) -> str:
    return "" if point is None else told.time(point.at)
