"""The real candles of two crashes: put together again from what the source makes of them, every bar is as it was."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from events.commands import AccountId, MarkSource, SessionOptions, Side
from events.facts import LiquidationStarted
from events.instruments import AssetId, RulePack, load_pack
from events.observations import Kind, Observations
from events.units import SECOND, UNIT, Nanos, units_of
from exchange.core.contract import Contract
from replay.quotes import equity_atoms
from replay.sources import Report, open_source
from replay.strategy import Context, Strategy
from tests.playing import Played, play, trader

FILES = {
    "19 May 2021": "gpl/klines/BTCUSDT-spot-1m-2021-05-17_20.csv.gz",
    "19 May 2021, ETH": "gpl/klines/ETHUSDT-spot-1m-2021-05-17_20.csv.gz",
    "12 March 2020": "gpl/klines/BTCUSDT-spot-5m-2020-03-05_12.csv.gz",
}
TICK, LOT = 10**6, 100
"""0.01 and 0.000001, those of the spot market, in 10^-8."""


class Candles(NamedTuple):
    """A file, what is known of it, and what the source made of it."""

    path: Path
    facts: dict[str, Any]
    chunks: tuple[Observations, ...]
    lines: list[int]
    report: Report


class Whole(NamedTuple):
    """A bar in ticks and lots."""

    open: int
    high: int
    low: int
    close: int
    volume: int


@cache
def spot_pack() -> RulePack:
    """The rules of the perpetuals, with the ticks and lots of the spot market."""
    pack = load_pack("binance-usdm")
    fine = tuple(
        msgspec.structs.replace(
            i,
            tick=TICK,
            lot=LOT,
            min_lots=1,
            max_lots=i.max_lots * i.lot // LOT,
            market_max_lots=i.market_max_lots * i.lot // LOT,
        )
        for i in pack.instruments
    )
    return msgspec.structs.replace(pack, id="spot", instruments=fine).check()


@cache
def load(folder: Path, name: str) -> Candles:
    entries = {entry["path"]: entry["facts"] for entry in json.loads((folder / "manifest.json").read_text())}
    path = folder / FILES[name]
    source = open_source(path, spot_pack(), strict=True)
    chunks, lines = [], []
    for chunk in source:
        chunks.append(chunk)
        lines += [int(source.locate(row, chunk.instrument).rpartition(":")[2]) for row in range(len(chunk))]
    return Candles(path, entries[FILES[name]], tuple(chunks), lines, source.report)


@pytest.fixture(params=FILES)
def candles(request: pytest.FixtureRequest, data: Path) -> Candles:
    return load(data, request.param)


def stated(path: Path) -> dict[int, tuple[int, Whole]]:
    """Line -> open time in ns and bar, by the plainest reader there is."""
    found = {}
    with gzip.open(path, "rt") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            prices = [units_of(row[name], TICK) for name in ("open", "high", "low", "close")]
            numbers = [*prices, units_of(row["volume"], LOT)]
            assert None not in numbers
            found[line] = int(row["open_time"]) * 10**6, Whole(*numbers)  # type: ignore[arg-type]
    return found


def prints(candles: Candles) -> Iterator[tuple[int, int, int, int]]:
    """Line, time, price and lots of each print."""
    lines = iter(candles.lines)
    for chunk in candles.chunks:
        for kind, at, index, line in zip(chunk.kind, chunk.at, chunk.index, lines, strict=False):
            if kind == Kind.PRINT:
                yield line, at, chunk.print_price[index], chunk.print_lots[index]


def test_every_bar_is_as_it_was(candles: Candles) -> None:
    again: dict[int, tuple[int, Whole]] = {}
    for line, at, price, lots in prints(candles):
        opened, bar = again.get(line, (at, Whole(price, price, price, price, 0)))
        high, low = max(bar.high, price), min(bar.low, price)
        again[line] = opened, Whole(bar.open, high, low, price, bar.volume + lots)
    assert again == stated(candles.path)


def test_bars_put_together_by_time_alone_are_as_they_were(candles: Candles) -> None:
    minutes = int(candles.facts["interval"].removesuffix("m"))
    again: dict[int, list[tuple[int, int]]] = {}
    for _, at, price, lots in prints(candles):
        again.setdefault(at // (minutes * 60 * 10**9), []).append((price, lots))
    assert [whole(trades) for trades in again.values()] == [bar for _, bar in stated(candles.path).values()]


def whole(trades: list[tuple[int, int]]) -> Whole:
    prices = [price for price, _ in trades]
    return Whole(prices[0], max(prices), min(prices), prices[-1], sum(lots for _, lots in trades))


def test_the_published_facts_hold(candles: Candles) -> None:
    facts = candles.facts
    assert candles.report.lines == facts["rows"] + 1
    assert (candles.report.skipped, candles.report.problems) == ({"header": 1}, [])
    trades = list(prints(candles))
    prices = [price for _, _, price, _ in trades]
    assert (min(prices), max(prices)) == (round(facts["low"] * 100), round(facts["high"] * 100))
    assert sum(lots for _, _, _, lots in trades) == round(facts["total_volume"] * 10**6)
    assert (trades[0][1], facts["last"] * 10**6 <= trades[-1][1]) == (facts["first"] * 10**6, True)


def test_the_exchange_has_all_of_the_volume_and_the_last_price(candles: Candles) -> None:
    played = replayed(candles.path)
    contract = only_contract(played)
    assert contract.feed.volume == round(candles.facts["total_volume"] * 10**6)
    assert contract.feed.last_price == list(stated(candles.path).values())[-1][1].close
    assert (contract.feed.crossed, contract.feed.gaps, played.player.problems) == (0, 0, [])


@cache
def replayed(path: Path) -> Played:
    return play(path, pack=spot_pack(), traders=[trader()], strict=True)


def only_contract(played: Played) -> Contract:
    (contract,) = (contract for contract in played.state.contracts.values() if contract.feed.observations)
    return contract


class Holder(Strategy):
    """Goes long at noon of 19 May 2021, with three tenths of what margin carries, and waits."""

    every = Nanos(60 * SECOND)

    def on_timer(self, context: Context) -> None:
        if context.now == 1_621_425_600 * SECOND:
            size = context.max_size("BTCUSDT", Side.BUY) * Decimal("0.3")
            context.buy("BTCUSDT", context.whole_lots("BTCUSDT", size))


def test_isolated_the_crash_takes_one_margin_and_cross_the_account(data: Path) -> None:
    traders = [trader(Holder(), mode, mode, leverage=20) for mode in ("isolated", "cross")]
    mid = SessionOptions(mark_source=MarkSource.MID)
    played = play(data / FILES["19 May 2021"], pack=spot_pack(), traders=traders, options=mid, insurance=100_000)
    accounts = played.state.accounts
    left = {name: equity_atoms(accounts[AccountId(name)], AssetId("USDT")) for name in ("isolated", "cross")}
    assert left["cross"] == 0
    assert 7_000 * UNIT < left["isolated"] < 7_100 * UNIT
    assert [started.account for started in played.facts(LiquidationStarted)] == ["isolated", "cross"]


def test_the_contracts_of_the_shipped_pack_are_too_coarse_for_them(candles: Candles) -> None:
    source = open_source(candles.path, load_pack("binance-usdm"))
    used = sum(map(len, source))
    report = source.report
    assert used == 0 or report.skipped["off_lot"] > used
    assert report.lines - 1 >= report.skipped["off_tick"] + report.skipped["off_lot"] > candles.facts["rows"] * 0.9
