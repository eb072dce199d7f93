"""A market in level changes and prints from a seed, written as the two CSV files that Tardis serves for a day.

The price walks tick by tick; a message states some levels near the touch, a third of them gone, and a print hits the
side that it takes from. Times are those of a busy perpetual: a message about every 20 ms, a print about every 10 ms.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import NamedTuple

START_US = 1_709_640_000_000_000
"""5 March 2024, 12:00 UTC, us."""

SYMBOL = "BTCUSDT"

LEVEL_HEAD = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
PRINT_HEAD = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"

DEPTH = 200
"""Levels of a side of the snapshot at the start, and how far from the touch changes go."""

LEVELS_A_MESSAGE = 20
PRICE = 600_000
"""In ticks of 0.1."""

MOVES = 0.2
"""The share of messages that come with a price one tick away."""

LATENCY_US = 4_000
MESSAGE_US = 20_000


class Written(NamedTuple):
    """The two files, and how many level changes and prints they hold."""

    levels: Path
    prints: Path
    level_rows: int
    print_rows: int

    @property
    def events(self) -> int:
        """Level rows and prints."""
        return self.level_rows + self.print_rows


def write_market(folder: Path, level_rows: int, print_rows: int, seed: int) -> Written:
    """Write both files; the snapshot at the start is among the level rows."""
    random = Random(seed)
    made = _Market(random)
    levels = folder / f"binance-futures_incremental_book_L2_{SYMBOL}.csv"
    prints = folder / f"binance-futures_trades_{SYMBOL}.csv"
    with levels.open("w") as level_file, prints.open("w") as print_file:
        level_file.write(LEVEL_HEAD)
        print_file.write(PRINT_HEAD)
        rows = made.snapshot()
        level_file.writelines(rows)
        written, printed = len(rows), 0
        while written < level_rows:
            rows = made.message(min(level_rows - written, random.randint(2, 2 * LEVELS_A_MESSAGE - 2)))
            level_file.writelines(rows)
            written += len(rows)
            due = print_rows * written // level_rows - printed
            print_file.writelines(made.prints(due))
            printed += due
    return Written(levels, prints, written, printed)


class _Market:
    """The book as it was told: the best bid and ask, in ticks, one tick apart."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._us = START_US
        self._bid = PRICE
        self._trade = 0

    def snapshot(self) -> list[str]:
        sides = [("bid", self._bid - n) for n in range(DEPTH)] + [("ask", self._bid + 1 + n) for n in range(DEPTH)]
        return [self._level(side, price, self._lots(), "true") for side, price in sides]

    def message(self, rows: int) -> list[str]:
        """One message: where the price moved, the level that is gone and the one that is new, then levels at random."""
        random = self._random
        self._us += random.randint(MESSAGE_US // 2, MESSAGE_US * 3 // 2)
        found = {}
        if rows >= 2 and random.random() < MOVES:
            if random.random() < 0.5:
                self._bid += 1
                found = {("bid", self._bid): self._lots(), ("ask", self._bid): 0}
            else:
                found = {("bid", self._bid): 0, ("ask", self._bid): self._lots()}
                self._bid -= 1
        while len(found) < rows:
            away = min(int(random.expovariate(0.05)), DEPTH - 1)
            side, price = random.choice((("bid", self._bid - away), ("ask", self._bid + 1 + away)))
            found.setdefault((side, price), 0 if away and random.random() < 0.33 else self._lots())
        return [self._level(side, price, lots, "false") for (side, price), lots in found.items()]

    def prints(self, count: int) -> list[str]:
        """So many trades at the touch, soon after the message."""
        return [self._print(us) for us in sorted(self._random.randint(0, MESSAGE_US // 3) for _ in range(count))]

    def _print(self, after_us: int) -> str:
        random = self._random
        bought = random.random() < 0.5
        price, at = self._bid + bought, self._us + after_us
        self._trade += 1
        side, lots = "buy" if bought else "sell", random.randint(1, 400)
        return (
            f"binance-futures,{SYMBOL},{at - LATENCY_US},{at},{self._trade},{side},"
            f"{price // 10}.{price % 10},{lots / 1000:.3f}\n"
        )

    def _lots(self) -> int:
        return self._random.randint(1, 5_000)

    def _level(self, side: str, price: int, lots: int, whole: str) -> str:
        return (
            f"binance-futures,{SYMBOL},{self._us - LATENCY_US},{self._us},{whole},{side},"
            f"{price // 10}.{price % 10},{lots / 1000:.3f}\n"
        )
