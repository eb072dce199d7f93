"""Liquidation prices that a venue published, or showed for real positions: the exchange liquidates where they say.

Each case is lived through: the position is opened, its margin brought to the figure, and the mark moved to the price.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from events.commands import Side
from events.facts import LiquidationDue
from events.instruments import AssetId, Bracket, InstrumentId, LinearPerp, MarginMode, RulePack
from events.units import UNIT, Atoms, Lots, MarkUnits, Nanos, Rate
from exchange.core.margin.model import notional, requirement, unrealised
from tests.scenario import Scenario, opening
from tests.spec.words import add_margin, deposit, mark_at, open_account, place, resting, set_leverage, set_mode

USDT = AssetId("USDT")
ENDLESS = Atoms(10**12 * UNIT)


class Held(NamedTuple):
    """A position as a case states it."""

    symbol: str
    side: Side
    size: Decimal
    entry: Decimal
    mark: Decimal | None
    mmr: Decimal
    cum: Decimal


def cases_of(path: Path) -> list[dict[str, Any]]:
    """The verified cases, their numbers as decimals."""
    found = json.loads(path.read_text("utf-8"), parse_float=Decimal)["cases"]
    return [case for case in found if case["status"] == "verified"]


def held(stated: dict[str, Any]) -> Held:
    """One position of a case, under whichever names the case gives."""
    size = Decimal(stated.get("size", stated.get("position_amt", 0)))
    is_long = stated["side"] == "long" if "side" in stated else size > 0
    marked = stated.get("mark_price")
    return Held(
        symbol=str(stated.get("pair", stated.get("symbol", "COIN"))),
        side=Side.BUY if is_long else Side.SELL,
        size=abs(size),
        entry=Decimal(stated["entry_price"]),
        mark=None if marked is None else Decimal(marked),
        mmr=Decimal(stated["mmr"]),
        cum=Decimal(stated["maint_amount"]),
    )


def units(amount: Decimal) -> int:
    """10^-8 of it, what is finer left out."""
    return int(amount * UNIT)


def terms(position: Held) -> LinearPerp:
    """An instrument in which the position lies in a bracket of this rate and amount."""
    decimals = max(0, -int(position.size.normalize().as_tuple().exponent))
    rate, amount = Rate(units(position.mmr)), Atoms(units(position.cum))
    brackets = [Bracket(Atoms(0), ENDLESS, 125, rate, Atoms(0))]
    if amount:
        floor = Atoms(2 * amount * UNIT // rate)
        brackets = [
            Bracket(Atoms(0), floor, 125, Rate(rate // 2), Atoms(0)),
            Bracket(floor, ENDLESS, 125, rate, amount),
        ]
    return LinearPerp(
        id=InstrumentId(position.symbol), base=AssetId(f"{position.symbol} coin"), quote=USDT, settle=USDT,
        tick=MarkUnits(10**decimals), lot=10 ** (8 - decimals), min_lots=Lots(1), max_lots=Lots(10**12),
        min_notional=Atoms(0), maker_fee=Rate(0), taker_fee=Rate(0), liquidation_fee=Rate(0),
        funding_interval=Nanos(1), brackets=tuple(brackets),
    )  # fmt: skip


def opened(mode: MarginMode, wallet: int, positions: list[Held]) -> Scenario:
    """A session in which `ann` holds the positions, and has the wallet that the case gives: cross, or isolated."""
    rules = RulePack(
        id="case", version="1", source="the case", market_buy_slippage=Rate(0), max_orders=200, default_leverage=125,
        instruments=tuple(terms(position) for position in positions),
    )  # fmt: skip
    session = Scenario().given(opening(rules), open_account("ann"), open_account("bob"))
    session.given(deposit("bob", ENDLESS, asset=USDT), deposit("ann", wallet, asset=USDT))
    for number, position in enumerate(positions):
        session.given(set_mode("ann", mode, on=position.symbol))
        if mode is MarginMode.ISOLATED:
            session.given(set_leverage("ann", -(-units(position.size * position.entry) // wallet), on=position.symbol))
        session.given(mark_at(units(position.entry), on=position.symbol))
        enter(session, 10 * number + 1, position)
        missing = wallet - session.position("ann", position.symbol).isolated
        if mode is MarginMode.ISOLATED and missing:
            session.given(add_margin("ann", missing, on=position.symbol))
    for position in positions:
        if position.mark is not None:
            session.given(mark_at(units(position.mark), on=position.symbol))
    return session


def enter(session: Scenario, number: int, position: Held) -> None:
    """Trade at the two ticks around the entry price, so many lots at each that the entry value is exact."""
    contract = session.state.contracts[InstrumentId(position.symbol)]
    size = units(position.size) // contract.lot
    ticks, above = divmod(units(position.size * position.entry) // contract.per_tick_lot, size)
    other = Side.SELL if position.side is Side.BUY else Side.BUY
    for price, lots in ((ticks, size - above), (ticks + 1, above)):
        if lots:
            session.given(resting(number, other, price=price, lots=lots, by="bob", on=position.symbol))
            session.given(place(number + 1, position.side, price=price, lots=lots, by="ann", on=position.symbol))
            number += 2


def is_liquidated(session: Scenario, symbol: str, mark: Decimal) -> bool:
    """Whether the mark brings `ann` down."""
    return any(isinstance(fact, LiquidationDue) for fact in session.run(mark_at(units(mark), on=symbol)))


def assert_liquidated_at(session: Scenario, position: Held, price: Decimal, tolerance: Decimal) -> None:
    """A little before the price nothing happens, a little beyond it the position is due."""
    beyond = -tolerance if position.side is Side.BUY else tolerance
    assert not is_liquidated(session, position.symbol, price - beyond)
    assert is_liquidated(session, position.symbol, price + beyond)


def trigger(session: Scenario, position: Held) -> Decimal:
    """The mark at which the watch looks at an isolated position again: the first that is due."""
    watched = session.position("ann", position.symbol)
    return Decimal(watched.low if position.side is Side.BUY else watched.high) / UNIT


def test_prices_of_the_venues_help_pages_and_of_a_trading_bot(cases: Path, subtests: pytest.Subtests) -> None:
    for case in cases_of(cases / "binance_usdm_liquidation_price.json"):
        with subtests.test(case["id"]):
            given, price = case["inputs"], Decimal(case["expected"]["liquidation_price"])
            mode = MarginMode(given["margin_mode"])
            positions = [held(p) for p in (given.get("position", given), *given.get("other_positions", ()))]
            wallet = Decimal(given.get("wallet_balance", given.get("isolated_wallet")))
            tolerance = Decimal(case["tolerance"])
            session = opened(mode, units(wallet), positions)
            if mode is MarginMode.ISOLATED:
                assert abs(trigger(session, positions[0]) - price) <= tolerance
            assert_liquidated_at(session, positions[0], price, tolerance)


def test_prices_and_margins_of_real_isolated_positions(cases: Path, subtests: pytest.Subtests) -> None:
    for case in cases_of(cases / "binance_real_isolated_positions.json"):
        with subtests.test(case["id"]):
            given, figures = case["inputs"], case["expected"]
            position, wallet = held(given), units(Decimal(given["isolated_wallet"]))
            session = opened(MarginMode.ISOLATED, wallet, [position])
            price, tolerance = Decimal(figures["liquidation_price"]), Decimal(case["tolerance_abs"])
            assert abs(trigger(session, position) - price) <= tolerance
            ours = session.position("ann", position.symbol)
            grains = {
                "unrealized_profit": unrealised(ours),
                "isolated_margin": requirement(ours).equity,
                "notional": notional(ours) if ours.lots > 0 else -notional(ours),
            }
            for name, found in grains.items():
                if figures[name] is not None:
                    assert abs(Decimal(found) / UNIT**2 - Decimal(figures[name])) <= Decimal(
                        case["tolerance_abs_pnl_margin"]
                    ), name
            assert_liquidated_at(session, position, price, tolerance + Decimal(1) / UNIT)


def test_there_are_verified_cases(cases: Path) -> None:
    assert len(cases_of(cases / "binance_usdm_liquidation_price.json")) >= 8
    assert len(cases_of(cases / "binance_real_isolated_positions.json")) >= 5
