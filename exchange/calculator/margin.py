"""What a position has to hold: initial margin, and what the margin models of other systems make of the same notional.

Initial margin is notional / leverage (Binance and its kin), or a rate of notional whatever the leverage (standard), or
a rate of notional / leverage (leveraged). Source: Binance, "Leverage and Margin of USDⓈ-M Futures"; NautilusTrader,
margin models.
"""

from __future__ import annotations

from fractions import Fraction

from events.rules import MarginModel
from exchange.calculator.amounts import CalculatorError
from exchange.calculator.holding import Holding


def isolated_wallet(leg: Holding, leverage: Fraction, extra: Fraction = Fraction(0)) -> Fraction:
    """What an isolated position is opened with: entry value / leverage, and what was added to it."""
    return initial_margin(leg.entry_value, leverage) + extra


def initial_margin(notional: Fraction, leverage: Fraction) -> Fraction:
    """Notional / leverage."""
    if leverage <= 0:
        raise CalculatorError("leverage must be above 0")
    return notional / leverage


def margin_of_model(model: MarginModel, notional: Fraction, rate: Fraction, leverage: Fraction) -> Fraction:
    """Initial or maintenance margin of a notional by a model that goes by rates."""
    if model is MarginModel.LEVERAGED:
        return initial_margin(notional, leverage) * rate
    if model is MarginModel.STANDARD:
        return notional * rate
    raise CalculatorError("the margin model leverage has no rate: use initial_margin")


def notional_of(leg: Holding, price: Fraction, in_quote: bool = False) -> Fraction:
    """The value of a position at a price; of an inverse one in the quote asset where that is wanted."""
    return leg.quantity if in_quote and leg.inverse else leg.value(price)
