"""A market maker: two quotes around the mid, which lean against what it holds."""

from decimal import Decimal

from events.commands import Side, TimeInForce
from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy


class MarketMaker(Strategy):
    """Keeps a bid and an offer at `width` (a share of the price) from the mid, moved by `lean` for each `size` held.

    A quote is taken back and placed anew only where price or size are no longer those that are wanted, as it loses its
    place in the queue by that. It never quotes for more than `most` in all.
    """

    every = Nanos(SECOND)

    def __init__(
        self,
        size: Decimal = Decimal("0.1"),
        most: Decimal = Decimal("0.5"),
        width: Decimal = Decimal("0.0002"),
        lean: Decimal = Decimal("0.00005"),
    ) -> None:
        self.size = size
        self.most = most
        self.width = width
        self.lean = lean
        self._quoted: dict[str, tuple[Decimal, Decimal]] = {}

    def on_timer(self, context: Context) -> None:
        """Quote where the mid and the position say."""
        for instrument in context.instruments:
            quote, held = context.quote(instrument), context.position(instrument)
            if quote.bid is None or quote.ask is None:
                continue
            mid = (quote.bid + quote.ask) / 2 * (1 - self.lean * held / self.size)
            bid = context.whole_ticks(instrument, min(mid * (1 - self.width), quote.bid))
            ask = -context.whole_ticks(instrument, -max(mid * (1 + self.width), quote.ask))
            self._keep(context, instrument, Side.BUY, bid, min(self.size, self.most - held))
            self._keep(context, instrument, Side.SELL, ask, min(self.size, self.most + held))

    def _keep(self, context: Context, instrument: str, side: Side, price: Decimal, size: Decimal) -> None:
        """One quote, as large as `most` allows; one that stands where it should is left in its place."""
        name = f"{instrument}-{side.value}"
        is_open = name in context.clients()
        if is_open and self._quoted[name] != (price, size):
            context.cancel(client=name)
            is_open = False
        if not is_open and size > 0:
            self._quoted[name] = price, size
            place = context.buy if side is Side.BUY else context.sell
            place(instrument, size, price, time_in_force=TimeInForce.POST_ONLY, client=name)
