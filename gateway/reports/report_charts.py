"""The charts of an account's report: its money, risk and fills over time, and how waits and slips are spread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from events.instruments import InstrumentId
from events.units import SECOND, UNIT
from gateway.reports.page import moment, values
from gateway.reports.report_rows import Told
from replay.lab import Series
from replay.report import AccountReport, InstrumentReport, Role, Spread

BLUE, ORANGE, TEAL, VIOLET, RED, GREY = "#3b82f6", "#ea580c", "#0d9488", "#8b5cf6", "#dc2626", "#71717a"
"""Colours that can be told from a light and from a dark page."""

RATIO_DRAWN = 2 * UNIT
"""A margin ratio above this is drawn at this."""

SYMBOLS = {Role.MAKER: "circle", Role.TAKER: "diamond", Role.FORCED: "x"}

BARS = 40
"""How many bars a spread is drawn with, about."""


class Line(NamedTuple):
    """A series in a chart, in units of `scale`."""

    name: str
    series: Series
    scale: int
    colour: str
    cap: int | None = None
    fill: str | None = None


class Panel(NamedTuple):
    """One of the charts above each other: its title with the unit, its lines, and whose fills are dotted on it."""

    title: str
    lines: list[Line]
    dots: InstrumentId | None = None


def over_time(told: Told, its: AccountReport) -> Any:
    """All charts over one time axis."""
    from plotly.subplots import make_subplots

    panels = list(_panels(told, its))
    figure = make_subplots(
        rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=min(0.05, 0.3 / len(panels)),
        subplot_titles=[panel.title for panel in panels],
    )  # fmt: skip
    for row, panel in enumerate(panels, 1):
        for line in panel.lines:
            figure.add_scatter(
                name=line.name, mode="lines", line={"shape": "hv", "width": 1.5, "color": line.colour}, fill=line.fill,
                hovertemplate="%{y:,.8~r}", row=row, col=1,
                **values(line.series, line.scale, line.cap, told.report.ended),
            )  # fmt: skip
        if panel.dots is not None:
            _dots(figure, told, its.instruments[panel.dots], panel.dots, row)
    figure.update_layout(**layout(120 + 200 * len(panels)))
    figure.update_xaxes(showticklabels=True)
    return figure


def _panels(told: Told, its: AccountReport) -> Iterator[Panel]:
    for name, one in its.standings.items():
        where = one.asset if name == one.asset else f"{one.asset}, all assets"
        yield Panel(f"equity, {where}", [Line("equity", one.equity, UNIT**2, BLUE)])
        fallen = Line("drawdown", drawdown(one.profit), UNIT**2, RED, fill="tozeroy")
        yield Panel(f"profit and drawdown, {where}", [Line("profit", one.profit, UNIT**2, TEAL), fallen])
        gross, net = Line("gross notional", one.gross, UNIT**2, ORANGE), Line("net notional", one.net, UNIT**2, VIOLET)
        if one.gross.highest and one.gross.highest.value:
            yield Panel(f"exposure, {where}", [gross, net])
        if one.ratio.last is not None:
            yield Panel(
                "margin ratio, % (due at 100 %)", [Line("MM / equity", one.ratio, UNIT // 100, RED, RATIO_DRAWN)]
            )
            left = Line("beyond MM", one.headroom, UNIT**2, BLUE), Line("beyond IM", one.initial, UNIT**2, GREY)
            yield Panel(f"margin headroom, {where}", [*left])
    for asset, fees in its.fees.items():
        paid = Line("fees paid", fees, UNIT, ORANGE), Line("funding received", its.funding[asset], UNIT, TEAL)
        yield Panel(f"fees and funding so far, {asset}", [*paid])
    for name, one_of in its.instruments.items():
        marks = told.report.marks.get(name)
        thinned = f", one of {one_of.dots.stride} drawn" if one_of.dots.stride > 1 else ""
        lines = [Line(f"mark of {name}", marks, UNIT, GREY)] if marks else []
        yield Panel(f"fills of {name}{thinned}, {told.words.quote(name)}", lines, name)


def drawdown(profit: Series) -> Series:
    """How far the profit is below its highest so far, as a series below zero."""
    below, peak = Series(), None
    for point in profit.points():
        peak = point.value if peak is None else max(peak, point.value)
        below.add(point.at, point.value - peak, point.record)
    return below


def _dots(figure: Any, told: Told, its: InstrumentReport, name: InstrumentId, row: int) -> None:
    """The fills, those that bought and those that sold apart."""
    tick = told.words.instruments[name].tick
    for what, sign, colour in (("bought", 1, TEAL), ("sold", -1, RED)):
        dots = [dot for dot in its.dots.items if dot.lots * sign > 0]
        if dots:
            figure.add_scatter(
                x=[moment(dot.at) for dot in dots], y=[dot.price * tick / UNIT for dot in dots], name=what,
                mode="markers", marker={"color": colour, "size": 6, "symbol": [SYMBOLS[dot.role] for dot in dots]},
                text=[f"{dot.role.value}, {told.words.size(dot.lots, name)}" for dot in dots],
                hovertemplate="%{y:,.8~r}, %{text}", row=row, col=1,
            )  # fmt: skip


def spreads(told: Told, its: AccountReport) -> Any:
    """How the slips of the fills and the waits of the makers are spread, beside each other for each instrument."""
    from plotly.subplots import make_subplots

    drawn = {name: one for name, one in its.instruments.items() if one.count}
    titles = [
        title
        for name in drawn
        for title in (f"slippage of {name}, basis points (size)", f"queue time of {name}, seconds (orders)")
    ]
    figure = make_subplots(rows=len(drawn), cols=2, subplot_titles=titles)
    for row, (name, one) in enumerate(drawn.items(), 1):
        lot = told.words.instruments[name].lot
        for column, spread, scale, weight, colour in (
            (1, one.slips, 100, UNIT // lot, ORANGE), (2, one.queue.first, SECOND, 1, BLUE),
        ):  # fmt: skip
            bars = binned(spread)
            figure.add_bar(
                x=[(low + width / 2) / scale for low, width, _ in bars], y=[total / weight for _, _, total in bars],
                width=[width / scale for _, width, _ in bars], marker={"color": colour}, showlegend=False,
                hovertemplate="%{x:,.4~r}: %{y:,.8~r}<extra></extra>", row=row, col=column,
            )  # fmt: skip
    figure.update_layout(**layout(80 + 280 * len(drawn)) | {"hovermode": "closest", "bargap": 0.05})
    return figure


def binned(spread: Spread) -> list[tuple[int, int, int]]:
    """Bars of equal width over all values: where each begins, its width, and the weight in it."""
    items = spread.items()
    if not items:
        return []
    low, high = items[0][0], items[-1][0]
    width = (high - low) // BARS + 1
    weights: dict[int, int] = {}
    for value, weight in items:
        place = (value - low) // width
        weights[place] = weights.get(place, 0) + weight
    return [(low + place * width, width, weight) for place, weight in sorted(weights.items())]


def layout(height: int) -> dict[str, Any]:
    """A look that goes with a light and with a dark page."""
    grid = {"gridcolor": "rgba(128,128,128,0.25)", "zerolinecolor": "rgba(128,128,128,0.5)"}
    clear = "rgba(0,0,0,0)"
    return {
        "height": height, "template": {"layout": {"xaxis": grid, "yaxis": grid}}, "paper_bgcolor": clear,
        "plot_bgcolor": clear, "font": {"color": "#7f7f8a"}, "hovermode": "x unified", "showlegend": False,
        "hoverlabel": {"bgcolor": "#27272a", "font": {"color": "#f4f4f5"}},
        "margin": {"l": 70, "r": 20, "t": 60, "b": 40},
    }  # fmt: skip
