"""`ringfence pack fit`: a rule pack whose ticks and lots the prices and sizes of given files are whole numbers of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from math import gcd
from pathlib import Path
from typing import Any

from events.instruments import Instrument, PackError, RulePack, load_pack, pack_text, read_pack
from events.units import decimal_text
from gateway.commands.probe import read
from gateway.console import say
from gateway.errors import UsageError


def run(files: Sequence[Path], name: str, out: Path, symbol: str, columns: str) -> int:
    """Write the pack, and say what is finer in it than in the one that it is made of. Returns 0."""
    if out.exists():
        raise UsageError(f"--out {out}: there is such a file already; give another name")
    pack = load_pack(name)
    needed = _needed(files, pack, symbol, columns)
    known = {str(instrument.id): instrument for instrument in pack.instruments}
    if missing := [found for found in needed if found not in known]:
        raise UsageError(
            f"{pack.id} has no {', '.join(missing)}; take a pack that has it, or write one as docs/rule-packs.md says"
        )
    finer = {found: _finer(known[found], *units) for found, units in needed.items()}
    out.write_text(_fitting(name, pack, finer, files), encoding="utf-8")
    for found, units in finer.items():
        say(f"{found:<9}{_told(known[found], *units)}", indent=9)
    say(f"{'written':<9}{out}; give it as --pack {out}", indent=9)
    return 0


def _needed(files: Sequence[Path], pack: RulePack, symbol: str, columns: str) -> dict[str, tuple[int, int]]:
    """The tick and the lot, in units of 10^-8, that the files need of each symbol; 0 where they have none."""
    needed: dict[str, tuple[int, int]] = {}
    for file in files:
        for found in read(file, pack, symbol, columns).instruments:
            if not found.is_named:
                raise UsageError(f"{file}: does not say its symbol; give it with --symbol")
            tick, lot = needed.get(found.symbol, (0, 0))
            needed[found.symbol] = gcd(tick, found.tick), gcd(lot, found.lot)
    if not needed:
        raise UsageError(
            f"{', '.join(map(str, files))}: no prices or sizes in it; `ringfence probe` says what there is"
        )
    return needed


def _finer(own: Instrument, tick: int, lot: int) -> tuple[int, int]:
    return gcd(own.tick, tick), gcd(own.lot, lot)


def _fitting(name: str, pack: RulePack, finer: dict[str, tuple[int, int]], files: Sequence[Path]) -> str:
    """The pack as it is written, with these ticks and lots. Raises PackError where no pack can have them."""
    made: dict[str, Any] = json.loads(pack_text(name), parse_float=Decimal)
    for instrument in made["instruments"]:
        if units := finer.get(instrument["id"]):
            instrument |= dict(zip(("tick", "lot"), map(decimal_text, units), strict=True))
    names = ", ".join(ascii(file.name)[1:-1] for file in files)
    made |= {"id": f"{pack.id}-fit", "source": f"{pack.source}; ticks and lots as fine as {names}"}
    text = json.dumps(made, indent=1, default=str) + "\n"
    try:
        read_pack(text.encode(), "the pack that would fit")
    except PackError as error:
        raise UsageError(f"{error}; no session can hold numbers as fine as those of {names}") from error
    return text


def _told(own: Instrument, tick: int, lot: int) -> str:
    """What is finer than it was."""
    now = (("ticks", own.tick, tick), ("lots", own.lot, lot))
    parts = [
        f"{word} of {decimal_text(new)} in the place of {decimal_text(old)}" for word, old, new in now if new != old
    ]
    return " and ".join(parts) or "fits as it is"
