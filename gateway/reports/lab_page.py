"""The comparison of the laboratory as one page that needs nothing beside it: tables, and charts to move about in.

The charts are Plotly's, whose script is part of the page; it comes with the extra `report`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from events.units import SECOND, UNIT
from gateway.console import time_text
from gateway.errors import UsageError
from gateway.reports.lab_figures import GIVEN, assets_of, pack_name, remarks, remarks_on, rows
from replay.lab import AccountLab, Lab, Mode, Series

MISSING = "the page with charts needs the extra `report`: pip install plotly"

COLOURS = {Mode.ISOLATED: "#c2410c", Mode.CROSS: "#1d4ed8", Mode.MULTI: "#0f766e", Mode.RECORDED: "#52525b"}
DASHES = {Mode.ISOLATED: "solid", Mode.CROSS: "solid", Mode.MULTI: "dash", Mode.RECORDED: "dot"}

RATIO_DRAWN = 2 * UNIT
"""A margin ratio above this is drawn at this."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #18181b; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem }
p { margin: .3rem 0; color: #52525b }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem 1.2rem .2rem 0; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left } thead th { border-bottom: 1px solid #a1a1aa }
td.under { padding-left: 1rem; color: #71717a } tr.under td { color: #71717a }
"""


def is_possible() -> bool:
    """Whether the library of the charts is installed."""
    return find_spec("plotly") is not None


def write(lab: Lab, accounts: list[AccountLab], session: str, path: Path) -> None:
    """Write the page. Raises UsageError where the library is missing, OSError."""
    if not is_possible():
        raise UsageError(MISSING)
    path.write_text(page(lab, accounts, session), "utf-8")


def page(lab: Lab, accounts: list[AccountLab], session: str) -> str:
    """The page as text."""
    from plotly.offline import get_plotlyjs

    blocks = "".join(_block(lab, account, number) for number, account in enumerate(accounts))
    span = f"{time_text(lab.started)} to {time_text(lab.ended)} UTC"
    notes = "".join(f"<p>{escape(line)}</p>" for line in (GIVEN, *remarks(lab)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(session)} under other margin modes</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>"
        f"<h1>{escape(session)}: the same fills under other margin modes</h1>"
        f"<p>{span}, rules of {escape(pack_name(lab.pack))}</p>{notes}{blocks}</body></html>\n"
    )


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
    titles = [chart.title for chart in charts]
    figure = make_subplots(rows=len(charts), cols=1, shared_xaxes=True, vertical_spacing=0.05, subplot_titles=titles)
    named: set[str] = set()
    for place, chart in enumerate(charts, 1):
        for line in chart.lines:
            figure.add_scatter(
                name=line.name, legendgroup=line.name, showlegend=line.name not in named, mode="lines",
                hovertemplate="%{y:,.8~r}", line={"shape": "hv", "width": 1.5, "color": line.colour, "dash": line.dash},
                row=place, col=1, **_values(line.series, chart.scale, chart.cap, lab.ended),
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
    return str(figure.to_html(full_html=False, include_plotlyjs=False, include_mathjax=False, div_id=f"charts{number}"))


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


def _values(series: Series, scale: int, cap: int | None, ended: int) -> dict[str, list[Any]]:
    """The points of a series until the end of the session; a line breaks where there was no value."""
    kept = series.points()
    if series.last is not None and not series.is_paused:
        kept.append(series.last._replace(at=ended))
    points = [(point.at, min(cap or point.value, point.value) / scale) for point in kept]
    drawn = sorted([*points, *((at, None) for at in series.pauses())], key=lambda point: point[0])
    return {"x": [_moment(at) for at, _ in drawn], "y": [value for _, value in drawn]}


def _moment(at: int) -> str:
    """A time as charts take it, to the microsecond."""
    whole, part = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%d %H:%M:%S}.{part // 1000:06d}"


def _mark_liquidations(figure: Any, lab: Lab, account: AccountLab, charts: int) -> None:
    """A line through all charts where a pool would first have been due, told at the top."""
    for mode, figures in account.figures.items():
        moment = figures.first
        if moment is None or mode in lab.shared:
            continue
        at = _moment(moment.at)
        line = {"color": COLOURS[mode], "width": 1, "dash": "dash"}
        for place in range(1, charts + 1):
            figure.add_vline(x=at, line=line, row=place, col=1)
        figure.add_scatter(
            x=[at], y=[100], name=f"{mode.value}: would-be liquidation", mode="markers", showlegend=False,
            marker={"color": COLOURS[mode], "size": 11, "symbol": "x"}, row=1, col=1,
            hovertemplate=f"pool {escape(moment.pool)} would be due, record {moment.record}<extra>{mode.value}</extra>",
        )  # fmt: skip
