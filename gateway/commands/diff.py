"""`ringfence diff`: two sessions side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import msgspec

from events.record import Record
from events.store.sqlite import open_session
from gateway.console import OUT, aligned, exact_text, money_text, say, say_json, time_text
from gateway.errors import about
from gateway.wording import words
from replay.compare import Comparison, Side, Standing, compare, gain, standings

DIFFER = 1

FIELDS_SHOWN, VALUE_SHOWN = 5, 40
"""So many fields of the first records that differ are shown, and so many letters of each value."""

INDENT = 9
"""Where the text of a line goes on."""

TITLE = "since then; paid in: deposits, transfers and exchanges less what went out, B - A is net of it"
COLUMNS = (
    "account", "asset", "equity in A", "equity in B", "paid in, A / B", "B - A", "fills", "liquidated", "refused",
)  # fmt: skip


def run(left: Path, right: Path, as_json: bool) -> int:
    """Compare and report. Returns the exit status."""
    comparison = compared(left, right)
    if as_json:
        say_json(as_object(comparison))
    else:
        show(comparison, left, right)
    return 0 if comparison.first == (None, None) else DIFFER


def compared(left: Path, right: Path) -> Comparison:
    """The comparison of two session files. Raises LogError."""
    return asyncio.run(_compare(left, right))


async def _compare(left: Path, right: Path) -> Comparison:
    with about(left):
        ours = await open_session(left, read_only=True)
    try:
        with about(right):
            theirs = await open_session(right, read_only=True)
            try:
                return await compare(ours, theirs)
            finally:
                await theirs.close()
    finally:
        await ours.close()


def as_object(comparison: Comparison) -> dict[str, Any]:
    """The comparison as one object for --json."""
    first = [record and msgspec.to_builtins(record) for record in comparison.first]
    sides = (comparison.left, comparison.right)
    return {
        "same": comparison.first == (None, None),
        "shared": {"record": comparison.shared.seq, "batch": comparison.shared.batch},
        "first": first,
        "records": [side.head.seq for side in sides],
        "heads": [side.head.digest.hex() for side in sides],
        "accounts": [
            {
                "account": name,
                "asset": asset,
                "a": _object(ours),
                "b": _object(theirs),
                "gain": exact_text(gain(ours, theirs)),
            }
            for (name, asset), (ours, theirs) in standings(comparison).items()
        ],
    }


def _object(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    counts = {"fills": standing.fills, "liquidations": standing.liquidations, "refusals": standing.refusals}
    return {"equity": exact_text(standing.equity), "paid_in": exact_text(standing.paid_in), **counts}


def show(comparison: Comparison, left: Path, right: Path) -> None:
    """The comparison for people."""
    shared, sides = comparison.shared, (comparison.left, comparison.right)
    for name, path, side in zip("AB", (left, right), sides, strict=True):
        head = side.head
        say(f"{name:<8} {path}: {head.seq:,} records, head {head.digest.hex()}", INDENT)
    if comparison.first == (None, None):
        OUT.print("same     every record")
        return
    OUT.print(f"same     {shared.seq:,} records, batches 1 to {shared.batch:,}" if shared.batch else "same     nothing")
    for name, record, side in zip("AB", comparison.first, sides, strict=True):
        say(f"{name:<8} {_record(record, side)}", INDENT)
    for field, ours, theirs in islice(_changes(*map(_plain, comparison.first)), FIELDS_SHOWN):
        say(f"field    {field}: {_short(ours)} in A, {_short(theirs)} in B", INDENT)
    OUT.print(TITLE)
    for line in _table(comparison):
        OUT.print(line, markup=False)


def _plain(record: Record | None) -> Any:
    """The message of a record in plain values."""
    return record and msgspec.to_builtins(record.message)


def _changes(ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    """Where two messages differ that are of one kind."""
    if ours and theirs and ours["kind"] == theirs["kind"]:
        yield from _fields(ours, theirs)


def _fields(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The path of each field that differs, and both values; None where there is none."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in dict.fromkeys([*ours, *theirs]):
            yield from _fields(ours.get(name), theirs.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(ours, list) and isinstance(theirs, list):
        for n, pair in enumerate(zip_longest(ours, theirs)):
            yield from _fields(*pair, f"{path}[{n}]")
    elif ours != theirs:
        yield path, ours, theirs


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 3]}..."


def _record(record: Record | None, side: Side) -> str:
    if record is None:
        return "ends there"
    terms = {str(name): contract.terms for name, contract in side.state.contracts.items()}
    message = record.message
    at = f"{time_text(message.at)}  " if hasattr(message, "at") else ""
    return f"record {record.seq:,}: {at}{message.__struct_config__.tag} {words(message, terms)}"


def _table(comparison: Comparison) -> list[str]:
    rows = [[name, asset, *_cells(*pair)] for (name, asset), pair in standings(comparison).items()]
    return aligned([COLUMNS, *rows], right=range(2, len(COLUMNS)))


def _cells(ours: Standing | None, theirs: Standing | None) -> Iterator[str]:
    """Equities, what was paid in, the difference net of it, and the counts of both, a dash where a session has no such
    account.
    """
    yield from (money_text(side.equity) if side else "-" for side in (ours, theirs))
    yield " / ".join(money_text(side.paid_in) if side else "-" for side in (ours, theirs))
    yield money_text(gain(ours, theirs))
    for count in ("fills", "liquidations", "refusals"):
        yield " / ".join(f"{getattr(side, count):,}" if side else "-" for side in (ours, theirs))
