"""Who is in the market: accounts whose side, size, leverage, margin mode and spare money follow stated distributions.

side       long with probability `longs`, else short
size       notional of the position: a Pareto distribution with exponent `tail`, from `smallest` to `largest`
leverage   one of a table, by weight
mode       isolated with probability `isolated`, else cross
spare      what lies in the wallet beyond the cost of the position, as a part of it: exponential with mean `spare`
second     holds a position in the second instrument too with probability `second`: side and size drawn anew

Nothing depends on anything else, and each is drawn from a stream of its own: to change one leaves the others as they
were. Source of the tail: Gabaix, Gopikrishnan, Plerou and Stanley, "A theory of power-law distributions in financial
market fluctuations", Nature 423 (2003): the exponent of trading volume is about 1.5. The other defaults are round
figures and no measurements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from events.commands import AccountId
from events.units import UNIT
from replay.stress.chance import DIGITS, beyond, exponential, happens, pareto, stream

LEVERAGES = ((3, 10), (5, 15), (10, 25), (20, 25), (50, 15), (100, 10))
"""Leverage and its weight, unless said otherwise."""


class Modes(Enum):
    """Which margin modes a population trades in: as drawn, or all of it in one."""

    MIXED = "mixed"
    ISOLATED = "isolated"
    CROSS = "cross"


class Stake(NamedTuple):
    """A position to be: sign is +1 for a long; notional, quote asset, 10^-8."""

    sign: int
    notional: int


class Member(NamedTuple):
    """An account to be: spare is a Rate of what its positions cost."""

    name: AccountId
    stakes: tuple[Stake, ...]
    leverage: int
    is_isolated: bool
    spare: int


@dataclass(frozen=True)
class Crowd:
    """How many accounts there are, and the parameters of the distributions: Rates, and 10^-8 of the quote asset."""

    accounts: int
    longs: int = 60 * UNIT // 100
    isolated: int = 50 * UNIT // 100
    smallest: int = 1_000 * UNIT
    largest: int = 1_000_000 * UNIT
    tail: Decimal = Decimal("1.5")
    leverages: tuple[tuple[int, int], ...] = LEVERAGES
    spare: int = UNIT
    second: int = 0

    def members(self, seed: int) -> Iterator[Member]:
        """The accounts, in order."""
        sides, sizes, leverages, modes, spares, seconds = (
            stream(seed, name) for name in ("side", "size", "leverage", "mode", "spare", "second")
        )
        rest = beyond(self.smallest, self.largest, self.tail)
        table = [leverage for leverage, weight in self.leverages for _ in range(weight)]
        digits = len(str(self.accounts))
        for number in range(1, self.accounts + 1):
            stakes = [self._stake(sides.below(UNIT), pareto(sizes, self.smallest, rest, self.tail))]
            has_second, side = happens(seconds, self.second), seconds.below(UNIT)
            if has_second:
                stakes.append(self._stake(side, pareto(seconds, self.smallest, rest, self.tail)))
            yield Member(
                AccountId(f"acct{number:0{digits}d}"),
                tuple(stakes),
                table[leverages.below(len(table))],
                happens(modes, self.isolated),
                exponential(spares, self.spare),
            )

    def _stake(self, roll: int, notional: int) -> Stake:
        return Stake(1 if roll < self.longs else -1, notional)

    @property
    def mean_size(self) -> int:
        """The mean of the distribution of sizes, 10^-8 of the quote asset.

        s / (1 - rest) x low^s x (low^(1 - s) - high^(1 - s)) / (s - 1); ln(high / low) in place of the last factor
        where s is 1.
        """
        low, high, tail = Decimal(self.smallest), Decimal(self.largest), self.tail
        rest = beyond(self.smallest, self.largest, tail)
        ratio = DIGITS.divide(high, low)
        part = DIGITS.ln(ratio) if tail == 1 else DIGITS.divide(1 - DIGITS.power(ratio, 1 - tail), tail - 1)
        return int(DIGITS.divide(tail * low * part, 1 - rest))

    @property
    def open_interest(self) -> int:
        """The value that all positions in the first instrument are expected to have, 10^-8 of the quote asset."""
        return self.accounts * self.mean_size

    @property
    def mean_leverage(self) -> Decimal:
        """The mean of the table of leverages."""
        weights = sum(weight for _, weight in self.leverages)
        return Decimal(sum(leverage * weight for leverage, weight in self.leverages)) / weights
