"""Small things: functions of at most 60 lines and modules of at most 400; an exception has a reason beside it.

The medians to aim for are 8 to 12 lines a function and below 200 a module: with `pytest -s` this prints them.
"""

from __future__ import annotations

from statistics import median

from tests.tidy.tree import PACKAGES, Source, functions, source, sources

FUNCTION_LINES = 60
MODULE_LINES = 400

EXCEPTIONS: dict[str, str] = {}
"""Module, or module:function -> why it is longer. An entry that is not needed is an offence."""


def sizes(file: Source) -> dict[str, int]:
    """Lines of the module and of each function in it."""
    named = {f"{file.module}:{node.name}": (node.end_lineno or 0) - node.lineno + 1 for node in functions(file.tree)}
    return {file.module: file.text.count("\n")} | named


def offences(file: Source) -> list[str]:
    """What in the file is too long."""
    limit = {True: FUNCTION_LINES, False: MODULE_LINES}
    return [name for name, lines in sizes(file).items() if lines > limit[":" in name]]


def test_functions_and_modules_are_small() -> None:
    files = sources(*PACKAGES)
    lines = {name: n for file in files for name, n in sizes(file).items()}
    print("median lines of a function:", median(n for name, n in lines.items() if ":" in name))  # noqa: T201
    print("median lines of a module:", median(n for name, n in lines.items() if ":" not in name and n))  # noqa: T201
    assert {offence for file in files for offence in offences(file)} == set(EXCEPTIONS)
    assert all(EXCEPTIONS.values())


def test_a_long_function_is_found() -> None:
    assert offences(source("events.long", "def f():\n" + "    pass\n" * 60)) == ["events.long:f"]
    assert offences(source("events.long", "def f():\n" + "    pass\n" * 59)) == []


def test_a_long_method_is_found() -> None:
    text = "class A:\n    async def f(self):\n" + "        pass\n" * 60
    assert offences(source("events.long", text)) == ["events.long:f"]


def test_a_long_module_is_found() -> None:
    assert offences(source("events.long", "a = 1\n" * 401)) == ["events.long"]
    assert offences(source("events.long", "a = 1\n" * 400)) == []
