"""dYdX v4: what a liquidation of a subaccount comes to, in whole quote and base quantums as on chain.

Bankruptcy price, fillable price, what a fill brings or costs the insurance fund, and deleveraging. Errors begin with
the name that the chain gives them. Source: dydxprotocol/v4-chain, x/clob: keeper/liquidations.go,
keeper/deleveraging.go; x/subaccounts: lib/updates.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from exchange.calculator.amounts import CalculatorError, ceil_to, floor_to, truncated
from exchange.calculator.dydx import PPM, LiquidityTier, power

BANKRUPTCY_ADJUSTMENT_PPM = PPM
"""How fast the fillable price moves from the oracle's towards its largest spread: the chain's default."""

SPREAD_PPM = 100_000
"""The largest spread of the fillable price, as a part of the position's maintenance margin: the chain's default."""

MAX_FEE_PPM = 5_000
"""The largest liquidation fee as a part of the fill: the chain's default."""

MOST_SUBTICKS = 2**64 - 1


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

    @property
    def initial(self) -> int:
        """Initial margin without regard to open interest."""
        return self.tier.initial_margin(abs(self.notional))


@dataclass(frozen=True)
class Subaccount:
    """USDC, quote quantums, and positions by perpetual."""

    collateral: int
    positions: Mapping[str, TieredPosition]

    @property
    def net(self) -> int:
        """Total net collateral: USDC and the notionals of all positions, shorts below 0."""
        return self.collateral + sum(position.notional for position in self.positions.values())

    @property
    def maintenance(self) -> int:
        """Maintenance margin of all positions."""
        return sum(position.maintenance for position in self.positions.values())

    @property
    def initial(self) -> int:
        """Initial margin of all positions."""
        return sum(position.initial for position in self.positions.values())

    def after(self, perpetual: str, delta: int, quote: int) -> Subaccount:
        """The subaccount once a position moved by base and USDC by quote quantums."""
        position = self.positions[perpetual]
        positions = dict(self.positions)
        positions[perpetual] = replace(position, size=position.size + delta)
        return Subaccount(
            self.collateral + quote, {name: position for name, position in positions.items() if position.size}
        )

    def closing(self, perpetual: str, delta: int) -> TieredPosition:
        """The position that a delta is against and no larger than. Raises CalculatorError where there is none."""
        held = self.positions.get(perpetual)
        if held is None or not 0 < -delta * (1 if held.size > 0 else -1) <= abs(held.size):
            raise CalculatorError(
                f"ErrInvalidPerpetualPositionSizeDelta: {delta} does not close perpetual {perpetual}, of which the "
                f"subaccount has {held.size if held else 0} base quantums: give a delta against the position, no "
                f"larger than it"
            )
        return held


def bankruptcy_quantums(account: Subaccount, perpetual: str, delta: int) -> int:
    """What closing `delta` of a position may come to, in quote quantums, before the subaccount has lost its part.

    -(change of notional) - floor(total net collateral x |change of MM| / total MM): above 0 for a long that is sold,
    below 0 for a short that is bought, and rounded so that the dust is paid by the account. `delta` is against the
    position, and no larger.
    """
    held = account.closing(perpetual, delta)
    left = replace(held, size=held.size + delta)
    total = _needed(account)
    return held.notional - left.notional - account.net * (held.maintenance - left.maintenance) // total


def fillable_price(
    account: Subaccount,
    perpetual: str,
    delta: int,
    adjustment_ppm: int = BANKRUPTCY_ADJUSTMENT_PPM,
    spread_ppm: int = SPREAD_PPM,
) -> Fraction:
    """The limit of a liquidation order, quote quantums of a base quantum, exact; it does not depend on the delta.

    (PNNV - ABR x SMMR x PMMR) / PS, with ABR = BA x (1 - TNC / TMMR) kept from 0 to 1: at the oracle price while the
    subaccount just meets its margin, and by the whole spread away from it once nothing is left.
    """
    held, total = account.closing(perpetual, delta), _needed(account)
    rating = Fraction(adjustment_ppm, PPM) * (1 - Fraction(account.net, total))
    rating = min(Fraction(1), max(Fraction(0), rating))
    price = (held.notional - rating * Fraction(spread_ppm, PPM) * held.maintenance) / held.size
    if price < 0:
        raise CalculatorError("a spread of more than the notional leaves no fillable price")
    return price


def price_in_subticks(price: Fraction, is_long: bool, exponent: int, subticks_per_tick: int) -> int:
    """A fillable price on the tick, up where a long is sold, down where a short is bought, and never below one tick.

    `exponent` is the quantum conversion exponent: a subtick is 10^exponent quote quantums of a base quantum.
    """
    if subticks_per_tick < 1:
        raise CalculatorError("a tick has at least one subtick")
    tick = Fraction(subticks_per_tick)
    round_to = ceil_to if is_long else floor_to
    most = MOST_SUBTICKS - MOST_SUBTICKS % subticks_per_tick
    return min(most, max(subticks_per_tick, int(round_to(price / power(exponent), tick))))


class FundDelta(NamedTuple):
    """What a fill adds to the insurance fund (below 0: costs it), and what the fill and bankruptcy come to."""

    insurance_fund_delta: int
    bankruptcy: int
    fill: int


def insurance_fund_delta(
    account: Subaccount,
    perpetual: str,
    fill: int,
    subticks: int,
    exponent: int,
    *,
    is_buy: bool,
    max_fee_ppm: int = MAX_FEE_PPM,
) -> FundDelta:
    """What a fill of a liquidation order brings the insurance fund, quote quantums.

    What the fill comes to less what closing at bankruptcy would: below 0 the fund pays it, above 0 the fund gets it up
    to the largest fee of the fill, rounded down.
    """
    if fill <= 0:
        raise CalculatorError("ErrInvalidQuantumsForInsuranceFundDeltaCalculation: the fill must be above 0")
    sign = -1 if is_buy else 1
    value = truncated(fill * subticks * power(exponent))
    bankruptcy = bankruptcy_quantums(account, perpetual, -sign * fill)
    delta = sign * value - bankruptcy
    return FundDelta(min(delta, value * max_fee_ppm // PPM) if delta > 0 else delta, bankruptcy, sign * value)


class Deleveraging(NamedTuple):
    """Both subaccounts after a deleveraging, and what it came to for the liquidated one."""

    liquidated: Subaccount
    offsetting: Subaccount
    bankruptcy: int


def deleverage(liquidated: Subaccount, offsetting: Subaccount, perpetual: str, delta: int) -> Deleveraging:
    """Close `delta` of a liquidated position against one of the other side, at the bankruptcy price of the former.

    Refused where one of the two would be left worse than it may be, which is where their bankruptcy prices do not
    overlap.
    """
    bankruptcy = bankruptcy_quantums(liquidated, perpetual, delta)
    offsetting.closing(perpetual, -delta)
    after = liquidated.after(perpetual, delta, bankruptcy), offsetting.after(perpetual, -delta, -bankruptcy)
    for name, before, left in zip(("liquidated", "offsetting"), (liquidated, offsetting), after, strict=True):
        if not may_become(before, left):
            raise CalculatorError(
                f"ErrFailedToUpdateSubaccounts: the {name} subaccount would be left with {left.net} quote quantums "
                f"and a maintenance margin of {left.maintenance}, worse than it may be"
            )
    return Deleveraging(*after, bankruptcy)


def may_become(before: Subaccount, after: Subaccount) -> bool:
    """Whether an update is valid: initial margin is met after it, or else the subaccount is no riskier than before.

    No riskier: maintenance margin does not grow, and net collateral / maintenance margin does not fall; without any
    maintenance margin before and after, net collateral has to grow.
    """
    if after.net >= after.initial:
        return True
    if after.maintenance > before.maintenance:
        return False
    if not after.maintenance or not before.maintenance:
        return after.maintenance == before.maintenance and after.net > before.net
    return after.net * before.maintenance >= before.net * after.maintenance


def _needed(account: Subaccount) -> int:
    """The maintenance margin of a subaccount, which it must have."""
    if not (total := account.maintenance):
        raise CalculatorError(
            "the positions of a subaccount need a maintenance margin: give initial margin and fraction"
        )
    return total
