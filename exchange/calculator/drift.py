"""Drift: margin weights that grow with the size, and what a liquidation takes, in the protocol's integers.

Weights and margin ratios are in 10^-4, sizes in 10^-9, fees and the IMF factor in 10^-6, prices and amounts in 10^-6 of
the quote asset. Source: drift-labs/protocol-v2, programs/drift/src/math: margin.rs, liquidation.rs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from exchange.calculator.amounts import CalculatorError

WEIGHT = 10**4
BUFFER = 10**4
IMF = 10**6
RATE = 10**6
"""Prices, fees and liquidation multipliers."""
BASE = 10**9
FUNDING = 10**3
"""A funding index has so many steps in 10^-6 of the quote asset."""
NO_BOUND_BASE, NO_BOUND_LIABILITY = 2**64 - 1, 2**128 - 1
"""No size covers the shortage: the largest integer of the protocol's type."""
ASSET_NUMERATOR = 11 * IMF // 10
"""The discount starts where 1.1 / (1 + imf x root of size) is below the weight."""


def liability_weight(size: int, imf_factor: int, weight: int) -> int:
    """The weight of a liability or a position: it rises with the root of the size, and never falls below its base."""
    if not imf_factor:
        return weight
    premium = weight - weight // 5 + _root(size) * imf_factor // (10**5 * IMF // WEIGHT)
    return max(weight, premium)


def asset_weight(size: int, imf_factor: int, weight: int) -> int:
    """The weight of collateral: it falls with the root of the size, and never rises above its base."""
    if not imf_factor:
        return weight
    return min(weight, ASSET_NUMERATOR * WEIGHT // (IMF + _root(size) * imf_factor // 10**5))


def buffered_requirement(requirement: int, liability_notional: int, buffer: int) -> int:
    """A margin requirement with the liquidation buffer, 10^-4 of the notional of the liabilities."""
    return requirement + liability_notional * buffer // BUFFER


def buffered_collateral(collateral: int, pnl: int, buffer: int) -> int:
    """Collateral with the liquidation buffer: a loss counts for so much more, a profit as it is."""
    return collateral - max(0, -pnl) * buffer // BUFFER


def base_to_cover(shortage: int, ratio: int, fee: int, insurance_fee: int, price: int, quote_price: int) -> int:
    """The size to liquidate so that a margin shortage is covered: what its margin frees less the fees that it costs."""
    ratio = ratio * (RATE // BUFFER)
    if not price or ratio <= fee:
        return NO_BOUND_BASE
    freed = price * quote_price // RATE * (ratio - fee) // RATE - price * insurance_fee // RATE
    return shortage * BASE // freed if freed > 0 else NO_BOUND_BASE


def insurance_fee(
    shortage: int, size: int, ratio: int, liquidator_fee: int, price: int, quote_price: int, largest: int
) -> int:
    """The fee to the insurance fund that a position can pay: 95 % of what the shortage and the liquidator leave."""
    price = price * quote_price // RATE
    if not price or not size:
        return 0
    needed = shortage * BASE // size * RATE // price
    return min(largest, max(0, ratio * (RATE // BUFFER) - liquidator_fee - needed) * 19 // 20)


@dataclass(frozen=True)
class Side:
    """One side of a transfer: its margin weight, and the multiplier by which it is discounted or charged."""

    weight: int
    multiplier: int


def liability_to_cover(shortage: int, asset: Side, liability: Side, decimals: int, price: int, fee: int) -> int:
    """The amount of a liability to transfer, in 10^-decimals, so that a margin shortage is covered."""
    held = 10 * asset.weight * asset.multiplier // liability.multiplier
    freed = price * (10 * liability.weight - held) - price * fee // RATE * 10 * liability.weight
    if freed <= 0:
        return NO_BOUND_LIABILITY
    scale_up: int = 10 ** max(0, decimals - 6)
    scale_down: int = 10 ** max(0, 6 - decimals)
    return shortage * scale_up * RATE * WEIGHT * 10 // freed // scale_down


def ramped_fee(base: int, largest: int, slots: int, grace: int, by_slot: int) -> int:
    """The liquidation fee of an account that was left alone for so many slots: after the grace all of them count."""
    return base if slots < grace else min(largest, base + slots * by_slot)


def socialised_loss_delta(loss: int, long: int, short: int) -> int:
    """By how much the funding index moves so that all open positions bear a loss, rounded up."""
    open_size = abs(long) + abs(short)
    if not open_size:
        raise CalculatorError("a loss can be socialised only where positions are open")
    return -(-abs(loss) * BASE // open_size) * FUNDING


def _root(size: int) -> int:
    return isqrt(10 * size + 1)
