"""Rule packs: what is shipped is valid, and a pack that contradicts itself is refused with the place and the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events.instruments import PackError, RulePack, load_pack, pack_names
from events.units import UNIT, decimal_text

HOUR = 3600 * 10**9

PERP: dict[str, Any] = {
    "id": "XUSDT",
    "base": "X",
    "quote": "USDT",
    "settle": "USDT",
    "tick": "0.1",
    "lot": "0.001",
    "min_size": "0.001",
    "max_size": "1000",
    "min_notional": "5",
    "maker_fee": "-0.0001",
    "taker_fee": "0.0005",
    "liquidation_fee": "0.0125",
    "funding_interval_hours": 8,
    "brackets": [
        {"floor": "0", "cap": "50000", "max_leverage": 125, "mmr": "0.004", "cum": "0"},
        {"floor": "50000", "cap": "600000", "max_leverage": 100, "mmr": "0.005", "cum": "50"},
        {"floor": "600000", "cap": "3000000", "max_leverage": 75, "mmr": "0.0065", "cum": "950"},
    ],
}

PACK: dict[str, Any] = {
    "id": "test",
    "version": "2024-10-01",
    "source": "made up",
    "market_buy_slippage": "0.0005",
    "max_orders": 200,
    "default_leverage": 20,
    "instruments": [PERP],
}

Load = Callable[[dict[str, Any]], RulePack]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(pack: dict[str, Any]) -> RulePack:
        path = tmp_path / "pack.json"
        path.write_text(json.dumps(pack))
        return load_pack(str(path))

    return loaded


def pack_with(**changes: Any) -> dict[str, Any]:
    return PACK | changes


def perp_with(**changes: Any) -> dict[str, Any]:
    return pack_with(instruments=[PERP | changes])


def bracket_with(n: int, **changes: Any) -> dict[str, Any]:
    brackets = [bracket | (changes if i == n else {}) for i, bracket in enumerate(PERP["brackets"], 1)]
    return perp_with(brackets=brackets)


def test_the_shipped_packs_are_valid() -> None:
    assert "binance-usdm" in pack_names()
    assert all(load_pack(name).id == name for name in pack_names())


@pytest.mark.parametrize("name", pack_names())
def test_every_shipped_instrument_leaves_a_size_to_trade_at_its_minimum(name: str) -> None:
    for terms in load_pack(name).instruments:
        assert terms.max_lots * terms.lot >= terms.min_lots * terms.lot > 0
        assert terms.brackets[0].max_leverage >= load_pack(name).default_leverage


def test_a_pack_is_loaded_in_integers(load: Load) -> None:
    pack = load(PACK)
    (perp,) = pack.instruments
    assert (pack.market_buy_slippage, pack.max_orders, pack.default_leverage) == (50_000, 200, 20)
    assert (perp.tick, perp.lot, perp.min_lots, perp.max_lots) == (10_000_000, 100_000, 1, 1_000_000)
    assert (perp.maker_fee, perp.taker_fee, perp.liquidation_fee) == (-10_000, 50_000, 1_250_000)
    assert (perp.min_notional, perp.funding_interval) == (5 * UNIT, 8 * HOUR)
    assert [bracket.cum for bracket in perp.brackets] == [0, 50 * UNIT, 950 * UNIT]


def test_one_lot_at_one_tick_is_worth_a_whole_number_of_atoms(load: Load) -> None:
    perp = load(PACK).instruments[0]
    assert decimal_text(perp.atoms_per_tick_lot) == "0.0001"
    assert (perp.price_text(271_234), perp.size_text(1_500)) == ("27123.4", "1.5")


def test_the_maintenance_margin_is_continuous_where_brackets_meet() -> None:
    for perp in load_pack("binance-usdm").instruments:
        for below, above in zip(perp.brackets, perp.brackets[1:], strict=False):
            assert above.floor * below.mmr - below.cum * UNIT == above.floor * above.mmr - above.cum * UNIT


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        (pack_with(market_buy_slippage="-0.1"), "test: needs market_buy_slippage >= 0, max_orders >= 1 and"),
        (pack_with(max_orders=0), "test: needs market_buy_slippage >= 0, max_orders >= 1 and"),
        (pack_with(default_leverage=0), "test: needs market_buy_slippage >= 0, max_orders >= 1 and"),
        (pack_with(id=""), "'' is not a text of printable ASCII"),
        (pack_with(source="Börse"), r"'B\xf6rse' is not a text of printable ASCII"),
        (perp_with(id="X\n"), r"'X\n' is not a text of printable ASCII"),
        (perp_with(base="₿"), r"'\u20bf' is not a text of printable ASCII"),
        (pack_with(instruments=[PERP, PERP]), "test: the name XUSDT is taken twice"),
        (perp_with(id="USDT"), "test: the name USDT is taken twice"),
        (perp_with(tick="0"), "XUSDT: tick x lot must be a positive whole number of atoms"),
        (perp_with(lot="0"), "XUSDT: lot must not be 0"),
        (perp_with(tick="-0.1"), "XUSDT: tick x lot must be a positive whole number of atoms"),
        (perp_with(lot="-0.001"), "XUSDT: tick x lot must be a positive whole number of atoms"),
        (perp_with(tick="0.000001"), "XUSDT: tick x lot must be a positive whole number of atoms"),
        (perp_with(min_size="0"), "XUSDT: sizes need 0 < min_lots <= max_lots"),
        (perp_with(min_size="2000"), "XUSDT: sizes need 0 < min_lots <= max_lots"),
        (perp_with(min_size="0.0015"), "0.0015 is not a multiple of 0.001"),
        (perp_with(min_notional="-1"), "XUSDT: needs min_notional >= 0 and a funding interval above 0"),
        (perp_with(funding_interval_hours=0), "XUSDT: needs min_notional >= 0 and a funding interval above 0"),
        (perp_with(maker_fee="-1"), "XUSDT: fees must be below 100 %"),
        (perp_with(taker_fee="1"), "XUSDT: fees must be below 100 %"),
        (perp_with(liquidation_fee="1"), "XUSDT: fees must be below 100 %"),
        (perp_with(liquidation_fee="-0.01"), "XUSDT: fees must be below 100 %"),
        (perp_with(brackets=[]), "XUSDT: no leverage bracket"),
        (bracket_with(1, cap="0"), "XUSDT: bracket 1: needs floor < cap, max leverage >= 1 and 0 < mmr < 1"),
        (bracket_with(2, max_leverage=0), "XUSDT: bracket 2: needs floor < cap, max leverage >= 1"),
        (bracket_with(1, mmr="0"), "XUSDT: bracket 1: needs floor < cap, max leverage >= 1 and 0 < mmr < 1"),
        (bracket_with(3, mmr="1"), "XUSDT: bracket 3: needs floor < cap, max leverage >= 1 and 0 < mmr < 1"),
        (bracket_with(1, floor="10"), "XUSDT: bracket 1: the first bracket starts at 0 with cum 0"),
        (bracket_with(1, cum="1"), "XUSDT: bracket 1: the first bracket starts at 0 with cum 0"),
        (bracket_with(2, floor="50001"), "XUSDT: bracket 2: floor 50001 is not the cap before it"),
        (bracket_with(2, max_leverage=126), "XUSDT: bracket 2: leverage must fall and mmr must rise"),
        (bracket_with(2, mmr="0.003"), "XUSDT: bracket 2: leverage must fall and mmr must rise"),
        (bracket_with(2, cum="50.00000001"), "XUSDT: bracket 2: cum 50.00000001 should be 50"),
        (bracket_with(3, cum="900"), "XUSDT: bracket 3: cum 900 should be 950"),
        (bracket_with(3, mmr="x"), "'x' is not a decimal number"),
        (bracket_with(3, mmr=0.5), r"Expected `str`, got `float` - at `$.instruments[0].brackets[2].mmr`"),
        (perp_with(colour="red"), "Object contains unknown field `colour` - at `$.instruments[0]`"),
        ({}, "Object missing required field `id`"),
    ],
)
def test_a_pack_that_contradicts_itself_is_refused(load: Load, pack: dict[str, Any], message: str) -> None:
    with pytest.raises(PackError) as refusal:
        load(pack)
    assert f"pack.json: {message}" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_cum_of_a_bracket_is_exact(load: Load) -> None:
    brackets = [
        {"floor": "0", "cap": "0.00000003", "max_leverage": 2, "mmr": "0.1", "cum": "0"},
        {"floor": "0.00000003", "cap": "1", "max_leverage": 1, "mmr": "0.2", "cum": "0"},
    ]
    with pytest.raises(PackError, match="bracket 2: floor x the rise of mmr is no whole number of atoms"):
        load(perp_with(brackets=brackets))


def test_a_name_that_is_no_pack_lists_those_that_are() -> None:
    with pytest.raises(PackError, match=r"no rule pack .bitmex.: take one of .*binance-usdm.* or a \.json file"):
        load_pack("bitmex")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"none\.json: No such file or directory"):
        load_pack(str(tmp_path / "none.json"))


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe")
    with pytest.raises(PackError, match=r"bad\.json: "):
        load_pack(str(tmp_path / "bad.json"))


def test_a_pack_that_was_built_in_code_is_checked_as_well(load: Load) -> None:
    pack = load(PACK)
    assert pack.check() is pack
    with pytest.raises(PackError, match="max_orders >= 1"):
        msgspec.structs.replace(pack, max_orders=0).check()
