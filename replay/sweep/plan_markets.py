"""The markets of a plan: files together, each file of a pattern by itself, or one generated from each seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from hashlib import file_digest
from pathlib import Path
from typing import Any

import msgspec

from replay.sweep.plan_values import Where, scalar
from replay.sweep.task import Files, Generated, HistoryFile, Scalar, SweepError
from replay.synth import Scenario

KINDS = ("files", "each", "generated")
READING = {"symbol": str, "columns": str, "strict": bool}
"""How files are read, as `ringfence replay` has it."""

SCENARIO = tuple(field.name for field in fields(Scenario) if field.name not in ("seed", "pack"))
"""What a generated market may be given: the seed is an axis, the rule pack the session's."""

Market = Files | Generated


def markets_of(where: Where, tables: Any, seeds: Sequence[int]) -> list[Market]:
    """The markets, in order. Raises SweepError."""
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise SweepError(f"{where}: has no [[market]]; give one, with files = [...] or generated = {{ seconds = 60 }}")
    digests: dict[Path, str] = {}
    names = ["market"] if len(tables) == 1 else [f"market.{number}" for number in range(1, len(tables) + 1)]
    named = zip(names, tables, strict=True)
    found = [market for name, table in named for market in _of_table(where / name, table, seeds, digests)]
    is_generated = any(isinstance(market, Generated) for market in found)
    has_generated = any("generated" in table for table in tables)
    if has_generated and not is_generated:
        raise SweepError(f"{where / 'grid' / 'seed'}: markets are generated from seeds; give some, as seed = [1, 2, 3]")
    if seeds and not has_generated:
        raise SweepError(f"{where / 'grid' / 'seed'}: no market is generated; leave it out, or give the seed in params")
    return found


def _of_table(
    where: Where, table: Mapping[str, Any], seeds: Sequence[int], digests: dict[Path, str]
) -> Iterator[Market]:
    where.known(table, (*KINDS, *READING))
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        raise SweepError(f'{where}: give either files = [...], each = "*.zip" or generated = {{ seconds = 60 }}')
    if kinds == ["generated"]:
        where.known(table, kinds)
        options = _scenario(where / "generated", table["generated"])
        yield from (Generated(seed=seed, options=options) for seed in seeds)
        return
    reading = {name: table[name] for name in READING if name in table}
    for name, value in reading.items():
        if type(value) is not READING[name]:
            raise (where / name).wrong(value, "give true or false" if READING[name] is bool else "give text")
    for names in _names(where / kinds[0], kinds[0], table[kinds[0]]):
        files = tuple(HistoryFile(name, _digest(where, name, digests)) for name in names)
        yield Files(files=files, **reading)


def _names(where: Where, kind: str, value: Any) -> list[list[str]]:
    """The files of each market, from the folder of the plan on."""
    if kind == "files":
        if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
            raise where.wrong(value, 'give a list of files, as files = ["history/BTCUSDT.csv.gz"]')
        return [value]
    folder = where.path.parent
    if not isinstance(value, str) or not value or Path(value).is_absolute():
        raise where.wrong(value, 'give a pattern from the folder of the plan on, as each = "history/*.zip"')
    found = sorted(str(path.relative_to(folder)) for path in folder.glob(value) if path.is_file())
    if not found:
        raise where.wrong(value, f"no file in {folder} is called so")
    return [[name] for name in found]


def _digest(where: Where, name: str, digests: dict[Path, str]) -> str:
    """The SHA-256 of a file, read once. Raises SweepError."""
    path = where.path.parent / name
    if path not in digests:
        try:
            with path.open("rb") as file:
                digests[path] = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise SweepError(f"{where}: {name}: {error.strerror}; give a file from the folder of the plan on") from None
    return digests[path]


def _scenario(where: Where, table: Any) -> dict[str, Scalar]:
    if not isinstance(table, dict):
        raise where.wrong(table, "give options of ringfence synth, as generated = { seconds = 60, crash = true }")
    where.known(table, SCENARIO)
    options = {name: scalar(where / name, value) for name, value in table.items()}
    try:
        msgspec.convert({"seed": 0, **options}, Scenario)
    except msgspec.ValidationError as error:
        raise SweepError(f"{where}: {error}; see ringfence synth --help") from None
    return options
