"""The documentation names every command, fact, refusal and verb, and the generated pages are those of this code."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable

import pytest

from docs.generate import COMMANDS, FACTS, REFERENCE, is_current, main, pages
from events.refusals import Reason
from tests.tidy.tree import ROOT


def missing(names: Iterable[str], text: str) -> list[str]:
    """The names that the text does not hold as words of their own."""
    return [name for name in names if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)]


def test_the_reference_is_that_of_the_code() -> None:
    stale = [name for name, text in pages().items() if not is_current(name, text)]
    assert not stale, "run `make docs`"


def test_a_stale_page_is_found() -> None:
    assert not is_current("reference/commands.md", pages()["reference/commands.md"] + "x")
    assert not is_current("nothing.md", "")


def test_the_check_names_what_is_stale(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("docs.generate.pages", lambda: {"reference/facts.md": "no longer so"})
    assert main(["--check"]) == 1
    assert capsys.readouterr().err == "docs/reference/facts.md is out of date: run `make docs`\n"


def test_the_reference_names_every_command() -> None:
    text = (REFERENCE / "commands.md").read_text("utf-8")
    assert missing([f"### {command.__name__}" for command in COMMANDS], text) == []
    assert missing([str(command.__struct_config__.tag) for command in COMMANDS], text) == []


def test_the_reference_names_every_fact() -> None:
    text = (REFERENCE / "facts.md").read_text("utf-8")
    assert missing([f"### {fact.__name__}" for fact in FACTS], text) == []
    assert missing([str(fact.__struct_config__.tag) for fact in FACTS], text) == []


def test_the_reference_names_every_reason_in_order_of_precedence() -> None:
    text = (REFERENCE / "refusals.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|$", text, re.MULTILINE)
    assert rows == [(str(n), reason.value) for n, reason in enumerate(Reason, 1)]


def test_every_command_and_fact_has_a_docstring_of_its_own() -> None:
    assert [kind.__name__ for kind in (*COMMANDS, *FACTS) if not kind.__dict__.get("__doc__")] == []


def test_readme_and_docs_name_every_verb_of_the_command_line() -> None:
    if importlib.util.find_spec("gateway.cli") is None:
        pytest.skip("gateway/cli.py is not there yet")
    app = importlib.import_module("gateway.cli").app
    verbs = [command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands]
    verbs += [group.name for group in app.registered_groups]
    assert verbs
    texts = [(ROOT / "README.md"), *sorted((ROOT / "docs").rglob("*.md"))]
    text = "\n".join(path.read_text("utf-8") for path in texts)
    assert missing([f"ringfence {verb}" for verb in verbs], text) == []


def test_a_name_that_is_part_of_another_is_missing() -> None:
    assert missing(["ringfence log", "ringfence replay"], "ringfence logs, ringfence replay-all") == [
        "ringfence log",
        "ringfence replay",
    ]
    assert missing(["ringfence log", "traded.1"], "`ringfence log FILE`, kind `traded.1`.") == []
