"""The published figures again, asked of the command line: one kind of case after the other."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.command_line import ringfence
from tests.truth.published import Case, about, agrees

DOCUMENTS = "exchange_docs_worked_examples"
PACKS = {"gate": "gate", "okx": "okx", "bybit": "bybit-linear"}


def asked(question: str, **options: Any) -> dict[str, Any]:
    """The answer to a question; an option that is None is left out."""
    words = [
        word for name, value in options.items() if value is not None for word in (f"--{name.replace('_', '-')}", value)
    ]
    answer: dict[str, Any] = json.loads(ringfence("calc", question, *words, "--json").out)
    return answer


def figure(answer: dict[str, Any], name: str) -> Fraction:
    return Fraction(Decimal(answer[name]))


def topic(name: str) -> Any:
    return lambda case: case.about["topic"] == name


def of_position(inputs: dict[str, Any]) -> dict[str, Any]:
    """The options that describe a linear position in the words of the cases."""
    return {
        "side": inputs["side"],
        "size": inputs["size"],
        "entry": inputs["entry_price"],
        "mmr": inputs.get("mmr"),
        "cum": inputs.get("maint_amount"),
        "taker": inputs.get("taker_fee"),
        "leverage": inputs.get("leverage"),
    }


@about("binance_usdm_liquidation_price", only=lambda case: "position" not in case.inputs)
def test_binance_by_leverage(case: Case) -> None:
    answer = asked("liq-price", symbol="BTCUSDT", **of_position(case.inputs))
    case.has("liquidation_price", figure(answer, "liquidation_price"))


@about("binance_usdm_liquidation_price", only=lambda case: "position" in case.inputs)
def test_binance_by_wallet(case: Case) -> None:
    inputs, other = case.inputs, {"maintenance_margin": "0", "pnl": "0"}
    for position in inputs["other_positions"]:
        other = asked("margin", symbol=position["pair"], mark=position["mark_price"], **of_position(position))
    options = {"symbol": inputs["position"]["pair"], "mode": inputs["margin_mode"], "wallet": inputs["wallet_balance"]}
    options |= of_position(inputs["position"])
    answer = asked("liq-price", **options, other_mm=other["maintenance_margin"], other_upnl=other["pnl"])
    case.has("liquidation_price", figure(answer, "liquidation_price"))
    names = ("side", "size", "entry_price", "mark_price", "mmr", "maint_amount")
    for position in inputs["other_positions"]:
        options |= {"other": ":".join(str(position[name]) for name in names)}
    assert asked("liq-price", **options)["liquidation_price"] == answer["liquidation_price"]


@about("binance_real_isolated_positions")
def test_positions_as_binance_reported_them(case: Case) -> None:
    inputs = case.inputs
    options = {"symbol": inputs["symbol"], "size": inputs["position_amt"], "entry": inputs["entry_price"]}
    options |= {"wallet": inputs["isolated_wallet"], "mmr": inputs["mmr"], "cum": inputs["maint_amount"]}
    case.has("liquidation_price", figure(asked("liq-price", **options), "liquidation_price"))
    answer = asked("margin", mark=inputs["mark_price"], **options)
    case.has("unrealized_profit", figure(answer, "pnl"), "tolerance_abs_pnl_margin")
    case.has("isolated_margin", figure(answer, "equity"), "tolerance_abs_pnl_margin")


@about("binance_coinm_inverse", only=lambda case: "liquidation_price" in case.expected)
def test_coin_margined_positions(case: Case) -> None:
    inputs = case.inputs
    options = {"mode": "cross", "side": inputs["side"], "size": inputs["contracts"], "contract": inputs["contract_usd"]}
    options |= {"entry": inputs["entry_price"], "wallet": inputs["wallet_balance_btc"]}
    options |= {"mmr": inputs["mmr"], "cum": inputs["cum_btc"]}
    answer = asked("liq-price", pack="binance-coinm", symbol="BTCUSD_PERP", **options)
    case.has("liquidation_price", figure(answer, "liquidation_price"))


@about("binance_coinm_inverse", only=lambda case: "unrealized_profit" in case.expected)
def test_coin_margined_pnl(case: Case) -> None:
    inputs = case.inputs
    prices = {"entry": inputs["entry_price"], "exit": inputs["mark_price"]}
    answer = asked(
        "pnl", pack="binance-coinm", symbol="BTCUSD_PERP", side=inputs["side"], size=inputs["contracts"], **prices
    )
    case.has("unrealized_profit", figure(answer, "pnl"))


@about("gate_okx_bybit_linear_isolated")
def test_gate_okx_and_bybit(case: Case) -> None:
    answer = asked("liq-price", pack=PACKS[case.inputs["venue"]], symbol="ADAUSDT", **of_position(case.inputs))
    case.has("liquidation_price", figure(answer, "liquidation_price"))


@about("hyperliquid_liquidation_price")
def test_hyperliquid(case: Case) -> None:
    options = of_position(case.inputs) | {"leverage": None, "wallet": case.inputs["isolated_margin"]}
    by_symbol = asked("liq-price", pack="hyperliquid", symbol=case.inputs["coin"], **options)
    by_leverage = asked("liq-price", pack="hyperliquid", max_leverage=case.inputs["max_leverage"], **options)
    case.has("liquidation_price", figure(by_symbol, "liquidation_price"))
    assert by_symbol == by_leverage


@about(DOCUMENTS, only=topic("inverse cross"))
def test_bybit_inverse_cross(case: Case) -> None:
    inputs = case.inputs
    options = {"mode": "cross", "side": inputs["side"], "size": inputs["qty_usd"], "entry": inputs["entry"]}
    options |= {
        "wallet": inputs["account_balance_btc"],
        "order_margin": inputs["order_margin"],
        "mmr": inputs["mm_rate"],
        "taker": inputs["taker"],
    }
    answer = asked("liq-price", pack="bybit-inverse", symbol="BTCUSD", **options)
    case.has("liquidation_price", figure(answer, "liquidation_price"))
    case.has("bankruptcy_price", figure(answer, "bankruptcy_price"))


@about(DOCUMENTS, only=topic("inverse isolated liquidation"))
def test_bybit_inverse_isolated(case: Case) -> None:
    inputs = case.inputs
    options = {"side": inputs["side"], "size": inputs["qty_usd"], "entry": inputs["entry"], "mmr": inputs["mmr"]}
    answer = asked("liq-price", pack="bybit-inverse", symbol="BTCUSD", leverage=inputs["leverage"], **options)
    case.has("liquidation_price", figure(answer, "liquidation_price"))


@about(DOCUMENTS, only=topic("linear isolated"))
def test_bybit_linear(case: Case) -> None:
    inputs = case.inputs
    options = {"side": inputs["side"], "size": inputs["size"], "entry": inputs["entry"], "leverage": inputs["leverage"]}
    options |= {"mmr": inputs["mmr"], "cum": inputs["mm_deduction"]}
    answer = asked("liq-price", pack="bybit-linear", symbol="BTCUSDT", **options)
    for name in ("initial_margin", "maintenance_margin", "liquidation_price"):
        case.has(name, figure(answer, name))


@about(DOCUMENTS, only=topic("linear bankruptcy"))
def test_bankruptcy_of_a_linear_position(case: Case) -> None:
    answer = asked("bankruptcy", **{name: case.inputs[name] for name in ("side", "entry", "leverage")})
    case.has("bankruptcy_price", figure(answer, "bankruptcy_price"))


@about(DOCUMENTS, only=topic("inverse bankruptcy"))
def test_bankruptcy_of_an_inverse_position(case: Case) -> None:
    given = {name: case.inputs[name] for name in ("side", "entry", "leverage")}
    answer = asked("bankruptcy", pack="bybit-inverse", **given)
    case.has("bankruptcy_price", figure(answer, "bankruptcy_price"))


@about(DOCUMENTS, only=topic("funding inverse"))
def test_kraken_inverse_funding(case: Case) -> None:
    options = {"size": case.inputs["position_usd"], "index": case.inputs["index"], "rate": case.inputs["hourly_rate"]}
    options |= {"hours": case.inputs["hours"]}
    answer = asked("funding", pack="kraken-futures", symbol="PI_XBTUSD", **options)
    case.has("payment_btc", figure(answer, "received"))


@about(DOCUMENTS, only=topic("funding linear"))
def test_kraken_linear_funding(case: Case) -> None:
    inputs = case.inputs
    options = {
        "size": inputs["position_btc"],
        "index": inputs["index"],
        "mark": inputs["perp"],
        "hours": inputs["hours"],
    }
    answer = asked("funding", pack="kraken-futures", symbol="PF_XBTUSD", **options)
    case.has("payment_usd", figure(answer, "received"))
    agrees(f"{case.id}: rate", figure(answer, "rate") * 100, case.expected["hourly_rate_pct"], Fraction(1, 10**6))


@about(DOCUMENTS, only=topic("open order initial margin"))
def test_cost(case: Case) -> None:
    inputs = case.inputs
    options = {"side": inputs["side"], "size": inputs["qty"], "price": inputs["order_price"]}
    answer = asked("cost", symbol="BTCUSDT", mark=inputs["mark_price"], leverage=inputs["leverage"], **options)
    for name in ("initial_margin", "open_loss", "cost"):
        case.has(name, figure(answer, name))


@about(DOCUMENTS, only=topic("real isolated liquidation settlement"))
def test_a_settled_liquidation(case: Case) -> None:
    inputs = case.inputs
    options = {"symbol": inputs["inst"], "side": inputs["side"], "leverage": inputs["leverage"]}
    options |= {"size": inputs["contracts"], "contract": inputs["contract_size"]}
    options |= {"entry": inputs["open_avg"], "exit": inputs["close_avg"]}
    options |= {"taker": inputs["taker"], "penalty": inputs["liq_penalty_rate"]}
    answer = asked("pnl", pack="okx", **options)
    for published, name in (("pnl", "pnl"), ("close_fee", "close_fee"), ("liq_penalty", "liquidation_penalty")):
        case.has(published, figure(answer, name))
    case.has("realized_pnl", figure(answer, "realised_pnl"))
    case.has("realized_pnl", figure(asked("pnl", **options, total_fee=inputs["total_fee"]), "realised_pnl"))


@about("binance_leverage_brackets")
def test_maintenance_amounts(case: Case) -> None:
    rows = [f"--bracket={row['floor']}:{row['mmr']}" for row in case.inputs["brackets"]]
    found = ringfence("calc", "margin", *rows, "--json").json["cum"]
    for n, (figure, published) in enumerate(zip(found, case.expected["cum"], strict=True), 1):
        agrees(f"{case.id}: cum of bracket {n}", Fraction(figure), published)


@about("nautilus_margin_models")
def test_margin_models(case: Case) -> None:
    inputs = case.inputs
    inverse = "qty_usd" in inputs
    symbol = "XBTUSD" if inverse else "AUD/USD"
    name, rate = ("initial_margin", "--imr") if inputs["kind"] == "init" else ("maintenance_margin", "--mmr")
    words = [
        "--size",
        inputs.get("qty", inputs.get("qty_usd")),
        "--price",
        inputs["price"],
        rate,
        inputs["margin_rate"],
    ]
    words += ["--leverage", inputs["leverage"], "--model", inputs["model"]]
    words += ["--in-quote"] if inputs.get("use_quote_for_inverse") else []
    answer = ringfence("calc", "margin", "--pack", "nautilus-standard", "--symbol", symbol, *words, "--json").json
    case.has("margin", figure(answer, name))


@about("dydx_liquidity_tier_margin")
def test_dydx_tiers(case: Case) -> None:
    answer = asked("margin", pack="dydx-v4", **case.inputs)
    for name in case.expected:
        case.has(name, figure(answer, name))


@about("dydx_funding")
def test_dydx_funding(case: Case) -> None:
    answer = asked("funding", pack="dydx-v4", **case.inputs)
    for name in case.expected:
        case.has(name, figure(answer, name))


SUBACCOUNTS = {
    "dydx_bankruptcy_price": "bankruptcy",
    "dydx_fillable_price": "fillable-price",
    "dydx_insurance_fund_delta": "insurance-fund-delta",
    "dydx_deleveraging": "deleverage",
}
"""File -> the question that its cases are about."""


def words_of(inputs: dict[str, Any], whose: str = "") -> list[str]:
    """The inputs of a case about a subaccount as options of the same names."""
    words = []
    for name, value in inputs.items():
        option = f"--{whose}{name.replace('_', '-')}"
        if name == "liquidated":
            words += words_of(value)
        elif name == "offsetting":
            words += words_of(value, "offsetting-")
        elif name == "positions":
            prices = {0: 500, 1: 3}
            words += [
                f"--{whose}position={held['perpetual']}:{held['base_quantums']}:{prices[held['perpetual']]}"
                for held in value
            ]
        elif isinstance(value, bool):
            words.append("--is-buy" if value else "--is-sell")
        else:
            words += [option, str(value)]
    return words


def of_subaccount(case: Case) -> None:
    """What the command line says is what the case expects, also where that is an error."""
    words = [SUBACCOUNTS[case.file], *words_of(case.inputs)]
    words += ["--initial-margin-ppm", "200000", "--maintenance-fraction-ppm", "500000", "--json"]
    if "error" in case.expected:
        assert ringfence("calc", *words, status=2).complaint.startswith(case.expected["error"])
        return
    answer = ringfence("calc", *words).json
    for name, value in case.expected.items():
        if isinstance(value, dict):
            assert figure(answer, f"{name}_usdc_quote_quantums") == value["usdc_quote_quantums"]
            left = sum(held["base_quantums"] for held in value["positions"])
            assert figure(answer, f"{name}_base_quantums") == left
        elif name != "fillable_price_usd":
            case.has(name, figure(answer, name))


@about("dydx_bankruptcy_price")
def test_dydx_bankruptcy_prices(case: Case) -> None:
    of_subaccount(case)


@about("dydx_fillable_price")
def test_dydx_fillable_prices(case: Case) -> None:
    of_subaccount(case)


@about("dydx_insurance_fund_delta")
def test_dydx_insurance_fund_deltas(case: Case) -> None:
    of_subaccount(case)


@about("dydx_deleveraging")
def test_dydx_deleveraging(case: Case) -> None:
    of_subaccount(case)


@about("synthetix_v3_cross_margin", only=lambda case: "available_margin" in case.expected)
def test_synthetix_accounts(case: Case) -> None:
    columns = (case.inputs[name] for name in ("sizes", "open_prices", "mark_prices", "skew_scale"))
    positions = [f"--position={':'.join(map(str, row))}" for row in zip(*columns, strict=True)]
    collateral = ("--collateral", case.inputs["collateral_usd"])
    answer = ringfence("calc", "margin", "--pack", "synthetix-v3", *collateral, *positions, "--json").json
    assert [Fraction(pnl) for pnl in answer["pnl"]] == [Fraction(pnl) for pnl in case.expected["pnl"]]
    case.has("available_margin", figure(answer, "available_margin"))


@about("synthetix_v3_cross_margin", only=lambda case: "accrued_funding" in case.expected)
def test_synthetix_funding(case: Case) -> None:
    names = {"skew_scale": "skew-scale", "max_funding_velocity_per_day": "max-funding-velocity", "price": "price"}
    names |= {"position": "size", "initial_skew": "initial-skew"}
    words = [word for name, option in names.items() for word in (f"--{option}", case.inputs[name])]
    words += [f"--step={step['days']}:{step['skew_delta']}" for step in case.inputs["steps"]]
    answer = ringfence("calc", "funding", "--pack", "synthetix-v3", *words, "--json").json
    for n, (owed, published) in enumerate(
        zip(answer["accrued_funding"], case.expected["accrued_funding"], strict=True)
    ):
        agrees(f"{case.id}: after step {n + 1}", Fraction(owed), published)


@about("drift_liquidation_math", only=lambda case: "weight" in case.expected)
def test_drift_weights(case: Case) -> None:
    names = {"imf_factor", "liability_weight", "asset_weight"} & case.inputs.keys()
    options = {name: case.inputs[name] for name in names}
    answer = asked("margin", pack="drift", size=Decimal(case.inputs["size_1e9"]).scaleb(-9), **options)
    case.has("weight", figure(answer, "weight"))
    assert asked("margin", pack="drift", size_1e9=case.inputs["size_1e9"], **options) == answer


@about(DOCUMENTS, only=topic("insurance fund"))
def test_an_insurance_fund(case: Case) -> None:
    inputs = case.inputs
    fills = [word for fill in inputs["fills"] for word in ("--fill", fill)]
    words = ["--size", inputs["size"], "--bankruptcy-price", inputs["bankruptcy_price"], *fills]
    answer = ringfence("calc", "fund", *words, "--fund-start", inputs["fund_start"], "--json").json
    assert [Fraction(after) for after in answer["fund_after"]] == [Fraction(f) for f in case.expected["fund_after"]]


@about(DOCUMENTS, only=topic("SPAN scanning risk"))
def test_a_scenario_matrix(case: Case) -> None:
    words = [
        f"--array={size}:{','.join(map(str, case.inputs[f'risk_array_long_{name}_pnl']))}"
        for name, size in case.inputs["position"].items()
    ]
    answer = ringfence("calc", "scanning-risk", *words, "--json").json
    assert [Fraction(pnl) for pnl in answer["portfolio_array_pnl"]] == case.expected["portfolio_array_pnl"]
    case.has("scanning_risk", figure(answer, "scanning_risk"))
