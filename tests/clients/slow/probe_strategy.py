"""A freqtrade strategy that goes through one whole trade: in at once, a stop on the exchange, out a little later."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from freqtrade.strategy import IStrategy


class ProbeStrategy(IStrategy):
    """Buys on the first candle that it sees, and sells half a minute later."""

    INTERFACE_VERSION = 3
    timeframe = "1m"
    can_short = True
    minimal_roi = {"0": 10.0}
    stoploss = -0.20
    startup_candle_count = 20
    has_entered = False
    order_types = {
        "entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 5, "stoploss_price_type": "mark",
    }  # fmt: skip

    def leverage(self, *_: Any, **__: Any) -> float:
        return 3.0

    def populate_indicators(self, dataframe: Any, metadata: Any) -> Any:
        return dataframe

    def populate_entry_trend(self, dataframe: Any, metadata: Any) -> Any:
        dataframe.loc[:, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: Any, metadata: Any) -> Any:
        return dataframe

    def confirm_trade_entry(self, *_: Any, **__: Any) -> bool:
        is_first, self.has_entered = not self.has_entered, True
        return is_first

    def custom_exit(self, pair: str, trade: Any, current_time: datetime, **_: Any) -> str | None:
        return "probed" if current_time - trade.open_date_utc > timedelta(seconds=20) else None
