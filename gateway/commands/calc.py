"""`ringfence calc`: each question has a function that makes an answer of what was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exchange.calculator import CalculatorError
from gateway.commands.calc_funding import funding
from gateway.commands.calc_given import Given
from gateway.commands.calc_layers import fund, rank, scanning_risk
from gateway.commands.calc_margin import margin
from gateway.commands.calc_orders import cost, largest
from gateway.commands.calc_prices import bankruptcy, liq_price, pnl
from gateway.commands.calc_subaccount import deleveraged, fillable, fund_delta
from gateway.commands.calc_text import Answer, show
from gateway.errors import UsageError

QUESTIONS: dict[str, Callable[[Given], tuple[Answer, str]]] = {
    "liq-price": liq_price,
    "bankruptcy": bankruptcy,
    "margin": margin,
    "pnl": pnl,
    "funding": funding,
    "cost": cost,
    "max-size": largest,
    "fillable-price": fillable,
    "insurance-fund-delta": fund_delta,
    "deleverage": deleveraged,
    "fund": fund,
    "adl-rank": rank,
    "scanning-risk": scanning_risk,
}
"""Question -> what answers it, with a note for people."""


def run(question: str, options: Mapping[str, Any]) -> int:
    """Answer the question and print the answer. Returns 0; what cannot be answered raises UsageError or PackError."""
    given = Given(options)
    given.check()
    try:
        answer, note = QUESTIONS[question](given)
    except CalculatorError as error:
        raise UsageError(str(error)) from error
    show(answer, given, note)
    return 0
