"""Bars through the command: a replay of them, and the symbol that they do not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import candles
from tests.candles import bar
from tests.command_line import ringfence


def test_a_replay_of_bars(tmp_path: Path) -> None:
    rows = candles.generated(30)
    path = candles.write(tmp_path / "bars.zip", rows)
    said = ringfence("replay", path, "--symbol", "BTCUSDT", "--strict", "--json").json
    assert (said["trades"], said["observations"]) == (120, 240)
    assert float(said["volume"]) == pytest.approx(sum(float(row[5]) for row in rows))
    assert said["facts_by_kind"]["mark_price_moved.1"] == 120


def test_bars_of_trades_and_of_marks_are_merged(tmp_path: Path) -> None:
    trades = candles.write(tmp_path / "BTCUSDT-1m.csv", candles.generated(10))
    marks = candles.write(tmp_path / "BTCUSDT-mark.csv", candles.generated(10, marks=True))
    said = ringfence("replay", trades, marks, "--json").json
    assert (said["trades"], said["facts_by_kind"]["mark_price_moved.1"]) == (40, 40)


def test_a_replay_that_lacks_a_symbol_says_how_to_give_it(tmp_path: Path) -> None:
    path = candles.write(tmp_path / "bars.csv", [bar()])
    assert "say with --symbol which it is: BTCUSDT, " in ringfence("replay", path, status=2).complaint
