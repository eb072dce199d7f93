"""The examples in the documentation: fenced blocks that run, and what they print.

A `console` block holds commands after `$ `, carried on by lines after `> `, each followed by what it prints. A `python`
block is a program; an `output` block right after it is what it prints. Further words after the language:

    title=NAME    the text, a program's or another, is only saved under that name; a file of that name in the checkout
                  has to be the same
    needs=NAME    the blocks of a document that need a capture of RINGFENCE_DATA share a folder of their own

In what is shown, `...` stands for any text, alone on a line for any lines. Seconds and rates, measured anew each time,
never count.
"""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

PYTHON = "python -"
"""The command of a program that stands in a document."""

_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MEASURED = re.compile(r'\b\d+\.\d\d s\b|\b[\d,]+ x real time|"seconds":[\d.]+')

_PROGRAMS = {
    "python": "",
    "ringfence": "import sys; sys.argv[0] = 'ringfence'; from gateway.cli import main; main()",
    "sqlite3": "from docs.blocks import sqlite3_shell; sqlite3_shell()",
}
"""The commands that blocks may use beside those of any system, as code. Like installed ones, they do not import from
the folder in which they run.
"""


class Block(NamedTuple):
    """A fenced block of a document: its language, its options, its text and where in the document that begins."""

    language: str
    options: dict[str, str]
    text: str
    start: int


class Step(NamedTuple):
    """Something to run, the output that the document shows for it, and where in the document that stands.

    A step without a command saves its text under a name.
    """

    needs: str
    command: str
    text: str
    shown: str
    start: int
    end: int


def blocks(document: str) -> Iterator[Block]:
    """The fenced blocks of a document that name a language."""
    for match in _FENCE.finditer(document):
        options = dict(word.split("=", 1) for word in match[2].split())
        yield Block(match[1], options, match[3], match.start(3))


def steps(document: str) -> list[Step]:
    """What the document has one do, in order."""
    found: list[Step] = []
    for block in blocks(document):
        if block.language == "console":
            found += _commands(block)
        elif block.language == "python" or "title" in block.options:
            found.append(_program(block))
        elif block.language == "output":
            assert found[-1].command == PYTHON, "an output block follows the program that prints it"
            found[-1] = found[-1]._replace(shown=block.text, start=block.start, end=block.start + len(block.text))
    return found


def _program(block: Block) -> Step:
    """A program to run, which so far shows nothing, or to save."""
    needs, end = block.options.get("needs", ""), block.start + len(block.text)
    if title := block.options.get("title"):
        return Step(needs, "", title, block.text, block.start, end)
    end += len("```\n")
    return Step(needs, PYTHON, block.text, "", end, end)


def _commands(block: Block) -> Iterator[Step]:
    """The commands of a console block."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0], "a console block begins with a command"
    at = block.start
    for part in parts[1:]:
        typed = re.match(r".*\n(?:> .*\n)*", part)
        assert typed
        at += len("$ ")
        command = typed[0].replace("\n> ", "\n")
        yield Step(block.options.get("needs", ""), command, "", part[typed.end() :], at + typed.end(), at + len(part))
        at += len(part)


class Folder:
    """A folder in which the steps of a document run one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path / "work"
        self.path.mkdir()
        programs = path / "bin"
        programs.mkdir()
        for name, code in _PROGRAMS.items():
            arguments = ["-P", "-c", code] if code else []
            start = shlex.join(["exec", sys.executable, *arguments])
            _script(programs / name, f'{start} "$@"')
        self._environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }

    def bring(self, capture: str) -> None:
        """Have a capture of RINGFENCE_DATA at hand. Raises FileNotFoundError."""
        data = (ROOT / os.environ.get("RINGFENCE_DATA", "../shared/data")).resolve()
        for path in sorted(data.rglob(capture)):
            (self.path / capture).symlink_to(path.resolve())
            return
        raise FileNotFoundError(f"{data} has no {capture}: set RINGFENCE_DATA")

    def run(self, step: Step) -> str:
        """What the step really prints; of a file that is saved, what has to stand in it."""
        if step.command:
            return self._output(step)
        kept = ROOT / step.text
        text = kept.read_text("utf-8") if kept.is_file() else step.shown
        (self.path / step.text).parent.mkdir(exist_ok=True)
        (self.path / step.text).write_text(text, "utf-8")
        return text

    def _output(self, step: Step) -> str:
        done = subprocess.run(
            ["sh", "-c", step.command], cwd=self.path, env=self._environment, input=step.text,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False,
        )  # fmt: skip
        return "".join(f"{line.rstrip()}\n" for line in done.stdout.rstrip().splitlines())


def sqlite3_shell() -> None:
    """What the sqlite3 program prints for `[-header] FILE SQL`: not every machine has it."""
    *options, file, sql = sys.argv[1:]
    with sqlite3.connect(file) as database:
        rows = database.execute(sql)
        lines = [[column[0] for column in rows.description]] if "-header" in options else []
        for row in [*lines, *rows]:
            sys.stdout.write("|".join("" if value is None else str(value) for value in row) + "\n")
    database.close()


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)


def agrees(shown: str, real: str) -> bool:
    """Whether the output shown is that of the run."""
    lines = ["" if line == "..." else re.escape(line) + "\n" for line in _MEASURED.sub("#", shown).splitlines()]
    pattern = "".join(line.replace(r"\.\.\.", "[^\n]*") or "(?:.*\n)*?" for line in lines)
    return re.fullmatch(pattern, _MEASURED.sub("#", real)) is not None


def renewed(shown: str, real: str) -> str:
    """The output to show instead: that of the run, cut where the old one was cut by a line of `...`."""
    lines, new = shown.splitlines(), real.splitlines()
    if "..." in lines:
        cut = lines.index("...")
        after = len(lines) - cut - 1
        new = [*new[:cut], "...", *new[len(new) - after :]]
    return "".join(f"{line}\n" for line in new)
