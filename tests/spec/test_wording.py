"""Amounts as people read them: coins to the last of their decimals, money to two."""

from __future__ import annotations

import pytest

from events.instruments import load_pack
from gateway.console import money_text
from gateway.wording import places_of, words
from tests.spec.linking import attached, bracket
from tests.spec.phases import AUCTION, phase
from tests.spec.words import BUY, SELL, amend, countdown, place, together

NOON = 1_709_640_000 * 10**9

AMOUNTS = [
    ("binance-usdm", "USDT", "0.01"),
    ("binance-usdm", "USD", "0.01"),
    ("binance-usdm", "BTC", "0.01234567"),
    ("binance-coinm", "BTC", "0.01234567"),
    ("kraken-futures", "XBT", "0.01234567"),
    ("kraken-futures", "USD", "0.01"),
    ("hyperliquid", "USDC", "0.01"),
]


@pytest.mark.parametrize(("pack", "asset", "shown"), AMOUNTS)
def test_an_amount_is_shown_as_exactly_as_its_asset_is_used(pack: str, asset: str, shown: str) -> None:
    assert money_text(1_234_567, places_of(load_pack(pack), asset)) == shown


def test_the_items_of_a_batch_are_told_one_after_the_other() -> None:
    pack = load_pack("binance-usdm")
    batch = together(place(1, BUY, lots=10, price=900, on="BTCUSDT", request="a"), amend(1, lots=5, by="taker"))
    text = words(batch, {terms.id: terms for terms in pack.instruments})
    assert text.partition("items=")[2].startswith("[place_order.1 account=taker request=a number=1 instrument=BTCUSDT")
    assert "price=90; amend_order.1 account=taker" in text


def test_the_entry_of_a_bracket_is_told_as_what_is_attached_to_it() -> None:
    pack = load_pack("binance-usdm")
    entry = place(1, BUY, lots=10, price=900, on="BTCUSDT", good_till=NOON)
    text = words(
        bracket(entry, attached(2, SELL, at=800, on="BTCUSDT")), {terms.id: terms for terms in pack.instruments}
    )
    assert "linked=[place_trigger.1 account=taker number=2 instrument=BTCUSDT" in text.replace(" request=", "")
    _, _, told = text.partition("entry=[place_order.1 ")
    assert "instrument=BTCUSDT side=buy lots=0.01 price=90 " in told
    assert told.endswith("good_till=2024-03-05T12:00:00Z]")


def test_moments_are_told_as_times_and_spans_in_ns() -> None:
    assert words(phase(AUCTION, until=1_709_640_000), {}).endswith("phase=auction until=2024-03-05T12:00:00Z")
    assert words(place(1, BUY, lots=1, good_till=2**70), {}).endswith(f"good_till={2**70}")
    assert words(countdown("ann", 5_000), {}).endswith("after=5000")
