"""Runs the examples of the documentation again and rewrites the outputs that are no longer so.

`python -m docs.refresh` does it for README.md and docs/*.md; name files to do it for these only. Where just the seconds
differ it leaves the output alone, unless told `--measure`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from docs.blocks import DOCUMENTS, PYTHON, ROOT, Folder, Step, agrees, renewed, steps


def refreshed(document: str, folders: Path, measure: bool = False) -> str:
    """The document with the outputs of now, at least where the old ones disagree; all runs in folders of `folders`."""
    todo = steps(document)
    changes: list[tuple[Step, str]] = []
    for needs in dict.fromkeys(step.needs for step in todo):
        changes += _changes([step for step in todo if step.needs == needs], needs, folders / (needs or "main"), measure)
    for step, text in sorted(changes, key=lambda change: -change[0].start):
        shown = f"\n```output\n{text}```\n" if step.command == PYTHON and not step.shown else text
        document = document[: step.start] + shown + document[step.end :]
    return document


def _changes(todo: Sequence[Step], needs: str, path: Path, measure: bool) -> list[tuple[Step, str]]:
    path.mkdir()
    folder = Folder(path)
    if needs:
        try:
            folder.bring(needs)
        except FileNotFoundError as missing:
            sys.stdout.write(f"{missing}; what needs it is left as it is\n")
            return []
    results = [(step, folder.run(step)) for step in todo]
    stale = [(step, real) for step, real in results if measure or not agrees(step.shown, real)]
    return [(step, renewed(step.shown, real)) for step, real in stale if real or step.shown]


def main(arguments: Sequence[str]) -> None:
    """Rewrite the files named, or all."""
    names = [argument for argument in arguments if argument != "--measure"]
    for path in map(Path, names or map(str, DOCUMENTS)):
        old = path.read_text("utf-8")
        with tempfile.TemporaryDirectory(prefix="ringfence-docs-") as folders:
            new = refreshed(old, Path(folders), "--measure" in arguments)
        if new != old:
            path.write_text(new, "utf-8")
        shown = path.resolve().relative_to(ROOT) if path.resolve().is_relative_to(ROOT) else path
        sys.stdout.write(f"{shown}: {'rewritten' if new != old else 'up to date'}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
