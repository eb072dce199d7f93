"""dYdX v4: margins by liquidity tier, and funding by index, in whole quote quantums and parts per million as on chain.

Source: dydxprotocol/v4-chain, x/perpetuals: types/liquidity_tier.go, lib/lib.go, funding/funding.go; x/clob:
keeper/liquidations.go.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    return truncated(abs(base_quantums) * price * _power(price_exponent + atomic_resolution - QUOTE_RESOLUTION))


def funding_index_delta(rate_ppm: int, seconds: int, price: int, price_exponent: int, atomic_resolution: int) -> int:
    """By how much the funding index moves in so many seconds at an eight hour rate, rounded towards 0."""
    scale = _power(price_exponent + atomic_resolution - QUOTE_RESOLUTION)
    return truncated(Fraction(seconds * rate_ppm * price, FUNDING_SECONDS) * scale)


def funding_settlement_ppm(perpetual_index: int, position_index: int, base_quantums: int) -> int:
    """What a position receives (below 0: pays), millionths of a quote quantum: longs pay as the index rises."""
    return -(perpetual_index - position_index) * base_quantums


@dataclass(frozen=True)
class TieredPosition:
    """A position of a subaccount: signed base quantums, the price of one in quote quantums, and its tier."""

    size: int
    price: Fraction
    tier: LiquidityTier

    @property
    def notional(self) -> int:
        """Size x price in quote quantums, below 0 for a short, rounded towards 0."""
        return truncated(self.size * self.price)

    @property
    def maintenance(self) -> int:
        """Maintenance margin."""
        return self.tier.maintenance_margin(abs(self.notional))


def bankruptcy_quantums(collateral: int, positions: Mapping[str, TieredPosition], closed: str, delta: int) -> int:
    """What closing `delta` of a position may come to, in quote quantums, before the subaccount has lost its part.

    -(change of notional) - floor(total net collateral x |change of MM| / total MM): above 0 for a long that is sold,
    below 0 for a short that is bought, and rounded so that the dust is paid by the account. `delta` is against the
    position, and no larger.
    """
    held = positions.get(closed)
    if held is None or not 0 < -delta * (1 if held.size > 0 else -1) <= abs(held.size):
        raise CalculatorError(
            f"ErrInvalidPerpetualPositionSizeDelta: {delta} does not close perpetual {closed}, of which the subaccount "
            f"has {held.size if held else 0} base quantums: give a delta against the position, no larger than it"
        )
    left = TieredPosition(held.size + delta, held.price, held.tier)
    total = sum(position.maintenance for position in positions.values())
    if not total:
        raise CalculatorError(
            "the positions of a subaccount need a maintenance margin: give initial margin and fraction"
        )
    net = collateral + sum(position.notional for position in positions.values())
    return held.notional - left.notional - net * (held.maintenance - left.maintenance) // total


def _power(exponent: int) -> Fraction:
    return Fraction(10) ** exponent
