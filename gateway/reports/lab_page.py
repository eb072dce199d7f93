"""The comparison of the laboratory as one page: tables, and charts to move about in."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from events.units import UNIT
from gateway.console import time_text
from gateway.reports.lab_figures import GIVEN, assets_of, pack_name, remarks, remarks_on, rows
from gateway.reports.page import chart, document, moment, put, values
from replay.lab import AccountLab, Lab, Mode, Series

COLOURS = {Mode.ISOLATED: "#c2410c", Mode.CROSS: "#1d4ed8", Mode.MULTI: "#0f766e", Mode.RECORDED: "#52525b"}
DASHES = {Mode.ISOLATED: "solid", Mode.CROSS: "solid", Mode.MULTI: "dash", Mode.RECORDED: "dot"}

RATIO_DRAWN = 2 * UNIT
"""A margin ratio above this is drawn at this."""


def write(lab: Lab, accounts: list[AccountLab], session: str, path: Path) -> None:
    """Write the page; its library has to be there. Raises OSError."""
    put(path, page(lab, accounts, session))


def page(lab: Lab, accounts: list[AccountLab], session: str) -> str:
    """The page as text."""
    blocks = "".join(_block(lab, account, number) for number, account in enumerate(accounts))
    span = f"{time_text(lab.started)} to {time_text(lab.ended)} UTC"
    notes = "".join(f"<p>{escape(line)}</p>" for line in (GIVEN, *remarks(lab)))
    head = (
        f"<h1>{escape(session)}: the same fills under other margin modes</h1>"
        f"<p>{span}, rules of {escape(pack_name(lab.pack))}</p>{notes}"
    )
    return document(f"{session} under other margin modes", head + blocks)


def _block(lab: Lab, account: AccountLab, number: int) -> str:
    recorded = " and ".join(mode.value for mode in account.recorded)
    heads = "".join(f"<th>{mode.value}</th>" for mode in account.figures)
    notes = "".join(f"<p>{escape(line)}</p>" for line in remarks_on(lab, account))
    body = "".join(_table_row(name, cells) for name, cells in rows(lab, account))
    return (
        f"<h2>Account {escape(account.name)}</h2><p>{account.fills:,} fills, traded {recorded}</p>{notes}"
        f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{body}</tbody></table>"
        f"{_charts(lab, account, number)}"
    )


def _table_row(name: str, cells: list[str]) -> str:
    under = ' class="under"' if name.startswith(" ") else ""
    tds = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr{under}><td{under}>{escape(name.strip())}</td>{tds}</tr>"


class Line(NamedTuple):
    """A series in a chart."""

    name: str
    series: Series
    colour: str
    dash: str


class Chart(NamedTuple):
    """A chart: its title, its lines, how many units of theirs are one of the axis, and the highest value drawn."""

    title: str
    lines: list[Line]
    scale: int
    cap: int | None = None


def _charts(lab: Lab, account: AccountLab, number: int) -> str:
    """One figure: charts above each other over one time axis."""
    from plotly.subplots import make_subplots

    charts = list(_drawn(lab, account))
    titles = [drawn.title for drawn in charts]
    figure = make_subplots(rows=len(charts), cols=1, shared_xaxes=True, vertical_spacing=0.05, subplot_titles=titles)
    named: set[str] = set()
    for place, drawn in enumerate(charts, 1):
        for line in drawn.lines:
            figure.add_scatter(
                name=line.name, legendgroup=line.name, showlegend=line.name not in named, mode="lines",
                hovertemplate="%{y:,.8~r}", line={"shape": "hv", "width": 1.5, "color": line.colour, "dash": line.dash},
                row=place, col=1, **values(line.series, drawn.scale, drawn.cap, lab.ended),
            )  # fmt: skip
            named.add(line.name)
    figure.add_hline(y=100, line={"color": "#a1a1aa", "dash": "dot", "width": 1}, row=1, col=1)
    _mark_liquidations(figure, lab, account, len(charts))
    figure.update_layout(
        height=120 + 200 * len(charts), template="plotly_white", hovermode="x unified",
        margin={"l": 70, "r": 20, "t": 70, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )  # fmt: skip
    figure.update_yaxes(row=1, col=1, rangemode="tozero")
    return chart(figure, f"charts{number}")


def _drawn(lab: Lab, account: AccountLab) -> Iterator[Chart]:
    """The charts, from the question to what moved it."""

    def lines(series: dict[Mode, Series]) -> list[Line]:
        return [Line(named[mode], one, COLOURS[mode], DASHES[mode]) for mode, one in series.items()]

    named = {mode: mode.value for mode in account.figures}
    for mode, other in lab.shared.items():
        named[other] += f", {mode.value}"
    modes = {mode: figures for mode, figures in account.figures.items() if mode not in lab.shared}
    yield Chart("margin ratio, %", lines({m: figures.ratio for m, figures in modes.items()}), UNIT // 100, RATIO_DRAWN)
    for asset in assets_of(account):
        its = {mode: figures.assets[asset] for mode, figures in modes.items() if asset in figures.assets}
        yield Chart(f"headroom, {asset}", lines({mode: one.headroom for mode, one in its.items()}), UNIT**2)
        yield Chart(f"capital used, {asset}", lines({mode: one.capital for mode, one in its.items()}), UNIT**2)
        yield Chart(f"equity, {asset}", lines({mode: one.equity for mode, one in its.items()}), UNIT**2)
    for instrument in account.instruments:
        if series := lab.marks.get(instrument):
            yield Chart(
                f"mark price of {instrument}", [Line(f"mark of {instrument}", series, "#18181b", "solid")], UNIT
            )


def _mark_liquidations(figure: Any, lab: Lab, account: AccountLab, charts: int) -> None:
    """A line through all charts where a pool would first have been due, told at the top."""
    for mode, figures in account.figures.items():
        first = figures.first
        if first is None or mode in lab.shared:
            continue
        at = moment(first.at)
        line = {"color": COLOURS[mode], "width": 1, "dash": "dash"}
        for place in range(1, charts + 1):
            figure.add_vline(x=at, line=line, row=place, col=1)
        figure.add_scatter(
            x=[at], y=[100], name=f"{mode.value}: would-be liquidation", mode="markers", showlegend=False,
            marker={"color": COLOURS[mode], "size": 11, "symbol": "x"}, row=1, col=1,
            hovertemplate=f"pool {escape(first.pool)} would be due, record {first.record}<extra>{mode.value}</extra>",
        )  # fmt: skip
