"""A benchmark's result: figures with unit and what they include, as a table and as JSON."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


class Figure(msgspec.Struct, frozen=True):
    """One measured figure."""

    name: str
    value: float
    unit: str
    includes: str
    aim: str = ""


class Grid(msgspec.Struct, frozen=True):
    """A table of one benchmark's own, its cells as text."""

    title: str
    header: list[str]
    rows: list[list[str]]


class Sheet(msgspec.Struct):
    """All figures and tables of a run, with what they were measured on."""

    machine: str
    python: str
    commit: str
    seed: int
    figures: list[Figure]
    grids: list[Grid]


def new_sheet(seed: int) -> Sheet:
    """An empty sheet for this machine, interpreter and commit."""
    return Sheet(_machine(), f"{platform.python_implementation()} {platform.python_version()}", _commit(), seed, [], [])


def show(sheet: Sheet) -> None:
    """Print the sheet."""
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    console.print(f"{sheet.machine}; {sheet.python}; commit {sheet.commit}; seed {sheet.seed}")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("aim", justify="right", no_wrap=True)
    for figure in sheet.figures:
        value = f"{figure.value:,.0f}" if abs(figure.value) >= 1000 else f"{figure.value:,.3g}"
        table.add_row(figure.name, value, figure.unit, figure.aim)
    console.print(table)
    for grid in sheet.grids:
        console.print(_table(grid))
    for figure in sheet.figures:
        console.print(f"{figure.name}: {figure.includes}")


def _table(grid: Grid) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=grid.title, title_justify="left")
    for name in grid.header:
        table.add_column(name, justify="right", no_wrap=True)
    for row in grid.rows:
        table.add_row(*row)
    return table


def write(sheet: Sheet, path: Path) -> None:
    """Write the sheet as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(sheet), indent=1) + b"\n")


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return f"{model}, {os.cpu_count()} cores, {sys.platform}"


def _commit() -> str:
    try:
        return subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
