"""Two years of real funding rates: what was published of them holds of the columns and after a replay."""

from __future__ import annotations

import csv
import gzip
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from tests.truth.vendors import CENT, THOUSANDTH, Told, facts_of, pack_of

NAME = "gpl/funding/hyperliquid_BTC_1h_2023-05_2025-07.csv.gz"


def test_funding_rates_are_whole(data: Path) -> None:
    facts, told = facts_of(data, NAME), Told(data / NAME, pack_of(("BTC",), CENT, THOUSANDTH))
    rates = told.column("mark_rate")[::2]
    with gzip.open(data / NAME, "rt") as file:
        stated = [Decimal(row["funding_rate"]) for row in csv.DictReader(file)]
    assert len(rates) == facts["rows"]
    assert rates == [int(rate.scaleb(8).quantize(Decimal(1), ROUND_HALF_EVEN)) for rate in stated]
    assert told.report.rounded == sum(rate.scaleb(8) % 1 != 0 for rate in stated) > 9_000
    assert abs(sum(rates) - facts["sum"] * 10**8) < facts["rows"] / 2
    assert (min(rates), max(rates)) == (round(facts["min"] * 10**8), round(facts["max"] * 10**8))
    assert told.report.time_went_back == facts["backsteps"] == 0


def test_the_engine_has_the_last_rate(data: Path) -> None:
    told = Told(data / NAME, pack_of(("BTC",), CENT, THOUSANDTH))
    (contract,) = told.played().state.contracts.values()
    assert contract.feed.rate == told.column("mark_rate")[-1]
    assert contract.feed.observations == 2 * facts_of(data, NAME)["rows"]
