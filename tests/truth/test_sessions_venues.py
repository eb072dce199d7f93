"""Gate, OKX, Bybit, Hyperliquid and the margin models of NautilusTrader, lived through in sessions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from events.instruments import InstrumentId, load_pack
from events.rules import MarginModel
from events.units import UNIT, Rate
from exchange.core.margin.model import requirement
from tests.truth.published import Case, calculated, driven
from tests.truth.sessions import (
    ENDLESS,
    SIDES,
    Held,
    Session,
    brackets_with,
    flags_of,
    in_cross,
    isolated,
    isolated_with,
    terms_of,
    units,
)

GRAINS = UNIT**2


def held(symbol: str, inputs: dict[str, Any]) -> Held:
    return Held(symbol, SIDES[inputs["side"]], Fraction(inputs["size"]), Fraction(inputs["entry_price"]))


PACKS = {"gate": "gate", "okx": "okx", "bybit": "bybit-linear"}


@driven("gate_okx_bybit_linear_isolated")
def test_gate_okx_and_bybit(case: Case) -> None:
    position, shipped = held("COIN", case.inputs), PACKS[case.inputs["venue"]]
    fee = Rate(units(Fraction(case.inputs.get("taker_fee", 0))))
    brackets = brackets_with(case.number("mmr"))
    pack = flags_of(shipped, terms_of(shipped, position, taker_fee=fee, brackets=brackets))
    if "margin" in case.inputs:
        session = isolated_with(pack, position, case.number("margin"), case.whole("leverage"))
    else:
        session = isolated(pack, position, case.whole("leverage"))
        session.add_margin(position, units(case.number("extra_margin")))
    price, tolerance = Fraction(case.expected["liquidation_price"]), Fraction(case.about["tolerance"])
    session.assert_due_at(position, price, tolerance)


HYPERLIQUID = "hyperliquid_liquidation_price"


def assert_due_as_shown(session: Session, case: Case, position: Held) -> None:
    price = Fraction(case.expected["liquidation_price"])
    session.assert_due_at(position, price, price * Fraction(case.about["tolerance_rel"]))


@driven(HYPERLIQUID)
def test_isolated_positions_on_hyperliquid(case: Case) -> None:
    position, pack = held(case.inputs["coin"], case.inputs), load_pack("hyperliquid")
    session = isolated_with(pack, position, case.number("isolated_margin"), case.whole("leverage"))
    contract = session.state.contracts[InstrumentId(position.symbol)]
    assert contract.rules.brackets.max_leverage == case.number("max_leverage")
    assert_due_as_shown(session, case, position)


@driven(HYPERLIQUID, only=lambda case: case.number("leverage") < case.number("max_leverage"))
def test_cross_positions_on_hyperliquid_beside_another_one(case: Case) -> None:
    """Where the wallet holds more by what the other position needs, the price is that of the isolated position."""
    position, pack = held(case.inputs["coin"], case.inputs), load_pack("hyperliquid")
    other = Held("SOL" if position.symbol == "ETH" else "ETH", SIDES["short"], Fraction(1), Fraction(100))
    session = in_cross(pack, case.number("isolated_margin"), [other])
    needed = Fraction(requirement(session.wallet(other)).maintenance, GRAINS)
    session.deposit("ann", needed, "USDC")
    session.leverage(other, 20)
    session.leverage(position, case.whole("max_leverage"))
    session.mark(position.symbol, position.entry)
    session.enter(position)
    session.top_up(position, case.number("isolated_margin") + needed)
    assert_due_as_shown(session, case, position)


MODELS = "nautilus_margin_models"


def in_quote(case: Case) -> bool:
    return bool(case.inputs.get("use_quote_for_inverse", False))


@driven(MODELS, only=lambda case: not in_quote(case))
def test_margin_models(case: Case) -> None:
    number = 1 if "qty_usd" in case.inputs else 0
    rate, size = case.number("margin_rate"), case.number("qty_usd" if number else "qty")
    position = Held("MARKET", SIDES["long"], size, case.number("price"))
    terms = terms_of(
        "nautilus-standard", position, number, initial_margin=Rate(units(rate)), brackets=brackets_with(rate)
    )
    session = Session(flags_of("nautilus-standard", terms, margin_model=MarginModel(case.inputs["model"])))
    session.deposit("ann", ENDLESS, terms.settle)
    session.leverage(position, case.whole("leverage"))
    session.mark(position.symbol, position.entry)
    session.enter(position)
    margin = requirement(session.wallet(position))
    grains = {"init": margin.initial, "maint": margin.maintenance}[case.inputs["kind"]]
    case.has("margin", Fraction(grains, GRAINS))


calculated(
    MODELS, "an inverse contract's margin in its quote currency: the core's is in the settle asset", only=in_quote
)
