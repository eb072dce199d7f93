"""The flow of `benchmarks.level_replay` in NautilusTrader: `python -m` this with the files of levels and prints.

The files are loaded beforehand with its own loader, in Rust, which is not measured: compare it with a replay from
chunks. It has a book of levels, fees and a margin account; orders fill against book and trades; no log of its own.
Source: nautilustrader.io/docs, "Backtest (low-level API)".
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from importlib.metadata import version
from time import process_time
from typing import Any

from nautilus_trader.adapters.tardis.loaders import TardisCSVDataLoader
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import OrderBookDeltas
from nautilus_trader.model.enums import AccountType, BookType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

SIZE = Quantity.from_str("0.010")


class Quoter(Strategy):
    """One order at a time behind the best price, replaced each time."""

    def __init__(self, instrument: Any, every: int, ticks_away: int) -> None:
        super().__init__()
        self._instrument = instrument
        self._every = every
        self._away = ticks_away * Decimal("0.1")
        self._next = 0
        self._last: Any = None
        self.placed = 0
        self.fills = 0

    def on_start(self) -> None:
        """Listen to the book and to trades."""
        self.subscribe_order_book_deltas(self._instrument.id, book_type=BookType.L2_MBP)
        self.subscribe_trade_ticks(self._instrument.id)

    def on_order_book_deltas(self, deltas: Any) -> None:
        """Once `every` has passed, take the order back if it is still there, and place the next one."""
        if deltas.ts_event < self._next:
            return
        self._next = deltas.ts_event + self._every
        book = self.cache.order_book(self._instrument.id)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is None or ask is None:
            return
        if self._last is not None and self._last.is_open:
            self.cancel_order(self._last)
        sells = self.portfolio.is_net_long(self._instrument.id)
        side, price = (OrderSide.SELL, ask + self._away) if sells else (OrderSide.BUY, bid - self._away)
        self._last = self.order_factory.limit(self._instrument.id, side, SIZE, Price(price, 1))
        self.submit_order(self._last)
        self.placed += 1

    def on_order_filled(self, _event: Any) -> None:
        """Count it."""
        self.fills += 1


def main(levels: str, prints: str, every: int, ticks_away: int) -> None:
    """Run, and print what was measured."""
    instrument = TestInstrumentProvider.btcusdt_perp_binance()
    loader = TardisCSVDataLoader(price_precision=1, size_precision=3, instrument_id=instrument.id)
    deltas, trades = loader.load_deltas(levels), loader.load_trades(prints)
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue("BINANCE"),
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000, USDT)],
        default_leverage=Decimal(20),
        book_type=BookType.L2_MBP,
        trade_execution=True,
    )
    engine.add_instrument(instrument)
    engine.add_data(_messages(instrument.id, deltas))
    engine.add_data(trades)
    quoter = Quoter(instrument, every, ticks_away)
    engine.add_strategy(quoter)
    cpu = process_time()
    engine.run()
    cpu = process_time() - cpu
    said = {"version": version("nautilus_trader"), "cpu": cpu, "orders": quoter.placed, "fills": quoter.fills}
    print(json.dumps(said))  # noqa: T201


def _messages(instrument: Any, deltas: list[Any]) -> list[Any]:
    """The deltas of one message together, as it is given to its own venue clients."""
    found: list[Any] = []
    message: list[Any] = []
    for delta in deltas:
        if message and (delta.ts_init != message[-1].ts_init or delta.ts_event != message[-1].ts_event):
            found.append(OrderBookDeltas(instrument, message))
            message = []
        message.append(delta)
    if message:
        found.append(OrderBookDeltas(instrument, message))
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
