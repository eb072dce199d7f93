"""Runs the examples of the documentation again and rewrites the outputs that are no longer so.

`python -m docs.refresh` does it for README.md and docs/*.md; name files to do it for these only.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from docs.blocks import DOCUMENTS, PYTHON, ROOT, Folder, Step, agrees, renewed, steps


def refreshed(document: str, folders: Path) -> str:
    """The document with every output as it is now. Folders to run in are made in `folders`."""
    todo = steps(document)
    changes: list[tuple[Step, str]] = []
    for needs in dict.fromkeys(step.needs for step in todo):
        changes += _changes([step for step in todo if step.needs == needs], needs, folders / (needs or "main"))
    for step, text in sorted(changes, key=lambda change: -change[0].start):
        shown = f"\n```output\n{text}```\n" if step.command == PYTHON and not step.shown else text
        document = document[: step.start] + shown + document[step.end :]
    return document


def _changes(todo: Sequence[Step], needs: str, path: Path) -> list[tuple[Step, str]]:
    path.mkdir()
    folder = Folder(path)
    if needs:
        try:
            folder.bring(needs)
        except FileNotFoundError as missing:
            sys.stdout.write(f"{missing}; what needs it is left as it is\n")
            return []
    results = [(step, folder.run(step)) for step in todo]
    return [(step, renewed(step.shown, real)) for step, real in results if not agrees(step.shown, real)]


def main(names: Sequence[str]) -> None:
    """Rewrite the files named, or all."""
    for path in map(Path, names or map(str, DOCUMENTS)):
        old = path.read_text("utf-8")
        with tempfile.TemporaryDirectory(prefix="ringfence-docs-") as folders:
            new = refreshed(old, Path(folders))
        if new != old:
            path.write_text(new, "utf-8")
        shown = path.resolve().relative_to(ROOT) if path.resolve().is_relative_to(ROOT) else path
        sys.stdout.write(f"{shown}: {'rewritten' if new != old else 'up to date'}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
