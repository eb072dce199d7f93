"""A report as one page that needs nothing beside it: the frame, the script of the charts, and what charts are given.

The charts are Plotly's, whose script is part of the page; it comes with the extra `report`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from events.units import SECOND
from gateway.errors import UsageError, how_to_install
from replay.lab import Series

MISSING = f"the page with charts needs the extra `report`: {how_to_install('report')}"

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


START = b"<!doctype html>"
"""How a page begins."""


def need(path: Path) -> None:
    """Raise UsageError where a page is asked for and the library is missing, or its folder, or where something stands
    that is no page.
    """
    if not is_possible():
        raise UsageError(f"--html {path}: {MISSING}")
    if not path.parent.is_dir():
        raise UsageError(f"--html {path}: the folder {path.parent} does not exist; create it first")
    check_free(path)


def check_free(path: Path) -> None:
    """Raise UsageError where something stands there that is no page: only an older page is replaced."""
    if not path.exists():
        return
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(START)) == START:
                return
    raise UsageError(f"--html {path}: is there already and is no page; choose another name")


def put(path: Path, markup: str) -> None:
    """Write a page. Raises UsageError where something stands there that is no page."""
    check_free(path)
    path.write_text(markup, "utf-8")


def document(title: str, body: str, style: str = "") -> str:
    """The page as text; body is markup already, and style what it needs beside `STYLE`."""
    from plotly.offline import get_plotlyjs

    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>{body}</body></html>\n"
    )


def chart(figure: Any, name: str) -> str:
    """A figure as markup of a page that has the script."""
    return str(figure.to_html(full_html=False, include_plotlyjs=False, include_mathjax=False, div_id=name))


def values(series: Series, scale: int, cap: int | None, ended: int) -> dict[str, list[Any]]:
    """The points of a series until a time, in units of `scale`, none above cap; a line breaks where it had no value."""
    kept = series.points()
    if series.last is not None and not series.is_paused:
        kept.append(series.last._replace(at=ended))
    points = [(point.at, (point.value if cap is None else min(cap, point.value)) / scale) for point in kept]
    drawn = sorted([*points, *((at, None) for at in series.pauses())], key=lambda point: point[0])
    return {"x": [moment(at) for at, _ in drawn], "y": [value for _, value in drawn]}


def moment(at: int) -> str:
    """A time as charts take it, to the microsecond."""
    whole, part = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%d %H:%M:%S}.{part // 1000:06d}"
