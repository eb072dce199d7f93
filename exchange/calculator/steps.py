"""Margins that a venue rounds up to a step, first the initial margin of a notional, then the fraction that MM is of it.

MM then jumps, so that a pool may be due, not due, and due again as its mark falls. Source: dydxprotocol/v4-chain,
x/perpetuals/types/liquidity_tier.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor
from typing import NamedTuple

from exchange.calculator.amounts import ceil_to


class Steps(NamedTuple):
    """The step that margins are rounded up to, the initial margin rate, and the fraction of it that MM is."""

    step: Fraction
    rate: Fraction
    fraction: Fraction = Fraction(1)

    def maintenance(self, value: Fraction) -> Fraction:
        """MM of a position value."""
        return ceil_to(ceil_to(value * self.rate, self.step) * self.fraction, self.step)

    def jumps(self, value: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
        """Each MM near that of a value, with the largest value that has it."""
        if not self.rate * self.fraction:
            return
        steps = self.maintenance(value) / self.step
        for count in range(max(0, floor(steps) - NEAR), floor(steps) + NEAR + 1):
            yield count * self.step, floor(count / self.fraction) * self.step / self.rate


NEAR = 4
"""Two roundings move MM by less than two steps, and the root by as much; a leverage of 2 doubles that."""
