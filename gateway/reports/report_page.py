"""The report of a session as one page that needs nothing beside it: tables, and charts of each account."""

from __future__ import annotations

from html import escape
from pathlib import Path

from gateway.reports.page import chart, document, put
from gateway.reports.report_charts import over_time, spreads
from gateway.reports.report_rows import Told, title
from gateway.reports.report_trades import blocks
from gateway.reports.ways import ways
from gateway.reports.why_rows import Block

STYLE = """
:root { color-scheme: light dark }
caption { text-align: left; font-size: 1.2rem; font-weight: bold; margin: 2rem 0 .5rem }
tbody th { font-weight: normal; text-align: left } th.text, td.text { text-align: left }
.wide { overflow-x: auto } figure { margin: 0 }
@media (prefers-color-scheme: dark) {
  body { background: #18181b; color: #e4e4e7 } p { color: #a1a1aa } thead th { border-bottom-color: #52525b }
}
"""
"""What the page needs beside the style of all pages: a dark one, and tables with captions."""


def write(told: Told, path: Path) -> None:
    """Write the page; its library has to be there. Raises OSError."""
    put(path, page(told))


def page(told: Told) -> str:
    """The page as text."""
    name, what = title(told)
    tables = "".join(_table(block) for block in blocks(told, in_full=True))
    charts = "".join(_charts(told, number) for number in range(len(told.accounts)))
    how = "".join(f"<p>{escape(word)}: {escape(said)}</p>" for word, said in ways(told.report.state))
    return document(f"{name}: report", f"<h1>{escape(name)}</h1><p>{escape(what)}</p>{how}{tables}{charts}", STYLE)


def _charts(told: Told, number: int) -> str:
    its = told.accounts[number]
    if not its.standings:
        return ""
    drawn = [_figure(f"{its.name} over time", chart(over_time(told, its), f"time{number}"))]
    if any(one.count for one in its.instruments.values()):
        spread = chart(spreads(told, its), f"spreads{number}")
        drawn.append(_figure(f"how the slips and the waits of {its.name} are spread", spread))
    return f"<section><h2>Account {escape(its.name)}</h2>{''.join(drawn)}</section>"


def _figure(label: str, markup: str) -> str:
    """Charts with what they are of, for who cannot see them: the tables have their figures."""
    return f'<figure aria-label="{escape(label)}">{markup}</figure>'


def _table(block: Block) -> str:
    """A table with a caption; its first column names the row, columns of text stand to the left."""
    marks = ["" if n in block.right else ' class="text"' for n in range(len(block.rows[0]))]
    head, *rows = block.rows
    heads = "".join(f'<th scope="col"{mark}>{escape(cell)}</th>' for cell, mark in zip(head, marks, strict=True))
    body = "".join(_row(row, marks) for row in rows)
    notes = "".join(f"<p>{escape(note)}</p>" for note in block.notes)
    return (
        f'<div class="wide"><table><caption>{escape(block.heading)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>{notes}"
    )


def _row(row: list[str], marks: list[str]) -> str:
    first, *cells = row
    tds = "".join(f"<td{mark}>{escape(cell)}</td>" for cell, mark in zip(cells, marks[1:], strict=True))
    return f'<tr><th scope="row">{escape(first)}</th>{tds}</tr>'
