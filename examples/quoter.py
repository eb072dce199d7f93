"""A trader who waits in the book: bids at the best bid, and offers what was bought at the best ask."""

from decimal import Decimal

from events.commands import TimeInForce
from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy


class Quoter(Strategy):
    """Quotes anew every two seconds, and buys no more once it holds `most`."""

    every = Nanos(2 * SECOND)

    def __init__(self, size: Decimal = Decimal("0.2"), most: Decimal = Decimal(1)) -> None:
        self.size = size
        self.most = most

    def on_timer(self, context: Context) -> None:
        """Take back what still waits, then quote at the best prices."""
        for number in context.open_orders():
            context.cancel(number)
        for instrument in context.instruments:
            quote, held = context.quote(instrument), context.position(instrument)
            if quote.bid and held < self.most:
                context.buy(instrument, self.size, quote.bid, time_in_force=TimeInForce.POST_ONLY)
            if quote.ask and held > 0:
                context.sell(instrument, held, quote.ask, time_in_force=TimeInForce.POST_ONLY, reduce_only=True)
