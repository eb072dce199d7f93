"""Strategies by name: `module:Class`, imported, made, and blamed where they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from traceback import extract_tb

from replay.arguments import ArgumentError, arguments
from replay.strategy import Strategy

_NOT_THEIRS = (str(Path(__file__).parent), "importlib")
"""What the places of code have in them that is not a strategy's own."""


class StrategyError(Exception):
    """A strategy that cannot be loaded, or that failed; the message says which, where and why."""


def load_strategy(name: str) -> Callable[..., Strategy]:
    """The strategy class named `module:Class`. Raises StrategyError."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise StrategyError(f"strategy {name!r}: {error}; write it as module:Class, importable from here") from error
    except Exception as error:
        raise StrategyError(f"strategy {name!r} cannot be imported: {failure(error)}; mend it") from error
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise StrategyError(f"strategy {name!r} is no subclass of replay.strategy.Strategy; make it one")
    return found


def make_strategy(name: str, given: Mapping[str, str] | None = None) -> Strategy:
    """A strategy of the class named `module:Class`, with the parameters given as text; without a name, one that does
    nothing. Raises StrategyError.
    """
    if not name:
        return Strategy()
    make = load_strategy(name)
    try:
        return make(**arguments(make, given or {}))
    except ArgumentError as error:
        raise StrategyError(f"strategy {name!r}: {error}") from None
    except Exception as error:
        raise StrategyError(f"strategy {name!r} cannot be made: {failure(error)}; mend it") from error


def failure(error: BaseException) -> str:
    """What was raised, and the last line of code, neither ours nor Python's way to import, that led there."""
    places = [(frame.filename, frame.lineno) for frame in extract_tb(error.__traceback__)]
    theirs = [place for place in places if not any(way in place[0] for way in _NOT_THEIRS)]
    where = " at {}:{}".format(*theirs[-1]) if theirs else ""
    return f"{type(error).__name__}{where}: {error}"
