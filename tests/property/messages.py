"""Hypothesis strategies for commands, facts, records and batches: any that the types allow, sensible or not."""

from __future__ import annotations

from enum import Enum
from typing import Any, NewType, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from events.asking import AnyCommand
from events.facts import AnyFact
from events.record import Batch, Record

COMMANDS: tuple[type[msgspec.Struct], ...] = get_args(AnyCommand)
FACTS: tuple[type[msgspec.Struct], ...] = get_args(AnyFact)

INTEGERS = st.integers(-(10**40), 10**40)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type."""
    if isinstance(hint, NewType):
        return values(hint.__supertype__)
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    if get_args(hint):
        return st.one_of(*(values(part) for part in get_args(hint)))
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if issubclass(hint, msgspec.Struct):
        return structs(hint)
    return {int: INTEGERS, str: TEXTS, bool: st.booleans(), type(None): st.none()}[hint]


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Instances of a struct."""
    return st.builds(kind, **{field.name: values(field.type) for field in msgspec.structs.fields(kind)})


def commands() -> st.SearchStrategy[Any]:
    """Any command."""
    return st.sampled_from(COMMANDS).flatmap(structs)


def facts() -> st.SearchStrategy[Any]:
    """Any fact."""
    return st.sampled_from(FACTS).flatmap(structs)


def batch(number: int, first_seq: int, command: Any, *consequences: Any) -> Batch:
    """A batch of this command and these facts, all of them caused by the command."""
    records = [Record(first_seq, 0, command)]
    records += [Record(first_seq + n, first_seq, fact) for n, fact in enumerate(consequences, 1)]
    return Batch(number, command.at, records)


def batches() -> st.SearchStrategy[Batch]:
    """Any batch."""
    numbers = st.integers(1, 10**9)
    parts = st.tuples(numbers, numbers, commands(), st.lists(facts(), max_size=5))
    return parts.map(lambda drawn: batch(*drawn[:3], *drawn[3]))
