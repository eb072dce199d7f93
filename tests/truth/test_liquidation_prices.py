"""Liquidation prices that venues published: Binance USD-M and COIN-M, Gate, OKX, Bybit, Hyperliquid."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from events.instruments import load_pack
from exchange.calculator import (
    LONG,
    SHORT,
    Holding,
    Liquidation,
    Pool,
    Rules,
    isolated_wallet,
    liquidation,
    rules_of,
    schedule_of,
)
from tests.truth.published import Case, about

SIGNS = {"long": LONG, "short": SHORT}
PACKS = {"gate": "gate", "okx": "okx", "bybit": "bybit-linear"}


def linear(inputs: dict[str, Any]) -> Holding:
    return Holding(SIGNS[inputs["side"]], Fraction(inputs["size"]), Fraction(inputs["entry_price"]))


def inverse(case: Case) -> Holding:
    size, contract = case.number("contracts"), case.number("contract_usd")
    return Holding(SIGNS[case.inputs["side"]], size, case.number("entry_price"), contract, inverse=True)


def binance(inputs: dict[str, Any]) -> Rules:
    mmr, cum = Fraction(inputs["mmr"]), Fraction(inputs["maint_amount"])
    return rules_of(load_pack("binance-usdm"), mmr=mmr, cum=cum)


def beside(inputs: dict[str, Any]) -> Pool:
    """Another position of the same account."""
    return Pool(Fraction(0), (linear(inputs),), binance(inputs))


def of_binance(case: Case) -> Liquidation:
    if "position" not in case.inputs:
        return liquidation(Pool(case.number("isolated_wallet"), (linear(case.inputs),), binance(case.inputs)))
    position, others = case.inputs["position"], case.inputs["other_positions"]
    maintenance = sum(beside(other).maintenance(Fraction(other["mark_price"])) for other in others)
    pnl = sum(linear(other).pnl(Fraction(other["mark_price"])) for other in others)
    pool = Pool(
        case.number("wallet_balance"), (linear(position),), binance(position), Fraction(maintenance), Fraction(pnl)
    )
    return liquidation(pool)


@about("binance_usdm_liquidation_price")
def test_binance_usdm(case: Case) -> None:
    case.has("liquidation_price", of_binance(case).shown)


@about("binance_real_isolated_positions")
def test_positions_as_binance_reported_them(case: Case) -> None:
    amount, mark = case.number("position_amt"), case.number("mark_price")
    position = Holding(LONG if amount > 0 else SHORT, abs(amount), case.number("entry_price"))
    pool = Pool(case.number("isolated_wallet"), (position,), binance(case.inputs))
    case.has("liquidation_price", liquidation(pool).shown)
    case.has("unrealized_profit", position.pnl(mark), "tolerance_abs_pnl_margin")
    case.has("isolated_margin", pool.equity(mark), "tolerance_abs_pnl_margin")
    if case.expected["notional"] is not None:
        case.has("notional", position.sign * position.value(mark), "tolerance_abs_pnl_margin")


def coinm(case: Case) -> Rules:
    return rules_of(load_pack("binance-coinm"), mmr=case.number("mmr"), cum=case.number("cum_btc"))


@about("binance_coinm_inverse", only=lambda case: "liquidation_price" in case.expected)
def test_binance_coinm(case: Case) -> None:
    pool = Pool(case.number("wallet_balance_btc"), (inverse(case),), coinm(case))
    case.has("liquidation_price", liquidation(pool).shown)


@about("binance_coinm_inverse", only=lambda case: "maintenance_margin_btc" in case.expected)
def test_binance_coinm_margin_at_the_mark(case: Case) -> None:
    mark = case.number("mark_price")
    position = Holding(LONG, case.number("contracts"), mark, case.number("contract_usd"), inverse=True)
    case.has("notional_btc", position.value(mark))
    case.has("maintenance_margin_btc", Pool(Fraction(0), (position,), coinm(case)).maintenance(mark))


@about("binance_coinm_inverse", only=lambda case: "unrealized_profit" in case.expected)
def test_binance_coinm_unrealised_pnl(case: Case) -> None:
    case.has("unrealized_profit", inverse(case).pnl(case.number("mark_price")))


@about("gate_okx_bybit_linear_isolated")
def test_gate_okx_and_bybit(case: Case) -> None:
    position, inputs = linear(case.inputs), case.inputs
    taker = Fraction(inputs.get("taker_fee", 0))
    rules = rules_of(load_pack(PACKS[inputs["venue"]]), mmr=case.number("mmr"), taker_fee=taker)
    opened = isolated_wallet(position, case.number("leverage"), Fraction(inputs.get("extra_margin", 0)))
    pool = Pool(Fraction(inputs.get("margin", opened)), (position,), rules)
    case.has("liquidation_price", liquidation(pool).shown)
    case.has("liquidation_price", liquidation(replace(pool, wallet=opened)).shown)


@about("hyperliquid_liquidation_price")
def test_positions_as_hyperliquid_reported_them(case: Case) -> None:
    pack = load_pack("hyperliquid")
    terms = next(terms for terms in pack.instruments if terms.id == case.inputs["coin"])
    assert terms.brackets[0].max_leverage == case.number("max_leverage")
    pool = Pool(case.number("isolated_margin"), (linear(case.inputs),), rules_of(pack, terms))
    assert pool.rules.schedule == schedule_of(terms)
    case.has("liquidation_price", liquidation(pool).shown)
