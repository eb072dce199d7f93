"""The story of a liquidation as one page that needs nothing beside it: tables, and charts of its time and its steps."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from events.units import UNIT
from gateway.reports.page import chart, document, moment, put, values
from gateway.reports.why_answers import cost, sentences
from gateway.reports.why_figures import lines, parts
from gateway.reports.why_rows import Block, blocks, line_text, title
from gateway.reports.why_words import Words
from replay.why import Counterfactuals, Story

RATIO_DRAWN = 2 * UNIT
"""A margin ratio above this is drawn at this."""

DUE, CALL, CALM, INK, RULE = "#b91c1c", "#d97706", "#1d4ed8", "#18181b", "#a1a1aa"


def write(number: int, story: Story, found: Counterfactuals, words: Words, path: Path) -> None:
    """Write the page; its library has to be there. Raises OSError."""
    put(path, page(number, story, found, words))


def page(number: int, story: Story, found: Counterfactuals, words: Words) -> str:
    """The page as text."""
    head, when = title(number, story, words)
    body = [f"<h1>{escape(head)}</h1><p>{escape(when)}</p>", chart(timeline(story), "timeline")]
    for block in blocks(story, words):
        body.append(_table(block))
        if block.heading.startswith("what was done") and story.steps:
            body.append(chart(steps(story, words), "steps"))
        if block.heading.startswith("where the equity went"):
            body.append(chart(waterfall(story), "equity"))
    body.append(_answers(story, found, words))
    return document(head, "\n".join(body))


def _table(block: Block) -> str:
    """A table; columns of text stand to the left."""
    left = ' style="text-align: left"'
    styles = ["" if n in block.right else left for n in range(len(block.rows[0]))]
    head, *rows = block.rows
    heads = "".join(f"<th{style}>{escape(cell)}</th>" for cell, style in zip(head, styles, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{style}>{escape(cell)}</td>' for cell, style in zip(row, styles, strict=True))}</tr>"
        for row in rows
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in block.notes)
    return f"<h2>{escape(block.heading)}</h2><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{notes}"


def _answers(story: Story, found: Counterfactuals, words: Words) -> str:
    if not found.answers:
        return ""
    told = "".join(
        f"<li>{escape(statement)}<ul>{''.join(f'<li>{escape(line)}</li>' for line in evidence)}</ul></li>"
        for statement, *evidence in sentences(story, found, words)
    )
    return (
        "<h2>what would have prevented it, each decided again in forks of the session</h2>"
        f"<ul>{told}</ul><p>{escape(cost(found))}</p>"
    )


def timeline(story: Story) -> Any:
    """Marks, margin ratio, equity against maintenance margin, over one time axis."""
    from plotly.subplots import make_subplots

    line, ended = story.timeline, story.timeline.ended
    marks = list(line.marks.items())
    titles = [f"mark of {name}" for name, _ in marks] + ["margin ratio, %", f"equity and MM, {story.asset}"]
    figure = make_subplots(rows=len(titles), cols=1, shared_xaxes=True, vertical_spacing=0.06, subplot_titles=titles)
    for row, (name, series) in enumerate(marks, 1):
        _draw(figure, f"mark of {name}", INK, row, values(series, UNIT, None, ended))
    ratios = len(marks) + 1
    _draw(figure, "margin ratio", CALM, ratios, values(line.ratio, UNIT // 100, RATIO_DRAWN, ended))
    _draw(figure, "equity", CALM, ratios + 1, values(line.equity, UNIT**2, None, ended))
    _draw(figure, "maintenance margin", DUE, ratios + 1, values(line.maintenance, UNIT**2, None, ended))
    figure.add_hline(
        y=100, line={"color": DUE, "width": 1}, row=ratios, col=1, annotation_text="due", annotation_position="top left"
    )
    rules = story.pack.liquidation
    for ratio, what in {rules.recovery: "recovered", rules.warning: "margin call"}.items():
        if ratio:
            figure.add_hline(
                y=ratio * 100 / UNIT, line={"color": CALL, "width": 1, "dash": "dot"}, row=ratios, col=1,
                annotation_text=what, annotation_position="bottom left",
            )  # fmt: skip
    for at, what, colour in moments(story):
        for row in range(1, len(titles) + 1):
            figure.add_vline(x=moment(at), line={"color": colour, "width": 1, "dash": "dash"}, row=row, col=1)
        figure.add_scatter(
            x=[moment(at)], y=[100], name=what, mode="markers", marker={"color": colour, "size": 9, "symbol": "x"},
            hovertemplate=f"{what}<extra></extra>", showlegend=False, row=ratios, col=1,
        )  # fmt: skip
    figure.update_layout(
        height=120 + 210 * len(titles), template="plotly_white", hovermode="x unified", showlegend=False,
        margin={"l": 70, "r": 20, "t": 60, "b": 40},
    )  # fmt: skip
    return figure


def moments(story: Story) -> list[tuple[int, str, str]]:
    """What is marked in the timeline: when, what, in which colour; what happened at one time is one mark."""
    its = story.liquidation
    found = [(its.called_at, f"margin call, record {its.call.seq}", CALL)] if its.call else []
    found.append((its.due_at, f"fell due, record {its.due.seq}", DUE))
    if its.ended_at:
        found.append((its.ended_at, f"liquidation ended, record {its.steps[-1].seq}", INK))
    merged: dict[int, tuple[int, str, str]] = {}
    for at, what, colour in found:
        if at >= story.timeline.started:
            before = merged.get(at)
            merged[at] = (at, f"{before[1]}; {what}", DUE) if before else (at, what, colour)
    return list(merged.values())


def _draw(figure: Any, name: str, colour: str, row: int, points: dict[str, list[Any]]) -> None:
    figure.add_scatter(
        name=name, mode="lines", hovertemplate="%{y:,.8~r}", line={"shape": "hv", "width": 1.5, "color": colour},
        row=row, col=1, **points,
    )  # fmt: skip


def steps(story: Story, words: Words) -> Any:
    """Equity and maintenance margin after each step, one beside the other: most happen at one time."""
    from plotly.graph_objects import Figure

    told = list(lines(story))
    names = [f"record {line.first.record.seq}" for line in told]
    texts = [line_text(line, words) for line in told]
    figure = Figure()
    for name, colour, amounts in (
        ("equity", CALM, [line.last.after.equity for line in told]),
        ("maintenance margin", DUE, [line.last.after.maintenance for line in told]),
    ):
        figure.add_scatter(
            x=names, y=[amount / UNIT**2 for amount in amounts], name=name, text=texts, mode="lines+markers",
            line={"shape": "hv", "width": 1.5, "color": colour}, hovertemplate="%{y:,.8~r} %{text}",
        )  # fmt: skip
    figure.update_layout(
        height=320, template="plotly_white", margin={"l": 70, "r": 20, "t": 20, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )  # fmt: skip
    return figure


def waterfall(story: Story) -> Any:
    """From the equity when it fell due to what is left."""
    from plotly.graph_objects import Figure, Waterfall

    went = parts(story)
    names = ["when it fell due", *(part.what for part in went), "left in the pool"]
    amounts = [story.margin.equity, *(part.amount for part in went), 0]
    measures = ["absolute", *("relative" for _ in went), "total"]
    figure = Figure(
        Waterfall(
            orientation="h", y=names, x=[amount / UNIT**2 for amount in amounts], measure=measures,
            connector={"line": {"color": RULE, "width": 1}}, decreasing={"marker": {"color": DUE}},
            increasing={"marker": {"color": CALM}}, totals={"marker": {"color": INK}},
        )
    )  # fmt: skip
    figure.update_layout(
        height=140 + 40 * len(names), template="plotly_white", margin={"l": 20, "r": 20, "t": 20, "b": 40},
        yaxis={"autorange": "reversed", "automargin": True}, xaxis={"title": story.asset},
    )  # fmt: skip
    return figure
