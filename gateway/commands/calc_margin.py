"""Margins: of a position by its venue's schedule or model, and by the rules that only some venues have."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor

from events.rules import MaintenanceBasis, MarginModel
from events.units import UNIT
from exchange.calculator import LONG, Holding, Rules, initial_margin, maintenance, margin_of_model, notional_of, tier_at
from exchange.calculator.drift import asset_weight, liability_weight
from exchange.calculator.dydx import PPM, LiquidityTier, notional_quantums
from exchange.calculator.synthetix import SkewedPosition, available_margin
from gateway.commands.calc_given import Given
from gateway.commands.calc_prices import pool_of
from gateway.commands.calc_text import Answer
from gateway.errors import UsageError

Figures = dict[str, Fraction | int | None]


def margin(given: Given) -> tuple[Answer, str]:
    """Margins by the rule of the venue whose inputs were given."""
    for option, answer in _OF_VENUES.items():
        if option in given:
            return answer(given), ""
    if "bracket" in given and "notional" not in given and "size" not in given:
        return {"cum": [tier.cum for tier in given.schedule()]}, ""
    notional, sized = _notional(given), "notional" not in given
    model = _model(given)
    if model is MarginModel.LEVERAGE and "imr" in given:
        raise UsageError("--imr goes with --model standard or leveraged")
    figures: Figures = {"notional": notional}
    if given.terms is not None and given.pack.margin_step and "imr" not in given and "mmr" not in given:
        figures |= _by_tier(given, notional)
    elif model is MarginModel.LEVERAGE:
        figures |= _by_schedule(given, notional)
    else:
        figures |= _by_rates(given, notional, model)
    if sized and "entry" in given:
        figures |= _of_pool(given, figures.get("maintenance_margin"))
    return figures, ""


def _model(given: Given) -> MarginModel:
    asked = given.text("model")
    if not asked:
        return given.pack.margin_model
    try:
        return MarginModel(asked)
    except ValueError:
        raise UsageError(f"--model: {asked!r} is none of {', '.join(m.value for m in MarginModel)}") from None


def _notional(given: Given) -> Fraction:
    """The value that margins are a part of."""
    if "notional" in given:
        return abs(given.need("notional"))
    at_entry = given.pack.maintenance_basis is MaintenanceBasis.ENTRY and "entry" in given
    names = ("entry", "mark", "price") if at_entry else ("mark", "price", "entry")
    leg = Holding(LONG, given.size(), given.positive(*names), given.contract, given.is_inverse)
    return notional_of(leg, leg.entry, given.flag("in_quote"))


def _by_schedule(given: Given, notional: Fraction) -> Figures:
    rules = given.rules()
    tier = tier_at(rules.schedule, notional)
    needed = maintenance(rules.schedule, notional) + notional * rules.fee_at_mark
    held = {"initial_margin": initial_margin(notional, given.leverage())} if "leverage" in given else {}
    return {**held, "maintenance_margin": needed, "mmr": tier.mmr, "cum": tier.cum}


def _by_rates(given: Given, notional: Fraction, model: MarginModel) -> Figures:
    terms, leverage = given.terms, given.leverage() if "leverage" in given else Fraction(1)
    rates = {"initial_margin": given.maybe("imr"), "maintenance_margin": given.maybe("mmr")}
    if terms is not None and rates["initial_margin"] is None:
        rates["initial_margin"] = Fraction(terms.initial_margin, UNIT) or None
    if rates["maintenance_margin"] is None and (terms is not None or "max_leverage" in given):
        rates["maintenance_margin"] = given.rules().schedule[0].mmr
    found = {n: margin_of_model(model, notional, r, leverage) for n, r in rates.items() if r is not None}
    if not found:
        raise UsageError(f"the margin model {model.value} needs --imr or --mmr, or an instrument that states them")
    return {**found}


def _by_tier(given: Given, notional: Fraction) -> Figures:
    """By the liquidity tier that the instrument states, in whole steps of the pack."""
    assert given.terms is not None
    terms, step = given.terms, Fraction(given.pack.margin_step, UNIT)
    tier = LiquidityTier(
        terms.initial_margin * PPM // UNIT,
        terms.maintenance_fraction * PPM // UNIT,
        floor(Fraction(terms.open_interest_lower, UNIT) / step),
        floor(Fraction(terms.open_interest_upper, UNIT) / step),
    )
    value, interest = floor(notional / step), floor(given.number("open_interest") / step)
    return {
        "initial_margin": tier.initial_margin(value, interest) * step,
        "maintenance_margin": tier.maintenance_margin(value) * step,
        "initial_margin_rate": Fraction(tier.effective_initial_margin_ppm(interest), PPM),
    }


def _of_pool(given: Given, needed: Fraction | int | None) -> Figures:
    """Unrealised PnL and, where the wallet is known, equity and margin ratio of the pool."""
    mark = given.positive("mark", "price", "entry")
    figures: Figures = {"pnl": given.holding("entry").pnl(mark)}
    if "wallet" in given or ("leverage" in given and given.mode == "isolated"):
        pool = pool_of(given, Rules(()))
        figures["equity"] = equity = pool.equity(mark)
        if needed is not None:
            figures["margin_ratio"] = (needed + pool.other_maintenance) / equity if equity > 0 else None
    return figures


def _quantums(given: Given) -> Answer:
    """What a dYdX liquidity tier asks for, by as much as was given."""
    tier = LiquidityTier(
        given.whole("initial_margin_ppm"),
        given.whole("maintenance_fraction_ppm", 0),
        given.whole("oi_lower_cap", 0),
        given.whole("oi_upper_cap", 0),
    )
    interest = given.whole("oi_notional", 0)
    figures: Figures = {"maintenance_margin_ppm": tier.maintenance_margin_ppm}
    notional = given.whole("position_notional_quote_quantums") if "position_notional_quote_quantums" in given else None
    if "base_quantums" in given:
        price = given.whole("price"), given.whole("price_exponent"), given.whole("atomic_resolution")
        notional = notional_quantums(given.whole("base_quantums"), *price)
        if "open_interest_base_quantums" in given:
            interest = notional_quantums(given.whole("open_interest_base_quantums"), *price)
    figures["effective_initial_margin_ppm"] = tier.effective_initial_margin_ppm(interest)
    if notional is not None:
        figures["notional_quote_quantums"] = notional
        figures["initial_margin_quote_quantums"] = initial = tier.initial_margin(notional, interest)
        figures["maintenance_margin_quote_quantums"] = needed = tier.maintenance_margin(notional)
        figures |= {"initial_margin": Fraction(initial, PPM), "maintenance_margin": Fraction(needed, PPM)}
    return figures


def _cross_account(given: Given) -> Answer:
    rows = given.tuples("position", "SIZE:OPEN:MARK:SKEW_SCALE[:SKEW]")
    positions = [SkewedPosition(*row) for row in rows]
    collateral = given.need("collateral")
    return {"pnl": [p.pnl for p in positions], "available_margin": available_margin(collateral, positions)}


def _weights(given: Given) -> Answer:
    size = given.whole("size_1e9") if "size_1e9" in given else floor(given.size() * 10**9)
    factor = given.whole("imf_factor")
    if size < 0:
        raise UsageError("--size-1e9 must not be below 0")
    if "liability_weight" in given:
        return {"weight": liability_weight(size, factor, given.whole("liability_weight"))}
    return {"weight": asset_weight(size, factor, given.whole("asset_weight"))}


_OF_VENUES: dict[str, Callable[[Given], Answer]] = {
    "initial_margin_ppm": _quantums,
    "position": _cross_account,
    "imf_factor": _weights,
}
"""The option that only one venue's rule has -> that rule."""
