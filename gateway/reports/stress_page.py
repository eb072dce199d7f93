"""The report of the cascade laboratory as one page that needs nothing beside it: words, tables, and charts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from events.units import UNIT
from gateway.reports import page
from gateway.reports.stress_figures import (
    POINTS,
    WORDS,
    Report,
    contagion,
    distributions,
    headlines,
    market_lines,
    stretches,
)
from replay.stress.figures import Moment

COLOURS = {"book": "#1d4ed8", "fund": "#0f766e", "adl": "#c2410c", "market": "#71717a"}
LAYERS = {"fund": "#0f766e", "adl": "#c2410c", "market": "#71717a", "socialised": "#7e22ce", "open": "#18181b"}
MODES = {"mixed": "#52525b", "isolated": "#c2410c", "cross": "#1d4ed8"}


def markup(report: Report) -> str:
    """The page as text."""
    title = f"{report.scenario.markets[0].id} under stress"
    words = "".join(f"<p>{escape(line)}</p>" for line in headlines(report))
    stated = "".join(f"<p>{escape(line)}</p>" for line in market_lines(report))
    heads = "".join(
        f"<p>{outcome.modes.value}: {outcome.figures.records:,} records, head <code>{outcome.digest}</code></p>"
        for outcome in report.outcomes
    )
    drawn = [(name, [mean, got, what]) for name, what, mean, got in distributions(report)]
    body = (
        f"<h1>{escape(title)}</h1>{words}{_over_time(report)}"
        f"<h2>The same accounts in other margin modes</h2>"
        f"{_table(['', *(o.modes.value for o in report.outcomes)], contagion(report))}{_compared(report)}"
        f"<h2>Who bore the deficit</h2>{_deficits(report)}"
        f"<h2>What was assumed</h2>{stated}{_table(['', 'mean', 'drawn', 'distribution'], drawn)}"
        f"{_crowd(report)}<h2>Sessions</h2>{heads}"
    )
    return page.document(title, body)


def _table(heads: Iterable[str], rows: Iterable[tuple[str, list[str]]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _over_time(report: Report) -> str:
    """Mark, what was closed by force, impact and the fund, above each other over one time axis."""
    from plotly.subplots import make_subplots

    titles = [
        f"mark of {report.scenario.markets[0].id}", f"closed by force, {report.asset}", "beyond the mark, %",
        f"equity of the insurance fund, {report.asset}",
    ]  # fmt: skip
    figure = make_subplots(rows=4, cols=1, shared_xaxes=True, vertical_spacing=0.06, subplot_titles=titles)
    moments = stretches(report.main.figures.moments, POINTS)
    at = [page.moment(moment.at) for moment in moments]

    def line(name: str, values: list[float], row: int, colour: str) -> None:
        figure.add_scatter(
            x=at, y=values, name=name, mode="lines", line={"color": colour, "width": 1.5}, row=row, col=1
        )

    line("price without the cascade", [moment.price / UNIT for moment in moments], 1, "#a1a1aa")
    line("mark", [moment.mark / UNIT for moment in moments], 1, "#18181b")
    for taker, colour in COLOURS.items():
        closed = [moment.volume[taker] / UNIT for moment in moments]
        if any(closed):
            figure.add_bar(x=at, y=closed, name=WORDS[taker], marker={"color": colour}, row=2, col=1)
    line("worst forced fill", [moment.impact * 100 / UNIT for moment in moments], 3, "#c2410c")
    line("book pushed away", [moment.displaced * 100 / UNIT for moment in moments], 3, "#1d4ed8")
    line("fund", [moment.fund / UNIT for moment in moments], 4, "#0f766e")
    figure.update_layout(barmode="stack", **_layout(900))
    return page.chart(figure, "over-time")


def _layout(height: int) -> dict[str, Any]:
    return {
        "height": height, "template": "plotly_white", "hovermode": "x unified", "bargap": 0,
        "margin": {"l": 70, "r": 20, "t": 70, "b": 40},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    }  # fmt: skip


def _compared(report: Report) -> str:
    """What was closed by force so far, in each of the runs."""
    from plotly.graph_objects import Figure

    figure = Figure()
    for outcome in report.outcomes:
        moments = stretches(outcome.figures.moments, POINTS)
        figure.add_scatter(
            x=[page.moment(moment.at) for moment in moments], y=_running(moments), name=outcome.modes.value,
            mode="lines", line={"color": MODES[outcome.modes.value], "width": 2},
        )  # fmt: skip
    figure.update_layout(title=f"closed by force so far, {report.asset}", **_layout(360))
    return page.chart(figure, "compared")


def _running(moments: list[Moment]) -> list[float]:
    total, found = 0, []
    for moment in moments:
        total += moment.closed + moment.elsewhere
        found.append(total / UNIT)
    return found


def _deficits(report: Report) -> str:
    """The deficit of each run, by who bore it."""
    from plotly.graph_objects import Figure

    figure = Figure()
    names = [outcome.modes.value for outcome in report.outcomes]
    for layer, colour in LAYERS.items():
        borne = [outcome.deficits[layer] / UNIT for outcome in report.outcomes]
        figure.add_bar(x=names, y=borne, name=layer, marker={"color": colour})
    figure.update_layout(barmode="stack", title=f"deficit by layer, {report.asset}", **(_layout(360) | {"bargap": 0.5}))
    return page.chart(figure, "deficits")


def _crowd(report: Report) -> str:
    """How many accounts have which leverage, long and short."""
    from plotly.graph_objects import Figure

    figure = Figure()
    leverages = sorted({member.leverage for member in report.members})
    for name, sign, colour in (("long", 1, "#0f766e"), ("short", -1, "#c2410c")):
        counts = dict.fromkeys(leverages, 0)
        for member in report.members:
            counts[member.leverage] += member.stakes[0].sign == sign
        figure.add_bar(x=[f"{x}x" for x in leverages], y=list(counts.values()), name=name, marker={"color": colour})
    figure.update_layout(barmode="stack", title="accounts by leverage", **(_layout(320) | {"bargap": 0.3}))
    return page.chart(figure, "crowd")
