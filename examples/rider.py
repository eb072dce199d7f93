"""A trader who rides what rises and lets a trailing stop say when it is over: no position without a way out."""

from decimal import Decimal

from events.commands import Side
from events.triggers import PriceSource
from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy


class Rider(Strategy):
    """Buys when the mark rose by `rise` within a minute; a stop that follows the mark is the way out."""

    every = Nanos(5 * SECOND)
    size, rise, callback = Decimal("0.1"), Decimal("0.0005"), Decimal("0.002")

    def __init__(self) -> None:
        self._marks: list[Decimal] = []

    def on_timer(self, context: Context) -> None:
        """Enter with the market, and place the way out at once."""
        for instrument in context.instruments:
            if (mark := context.mark(instrument)) is None:
                continue
            self._marks = [*self._marks[-12:], mark]
            if context.position(instrument) == 0 and mark > self._marks[0] * (1 + self.rise):
                for left_over in context.triggers():
                    context.cancel(left_over)
                context.buy(instrument, self.size)
                context.trailing_stop(
                    instrument, Side.SELL, self.size, self.callback, source=PriceSource.MARK, reduce_only=True
                )
