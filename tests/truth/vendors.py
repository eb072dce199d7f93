"""Files of vendors and venues, what is known of them, and rule packs that they fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from events.instruments import RulePack, load_pack
from events.observations import Observations
from replay.sources import open_source
from tests.playing import Played, play

TENTH, CENT, THOUSANDTH = 10**7, 10**6, 10**5
"""In units of 10^-8."""


def facts_of(data: Path, name: str) -> dict[str, Any]:
    """What the manifest says about a file."""
    (facts,) = (e["facts"] for e in json.loads((data / "manifest.json").read_text()) if e["path"] == name)
    return dict(facts)


def pack_of(symbols: tuple[str, ...], tick: int, lot: int) -> RulePack:
    """The rules of a perpetual, for contracts of these names with this tick and lot."""
    pack = load_pack("binance-usdm")
    one = pack.instruments[0]
    sizes = {"min_lots": 1, "max_lots": 10**9, "market_max_lots": 0}
    made = tuple(msgspec.structs.replace(one, id=symbol, tick=tick, lot=lot, **sizes) for symbol in symbols)
    return msgspec.structs.replace(pack, id="vendors", instruments=made)


class Told:
    """A file of one instrument as its source tells it, whole."""

    def __init__(self, path: Path, pack: RulePack, symbol: str = "") -> None:
        self.path, self.pack = path, pack
        source = open_source(path, pack, strict=True, symbol=symbol)
        self.chunks: list[Observations] = list(source)
        self.report = source.report

    def column(self, name: str) -> list[int]:
        """A column of all chunks."""
        return [number for chunk in self.chunks for number in getattr(chunk, name)]

    def played(self) -> Played:
        """The file through the engine."""
        return play(self.path, pack=self.pack, strict=True)


def units(text: str, unit: int) -> int:
    """Decimal text in units."""
    whole, _, part = text.partition(".")
    number, rest = divmod(int(whole + part.ljust(8, "0")), unit)
    assert not rest
    return number
