"""Which instrument of the rule pack a file is about, where its rows do not say so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from events.instruments import Instrument, RulePack
from replay.sources.report import SourceError

NAMED_MAX = 20
"""So many symbols of a pack are named in a message."""


def instrument_of(path: Path, pack: RulePack, symbol: str = "") -> Instrument:
    """The instrument that the file's name says, as in `BTCUSDT-1m-2021-05-19.zip`, else the one called `symbol`.

    Raises SourceError.
    """
    instruments = {str(instrument.id): instrument for instrument in pack.instruments}
    said = [name for name in instruments if _says(path.name, name)]
    if len(said) == 1:
        return instruments[said[0]]
    if symbol in instruments:
        return instruments[symbol]
    if symbol:
        raise SourceError(f"{path}: {unknown(symbol, instruments)}")
    what = f"names {' and '.join(said)}" if said else "names no symbol of the rule pack"
    raise SourceError(f"{path}: the file's name {what}; say with --symbol which it is: {_some(instruments)}")


def picked(path: Path, pack: RulePack, symbols: str) -> tuple[str, ...]:
    """The symbols that were picked, none for all there are. Raises SourceError where the rule pack has not got one."""
    names = tuple(dict.fromkeys(symbol.strip() for symbol in symbols.split(",") if symbol.strip()))
    known = [str(instrument.id) for instrument in pack.instruments]
    for name in names:
        if name not in known:
            raise SourceError(f"{path}: {unknown(name, known)}")
    return names


def unknown(symbol: str, symbols: Iterable[str]) -> str:
    """What is wrong with a symbol that is none of these, and what to do about it."""
    return f"unknown symbol {symbol!a:.40}; the rule pack has {_some(symbols)}: take one that has it"


def _says(name: str, symbol: str) -> bool:
    """Whether the symbol is a word of the name. BTCUSDT_241227 does not say BTCUSDT."""
    return bool(re.search(rf"(?<![A-Z0-9]){re.escape(symbol.upper())}(?![A-Z0-9]|_\d{{6}}(?!\d))", name.upper()))


def _some(symbols: Iterable[str]) -> str:
    names = list(islice(symbols, NAMED_MAX + 1))
    return ", ".join((*names[:NAMED_MAX], *(["..."] if len(names) > NAMED_MAX else [])))
