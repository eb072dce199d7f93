"""Prices and sizes as people state them, in whole ticks and lots; what is not whole is passed on as it stands.

A float is what its shortest text says: 0.1 is a tenth.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from events.units import Lots, Ticks, units_of
from exchange.core.contract import Contract


def whole_or_text(value: Decimal | float | str, unit: int) -> int | str:
    """The value in whole units, or its own text, as ASCII, where it is not a whole number of them."""
    if type(value) is Decimal and value.is_finite() and (found := _whole(value, unit)) is not None:
        return found
    text = value if isinstance(value, str) else f"{Decimal(str(value) if isinstance(value, float) else value):f}"
    text = text if text.isascii() else ascii(text)
    try:
        units = units_of(text, unit)
    except ValueError:
        return text
    return text if units is None else units


@lru_cache(4096)
def _whole(value: Decimal, unit: int) -> int | None:
    """The same few prices and sizes are given again and again."""
    return units_of(f"{value:f}", unit)


def lots_of(contract: Contract, size: Decimal | float | str) -> Lots | str:
    """A size in lots."""
    return whole_or_text(size, contract.lot)  # type: ignore[return-value]


def ticks_of(contract: Contract, price: Decimal | float | str | None) -> Ticks | str | None:
    """A price in ticks, None where there is none."""
    return None if price is None else whole_or_text(price, contract.tick)  # type: ignore[return-value]
