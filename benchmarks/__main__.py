"""`python -m benchmarks`: measure, print a table and, with --json, write the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import filling, matching, replaying
from benchmarks.figures import new_sheet, show, write


def main(
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
    operations: Annotated[int, typer.Option(help="Operations of the matching flow.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Seed of everything generated.")] = 7,
) -> None:
    """Run every benchmark once."""
    sheet = new_sheet(seed)
    sheet.figures.extend(matching.measure(operations, seed))
    sheet.figures.extend(filling.measure())
    sheet.figures.extend(replaying.measure(seed))
    show(sheet)
    if json is not None:
        write(sheet, json)


if __name__ == "__main__":
    typer.run(main)
