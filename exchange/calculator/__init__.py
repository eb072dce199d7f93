"""The questions that traders ask most, answered exactly: Fractions in, Fractions out, nothing is read or changed.

=============================  =====================================================================================
liquidation                    liquidation price of a Pool: exact, as the venue shows it, and the first due mark unit
bankruptcy_price               where nothing is left; `cross_wallet` for a position of a cross pool
initial_margin, maintenance    what a position has to hold; `with_cum` works out maintenance amounts
result_of                      PnL of a closed position with fees, funding and penalty
payment                        funding; `premium_of`, `hourly_rate` and `clamped_rate` for its rate
order_cost, max_size           what an order costs, and the largest that available balance opens
dydx, subaccount               dYdX: margins and funding of a tier, and what a liquidation comes to
synthetix, drift               what only these venues have
layers                         what a liquidation brings a fund, and the queue for auto-deleveraging
scenarios                      scanning risk, and the futures leg of a portfolio margin
=============================  =====================================================================================

A position is a `Holding`, the rules of a venue are `Rules`: `rules_of(load_pack("gate"), mmr=..., taker_fee=...)`.
Examples: `docs/calculator.md`.
"""

from exchange.calculator.amounts import CalculatorError
from exchange.calculator.bankruptcy import bankruptcy_price, cross_wallet, rounded_to_be_safe
from exchange.calculator.funding import INTEREST, bounded, clamped_rate, hourly_rate, payment, premium_of
from exchange.calculator.holding import LONG, SHORT, Holding
from exchange.calculator.liquidation import Liquidation, Pool, liquidation
from exchange.calculator.margin import initial_margin, isolated_wallet, margin_of_model, notional_of
from exchange.calculator.orders import Cost, market_price, max_size, order_cost
from exchange.calculator.result import Result, result_of
from exchange.calculator.rules import Rules, rules_of
from exchange.calculator.schedule import Schedule, Tier, flat, maintenance, schedule_of, tier_at, with_cum

__all__ = [
    "INTEREST",
    "LONG",
    "SHORT",
    "CalculatorError",
    "Cost",
    "Holding",
    "Liquidation",
    "Pool",
    "Result",
    "Rules",
    "Schedule",
    "Tier",
    "bankruptcy_price",
    "bounded",
    "clamped_rate",
    "cross_wallet",
    "flat",
    "hourly_rate",
    "initial_margin",
    "isolated_wallet",
    "liquidation",
    "maintenance",
    "margin_of_model",
    "market_price",
    "max_size",
    "notional_of",
    "order_cost",
    "payment",
    "premium_of",
    "result_of",
    "rounded_to_be_safe",
    "rules_of",
    "schedule_of",
    "tier_at",
    "with_cum",
]
