"""A grid: bids below and offers above a price, and every fill answered by an order one step back."""

from decimal import Decimal

from events.commands import Side, TimeInForce
from events.facts import Traded
from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy


class Grid(Strategy):
    """Places `rungs` orders a side, `step` (a share of the price) apart, around the first mid that it sees.

    Who is bought from at one rung is sold to at the next one above it, and the other way round. A grid earns its steps
    while the price comes and goes, and holds the wrong way once it leaves.
    """

    every = Nanos(SECOND)

    def __init__(self, size: Decimal = Decimal("0.05"), rungs: int = 5, step: Decimal = Decimal("0.0005")) -> None:
        self.size = size
        self.rungs = rungs
        self.step = step
        self._apart: dict[str, Decimal] = {}

    def on_timer(self, context: Context) -> None:
        """Lay the grid where there is none yet."""
        for instrument in context.instruments:
            quote = context.quote(instrument)
            if instrument in self._apart or quote.bid is None or quote.ask is None:
                continue
            middle = context.whole_ticks(instrument, (quote.bid + quote.ask) / 2)
            self._apart[instrument] = apart = context.whole_ticks(instrument, middle * self.step)
            for rung in range(1, self.rungs + 1):
                context.buy(instrument, self.size, middle - rung * apart, time_in_force=TimeInForce.POST_ONLY)
                context.sell(instrument, self.size, middle + rung * apart, time_in_force=TimeInForce.POST_ONLY)

    def on_fill(self, context: Context, trade: Traded) -> None:
        """Offer what was bought one step higher, bid for what was sold one step lower."""
        if trade.maker != context.account:
            return
        instrument = trade.instrument
        price, size = context.price(instrument, trade.price), context.size(instrument, trade.lots)
        if trade.side is Side.SELL:
            context.sell(instrument, size, price + self._apart[instrument])
        else:
            context.buy(instrument, size, price - self._apart[instrument])
