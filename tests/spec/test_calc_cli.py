"""`ringfence calc`: figures as people and programs read them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from gateway.commands.calc_text import decimal_string, fixed
from tests.command_line import ROOT, python, ringfence

LONG = ("--symbol", "BTCUSDT", "--side", "long", "--size", "1.5", "--entry", "60000")
ANY = ("--side", "short", "--size", "1", "--entry", "10", "--mmr", "0.01", "--taker", "0.0006")


def calc(*words: str) -> dict[str, Any]:
    """The answer as JSON."""
    answer: dict[str, Any] = ringfence("calc", *words, "--json").json
    return answer


def near(answer: dict[str, Any], **figures: str) -> None:
    """Assert that the figures begin like this; the exact ones have many more digits."""
    assert {name: answer[name][: len(text)] for name, text in figures.items()} == figures


def test_a_table_has_aligned_figures_with_their_units() -> None:
    assert ringfence("calc", "liq-price", *LONG, "--leverage", "20").out == (
        "liquidation price        57252.93132328  USDT per BTC\n"
        "liquidation price exact  57252.93132328  USDT per BTC\n"
        "liquidation trigger      57252.93132328  USDT per BTC\n"
        "bankruptcy price                  57000  USDT per BTC\n"
        "notional                          90000  USDT\n"
        "initial margin                     4500  USDT\n"
        "maintenance margin                  400  USDT\n"
        "mmr                               0.005\n"
        "cum                                  50  USDT\n"
        "wallet                             4500  USDT\n"
    )


def test_json_is_one_object_of_decimal_strings_at_full_precision() -> None:
    assert calc("liq-price", "--pack", "gate", "--symbol", "BTCUSDT", "--leverage", "5", "--cum", "0", *ANY) == {
        "liquidation_price": "11.87413417771620819315258262418365327528",
        "liquidation_price_exact": "11.87413417771620819315258262418365327528",
        "liquidation_trigger": "11.87413418",
        "bankruptcy_price": "12",
        "notional": "10",
        "initial_margin": "2",
        "maintenance_margin": "0.106",
        "mmr": "0.01",
        "cum": "0",
        "wallet": "2",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(-1, 3), "-0.3333333333333333333333333333333333333333"),
        (Fraction(2, 3), "0.6666666666666666666666666666666666666667"),
        (Fraction(20_000, 3), "6666.666666666666666666666666666666666667"),
        (Fraction(1, 3 * 10**50), "0." + "0" * 50 + "3" * 40),
        (Fraction(1, 2**60), "0." + str(5**60).rjust(60, "0")),
        (Fraction(10**45), "1" + "0" * 45),
        (Fraction("1.50"), "1.5"),
        (7, "7"),
    ],
)
def test_decimal_strings_are_exact_or_have_forty_digits(value: Fraction | int, text: str) -> None:
    assert decimal_string(value) == text


def test_what_is_fixed_is_rounded_half_to_even() -> None:
    assert [fixed(Fraction(n, 8), 2) for n in (1, 3, -1)] == ["0.12", "0.38", "-0.12"]
    assert fixed(Fraction(-1, 1000), 2) == "0"
    assert fixed(Fraction(5, 2), 0) == "2"


def test_a_wallet_or_added_margin_replaces_what_the_leverage_gives() -> None:
    by_leverage = calc("liq-price", *LONG, "--leverage", "20", "--extra-margin", "500")
    assert by_leverage == {**calc("liq-price", *LONG, "--wallet", "5000"), "initial_margin": "4500"}
    assert calc("liq-price", *LONG, "--wallet", "4500", "--extra-margin", "500")["wallet"] == "5000"


def test_brackets_are_solved_until_the_price_lies_in_its_own() -> None:
    big = ("--symbol", "BTCUSDT", "--side", "long", "--size", "1000", "--entry", "60000", "--leverage", "2")
    near(calc("liq-price", *big), liquidation_price="30478.1122", mmr="0.02", cum="131450")
    given = [f"--bracket={row}" for row in ("0:0.004", "50000:0.005", "250000:0.01")]
    near(calc("liq-price", "--side", "short", "--size", "10", "--entry", "20000", "--leverage", "4", *given), cum="50")


def test_cross_counts_the_other_positions() -> None:
    alone = calc("liq-price", *LONG, "--mode", "cross", "--wallet", "9000")
    beside = calc("liq-price", *LONG, "--mode", "cross", "--wallet", "9400", "--other-mm", "100", "--other-upnl=-300")
    assert alone["liquidation_price"] == beside["liquidation_price"]


def test_both_legs_of_hedge_mode_move_with_the_price() -> None:
    answer = calc("liq-price", *LONG, "--mode", "cross", "--wallet", "9000", "--leg", "short:0.5:61000")
    near(answer, liquidation_price="50933.87")
    assert answer["bankruptcy_price"] is None


def test_a_price_below_zero_is_none() -> None:
    answer = calc("liq-price", *LONG, "--wallet", "100000")
    assert (answer["liquidation_price"], answer["liquidation_trigger"], answer["bankruptcy_price"]) == (None,) * 3
    assert answer["liquidation_price_exact"].startswith("-")
    table = ringfence("calc", "liq-price", *LONG, "--wallet", "100000").out
    assert "liquidation price                  none  USDT per BTC\n" in table
    assert table.endswith("No liquidation price: no mark makes the position due.\n")


PAID = ("--side", "long", "--size", "1", "--entry", "100", "--leverage", "1")
"""A long that all of its value answers for."""


def test_a_position_that_only_a_price_of_zero_would_use_up_has_no_trigger() -> None:
    answer = calc("liq-price", "--symbol", "BTCUSDT", *PAID)
    assert (answer["liquidation_price"], answer["liquidation_trigger"]) == (None, None)
    assert answer["liquidation_price_exact"] == "0"


def test_where_margin_is_rounded_up_to_a_step_it_is_due_below_one_step() -> None:
    """dYdX: at 0.99 of a quote quantum its maintenance margin is a whole one."""
    answer = calc("liq-price", "--pack", "dydx-v4", "--symbol", "BTC-USD", *PAID)
    assert (answer["liquidation_price"], answer["liquidation_trigger"]) == ("0", "0.00000099")


def test_a_debt_is_due_at_every_mark() -> None:
    short = ("--symbol", "BTCUSDT", "--side", "short", "--size", "1", "--entry", "100", "--wallet=-200")
    assert calc("liq-price", *short)["liquidation_trigger"] == "0.00000001"
    assert "the position is due at every mark" in ringfence("calc", "liq-price", *short).out
    coin = ("--pack", "binance-coinm", "--symbol", "BTCUSD_PERP", "--side", "long", "--size", "1", "--entry", "50000")
    assert calc("liq-price", *coin, "--wallet=-1")["liquidation_trigger"] is None
    assert "the position is due at every mark" in ringfence("calc", "liq-price", *coin, "--wallet=-1").out


def test_a_size_below_zero_is_a_short() -> None:
    short = ("--symbol", "ETHUSDT", "--entry", "3000", "--leverage", "10")
    assert calc("liq-price", "--size=-2", *short) == calc("liq-price", "--side", "sell", "--size", "2", *short)
    assert calc("liq-price", "--size", "2", *short) == calc("liq-price", "--side", "BUY", "--size", "2", *short)


def test_prices_on_a_tick_are_rounded_against_the_trader() -> None:
    short = ("--pack", "bybit-inverse", "--symbol", "BTCUSD", "--side", "short", "--size", "10000", "--entry", "8000")
    answer = calc("liq-price", *short, "--mode", "cross", "--wallet", "0.2")
    exact, shown = Fraction(answer["liquidation_price_exact"]), Fraction(answer["liquidation_price"])
    assert 0 <= exact - shown < Fraction(1, 2)
    assert shown % Fraction(1, 2) == 0
    other = ("--pack", "bybit-inverse", *short[4:], "--mode", "cross", "--wallet", "0.2", "--mmr", "0.005")
    taker = ("--taker", "0.00075")
    assert calc("liq-price", *other, *taker, "--tick", "0.5") == answer
    assert Fraction(calc("liq-price", *other, *taker)["liquidation_price"]) == exact


def test_bankruptcy_by_wallet_and_by_share_of_a_cross_pool() -> None:
    near(calc("bankruptcy", *LONG, "--leverage", "7"), bankruptcy_price="51428.57", bankruptcy_price_on_tick="51428.6")
    pool = ("--mode", "cross", "--wallet", "9000", "--mark", "59000")
    assert calc("bankruptcy", *LONG, *pool)["bankruptcy_price"] == "54000"
    near(calc("bankruptcy", *LONG, *pool, "--other-mm", "1000"), bankruptcy_price="57590.66")
    unknown = ("--side", "long", "--size", "1", "--entry", "100", *pool, "--other-mm", "1")
    assert "give --mmr" in ringfence("calc", "bankruptcy", *unknown, status=2).complaint
    assert calc("bankruptcy", *unknown[:6], "--wallet", "200")["bankruptcy_price"] is None


def test_margin_by_mark_by_entry_and_by_notional() -> None:
    at_mark = calc("margin", *LONG[:2], "--size", "1", "--entry", "60000", "--mark", "50000", "--leverage", "10")
    near(at_mark, notional="50000", initial_margin="5000", maintenance_margin="200", pnl="-10000")
    near(at_mark, equity="-4000")
    assert at_mark["margin_ratio"] is None
    at_entry = calc("margin", "--pack", "bybit-linear", *LONG, "--mark", "1", "--leverage", "10")
    near(at_entry, notional="90000", initial_margin="9000", maintenance_margin="450")
    assert calc("margin", *LONG[:2], "--notional=-50000", "--leverage", "10") == {
        "notional": "50000",
        "initial_margin": "5000",
        "maintenance_margin": "200",
        "mmr": "0.005",
        "cum": "50",
    }
    assert calc("margin", "--pack", "gate", "--notional", "1000", "--mmr", "0.01", "--taker", "0.0005") == {
        "notional": "1000",
        "maintenance_margin": "10.5",
        "mmr": "0.01",
        "cum": "0",
    }


def test_margin_ratio_of_a_cross_pool() -> None:
    pool = ("--mode", "cross", "--wallet", "1000", "--other-mm", "60", "--other-upnl", "40")
    answer = calc("margin", "--side", "long", "--size", "1", "--entry", "100", "--mark", "60", "--mmr", "0.5", *pool)
    near(answer, equity="1000", margin_ratio="0.09")


def test_margin_by_rates_of_notional() -> None:
    by_pack = calc("margin", "--pack", "nautilus-standard", "--symbol", "AUD/USD", "--size", "100000", "--price", "0.8")
    assert by_pack == {"notional": "80000", "initial_margin": "2400", "maintenance_margin": "2400"}
    given = calc("margin", "--model", "leveraged", "--notional", "80000", "--leverage", "10", "--imr", "0.03")
    assert given == {"notional": "80000", "initial_margin": "240"}


def test_margin_by_open_interest() -> None:
    link = ("margin", "--pack", "dydx-v4", "--symbol", "LINK-USD", "--size", "1200", "--mark", "12.5000001")
    near(calc(*link), initial_margin="1500.000012", maintenance_margin="750.000006", initial_margin_rate="0.1")
    near(calc(*link, "--open-interest", "50000000"), initial_margin="15000.00012", initial_margin_rate="1")


def test_a_rate_comes_from_the_premium_by_the_rule_of_the_pack() -> None:
    near(calc("funding", "--premium", "0.0002"), rate="0.0001")
    near(calc("funding", "--premium", "0.002"), rate="0.0015")
    near(calc("funding", "--premium", "0.05", "--cap", "0.003"), rate="0.003")
    near(calc("funding", "--premium=-0.05", "--floor=-0.003", "--cap", "0.003"), rate="-0.003")
    near(calc("funding", "--mark", "101", "--index", "100", "--interest", "0.01"), premium="0.01", rate="0.01")
    kraken = ("funding", "--pack", "kraken-futures", "--symbol", "PF_XBTUSD", "--premium", "0.0024", "--size", "1")
    near(calc(*kraken, "--index", "50000", "--hours", "8"), rate="0.0001", funding="40")


def test_funding_is_paid_by_longs_while_the_rate_is_above_zero() -> None:
    paid = calc(
        "funding", "--symbol", "BTCUSDT", "--side", "long", "--size", "2", "--mark", "60000", "--rate", "0.0001"
    )
    assert paid == {"funding": "12", "paid": "12", "received": "0"}
    coin = ("--pack", "binance-coinm", "--symbol", "BTCUSD_PERP", "--size=-5", "--mark", "50000", "--rate", "0.0001")
    assert calc("funding", *coin) == {
        "funding": "-0.000001",
        "paid": "0",
        "received": "0.000001",
        "funding_in_quote": "-0.05",
    }
    assert ringfence("calc", "funding", *coin).out.endswith("funding in quote      -0.05  USD\n")


def test_funding_of_a_skewed_market_by_what_its_pack_states() -> None:
    steps = ("--step", "1:-60", "--step", "2:10")
    given = ("--skew-scale", "8000000", "--max-funding-velocity-per-day", "36")
    market = ("funding", "--pack", "synthetix-v3", "--size", "20", "--price", "2", "--initial-skew", "4000")
    assert calc(*market, "--symbol", "KAITO", *steps) == calc(*market, *given, *steps)


def test_what_a_position_came_to() -> None:
    answer = calc("pnl", *LONG, "--mark", "62000", "--open-fee", "0.0002", "--funding=-3")
    near(answer, pnl="3000", open_fee="-18", close_fee="-46.5", total_fee="-64.5", funding="-3", realised_pnl="2932.5")
    coin = ("--pack", "binance-coinm", "--symbol", "BTCUSD_PERP", "--side", "long", "--size", "10", "--entry", "40000")
    assert calc("pnl", *coin, "--exit", "50000", "--taker", "0")["pnl"] == "0.005"


def test_a_market_order_reserves_by_the_book() -> None:
    order = ("cost", "--symbol", "BTCUSDT", "--size", "1", "--leverage", "10", "--mark", "60000")
    near(calc(*order, "--side", "buy", "--ask", "60010"), price="60040.005", open_loss="40.005")
    near(calc(*order, "--side", "buy"), price="60000", cost="6000", fee="30", reserve="6030")
    near(calc(*order, "--side", "sell", "--bid", "59000"), price="60000", open_loss="0")
    near(calc(*order, "--side", "sell", "--bid", "60100"), price="60100", open_loss="0")


def test_the_largest_order_is_in_whole_lots_and_within_the_limits() -> None:
    order = ("max-size", "--side", "long", "--price", "60000")
    near(
        calc(*order, "--symbol", "BTCUSDT", "--available", "1000", "--leverage", "20"), max_size="0.33", reserve="999.9"
    )
    near(calc(*order, "--symbol", "BTCUSDT", "--available", "10000000", "--leverage", "125"), max_size="0.833")
    assert calc(*order, "--symbol", "BTCUSDT", "--available", "1", "--leverage", "1") == {
        "max_size": "0",
        "price": "60000",
    }
    near(calc(*order, "--available", "1000", "--leverage", "3"), max_size="0.05")
    near(calc(*order, "--available", "1000", "--leverage", "7", "--lot", "0.01"), max_size="0.11", reserve="942.857")
    near(
        calc(*order, "--symbol", "BTCUSDT", "--available", "1000", "--leverage", "20", "--mark", "59000"),
        max_size="0.24",
    )


WHOLE = (
    *(
        "--symbol",
        "BTCUSDT",
        "--side",
        "long",
        "--size",
        "1",
        "--entry",
        "60000",
        "--mode",
        "cross",
        "--leverage",
        "20",
    ),
    *("--wallet", "9000", "--extra-margin", "500", "--order-margin", "200", "--other-mm", "100", "--other-upnl", "7"),
    *("--mmr", "0.004", "--cum", "0", "--taker", "0.0005", "--contract", "1"),
)


@pytest.mark.parametrize(
    ("question", "also"),
    [
        ("liq-price", ()),
        ("margin", ("--mark", "59000")),
        ("bankruptcy", ()),
        ("max-size", ()),
        ("funding", ("--mark", "59000", "--rate", "0.0001")),
        ("pnl", ("--mark", "59000")),
        ("cost", ("--mark", "59000")),
    ],
)
def test_every_question_takes_the_whole_description_of_a_position(question: str, also: tuple[str, ...]) -> None:
    assert calc(question, *WHOLE, *also)
    complaint = ringfence("calc", question, *WHOLE[:-1], "x", *also, status=2).complaint
    assert complaint == "--contract: 'x' is not a decimal number"


def test_without_a_wallet_a_position_has_what_its_leverage_asks_for() -> None:
    cross = calc("liq-price", *LONG, "--mode", "cross", "--leverage", "20")
    assert cross == calc("liq-price", *LONG, "--mode", "Isolated", "--leverage", "20")
    assert cross["wallet"] == cross["initial_margin"] == "4500"


def test_margin_that_orders_hold_does_not_answer_for_the_position() -> None:
    held = calc("liq-price", *LONG, "--mode", "cross", "--wallet", "9000", "--order-margin", "1000")
    assert held == calc("liq-price", *LONG, "--mode", "cross", "--wallet", "8000")


def test_other_positions_count_one_by_one_as_in_sum() -> None:
    rows = ("--other", "long:2:3000:2900:0.01", "--other", "short:10:150:140:0.02:8")  # MM 58 + 20, PnL -200 + 100
    pool = (*LONG, "--mode", "cross", "--wallet", "9000")
    summed = calc("liq-price", *pool, "--other-mm", "78", "--other-upnl=-100")
    assert calc("liq-price", *pool, *rows) == summed
    assert calc("bankruptcy", *pool, *rows) == calc("bankruptcy", *pool, "--other-mm", "78", "--other-upnl=-100")


def test_fees_may_be_given_as_the_amount_that_was_paid() -> None:
    answer = calc("pnl", *LONG, "--exit-price", "62000", "--taker", "0.0005", "--total-fee=-90")
    near(answer, pnl="3000", close_fee="-46.5", open_fee="-43.5", total_fee="-90", realised_pnl="2910")


def test_each_perpetual_of_a_subaccount_may_have_a_tier_of_its_own() -> None:
    closing = (
        *("bankruptcy", "--pack", "dydx-v4", "--usdc-quote-quantums", "510000000", "--perpetual-id", "1"),
        *("--delta-base-quantums", "100000000"),
    )
    tier = ("--initial-margin-ppm", "200000", "--maintenance-fraction-ppm", "500000")
    alike = calc(*closing, *tier, "--position", "0:-400000:500", "--position", "1:-100000000:3")
    assert alike == {"bankruptcy_price_quote_quantums": "-306000000"}
    # Net 10,000,000; MM 10 % of 200,000,000 and 5 % of 300,000,000: 15/35 of it, rounded down, may be lost.
    own = calc(*closing, *tier, "--position", "0:-400000:500", "--position", "1:-100000000:3:100000:500000")
    assert own == {"bankruptcy_price_quote_quantums": "-304285714"}


def test_every_question_has_help() -> None:
    for question in ("liq-price", "bankruptcy", "margin", "pnl", "funding", "cost", "max-size"):
        assert "Calculate" in ringfence("calc", question, "--help").out


def test_the_command_line_starts_without_the_calculator() -> None:
    code = (
        "import gateway.cli, sys; print([m for m in ('exchange', 'events.instruments', 'msgspec') if m in sys.modules])"
    )
    assert python("-c", code, folder=ROOT).out == "['msgspec']\n"


def test_a_dated_inverse_contract_is_inverse() -> None:
    asked = ("--pack", "binance-coinm", "--side", "short", "--size", "100", "--entry", "37000", "--leverage", "10")
    dated = ringfence("calc", "pnl", *asked, "--exit", "36000", "--symbol", "BTCUSD_210924", "--json").json
    assert (
        dated["pnl"]
        == ringfence("calc", "pnl", *asked, "--exit", "36000", "--symbol", "BTCUSD_PERP", "--json").json["pnl"]
    )
    short = ringfence("calc", "liq-price", *asked, "--symbol", "BTCUSD_210924", "--json").json
    assert float(short["liquidation_price"]) > 37_000


def test_funding_takes_cap_and_interest_of_the_pack_and_none_of_a_dated_contract() -> None:
    asked = ("calc", "funding", "--side", "long", "--size", "1", "--mark", "60000")
    assert ringfence(*asked, "--symbol", "BTCUSDT", "--index", "50000", "--json").json["rate"] == "0.003"
    assert ringfence(*asked, "--symbol", "BNBUSDT", "--index", "60000", "--json").json["rate"] == "0"
    assert (
        ringfence(*asked, "--symbol", "BTCUSDT", "--index", "50000", "--cap", "0.01", "--json").json["rate"] == "0.01"
    )
    said = ringfence(*asked, "--symbol", "BTCUSDT_241227", "--rate", "0.01", status=2)
    assert said.complaint == "--symbol: BTCUSDT_241227 is dated: it settles at its expiry and has no funding"
