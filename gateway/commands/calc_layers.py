"""What a liquidation leaves to the fund and to the queue, and margin by scenarios."""

from __future__ import annotations

from fractions import Fraction

from exchange.calculator.holding import Holding
from exchange.calculator.layers import deleveraging_order, deleveraging_rank, fund_after
from exchange.calculator.scenarios import Holdings, scan
from gateway.commands.calc_given import Given, number_of
from gateway.commands.calc_text import Answer
from gateway.errors import UsageError


def fund(given: Given) -> tuple[Answer, str]:
    """The fund after each liquidation."""
    bankruptcy = given.positive("bankruptcy_price")
    leg = Holding(given.sign(), given.size(), bankruptcy, given.contract, given.is_inverse)
    fills = [fill for (fill,) in given.tuples("fill", "PRICE")]
    if not fills:
        raise UsageError("--fill is missing")
    return {"fund_after": list(fund_after(leg, bankruptcy, fills, given.number("fund_start")))}, ""


def rank(given: Given) -> tuple[Answer, str]:
    """Rank and place of each position."""
    rows = given.tuples("position", "PROFIT:LEVERAGE")
    if not rows:
        raise UsageError("--position is missing")
    ranks = [deleveraging_rank(*row) for row in rows]
    return {"adl_rank": ranks, "adl_order": [Fraction(place) for place in deleveraging_order(ranks)]}, ""


def scanning_risk(given: Given) -> tuple[Answer, str]:
    """A portfolio over its scenarios."""
    portfolio = [
        Holdings(number_of(size, "--array"), [number_of(pnl, "--array") for pnl in array.split(",")])
        for size, array in given.parts("array", "SIZE:PNL,PNL,...")
    ]
    found = scan(portfolio)
    return {"portfolio_array_pnl": found.pnl, "scanning_risk": found.risk}, ""
