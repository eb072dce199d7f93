"""Binance USD-M and COIN-M, lived through in sessions: due where the venue says, at the margins that it reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from events.commands import Side
from events.instruments import Bracket, Instrument, Leg, RulePack
from events.units import UNIT, Atoms, Rate
from exchange.calculator import with_cum
from exchange.core.margin.model import notional, requirement, unrealised
from tests.truth.published import Case, agrees, driven, topic
from tests.truth.sessions import (
    ENDLESS,
    SIDES,
    Held,
    Session,
    brackets_with,
    flags_of,
    in_cross,
    isolated_with,
    terms_of,
    units,
)

USDM, COINM = "binance-usdm", "binance-coinm"
GRAINS = UNIT**2


def held(inputs: dict[str, Any]) -> Held:
    """A position under the names that the file gives its figures."""
    symbol = str(inputs.get("pair", "COIN"))
    return Held(symbol, SIDES[inputs["side"]], Fraction(inputs["size"]), Fraction(inputs["entry_price"]))


def terms(inputs: dict[str, Any]) -> Instrument:
    brackets = brackets_with(Fraction(inputs["mmr"]), Fraction(inputs["maint_amount"]))
    return terms_of(USDM, held(inputs), brackets=brackets)


@driven("binance_usdm_liquidation_price")
def test_liquidation_prices_of_usdm(case: Case) -> None:
    stated = [case.inputs.get("position", case.inputs), *case.inputs.get("other_positions", ())]
    positions = [held(inputs) for inputs in stated]
    pack = flags_of(USDM, *(terms(inputs) for inputs in stated))
    if case.inputs["margin_mode"] == "cross":
        session = in_cross(pack, case.number("wallet_balance"), positions)
    else:
        wallet = case.number("isolated_wallet" if "isolated_wallet" in case.inputs else "wallet_balance")
        session = isolated_with(pack, positions[0], wallet)
    for position, inputs in zip(positions, stated, strict=True):
        if "mark_price" in inputs:
            session.mark(position.symbol, Fraction(inputs["mark_price"]))
    case_is_due(session, case, positions[0])


def case_is_due(session: Session, case: Case, position: Held) -> None:
    tolerance = Fraction(case.about["tolerance" if "tolerance" in case.about else "tolerance_abs"])
    session.assert_due_at(position, Fraction(case.expected["liquidation_price"]), tolerance)


@driven("binance_real_isolated_positions")
def test_isolated_positions_in_hedge_mode_as_the_venue_reported_them(case: Case) -> None:
    amount = case.number("position_amt")
    side, leg = (Side.BUY, Leg.LONG) if amount > 0 else (Side.SELL, Leg.SHORT)
    position = Held(case.inputs["symbol"], side, abs(amount), case.number("entry_price"), leg)
    brackets = brackets_with(case.number("mmr"), case.number("maint_amount"))
    pack = flags_of(USDM, terms_of(USDM, position, brackets=brackets))
    session = isolated_with(pack, position, case.number("isolated_wallet"), case.whole("leverage"), hedged=True)
    session.mark(position.symbol, case.number("mark_price"))
    ours = session.position(position)
    case.has("unrealized_profit", Fraction(unrealised(ours), GRAINS), "tolerance_abs_pnl_margin")
    case.has("isolated_margin", Fraction(requirement(ours).equity, GRAINS), "tolerance_abs_pnl_margin")
    if case.expected["notional"] is not None:
        size = notional(ours) if ours.lots > 0 else -notional(ours)
        case.has("notional", Fraction(size, GRAINS), "tolerance_abs_pnl_margin")
    case_is_due(session, case, position)


FILE = "binance_coinm_inverse"


def coin(case: Case, entry: str = "entry_price") -> Held:
    return Held("COIN", SIDES[case.inputs.get("side", "long")], case.number("contracts"), case.number(entry))


def coin_terms(case: Case, position: Held) -> Instrument:
    brackets = brackets_with(case.number("mmr"), case.number("cum_btc"))
    face = UNIT * case.whole("contract_usd")
    return terms_of(COINM, position, contract_value=face, brackets=brackets)


@driven(FILE, only=lambda case: "liquidation_price" in case.expected)
def test_liquidation_prices_of_coinm(case: Case) -> None:
    position = coin(case)
    pack = flags_of(COINM, coin_terms(case, position))
    case_is_due(in_cross(pack, case.number("wallet_balance_btc"), [position]), case, position)


@driven(FILE, only=lambda case: "maintenance_margin_btc" in case.expected)
def test_margins_of_coinm_at_the_mark(case: Case) -> None:
    position = coin(case, "mark_price")
    session = in_cross(flags_of(COINM, coin_terms(case, position)), Fraction(1), [position])
    case.has("notional_btc", Fraction(notional(session.position(position)), GRAINS))
    case.has("maintenance_margin_btc", Fraction(requirement(session.wallet(position)).maintenance, GRAINS))


@driven(FILE, only=lambda case: "unrealized_profit" in case.expected)
def test_unrealised_pnl_of_coinm(case: Case) -> None:
    position = coin(case)
    pack = flags_of(COINM, coin_terms(case, position))
    session = isolated_with(pack, position, case.number("isolated_margin"), case.whole("leverage"))
    session.mark(position.symbol, case.number("mark_price"))
    case.has("unrealized_profit", Fraction(unrealised(session.position(position)), GRAINS))


def cum_of(pack: RulePack, floors: Iterable[Fraction]) -> list[Fraction]:
    """The maintenance amounts that sessions have: notional x mmr less MM of a position at the floor of each bracket."""
    terms = pack.instruments[0]
    found = []
    for bracket, floor in zip(terms.brackets, floors, strict=True):
        position = Held(terms.id, Side.BUY, floor or Fraction(1), Fraction(1))
        session = in_cross(pack, ENDLESS, [position])
        value, margin = notional(session.position(position)), requirement(session.wallet(position))
        assert value == position.size * GRAINS
        found.append(Fraction(value * bracket.mmr - margin.maintenance * UNIT, GRAINS * UNIT))
    return found


def brackets_of(rows: Sequence[tuple[Fraction, Fraction]], cums: Sequence[Fraction]) -> tuple[Bracket, ...]:
    """Brackets of these (floor, mmr) and maintenance amounts."""
    caps = [floor for floor, _ in rows[1:]] + [ENDLESS]
    return tuple(
        Bracket(Atoms(units(floor)), Atoms(units(cap)), 1, Rate(units(mmr)), Atoms(units(cum)))
        for (floor, mmr), cap, cum in zip(rows, caps, cums, strict=True)
    )


def pack_with(brackets: tuple[Bracket, ...]) -> RulePack:
    """The flags of the venue over a market whose lots are worth 0.01 at a price of 1."""
    position = Held("COIN", Side.BUY, Fraction(1, 100), Fraction(1))
    return flags_of(USDM, terms_of(USDM, position, brackets=brackets), default_leverage=1)


@driven("binance_leverage_brackets")
def test_maintenance_amounts_of_brackets(case: Case) -> None:
    rows = [(Fraction(row["floor"]), Fraction(row["mmr"])) for row in case.inputs["brackets"]]
    pack = pack_with(brackets_of(rows, [tier.cum for tier in with_cum(rows)]))
    found = cum_of(pack, [floor for floor, _ in rows])
    for n, (figure, published) in enumerate(zip(found, case.expected["cum"], strict=True), 1):
        agrees(f"{case.id}: cum of bracket {n}", figure, published)


DOCUMENTS = "exchange_docs_worked_examples"


@driven(DOCUMENTS, only=topic("maintenance amount"))
def test_the_maintenance_amount_of_a_third_bracket(case: Case) -> None:
    rows = [(Fraction(floor), Fraction(mmr)) for floor, mmr in case.inputs["brackets"]]
    pack = pack_with(brackets_of(rows, [tier.cum for tier in with_cum(rows)]))
    case.has("cum_bracket3", cum_of(pack, [floor for floor, _ in rows])[2])


@driven(DOCUMENTS, only=topic("maintenance amount inverse"))
def test_a_maintenance_amount_in_coin(case: Case) -> None:
    """The bracket before is reached over one of half its rate, as far as gives it its maintenance amount."""
    before, cum = case.number("mmr_prev"), case.number("cum_prev")
    rows = [(Fraction(0), before / 2), (2 * cum / before, before), (case.number("floor_btc"), case.number("mmr"))]
    cums = [tier.cum for tier in with_cum(rows)]
    assert cums[1] == cum
    case.has("cum_btc", cum_of(pack_with(brackets_of(rows, cums)), [floor for floor, _ in rows])[2])
