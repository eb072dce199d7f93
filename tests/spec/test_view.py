"""What a strategy sees of margin and funding."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from events.commands import FundingSource
from events.units import SECOND
from replay.loading import StrategyError
from replay.quotes import Funding, Margin
from tests.playing import AS_RECORDED, asked

BTC, USDT = "BTCUSDT", "USDT"
EIGHT_HOURS = 28_800 * SECOND


def test_the_pool_of_an_asset_answers_for_all_cross_positions(tmp_path: Path) -> None:
    _, (_, cross, of_position) = asked(
        tmp_path,
        lambda context: context.buy(BTC, "2.000"),
        lambda context: context.margin(USDT),
        lambda context: context.margin(BTC),
    )
    paid, worth = Decimal("200.2"), Decimal("200.00000002")
    assert cross == of_position
    assert cross.equity == 10_000 - paid * Decimal("0.0005") - (paid - worth)
    assert cross.initial == worth / 10 + Decimal("0.000000008")
    assert cross.maintenance == worth * Decimal("0.004") + Decimal("0.00000000992")
    assert cross.headroom == cross.equity - cross.maintenance
    assert cross.ratio == cross.maintenance / cross.equity


def test_an_isolated_position_answers_for_itself(tmp_path: Path) -> None:
    _, (_, own, rest) = asked(
        tmp_path,
        lambda context: context.buy(BTC, "1.000"),
        lambda context: context.margin(BTC),
        lambda context: context.margin(USDT),
        mode="isolated",
        leverage=5,
    )
    assert own.equity == Decimal("20.02") - Decimal("0.05005") - Decimal("0.09999999")
    assert own.initial == Decimal("20.00000001")
    assert (rest.initial, rest.maintenance, rest.ratio) == (0, 0, None)
    assert own.equity + rest.equity == Decimal("9999.85") + Decimal("0.00000001") - Decimal("0.00005")


def test_without_a_position_nothing_is_needed(tmp_path: Path) -> None:
    _, seen = asked(tmp_path, lambda context: context.margin(BTC), lambda context: context.margin())
    assert seen == [Margin(Decimal(10_000), Decimal(0), Decimal(0))] * 2


def test_a_pool_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="the session has no instrument and no asset 'GOLD'"):
        asked(tmp_path, lambda context: context.margin("GOLD"))


def test_the_funding_rate_is_the_one_that_the_data_stated_last(tmp_path: Path) -> None:
    _, (seen,) = asked(tmp_path, lambda context: context.funding(BTC))
    assert seen == Funding(Decimal("-0.0001"), EIGHT_HOURS)


def test_a_computed_funding_rate_is_that_of_the_premium_so_far(tmp_path: Path) -> None:
    """The mark is half a per cent above the index: more than the venue's cap of 0.3 %."""
    options = replace(AS_RECORDED, funding=FundingSource.PREMIUM)
    wake = lambda context: (context.funding(BTC), context.now)  # noqa: E731
    _, ((funding, now), _) = asked(tmp_path, wake, wake, options=options)
    assert funding.rate == Decimal("0.003")
    assert funding.at == (now // EIGHT_HOURS + 1) * EIGHT_HOURS
