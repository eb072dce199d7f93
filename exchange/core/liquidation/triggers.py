"""Triggers: the marks at which the watch looks at a position's pool again, kept per instrument and side.

A position bears one at or below which it is looked at and one at or above; each lies in a heap of its contract, whose
entries count only while the position still bears them.
"""

from __future__ import annotations

from heapq import heapify, heappush

from events.units import UNIT
from exchange.core.contract import Contract
from exchange.core.history import SPARSE
from exchange.core.margin.model import fixed_maintenance
from exchange.core.margin.warning import WarningLine
from exchange.core.state import NEVER, Position

SERIAL_BITS = 32
"""An entry is one number, the mark (-mark where lows are kept) x 2^32 + the position's serial: with a million positions
a heap lies outside of every cache, and a tuple of two numbers in two or three places of it.
"""

SERIAL = (1 << SERIAL_BITS) - 1
"""What of an entry is the serial."""


def fixed_in_band(position: Position) -> int:
    """The part of maintenance margin that does not move with the mark, or what the band has for it, rounded up."""
    fixed, line = fixed_maintenance(position), position.warning_line
    return -(-fixed * UNIT // line.warning) if line is not None and position.band is line else fixed


def rises_to(position: Position, line: WarningLine, goal: int) -> tuple[int, int]:
    """The first marks, down and up, where worth - maintenance margin / warning comes to `goal` grains."""
    contract, size = position.contract, abs(position.lots)
    gains = position.lots * contract.gain > 0
    notional = line.lowest_notional(goal) if gains else line.highest_notional(-goal)
    if contract.is_inverse:
        if position.lots > 0:
            return NEVER, (-(-size * contract.face // notional) if notional > 0 else NEVER)
        return size * contract.face // max(1, notional), NEVER
    if position.lots > 0:
        return NEVER, max(1, -(-notional // (size * contract.lot)))
    return max(NEVER, notional // (size * contract.lot)), NEVER


def place(position: Position, low: int, high: int) -> None:
    """Look at the position's pool again where the mark is at or below low, at or above high."""
    contract = position.contract
    if low != position.low:
        position.low = low
        if low > 0:
            _push(contract, contract.lows, (-low << SERIAL_BITS) + position.serial)
    if high != position.high:
        position.high = high
        if high > 0:
            _push(contract, contract.highs, (high << SERIAL_BITS) + position.serial)


def _push(contract: Contract, heap: list[int], entry: int) -> None:
    heappush(heap, entry)
    if len(heap) > 2 * len(contract.positions) + SPARSE:
        positions = contract.positions
        if heap is contract.lows:
            heap[:] = [(-p.low << SERIAL_BITS) + p.serial for p in positions if p.low > 0]
        else:
            heap[:] = [(p.high << SERIAL_BITS) + p.serial for p in positions if p.high > 0]
        heapify(heap)
