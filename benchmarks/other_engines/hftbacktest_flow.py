"""The flow of `benchmarks.level_replay` in hftbacktest: `python -m` this with the files of levels and prints.

The files are made into its own arrays beforehand, which is not measured, as neither is the compilation of the strategy:
compare it with a replay from chunks. It has a queue model, fees and one position; no margin, no marks, and no log.
Source: hftbacktest.readthedocs.io, "Backtesting Flow".
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from time import process_time
from typing import Any

from hftbacktest import GTX, LIMIT, BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.data.utils import tardis
from numba import njit

TICK, LOT, SIZE = 0.1, 0.001, 0.01

WARM_UP = 20_000
"""So many events compile the strategy."""


@njit
def quote(engine: Any, every: int, ticks_away: int) -> tuple[int, float]:
    """One order at a time behind the best price, replaced each time: how many, and the volume of its trades."""
    placed = 0
    while engine.elapse(every) == 0:
        engine.clear_inactive_orders(0)
        depth = engine.depth(0)
        if placed and placed in engine.orders(0):
            engine.cancel(0, placed, False)
        placed += 1
        if engine.position(0) > 0:
            engine.submit_sell_order(0, placed, (depth.best_ask_tick + ticks_away) * TICK, SIZE, GTX, LIMIT, False)
        else:
            engine.submit_buy_order(0, placed, (depth.best_bid_tick - ticks_away) * TICK, SIZE, GTX, LIMIT, False)
    return placed, engine.state_values(0).num_trades


def run(data: Any, every: int, ticks_away: int) -> tuple[float, int, float]:
    """CPU seconds, orders, trades."""
    asset = (
        BacktestAsset()
        .data([data])
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0002, 0.0005)
        .tick_size(TICK)
        .lot_size(LOT)
    )
    engine = HashMapMarketDepthBacktest([asset])
    cpu = process_time()
    placed, trades = quote(engine, every, ticks_away)
    cpu = process_time() - cpu
    engine.close()
    return cpu, placed, trades


def main(levels: str, prints: str, every: int, ticks_away: int) -> None:
    """Run, and print what was measured."""
    data = tardis.convert([prints, levels], buffer_size=5_000_000)
    run(data[:WARM_UP], every, ticks_away)
    cpu, placed, trades = run(data, every, ticks_away)
    print(json.dumps({"version": version("hftbacktest"), "cpu": cpu, "orders": placed, "fills": int(trades)}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
