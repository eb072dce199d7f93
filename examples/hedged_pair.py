"""A hedged pair: long one contract, short another of the same worth. Cross margin nets the two, isolated does not."""

from decimal import Decimal

from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy


class HedgedPair(Strategy):
    """Buys the first instrument and sells the second for `notional` each, and restores the balance beyond `drift`.

    In cross mode what one leg loses the other one lends it; isolated, the losing leg is liquidated though the pair as a
    whole lost nothing. Replay both to see it.
    """

    every = Nanos(5 * SECOND)

    def __init__(self, notional: Decimal = Decimal(50_000), drift: Decimal = Decimal("0.05")) -> None:
        self.notional = notional
        self.drift = drift

    def on_timer(self, context: Context) -> None:
        """Bring both legs to what they should be."""
        if len(context.instruments) < 2:
            raise ValueError("a pair needs two instruments; replay two markets")
        marks = [context.mark(instrument) for instrument in context.instruments[:2]]
        for sign, instrument, mark in zip((1, -1), context.instruments, marks, strict=False):
            if mark is None or None in marks:
                return
            wanted = sign * context.whole_lots(instrument, self.notional / mark)
            lack = wanted - context.position(instrument)
            if abs(lack) * mark > self.notional * self.drift:
                (context.buy if lack > 0 else context.sell)(instrument, abs(lack))
