"""How positions are named: by instrument and leg, also where an instrument's id has a colon of its own."""

from __future__ import annotations

import pytest

from events.instruments import Leg, instrument_of, position_name


@pytest.mark.parametrize("instrument", ["BTCUSDT", "xyz:GOOGL"])
@pytest.mark.parametrize("leg", Leg)
def test_the_name_of_a_position_tells_its_instrument(instrument: str, leg: Leg) -> None:
    assert instrument_of(position_name(instrument, leg)) == instrument


def test_legs_bear_names_of_their_own() -> None:
    assert [position_name("BTCUSDT", leg) for leg in Leg] == ["BTCUSDT", "BTCUSDT:long", "BTCUSDT:short"]
