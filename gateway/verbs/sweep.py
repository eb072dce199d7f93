"""The verb `sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told
from gateway.verbs.given import AsJson, end


def sweep(
    plan: Annotated[Path, typer.Argument(help="A plan, as docs/sweep.md has it.", metavar="PLAN.toml")],
    into: Annotated[
        Path | None, typer.Option(help="Folder of the results; what the plan says, else PLAN.sweep beside it.")
    ] = None,
    workers: Annotated[int, typer.Option(help="How many processes; 0: one for each core.")] = 0,
    retry: Annotated[bool, typer.Option("--retry", help="Run tasks again that failed before.")] = False,
    by: Annotated[str, typer.Option(help="The figure by which the best are shown.")] = "pnl",
    best: Annotated[int, typer.Option(min=0, help="How many of the best are shown.")] = 10,
    format: Annotated[str, typer.Option(help="parquet or csv; Parquet if its extra is installed.")] = "",
    as_json: AsJson = False,
) -> None:
    """Run the sessions of a plan over processes, and gather what they came to in one table.

    What was run before is not run again. Exit status: 0 all came to their end, 1 some failed, 2 the plan cannot be
    used, 130 stopped: the same command goes on there.
    """
    from gateway.commands import sweep as verb

    end(told(lambda: verb.run(verb.Request(plan, into, workers, retry, by, best, format), as_json)))
