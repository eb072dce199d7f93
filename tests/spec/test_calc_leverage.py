"""`ringfence calc`: leverages that an instrument can have, and the brackets that are told."""

from __future__ import annotations

import pytest

from tests.command_line import ringfence
from tests.spec.test_calc_cli import calc


@pytest.mark.parametrize("question", ["liq-price", "bankruptcy", "cost", "max-size", "margin"])
@pytest.mark.parametrize("leverage", ["126", "0.5"])
def test_a_leverage_that_the_instrument_cannot_have_is_refused(question: str, leverage: str) -> None:
    size, price, entry = ("--size", "1"), ("--price", "60000"), ("--entry", "60000")
    given = {"cost": (*size, *price), "max-size": (*price, "--available", "1")}.get(question, (*size, *entry))
    asked = ("calc", question, "--symbol", "BTCUSDT", "--side", "long", *given)
    said = ringfence(*asked, "--leverage", leverage, status=2)
    has = "BTCUSDT of binance-usdm has leverages from 1 to 125"
    assert said.complaint == f"--leverage {leverage}: {has}"


def test_rates_and_brackets_of_ones_own_have_the_leverage_of_ones_own() -> None:
    position = ("--symbol", "BTCUSDT", "--side", "long", "--size", "1", "--entry", "60000", "--leverage", "200")
    assert calc("liq-price", *position, "--mmr", "0.001")["initial_margin"] == "300"


def test_the_bracket_is_that_of_the_notional_beside_it_and_named_at_liquidation_where_it_is_another() -> None:
    position = ("--symbol", "BTCUSDT", "--side", "long", "--size", "1", "--entry", "60000")
    bracket = {"notional": "60000", "maintenance_margin": "250", "mmr": "0.005", "cum": "50"}
    unreached = calc("liq-price", *position, "--leverage", "1")
    assert {name: unreached[name] for name in bracket} == bracket
    assert "mmr_at_liquidation" not in unreached
    reached = calc("liq-price", *position, "--leverage", "5")
    assert {name: reached[name] for name in bracket} == bracket
    assert (reached["mmr_at_liquidation"], reached["cum_at_liquidation"]) == ("0.004", "0")
    assert "mmr_at_liquidation" not in calc("liq-price", *position, "--leverage", "20")
