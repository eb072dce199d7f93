"""Parameters of strategies: the keyword arguments of their `__init__`, given as text and made what each of them is.

A parameter is of the type that its annotation says, else of its default's, else text. Text becomes text, int, float,
bool (`true`, `false`), Decimal, a member of an Enum by its value, one of a Literal, or the first of a union that it can
be; `none` is nothing where that is one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import Enum
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from replay.wanted import listed


class ArgumentError(ValueError):
    """A parameter that there is not, that is needed, or that cannot be that; the message says what may be given."""


class _Parameter(NamedTuple):
    """What it is, and whether it has to be given."""

    kind: Any
    is_needed: bool


def arguments(make: Callable[..., Any], given: Mapping[str, str]) -> dict[str, Any]:
    """What to make the class with. Raises ArgumentError."""
    known, takes_any = _parameters(make)
    for name in given:
        if name not in known and not takes_any:
            raise ArgumentError(f"no parameter {name!r}; {nearest(name, known, 'it has no parameters')}")
    for name, parameter in known.items():
        if parameter.is_needed and name not in given:
            raise ArgumentError(f"parameter {name!r} has no default; give it")
    return {name: _made(name, known[name].kind if name in known else str, text) for name, text in given.items()}


def nearest(wanted: str, known: Mapping[str, Any], none: str) -> str:
    """The name that was meant, if one is near, else all there are; `none` says that there are none."""
    if near := get_close_matches(wanted, known, n=1):
        return f"the nearest is {near[0]!r}"
    return f"give {listed(known)}" if known else none


def _parameters(make: Callable[..., Any]) -> tuple[dict[str, _Parameter], bool]:
    """The parameters by name; and whether any further name may be given."""
    found, takes_any = {}, False
    for one in signature(make, eval_str=True).parameters.values():
        takes_any |= one.kind is Parameter.VAR_KEYWORD
        if one.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            is_needed = one.default is Parameter.empty
            of_default = str if is_needed or one.default is None else type(one.default)
            is_typed = one.annotation is not Parameter.empty
            found[one.name] = _Parameter(one.annotation if is_typed else of_default, is_needed)
    return found, takes_any


def _made(name: str, kind: Any, text: str) -> Any:
    """The text as the first that it can be of what the parameter may be."""
    words: list[str] = []
    for one in get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,):
        if choices := _choices(one):
            if text in choices:
                return choices[text]
            words += choices
        elif one in _MAKERS:
            make, word = _MAKERS[one]
            try:
                return make(text)
            except (ValueError, InvalidOperation):
                words.append(word)
    if not words:
        raise ArgumentError(f"parameter {name!r} is a {kind}, which no text stands for; let it be a number or text")
    raise ArgumentError(f"parameter {name!r} is {text!r}; give {listed(words)}")


def _choices(kind: Any) -> dict[str, Any]:
    """All that it may be, by the text that stands for it; nothing where that has no end."""
    if kind is bool:
        return {"true": True, "false": False}
    if kind is NoneType:
        return {"none": None}
    if get_origin(kind) is Literal:
        return {str(one): one for one in get_args(kind)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {str(one.value): one for one in kind}
    return {}


_MAKERS: dict[Any, tuple[Callable[[str], Any], str]] = {
    str: (str, "text"),
    Any: (str, "text"),
    int: (int, "a whole number"),
    float: (float, "a number"),
    Decimal: (Decimal, "a number"),
}
"""How to make what has no end of values, and what to call it."""
