"""The isolated promise in two real crashes: the same session, once isolated and once cross, to the last figure.

One account buys Bitcoin with a leverage of 20 and, where there are candles of it, Ether with one of 2. Isolated the
crash takes the wallet of the Bitcoin position and nothing else; cross it takes the account.
"""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from events.commands import AccountId, MarkSource, SessionOptions
from events.facts import LiquidationEnded, LiquidationOutcome, LiquidationStarted, Traded
from events.instruments import AssetId
from events.units import SECOND, UNIT, Nanos, decimal_text
from replay.quotes import equity_atoms
from replay.strategy import Context, Strategy
from tests.playing import Played, play, trader
from tests.truth.test_bars import FILES, spot_pack

ANN, USDT = AccountId("ann"), AssetId("USDT")
BTC, ETH = "BTCUSDT", "ETHUSDT"


class Crash(NamedTuple):
    """A crash: its files, from when to when, ms, what is bought at the start, and at which leverage."""

    files: tuple[str, ...]
    start: int
    end: int
    sizes: dict[str, str]
    leverages: dict[str, int]


CRASHES = {
    "19 May 2021": Crash(
        (FILES["19 May 2021"], FILES["19 May 2021, ETH"]), 1_621_425_600_000, 1_621_436_400_000,
        {BTC: "1.5", ETH: "0.5"}, {BTC: 20, ETH: 2},
    ),
    "12 March 2020": Crash(
        (FILES["12 March 2020"],), 1_583_971_200_000, 1_584_057_600_000, {BTC: "10"}, {BTC: 20},
    ),
}  # fmt: skip


class Holder(Strategy):
    """Buys once, a minute after the start, and waits."""

    every = Nanos(60 * SECOND)

    def __init__(self, crash: Crash) -> None:
        self.crash = crash
        self.has_bought = False

    def on_timer(self, context: Context) -> None:
        for symbol, size in () if self.has_bought else self.crash.sizes.items():
            context.set_leverage(symbol, self.crash.leverages[symbol])
            context.buy(symbol, Decimal(size))
        self.has_bought = True


def cut(crash: Crash, data: Path, folder: Path) -> list[Path]:
    """The candles of that time alone, as they stand in the files."""
    made = []
    for name in crash.files:
        made.append(folder / Path(name).name)
        with gzip.open(data / name, "rt") as file, gzip.open(made[-1], "wt") as part:
            rows = csv.reader(file)
            header = next(rows)
            kept = [row for row in rows if crash.start <= int(row[0]) < crash.end]
            csv.writer(part, lineterminator="\n").writerows([header, *kept])
    return made


def lived(name: str, mode: str, data: Path, folder: Path) -> Played:
    """The crash, for one account in this mode."""
    crash = CRASHES[name]
    options = SessionOptions(mark_source=MarkSource.MID)
    people = [trader(Holder(crash), ANN, mode, leverage=20, deposit=10_000)]
    return play(*cut(crash, data, folder), pack=spot_pack(), traders=people, options=options, insurance=100_000)


def left(played: Played) -> str:
    """All that the account has at the end."""
    return decimal_text(equity_atoms(played.state.accounts[ANN], USDT))


def test_on_19_may_2021_isolated_one_wallet_goes_and_cross_the_account(data: Path, tmp_path: Path) -> None:
    # 1.5 BTC at 38,602.17 are 57,903.255, a twentieth of that is 2,895.16275, and the fee for opening 28.9516275
    isolated, cross = (lived("19 May 2021", mode, data, tmp_path) for mode in ("isolated", "cross"))
    assert (left(isolated), left(cross)) == ("7050.40969", "0")
    assert liquidated(isolated) == [(BTC, LiquidationOutcome.CLOSED)]
    assert liquidated(cross) == [(USDT, LiquidationOutcome.CLOSED)]
    ether = isolated.state.accounts[ANN].positions[ETH]
    assert (ether.lots, decimal_text(ether.isolated)) == (500_000, "679.37994")
    assert decimal_text(isolated.state.accounts[ANN].wallets[USDT].balance) == "6424.77725"
    assert {position.lots for position in cross.state.accounts[ANN].positions.values()} == {0}


def test_on_12_march_2020_isolated_two_fifths_are_lost_and_cross_all(data: Path, tmp_path: Path) -> None:
    # 10 BTC at 7,934.58: a margin of 3,967.29
    isolated, cross = (lived("12 March 2020", mode, data, tmp_path) for mode in ("isolated", "cross"))
    assert (left(isolated), left(cross)) == ("6032.71", "0")
    assert liquidated(isolated) == [(BTC, LiquidationOutcome.CLOSED)]
    assert liquidated(cross) == [(USDT, LiquidationOutcome.CLOSED)]


@pytest.mark.parametrize("name", CRASHES)
def test_the_loss_of_an_isolated_position_is_its_wallet_to_the_atom(name: str, data: Path, tmp_path: Path) -> None:
    crash, isolated = CRASHES[name], lived(name, "isolated", data, tmp_path)
    opened = [fact for fact in isolated.facts(Traded) if fact.taker == ANN and fact.taker_order]
    margins = {fact.instrument: -(-fact.value // crash.leverages[fact.instrument]) for fact in opened}
    fees = {fact.instrument: fact.taker_fee for fact in opened}
    others = sum(margins[symbol] for symbol in margins if symbol != BTC)
    balance = isolated.state.accounts[ANN].wallets[USDT].balance
    assert balance == 10_000 * UNIT - margins[BTC] - others
    held = sum(position.isolated for position in isolated.state.accounts[ANN].positions.values())
    assert held == others - sum(fees[symbol] for symbol in fees if symbol != BTC)


@pytest.mark.parametrize("name", CRASHES)
def test_both_sessions_are_the_same_but_for_the_mode_until_one_falls_due(name: str, data: Path, tmp_path: Path) -> None:
    bought = []
    for mode in ("isolated", "cross"):
        facts = [
            fact for fact in lived(name, mode, data, tmp_path).facts(Traded) if fact.taker == ANN and fact.taker_order
        ]
        bought.append(facts)
    assert bought[0] == bought[1] != []


def liquidated(played: Played) -> list[tuple[str, LiquidationOutcome]]:
    """The pools that were liquidated, and how that ended."""
    started = [fact.pool for fact in played.facts(LiquidationStarted)]
    ended = [(fact.pool, fact.outcome) for fact in played.facts(LiquidationEnded)]
    assert started == [pool for pool, _ in ended]
    return ended
