"""Funding: what a position pays, and the rate that a premium comes to."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from events.rules import FundingPrice
from events.units import SECOND, UNIT
from exchange.calculator import INTEREST, Holding, bounded, clamped_rate, hourly_rate, payment, premium_of
from exchange.calculator.dydx import LiquidityTier, funding_index_delta, funding_settlement_ppm
from exchange.calculator.synthetix import Step, VelocityFunding
from gateway.commands.calc_given import Given
from gateway.commands.calc_text import Answer
from gateway.errors import UsageError

HOUR = 3600 * SECOND


def funding(given: Given) -> tuple[Answer, str]:
    """Funding by the rule of the venue whose inputs were given."""
    for option, answer in _OF_VENUES.items():
        if option in given:
            return answer(given), ""
    if given.terms is not None and given.terms.expiry:
        raise UsageError(f"--symbol: {given.terms.id} is dated: it settles at its expiry and has no funding")
    answer_: dict[str, Fraction] = {}
    rate = given.maybe("rate")
    if rate is None:
        answer_["premium"] = premium = _premium(given)
        answer_["rate"] = rate = _rate(given, premium)
    if "size" in given:
        price = given.positive("index" if given.pack.funding_price is FundingPrice.INDEX else "mark", "price")
        leg = Holding(given.sign(), given.size(), price, given.contract, given.is_inverse)
        paid = payment(leg, price, rate) * _hours(given)
        answer_ |= {"funding": paid, "paid": max(Fraction(0), paid), "received": max(Fraction(0), -paid)}
        if given.is_inverse:
            answer_["funding_in_quote"] = paid * price
    if not answer_:
        raise UsageError("--size is missing")
    return answer_, ""


def _premium(given: Given) -> Fraction:
    if "premium" in given:
        return given.need("premium")
    if "mark" not in given or "index" not in given:
        raise UsageError("--rate is missing, or what it comes from: --premium, or --mark and --index")
    return premium_of(given.positive("mark"), given.positive("index"))


def _rate(given: Given, premium: Fraction) -> Fraction:
    """The rate of one funding interval, within the bounds that were given, or else those of the instrument."""
    pack, terms, interest = given.pack, given.terms, INTEREST
    if terms is not None and (terms.interest or terms.funding_cap):
        interest = Fraction(terms.interest, UNIT)
    rate = premium if pack.premium_hours else clamped_rate(premium, given.number("interest", interest))
    if hours := pack.premium_hours or pack.rate_hours:
        rate = hourly_rate(rate, hours) * _interval(given)
    return bounded(rate, *_bounds(given))


def _bounds(given: Given) -> tuple[Fraction | None, Fraction | None]:
    lowest, highest = given.maybe("floor"), given.maybe("cap")
    if given.terms is None or lowest is not None or highest is not None:
        return lowest, highest
    floor, cap = Fraction(given.terms.funding_floor, UNIT), Fraction(given.terms.funding_cap, UNIT)
    return floor or -cap or None, cap or None


def _interval(given: Given) -> Fraction:
    """The hours of a funding interval: of the instrument, or of all that the pack has."""
    chosen = given.pack.instruments if given.terms is None else (given.terms,)
    intervals = {int(terms.funding_interval) for terms in chosen if terms.funding_interval}
    if len(intervals) != 1:
        raise UsageError(f"--symbol is missing: the funding intervals of {given.pack.id} differ")
    return Fraction(intervals.pop(), HOUR)


def _hours(given: Given) -> Fraction:
    """How many times the rate is paid: by hours where it is that of an hour, else once."""
    if "hours" in given and _interval(given) != 1:
        raise UsageError(f"--hours: the rates of {given.pack.id} are those of a funding interval")
    return given.positive("hours") if "hours" in given else Fraction(1)


def _index_delta(given: Given) -> Answer:
    delta = funding_index_delta(
        given.whole("funding_rate_8h_ppm"),
        given.whole("seconds_since_last_funding"),
        given.whole("price"),
        given.whole("price_exponent"),
        given.whole("atomic_resolution"),
    )
    return {"funding_index_delta": delta}


def _settlement(given: Given) -> Answer:
    indices = given.whole("perp_funding_index"), given.whole("position_funding_index")
    received = funding_settlement_ppm(*indices, given.whole("base_quantums"))
    return {"net_settlement_ppm": received, "funding": -Fraction(received, 10**12)}


def _bound(given: Given) -> Answer:
    tier = LiquidityTier(given.whole("initial_margin_ppm"), given.whole("maintenance_fraction_ppm"))
    return {"max_abs_funding_ppm": tier.max_funding_ppm(given.whole("clamp_factor_ppm"))}


def _velocity(given: Given) -> Answer:
    terms = given.terms
    scale = given.number("skew_scale", Fraction(terms.skew_scale, UNIT) if terms else 0)
    velocity = given.number("max_funding_velocity", Fraction(terms.max_funding_velocity, UNIT) if terms else 0)
    steps = [Step(*step) for step in given.tuples("step", "DAYS:SKEW_DELTA")]
    size = given.sign() * given.size()
    price = given.positive("price", "mark", "index")
    owed = list(VelocityFunding(scale, velocity).accrued(size, price, given.number("initial_skew"), steps))
    return {"accrued_funding": owed, "funding": owed[-1]}


_OF_VENUES: dict[str, Callable[[Given], Answer]] = {
    "funding_rate_8h_ppm": _index_delta,
    "perp_funding_index": _settlement,
    "clamp_factor_ppm": _bound,
    "step": _velocity,
}
"""The option that only one venue's rule has -> that rule."""
