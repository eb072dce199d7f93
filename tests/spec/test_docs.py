"""What the documentation shows is what happens: its commands and programs run, in order, and print just that."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from docs.blocks import DOCUMENTS, ROOT, Folder, agrees, blocks, renewed, steps
from docs.refresh import main, refreshed

PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")

EXAMPLES = {
    f"{path.relative_to(ROOT).as_posix()}{step.needs and '+'}{step.needs}": (path, step.needs)
    for path in DOCUMENTS
    for step in steps(path.read_text("utf-8"))
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_documentation_shows_what_happens(name: str, tmp_path: Path) -> None:
    path, needs = EXAMPLES[name]
    folder = Folder(tmp_path)
    if needs:
        bring(folder, needs)
    for step in steps(path.read_text("utf-8")):
        if step.needs == needs:
            real = folder.run(step)
            what = step.command.strip() or step.text
            assert agrees(step.shown, real), f"{what}\n{real}\nis not what {name} shows: run `python -m docs.refresh`"


def bring(folder: Folder, capture: str) -> None:
    try:
        folder.bring(capture)
    except FileNotFoundError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_output_belongs_to_something_that_runs(path: Path) -> None:
    languages = {block.language for block in blocks(path.read_text("utf-8")) if "title" not in block.options}
    assert languages <= {"console", "python", "output", "mermaid"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_within_the_project_leads_somewhere(path: Path) -> None:
    assert [link for link in LINK.findall(path.read_text("utf-8")) if not leads_somewhere(path, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_a_link_into_the_void_is_found() -> None:
    page = ROOT / "docs/session.md"
    assert leads_somewhere(page, "../README.md#a-real-market")
    assert leads_somewhere(page, "#the-view-records")
    assert not leads_somewhere(page, "#the-view")
    assert not leads_somewhere(page, "nowhere.md")


def test_readme_and_tutorial_run() -> None:
    assert {"README.md", "docs/tutorial.md"} <= set(EXAMPLES)


DOCUMENT = """Text.

```console
$ echo one
one
$ printf '%s %s' \\
> two three
```

```python title=said.txt
four
```

```python
print(open("said.txt").read(), "five")
```

```output
four
 five
```

    not run

```console needs=nothing
$ false
...
```
"""


def test_a_document_is_read_in_steps() -> None:
    found = [(step.needs, step.command, step.text, step.shown) for step in steps(DOCUMENT)]
    assert found == [
        ("", "echo one\n", "", "one\n"),
        ("", "printf '%s %s' \\\ntwo three\n", "", ""),
        ("", "", "said.txt", "four\n"),
        ("", "python -", 'print(open("said.txt").read(), "five")\n', "four\n five\n"),
        ("nothing", "false\n", "", "...\n"),
    ]


def test_steps_run_in_one_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    real = [folder.run(step) for step in steps(DOCUMENT)]
    assert real == ["one\n", "two three\n", "four\n", "four\n five\n", ""]


def test_a_file_of_the_checkout_is_what_stands_in_it(tmp_path: Path) -> None:
    (step,) = steps("```python title=examples/quoter.py\nsomething else\n```\n")
    assert Folder(tmp_path).run(step) == (ROOT / "examples/quoter.py").read_text("utf-8")


@pytest.mark.parametrize(
    ("shown", "real", "verdict"),
    [
        ("", "", True),
        ("one\n", "one\n", True),
        ("one\n", "one\ntwo\n", False),
        ("one\n...\n", "one\n", True),
        ("one\n...\nfour\n", "one\ntwo\nthree\nfour\n", True),
        ("one\n...\nfour\n", "one\ntwo\n", False),
        ("at ... o'clock\n", "at 5 o'clock\n", True),
        ("at ... o'clock\n", "at 5\n6 o'clock\n", False),
        ("a.c (b)\n", "abc (b)\n", False),
        ("5 records, 1.00 s, 602 x real time\n", "5 records, 0.50 s, 1,204 x real time\n", True),
        ("5 records, 1.00 s\n", "6 records, 1.00 s\n", False),
        ("(600.0 s)\n", "(300.0 s)\n", False),
        ('{"trades":5,"seconds":0.25}\n', '{"trades":5,"seconds":1}\n', True),
    ],
)
def test_measured_figures_and_ellipses_do_not_count(shown: str, real: str, verdict: bool) -> None:
    assert agrees(shown, real) is verdict


@pytest.mark.parametrize(
    ("shown", "real", "expected"),
    [
        ("old\n", "new\nlines\n", "new\nlines\n"),
        ("a\n...\n", "b\nc\nd\n", "b\n...\n"),
        ("a\n...\nz\n", "b\nc\nd\n", "b\n...\nd\n"),
        ("a\n", "", ""),
    ],
)
def test_a_renewed_output_is_cut_as_the_old_one_was(shown: str, real: str, expected: str) -> None:
    assert renewed(shown, real) == expected


def test_refreshing_rewrites_what_is_no_longer_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "page.md"
    right = DOCUMENT.replace("three\n```", "three\ntwo three\n```")
    wrong = DOCUMENT.replace("one\none", "one\nONE").replace("\n```output\nfour\n five\n```\n", "")
    for old, verdict in (wrong, "rewritten"), (right, "up to date"):
        document.write_text(old, "utf-8")
        main([str(document)])
        assert document.read_text("utf-8") == right
        said = capsys.readouterr().out.splitlines()
        assert said[0].endswith("has no nothing: set RINGFENCE_DATA; what needs it is left as it is")
        assert said[1:] == [f"{document}: {verdict}"]


def test_refreshing_leaves_a_document_alone_that_is_up_to_date(tmp_path: Path) -> None:
    document = "Text.\n\n```console\n$ echo 1.25 s\n9.99 s\n$ true\n```\n\n```python\nx = 1\n```\n"
    assert refreshed(document, tmp_path) == document


def test_refreshing_measures_anew_where_it_is_asked_to(tmp_path: Path) -> None:
    document = "Text.\n\n```console\n$ echo 1.25 s\n9.99 s\n$ true\n```\n\n```python\nx = 1\n```\n"
    assert refreshed(document, tmp_path, measure=True) == document.replace("9.99", "1.25")
