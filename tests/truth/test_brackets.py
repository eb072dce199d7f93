"""Leverage brackets as a venue published them: our rule for cum gives the venue's own figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events.instruments import Bracket, LinearPerp, PackError, load_pack
from events.units import UNIT, Atoms, Rate, exact_units

SYMBOLS = 4


@pytest.fixture(scope="module")
def published(cases: Path) -> dict[str, tuple[Bracket, ...]]:
    """Symbol -> brackets, the published cum among them. Decimal text is read as it stands, never as a float."""
    text = (cases / "binance_leverage_brackets.json").read_text("utf-8")
    return {case["inputs"]["symbol"]: brackets(case) for case in json.loads(text, parse_float=str)["cases"]}


def brackets(case: dict[str, Any]) -> tuple[Bracket, ...]:
    rows = zip(case["inputs"]["brackets"], case["expected"]["cum"], strict=True)
    return tuple(
        Bracket(
            floor=Atoms(exact_units(row["floor"])),
            cap=Atoms(exact_units(row["cap"])),
            max_leverage=exact_units(row["max_leverage"], UNIT),
            mmr=Rate(exact_units(row["mmr"])),
            cum=Atoms(exact_units(cum)),
        )
        for row, cum in rows
    )


def terms_with(rows: tuple[Bracket, ...]) -> LinearPerp:
    """A shipped instrument under other brackets."""
    terms = load_pack("binance-usdm").instruments[0]
    assert isinstance(terms, LinearPerp)
    return msgspec.structs.replace(terms, brackets=rows)


def test_the_published_brackets_obey_the_rule(published: dict[str, tuple[Bracket, ...]]) -> None:
    assert len(published) >= SYMBOLS
    for rows in published.values():
        terms_with(rows).check()


def test_a_cum_one_atom_off_the_published_one_is_refused(published: dict[str, tuple[Bracket, ...]]) -> None:
    for rows in published.values():
        for n, row in enumerate(rows):
            wrong = msgspec.structs.replace(row, cum=Atoms(row.cum + 1))
            with pytest.raises(PackError, match=rf"bracket {n + 1}: "):
                terms_with((*rows[:n], wrong, *rows[n + 1 :])).check()


def test_the_shipped_pack_has_the_published_brackets(published: dict[str, tuple[Bracket, ...]]) -> None:
    shipped = {
        f"{i.base}/{i.quote}:{i.settle}": i.brackets for i in load_pack("binance-usdm").instruments if not i.expiry
    }
    shared = shipped.keys() & published.keys()
    assert shared
    assert [symbol for symbol in sorted(shared) if shipped[symbol] != published[symbol]] == []
