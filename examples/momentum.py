"""Momentum with stops: buys what breaks out, and every position has its way out from the start."""

from collections import deque
from decimal import Decimal

from events.commands import Side
from events.instruments import InstrumentId
from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy
from replay.waking import Bar


class Momentum(Strategy):
    """Buys a close above the highest high of the last `lookback` bars, or sells one below their lowest low.

    A stop stands `risk` (a share of the price) away, a take-profit `reward` times as far; they end each other.
    """

    bars = Nanos(5 * SECOND)

    def __init__(
        self,
        size: Decimal = Decimal("0.1"),
        lookback: int = 12,
        risk: Decimal = Decimal("0.001"),
        reward: Decimal = Decimal(2),
    ) -> None:
        self.size = size
        self.lookback = lookback
        self.risk = risk
        self.reward = reward
        self._bars: dict[str, deque[Bar]] = {}

    def on_bar(self, context: Context, instrument: InstrumentId, bar: Bar) -> None:
        """Compare the bar with those before it."""
        before = self._bars.setdefault(instrument, deque(maxlen=self.lookback))
        if len(before) == self.lookback and not context.position(instrument) and not context.triggers():
            if bar.close > max(earlier.high for earlier in before):
                self._enter(context, instrument, Side.BUY, bar.close, 1)
            elif bar.close < min(earlier.low for earlier in before):
                self._enter(context, instrument, Side.SELL, bar.close, -1)
        before.append(bar)

    def _enter(self, context: Context, instrument: str, side: Side, price: Decimal, sign: int) -> None:
        away = price * self.risk * sign
        stop = context.whole_ticks(instrument, price - away)
        target = context.whole_ticks(instrument, price + away * self.reward)
        context.bracket(instrument, side, self.size, take_profit=target, stop_loss=stop)
