"""Numbers as the venue writes them: prices and sizes of fixed width, money with eight decimals."""

from __future__ import annotations

from events.instruments import Instrument, InstrumentId, RulePack
from events.units import UNIT

PLACES = 8
"""Decimals of money."""


def places_of(unit: int) -> int:
    """How many decimals a step of `unit` x 10^-8 has."""
    places = PLACES
    while places and unit % 10 == 0:
        unit //= 10
        places -= 1
    return places


def fixed(units: int, places: int = PLACES) -> str:
    """So many 10^-8 with exactly these decimals, cut off towards zero."""
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units), UNIT)
    return f"{sign}{whole}.{part:08d}"[: len(sign) + len(str(whole)) + 1 + places] if places else f"{sign}{whole}"


class Digits:
    """How prices and sizes of an instrument are written."""

    __slots__ = ("lot", "places", "size_places", "tick")

    def __init__(self, terms: Instrument) -> None:
        self.tick: int = terms.tick
        self.lot: int = terms.lot
        self.places = places_of(terms.tick)
        self.size_places = places_of(terms.lot)

    def price(self, ticks: int | None) -> str:
        """A price; of none, 0."""
        return fixed((ticks or 0) * self.tick, self.places)

    def size(self, lots: int) -> str:
        """A size."""
        return fixed(lots * self.lot, self.size_places)


class Texts:
    """The digits of each instrument of a pack."""

    def __init__(self, pack: RulePack) -> None:
        self._digits = {terms.id: Digits(terms) for terms in pack.instruments}

    def __getitem__(self, instrument: str) -> Digits:
        return self._digits[InstrumentId(instrument)]


def money(atoms: int) -> str:
    """Money in atoms."""
    return fixed(atoms)
