"""Synthetix, lived through in sessions whose fills and funding rates are those that the skew makes."""

from __future__ import annotations

from fractions import Fraction

from events.commands import ApplyFunding, Side
from events.facts import FundingPaid
from events.instruments import RulePack
from events.units import UNIT, Rate
from exchange.calculator.synthetix import Step, VelocityFunding, fill_price
from exchange.core.margin.model import requirement, unrealised
from tests.truth.published import Case, agrees, calculated, driven
from tests.truth.sessions import ENDLESS, Held, brackets_with, flags_of, in_cross, terms_of, units

SYNTHETIX, DRIFT = "synthetix_v3_cross_margin", "drift_liquidation_math"
GRAINS = UNIT**2


def pack_of(positions: list[Held]) -> RulePack:
    """The shipped flags over markets of small margins without a skew: a session is told what it comes to."""
    small = {"initial_margin": Rate(UNIT // 100), "brackets": brackets_with(Fraction(1, 200))}
    none = {"skew_scale": 0, "max_funding_velocity": 0, "tick": 1}
    return flags_of("synthetix-v3", *(terms_of("synthetix-v3", held, **small, **none) for held in positions))


def side_of(size: Fraction) -> Side:
    return Side.BUY if size > 0 else Side.SELL


@driven(SYNTHETIX, only=lambda case: "available_margin" in case.expected)
def test_the_margin_of_a_cross_account(case: Case) -> None:
    columns = (case.inputs[name] for name in ("markets", "sizes", "open_prices", "skew_scale"))
    positions = []
    for market, size, price, scale in zip(*columns, strict=True):
        filled = fill_price(Fraction(price), Fraction(size), Fraction(0), Fraction(scale))
        positions.append(Held(market, side_of(size), Fraction(abs(size)), filled))
    session = in_cross(pack_of(positions), case.number("collateral_usd"), positions)
    for held, mark, pnl in zip(positions, case.inputs["mark_prices"], case.expected["pnl"], strict=True):
        session.mark(held.symbol, Fraction(mark))
        agrees(f"{case.id}: pnl in {held.symbol}", Fraction(unrealised(session.position(held)), GRAINS), pnl)
    case.has("available_margin", Fraction(requirement(session.wallet(positions[0])).equity, GRAINS))


@driven(SYNTHETIX, only=lambda case: "accrued_funding" in case.expected)
def test_funding_whose_rate_has_a_velocity(case: Case) -> None:
    """The rate of a step is what a unit of value owes after it less what it owed before, to the 10^-8 of a Rate."""
    size = case.number("position")
    held = Held("MARKET", side_of(size), abs(size), case.number("price"))
    session = in_cross(pack_of([held]), ENDLESS, [held])
    market = VelocityFunding(case.number("skew_scale"), case.number("max_funding_velocity_per_day"))
    steps = [Step(Fraction(step["days"]), Fraction(step["skew_delta"])) for step in case.inputs["steps"]]
    rates = list(market.accrued(Fraction(1), Fraction(1), case.number("initial_skew"), steps))
    owed = before = 0
    for n, (rate, published) in enumerate(zip(rates, case.expected["accrued_funding"], strict=True), 1):
        session.ask(ApplyFunding, instrument=held.symbol, rate=units(rate) - before)
        owed -= sum(f.amount for f in session.proceed() if isinstance(f, FundingPaid) and f.account == "ann")
        before = units(rate)
        agrees(f"{case.id}: after step {n}", Fraction(owed, UNIT), published)


calculated(
    DRIFT,
    "a margin ratio that grows with the size, or weights of collateral and debt: no pack has them",
    only=lambda case: case.inputs["kind"].endswith(("_weight", "_transfer", "_vs_cross")),
)
calculated(
    DRIFT,
    "how much of a position, and what for the fund and the liquidator, frees the margin that is short: no style does",
    only=lambda case: case.inputs["kind"] in ("base_to_cover", "perp_if_fee", "liquidation_fee_ramp"),
)
calculated(
    DRIFT,
    "a loss that is shared by size, losers included: the core's winners share it by their profit",
    only=lambda case: case.inputs["kind"] == "socialized_loss_funding_delta",
)
