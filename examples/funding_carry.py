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
        self._held_for: dict[str, Nanos] = {}

    def on_timer(self, context: Context) -> None:
        """Go in before funding, and out behind it: the next time is stated as soon as this one was paid."""
        for instrument in context.instruments:
            funding, held = context.funding(instrument), context.position(instrument)
            if held and funding.at != self._held_for[instrument]:
                (context.sell if held > 0 else context.buy)(instrument, abs(held), reduce_only=True)
            elif not held and 0 < funding.at - context.now <= self.ahead and abs(funding.rate) >= self.least:
                self._held_for[instrument] = funding.at
                (context.sell if funding.rate > 0 else context.buy)(instrument, self.size)
