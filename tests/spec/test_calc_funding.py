"""`ringfence calc funding`: the rate of an hour, of venues that state theirs for longer."""

from __future__ import annotations

from tests.spec.test_calc_cli import calc

FUNDED = ("--side", "long", "--size", "10", "--index", "10000", "--mark", "10100")


def test_a_rate_for_eight_hours_is_paid_by_the_hour() -> None:
    """Hyperliquid: 1 % above the index, of which 0.95 % is the rate for eight hours, on the oracle price."""
    answer = calc("funding", "--pack", "hyperliquid", "--symbol", "BTC", *FUNDED)
    assert (answer["rate"], answer["funding"]) == ("0.0011875", "118.75")
    four = calc("funding", "--pack", "hyperliquid", "--symbol", "BTC", *FUNDED, "--hours", "4")
    assert four["funding"] == "475"
    capped = calc("funding", "--pack", "hyperliquid", "--symbol", "BTC", "--premium", "0.5")
    assert capped["rate"] == "0.04"


def test_a_premium_is_paid_off_without_interest_and_within_a_bound() -> None:
    """dYdX: an eighth of the premium each hour, at most 600 % of initial less maintenance margin in eight."""
    rates = [calc("funding", "--pack", "dydx-v4", "--symbol", "BTC-USD", "--premium", p)["rate"] for p in ("0.01", "1")]
    assert rates == ["0.00125", "0.015"]
    free = calc("funding", "--pack", "dydx-v4", "--symbol", "BTC-USD", "--premium", "1", "--cap", "1")
    assert free["rate"] == "0.125"
    drift = [
        calc("funding", "--pack", "drift", "--symbol", "SOL-PERP", "--premium", p)["rate"] for p in ("0.024", "-1")
    ]
    assert drift == ["0.001", "-0.00125"]
