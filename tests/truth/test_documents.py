"""Worked examples from the help pages of exchanges: Bybit, KuCoin, Kraken, Binance, OKX."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from events.instruments import RulePack, load_pack
from events.rules import ExitFee
from events.units import UNIT
from exchange.calculator import (
    LONG,
    SHORT,
    Holding,
    Pool,
    bankruptcy_price,
    hourly_rate,
    initial_margin,
    isolated_wallet,
    liquidation,
    order_cost,
    payment,
    premium_of,
    result_of,
    rules_of,
    with_cum,
)
from exchange.calculator.layers import deleveraging_order, deleveraging_rank, fund_after
from exchange.calculator.scenarios import Holdings, contingency, future_price, scan
from tests.truth.published import Case, about, agrees, contradicted, later, topic

FILE = "exchange_docs_worked_examples"
SIGNS = {"long": LONG, "short": SHORT}


def tick_of(pack: RulePack) -> Fraction:
    return Fraction(pack.instruments[0].tick, UNIT)


@about(FILE, only=topic("linear isolated"))
def test_bybit_linear(case: Case) -> None:
    position = Holding(SIGNS[case.inputs["side"]], case.number("size"), case.number("entry"))
    rules = rules_of(load_pack("bybit-linear"), mmr=case.number("mmr"), cum=case.number("mm_deduction"))
    wallet = isolated_wallet(position, case.number("leverage"), Fraction(case.inputs.get("extra_margin", 0)))
    pool = Pool(wallet, (position,), rules)
    case.has("initial_margin", initial_margin(position.entry_value, case.number("leverage")))
    case.has("maintenance_margin", pool.maintenance(position.entry))
    case.has("liquidation_price", liquidation(pool).shown)


@about(FILE, only=topic("inverse cross"))
def test_bybit_inverse_cross(case: Case) -> None:
    pack, taker = load_pack("bybit-inverse"), case.number("taker")
    position = Holding(SIGNS[case.inputs["side"]], case.number("qty_usd"), case.number("entry"), inverse=True)
    wallet = case.number("account_balance_btc") - case.number("order_margin")
    rules = rules_of(pack, mmr=case.number("mm_rate"), taker_fee=taker, tick=tick_of(pack))
    assert rules.exit_fee is ExitFee.AT_BANKRUPTCY
    case.has("bankruptcy_price", bankruptcy_price(position, wallet, taker))
    case.has("liquidation_price", liquidation(Pool(wallet, (position,), rules)).shown)


@about(FILE, only=topic("inverse isolated liquidation"))
def test_bybit_inverse_isolated(case: Case) -> None:
    pack = load_pack("bybit-inverse")
    position = Holding(SIGNS[case.inputs["side"]], case.number("qty_usd"), case.number("entry"), inverse=True)
    rules = rules_of(pack, mmr=case.number("mmr"), tick=tick_of(pack))
    wallet = isolated_wallet(position, case.number("leverage"))
    case.has("liquidation_price", liquidation(Pool(wallet, (position,), rules)).shown)


@about(FILE, only=topic("linear bankruptcy", "inverse bankruptcy"))
def test_bankruptcy(case: Case) -> None:
    size, inverse = Fraction(case.inputs.get("size", 1)), case.about["topic"].startswith("inverse")
    position = Holding(SIGNS[case.inputs["side"]], size, case.number("entry"), inverse=inverse)
    case.has("bankruptcy_price", bankruptcy_price(position, isolated_wallet(position, case.number("leverage"))))


@about(FILE, only=topic("funding inverse"))
def test_kraken_funding_of_an_inverse_contract(case: Case) -> None:
    index = case.number("index")
    size = case.number("position_usd")
    position = Holding(LONG if size > 0 else SHORT, abs(size), index, inverse=True)
    received = -payment(position, index, case.number("hourly_rate")) * case.number("hours")
    case.has("payment_btc", received)
    case.has("payment_usd", received * index)


@about(FILE, only=topic("funding linear"))
def test_kraken_funding_of_a_linear_contract(case: Case) -> None:
    index, size = case.number("index"), case.number("position_btc")
    premium = premium_of(case.number("perp"), index)
    rate = hourly_rate(premium, load_pack("kraken-futures").premium_hours)
    position = Holding(LONG if size > 0 else SHORT, abs(size), index)
    case.has("premium_pct", premium * 100)
    case.has("hourly_rate_pct", rate * 100)
    case.has("payment_usd", -payment(position, index, rate) * case.number("hours"))


@about(FILE, only=topic("open order initial margin"))
def test_cost_of_an_open_order(case: Case) -> None:
    order = Holding(SIGNS[case.inputs["side"]], case.number("qty"), case.number("order_price"))
    cost = order_cost(order, case.number("mark_price"), case.number("leverage"))
    case.has("initial_margin", cost.initial_margin)
    case.has("open_loss", cost.open_loss)
    case.has("cost", cost.cost)


@about(FILE, only=topic("maintenance amount"))
def test_maintenance_amount(case: Case) -> None:
    brackets = [(Fraction(floor), Fraction(mmr)) for floor, mmr in case.inputs["brackets"]]
    case.has("cum_bracket3", with_cum(brackets)[2].cum)


@about(FILE, only=topic("maintenance amount inverse"))
def test_maintenance_amount_in_coin(case: Case) -> None:
    before, after = (Fraction(0), case.number("mmr_prev")), (case.number("floor_btc"), case.number("mmr"))
    case.has("cum_btc", with_cum([before, after], case.number("cum_prev"))[1].cum)


@about(FILE, only=topic("real isolated liquidation settlement"))
def test_a_settled_liquidation(case: Case) -> None:
    size, contract = case.number("contracts"), case.number("contract_size")
    position = Holding(SIGNS[case.inputs["side"]], size, case.number("open_avg"), contract)
    taker, penalty = case.number("taker"), case.number("liq_penalty_rate")
    result = result_of(position, case.number("close_avg"), open_fee=taker, close_fee=taker, penalty=penalty)
    case.has("pnl", result.pnl)
    case.has("close_fee", result.close_fee)
    case.has("liq_penalty", result.liquidation_penalty)
    case.has("realized_pnl", result.realised)
    agrees(f"{case.id}: total_fee", result.fees, case.inputs["total_fee"], Fraction(1, 1000))


@about(FILE, only=topic("insurance fund"))
def test_a_fund_that_gets_all_beyond_bankruptcy(case: Case) -> None:
    position = Holding(LONG, case.number("size"), case.number("entry"))
    fills = [Fraction(fill) for fill in case.inputs["fills"]]
    after = fund_after(position, case.number("bankruptcy_price"), fills, case.number("fund_start"))
    for n, (figure, published) in enumerate(zip(after, case.expected["fund_after"], strict=True), 1):
        agrees(f"{case.id}: after fill {n}", figure, published)


@about(FILE, only=topic("portfolio margin (futures leg)"))
def test_the_futures_leg_of_a_portfolio_margin(case: Case) -> None:
    case.has("future_price", future_price(case.number("index"), case.number("abr"), case.number("days")))
    case.has("future_contingency", contingency(case.number("index"), case.number("factor"), [case.number("qty")]))


def portfolio(case: Case) -> list[Holdings]:
    sizes = case.inputs["position"]
    return [
        Holdings(Fraction(size), [Fraction(pnl) for pnl in case.inputs[f"risk_array_long_{name}_pnl"]])
        for name, size in sizes.items()
    ]


@about(FILE, only=topic("SPAN scanning risk"))
def test_the_largest_loss_over_sixteen_scenarios(case: Case) -> None:
    found = scan(portfolio(case))
    assert found.pnl == case.expected["portfolio_array_pnl"]
    case.has("scanning_risk", found.risk)


@contradicted(
    FILE,
    "0.1428 % / 24 = 0.00595 % an hour by the page's own formula; printed is 0.01785 % = 0.1428 % / 8",
    only=lambda case: case.about.get("printed") == {"hourly_rate_pct": Decimal("0.01785")},
)
def test_kraken_prints_an_hourly_rate_that_is_an_eighth_of_the_premium(case: Case) -> None:
    premium = premium_of(case.number("perp"), case.number("index"))
    rate = hourly_rate(premium, load_pack("kraken-futures").premium_hours)
    case.has("premium_pct", premium * 100)
    case.has("hourly_rate_pct", rate * 100)
    agrees(f"{case.id}: printed", Fraction("0.1428") / 8, case.about["printed"]["hourly_rate_pct"])


later(FILE, "a queue: that of ZUBR is restated below", only=topic("ADL ranking"))
later(
    FILE,
    "portfolio margin of options: later work",
    only=lambda case: (
        case.about["topic"].startswith("portfolio margin") and not topic("portfolio margin (futures leg)")(case)
    ),
)

ZUBR = [
    ("10.0", "4", "0.4", 5), ("5.0", "0.5", "0.025", 10), ("20.0", "1.2", "0.24", 7), ("5.0", "10", "0.5", 3),
    ("15.0", "2", "0.3", 6), ("3.0", "4", "0.12", 8), ("12.0", "5", "0.6", 2), ("6.0", "0.8", "0.048", 9),
    ("11.0", "11", "1.21", 1), ("7.0", "6", "0.42", 4),
]  # fmt: skip
"""Profit in percent, leverage, rank and order of ten clients. Source: ZUBR, help page 360011816240."""


def test_the_queue_of_ten_clients_as_zubr_prints_it() -> None:
    ranks = [deleveraging_rank(Fraction(profit) / 100, Fraction(leverage)) for profit, leverage, _, _ in ZUBR]
    assert ranks == [Fraction(rank) for _, _, rank, _ in ZUBR]
    assert deleveraging_order(ranks) == [order for *_, order in ZUBR]
