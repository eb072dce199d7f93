"""Maintenance amounts of brackets, and the margin models of NautilusTrader."""

from __future__ import annotations

from fractions import Fraction

from events.instruments import load_pack
from events.rules import MarginModel
from exchange.calculator import LONG, Holding, margin_of_model, notional_of, with_cum
from tests.truth.published import Case, about, agrees


@about("binance_leverage_brackets")
def test_the_maintenance_amounts_follow_from_the_brackets(case: Case) -> None:
    brackets = [(Fraction(row["floor"]), Fraction(row["mmr"])) for row in case.inputs["brackets"]]
    found = [tier.cum for tier in with_cum(brackets)]
    assert len(found) == len(case.expected["cum"])
    for n, (figure, published) in enumerate(zip(found, case.expected["cum"], strict=True), 1):
        agrees(f"{case.id}: cum of bracket {n}", figure, published)


def holding(case: Case) -> Holding:
    if "qty_usd" in case.inputs:
        return Holding(LONG, case.number("qty_usd"), case.number("price"), inverse=True)
    return Holding(LONG, case.number("qty"), case.number("price"))


@about("nautilus_margin_models")
def test_margin_models(case: Case) -> None:
    position = holding(case)
    notional = notional_of(position, position.entry, in_quote=case.inputs.get("use_quote_for_inverse", False))
    model, rate = MarginModel(case.inputs["model"]), case.number("margin_rate")
    case.has("margin", margin_of_model(model, notional, rate, case.number("leverage")))


def test_the_pack_has_the_model_that_it_is_named_after() -> None:
    assert load_pack("nautilus-standard").margin_model is MarginModel.STANDARD
