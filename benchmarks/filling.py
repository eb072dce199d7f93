"""What one fill costs an account with many open orders, against one with few: margin is kept, never summed anew."""

from __future__ import annotations

import gc
from statistics import median
from time import process_time_ns

from msgspec.structs import replace

from benchmarks.figures import Figure
from events import commands as c
from events.facts import Traded
from events.instruments import InstrumentId, MarginMode, load_pack
from events.record import Batch
from events.units import UNIT, Atoms, Lots, MarkUnits, Nanos, Ticks
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import step

INSTRUMENT = InstrumentId("BTCUSDT")
MIDDLE, LEVELS, LOTS = 300_000, 100, Lots(10)
FEW, MANY, FILLS = 10, 2_000, 3_000
DEEP, OTHER = c.AccountId("deep"), c.AccountId("other")


def measure() -> list[Figure]:
    """The ratio of the median costs, of fills as maker and as taker, in both margin modes."""
    few: list[int] = []
    many: list[int] = []
    for mode in MarginMode:
        venues = (_Venue(FEW, mode), _Venue(MANY, mode))
        gc.collect()
        for _ in range(FILLS):
            for venue, costs in zip(venues, (few, many), strict=True):
                costs.append(venue.fill(as_maker=True))
                costs.append(venue.fill(as_maker=False))
    what = f"{len(many):,} fills as maker and taker, cross and isolated; command, facts, margin and watch, no log"
    return [
        Figure("fill_cost_2000_orders_us", median(many) / 1000, "us of CPU", what),
        Figure("fill_cost_ratio_2000_to_10_orders", median(many) / median(few), "ratio", what, "<= 1.5"),
    ]


class _Venue:
    """One account has so many open orders on LEVELS prices of each side, and another one trades with it."""

    def __init__(self, orders: int, mode: MarginMode) -> None:
        self.state = State()
        self.number = 0
        pack = replace(load_pack("binance-usdm"), max_orders=10 * MANY)
        self._say(c.OpenSession(Nanos(1), RULES_VERSION, pack, c.SessionOptions()))
        for name in (DEEP, OTHER):
            self._say(c.OpenAccount(Nanos(1), name, c.RequestId("open")))
            self._say(c.Deposit(Nanos(1), name, c.RequestId("fund"), pack.instruments[0].settle, Atoms(10**9 * UNIT)))
            self._say(c.SetMarginMode(Nanos(1), name, c.RequestId("mode"), INSTRUMENT, mode))
        self._say(c.SetMarkPrice(Nanos(1), INSTRUMENT, MarkUnits(MIDDLE * UNIT // 10)))
        for n in range(orders):
            side = c.Side.BUY if n % 2 else c.Side.SELL
            away = 1 + n // 2 % LEVELS
            self._place(DEEP, side, MIDDLE + (away if side is c.Side.SELL else -away), c.TimeInForce.GTC)

    def fill(self, *, as_maker: bool) -> int:
        """The CPU time, ns, of one command that brings the account one fill, and puts its position back afterwards."""
        side, back = (c.Side.BUY, c.Side.SELL) if self.number % 4 < 2 else (c.Side.SELL, c.Side.BUY)
        if as_maker:
            self._place(DEEP, back, MIDDLE, c.TimeInForce.GTC)
            return self._place(OTHER, side, MIDDLE, c.TimeInForce.IOC)
        self._place(OTHER, back, MIDDLE, c.TimeInForce.GTC)
        return self._place(DEEP, side, MIDDLE, c.TimeInForce.IOC)

    def _place(self, name: c.AccountId, side: c.Side, price: int, force: c.TimeInForce) -> int:
        self.number += 1
        command = c.PlaceOrder(
            Nanos(1), name, c.RequestId(f"p{self.number}"), c.OrderNumber(self.number), INSTRUMENT, side, LOTS,
            Ticks(price), force,
        )  # fmt: skip
        started = process_time_ns()
        batch = self._say(command)
        took = process_time_ns() - started
        assert (force is c.TimeInForce.IOC) == any(type(fact) is Traded for fact in batch.facts), batch
        return took

    def _say(self, command: c.Command) -> Batch:
        batch = step(self.state, command)
        assert isinstance(batch, Batch)
        return batch
