"""Bankruptcy price: where nothing is left of the equity that answers for a position.

Isolated `BP = EP - s x W / Q`, inverse `Q x C / BP = Q x C / EP + s x W`. In a cross pool each position answers with
its share of the pool's equity E, `share = MM / sum of MM`, so that `BP = P - s x E x share / Q`. A venue that keeps the
fee for closing inside the margin has it paid at this very price. Source: Bybit, "Bankruptcy Price"; `docs/margin.md`.
"""

from __future__ import annotations

from fractions import Fraction

from exchange.calculator.amounts import ceil_to, floor_to
from exchange.calculator.holding import LONG, Holding


def bankruptcy_value(leg: Holding, wallet: Fraction, exit_fee: Fraction = Fraction(0)) -> Fraction:
    """The value at which wallet + PnL - exit_fee x value is zero; below 0 where that is at no price."""
    return (leg.direction * leg.entry_value - wallet) / (leg.direction - exit_fee)


def bankruptcy_price(leg: Holding, wallet: Fraction, exit_fee: Fraction = Fraction(0)) -> Fraction | None:
    """The price at which wallet + PnL is zero after paying the exit fee (a rate of value) there.

    Below 0 where that is at no price; None where an inverse position is worth nothing there. For a position of a cross
    pool, `wallet` is what `cross_wallet` says.
    """
    return leg.price(bankruptcy_value(leg, wallet, exit_fee))


def cross_wallet(leg: Holding, mark: Fraction, equity: Fraction, maintenance: Fraction, others: Fraction) -> Fraction:
    """The wallet that a position of a cross pool would have if it were isolated with its share of the equity.

    `equity` is the pool's, `maintenance` the MM of the position, `others` that of the rest of the pool.
    """
    total = maintenance + others
    share = maintenance / total if total else Fraction(1)
    return equity * share - leg.pnl(mark)


def rounded_to_be_safe(price: Fraction, sign: int, tick: Fraction) -> Fraction:
    """The bankruptcy price on a tick at which the account cannot end below zero: up for a long, down for a short."""
    return ceil_to(price, tick) if sign == LONG else floor_to(price, tick)
