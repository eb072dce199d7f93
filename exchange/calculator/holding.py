"""A position as the calculator sees it: side, size, entry price, and whether it is linear or inverse.

Value at a price: linear `Q x C x price`, inverse `Q x C / price`, in the settle asset. Unrealised PnL: linear
`s x (value - entry value)`, inverse `s x (entry value - value)`, with s = +1 for a long.
Source: Binance USD-M and COIN-M, "How to calculate PNL"; `docs/margin.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from exchange.calculator.amounts import CalculatorError

LONG, SHORT = 1, -1


@dataclass(frozen=True)
class Holding:
    """A position: `sign` is LONG or SHORT, `size` in the base asset, or in contracts of `contract` each.

    The contract is in the base asset where the position is linear, in the quote asset where it is inverse.
    """

    sign: int
    size: Fraction
    entry: Fraction
    contract: Fraction = Fraction(1)
    inverse: bool = False

    def __post_init__(self) -> None:
        if self.sign not in (LONG, SHORT):
            raise CalculatorError("a side is +1 for a long or -1 for a short")
        if min(self.size, self.entry, self.contract) <= 0:
            raise CalculatorError("size, entry price and contract value must be above 0")

    @property
    def quantity(self) -> Fraction:
        """What the price is multiplied with, or divided into."""
        return self.size * self.contract

    @property
    def direction(self) -> int:
        """+1 where the position gains as its value rises, -1 where it gains as its value falls."""
        return -self.sign if self.inverse else self.sign

    @property
    def entry_value(self) -> Fraction:
        """The value at the entry price."""
        return self.value(self.entry)

    def value(self, price: Fraction) -> Fraction:
        """The value at a price above 0."""
        if price <= 0:
            raise CalculatorError("a price must be above 0")
        return self.quantity / price if self.inverse else self.quantity * price

    def price(self, value: Fraction) -> Fraction | None:
        """The price at which the position has this value; None where an inverse one has it at no price."""
        if self.inverse:
            return self.quantity / value if value else None
        return value / self.quantity

    def pnl(self, price: Fraction) -> Fraction:
        """Unrealised PnL at a price."""
        return self.direction * (self.value(price) - self.entry_value)
