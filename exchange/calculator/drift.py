"""Drift: margin weights that grow with the size, and the buffer of a liquidation, in the protocol's integers.

Weights and margin ratios are in 10^-4, sizes in 10^-9, the IMF factor in 10^-6, amounts in 10^-6 of the quote asset.
Source: drift-labs/protocol-v2, programs/drift/src/math/margin.rs.
"""

from __future__ import annotations

from math import isqrt

WEIGHT = 10**4
BUFFER = 10**4
IMF = 10**6
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


def _root(size: int) -> int:
    return isqrt(10 * size + 1)
