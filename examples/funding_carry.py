"""Funding carry: on the side that is paid while funding is paid, and out of the market otherwise."""

from decimal import Decimal

from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy


class FundingCarry(Strategy):
    """Takes the side that receives funding `ahead` seconds before it is paid, and leaves once it was.

    Only where the rate is worth more than going in and out costs: `least`, a share of the notional, is twice the
    taker's fee by default. The price may move by more than the funding: this is a bet on the rate, not an arbitrage.
    """

    every = Nanos(SECOND)

    def __init__(
        self, size: Decimal = Decimal("0.1"), ahead: Decimal = Decimal(5), least: Decimal = Decimal("0.001")
    ) -> None:
        self.size = size
        self.ahead = Nanos(int(ahead * SECOND))
        self.least = least

    def on_timer(self, context: Context) -> None:
        """Go in before funding, and out behind it."""
        for instrument in context.instruments:
            funding, held = context.funding(instrument), context.position(instrument)
            is_near = 0 < funding.at - context.now <= self.ahead
            if held and not is_near:
                (context.sell if held > 0 else context.buy)(instrument, abs(held), reduce_only=True)
            elif not held and is_near and abs(funding.rate) >= self.least:
                (context.sell if funding.rate > 0 else context.buy)(instrument, self.size)
