"""dYdX v4: margins by liquidity tier, and funding by index, in whole quote quantums and parts per million as on chain.

Source: dydxprotocol/v4-chain, x/perpetuals: types/liquidity_tier.go, lib/lib.go, funding/funding.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from exchange.calculator.amounts import CalculatorError, truncated

PPM = 10**6
QUOTE_RESOLUTION = -6
"""A quote quantum is 10^-6 USDC."""

FUNDING_SECONDS = 8 * 3600
"""Funding rates are stated for eight hours."""


@dataclass(frozen=True)
class LiquidityTier:
    """Initial margin and the fraction of it that maintenance margin is, ppm; caps of open interest, quote quantums."""

    initial_margin_ppm: int
    maintenance_fraction_ppm: int = 0
    open_interest_lower_cap: int = 0
    open_interest_upper_cap: int = 0

    def __post_init__(self) -> None:
        if min(self.initial_margin_ppm, self.maintenance_fraction_ppm) < 0:
            raise CalculatorError("initial margin and maintenance fraction must not be below 0")
        if not 0 <= self.open_interest_lower_cap <= self.open_interest_upper_cap:
            raise CalculatorError("open interest caps must rise and not be below 0")

    @property
    def maintenance_margin_ppm(self) -> int:
        """Initial margin x fraction, rounded down: the rate that bounds funding."""
        return self.initial_margin_ppm * self.maintenance_fraction_ppm // PPM

    def effective_initial_margin_ppm(self, open_interest: int) -> int:
        """Initial margin at an open interest: the base up to the lower cap, then rising to 100 % at the upper."""
        base, lower, upper = self.initial_margin_ppm, self.open_interest_lower_cap, self.open_interest_upper_cap
        if not upper or open_interest <= lower:
            return base
        if open_interest >= upper:
            return PPM
        return base + (PPM - base) * (open_interest - lower) // (upper - lower)

    def initial_margin(self, notional: int, open_interest: int = 0) -> int:
        """Initial margin of a notional, rounded up."""
        return -(-notional * self.effective_initial_margin_ppm(open_interest) // PPM)

    def maintenance_margin(self, notional: int) -> int:
        """Maintenance margin: the fraction of the initial margin without open interest, each step rounded up."""
        base = -(-notional * self.initial_margin_ppm // PPM)
        return -(-base * self.maintenance_fraction_ppm // PPM)

    def max_funding_ppm(self, clamp_factor_ppm: int) -> int:
        """The largest eight hour funding rate: clamp factor x (initial - maintenance margin), rounded down."""
        return clamp_factor_ppm * (self.initial_margin_ppm - self.maintenance_margin_ppm) // PPM


def notional_quantums(base_quantums: int, price: int, price_exponent: int, atomic_resolution: int) -> int:
    """Size x price in quote quantums without a sign, rounded down."""
    return truncated(abs(base_quantums) * price * power(price_exponent + atomic_resolution - QUOTE_RESOLUTION))


def funding_index_delta(rate_ppm: int, seconds: int, price: int, price_exponent: int, atomic_resolution: int) -> int:
    """By how much the funding index moves in so many seconds at an eight hour rate, rounded towards 0."""
    scale = power(price_exponent + atomic_resolution - QUOTE_RESOLUTION)
    return truncated(Fraction(seconds * rate_ppm * price, FUNDING_SECONDS) * scale)


def funding_settlement_ppm(perpetual_index: int, position_index: int, base_quantums: int) -> int:
    """What a position receives (below 0: pays), millionths of a quote quantum: longs pay as the index rises."""
    return -(perpetual_index - position_index) * base_quantums


def power(exponent: int) -> Fraction:
    """10^exponent."""
    return Fraction(10) ** exponent
