"""Practice: the market waits for you every few seconds, shows itself, and asks what you want to do.

    ringfence replay market.gz --strategy examples.practice:Practice --account me:isolated:10:10000

What is typed may come from a file as well: the same lines give the same session.
"""

import sys
from decimal import Decimal, InvalidOperation

from events.commands import Command
from events.facts import AnyFact, OrderCancelled, OrderRested, Traded
from events.refusals import Reason
from events.units import SECOND, Nanos
from replay.strategy import Context, Strategy

HELP = "buy SIZE [PRICE] | sell SIZE [PRICE] | close | cancel | wait | end     (an empty line waits, too)"


class Practice(Strategy):
    """Asks at the terminal every `seconds` of session time, about the first instrument."""

    talks = True

    def __init__(self, seconds: Decimal = Decimal(10)) -> None:
        self.every = Nanos(int(seconds * SECOND))
        self._ended = False

    def on_start(self, _context: Context) -> None:
        """Say what can be said."""
        self._say(HELP)

    def on_timer(self, context: Context) -> None:
        """Show the market and do what is asked; ask again at once unless the market is to go on."""
        instrument = context.instruments[0]
        if self._ended or context.mark(instrument) is None:
            return
        quote, margin = context.quote(instrument), context.margin(instrument)
        seconds = context.now // SECOND % 86_400
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        ratio = "-" if margin.ratio is None else f"{margin.ratio:.1%}"
        self._say(
            f"{clock}  {instrument} {quote.bid} / {quote.ask}  position {context.position(instrument)}  "
            f"equity {context.equity():,.2f}  margin ratio {ratio}"
        )
        line = sys.stdin.readline()
        self._ended = not line
        if self._do(context, instrument, line.split()):
            context.wake.at(context.now)

    def on_fill(self, context: Context, trade: Traded) -> None:
        """Tell of a fill."""
        price, size = context.price(trade.instrument, trade.price), context.size(trade.instrument, trade.lots)
        self._say(f"  filled {size} at {price}")

    def on_order(self, _context: Context, fact: AnyFact) -> None:
        """Tell of an order that waits in the book, and of one that does no more."""
        if isinstance(fact, OrderRested):
            self._say(f"  order {fact.number} waits in the book")
        elif isinstance(fact, OrderCancelled):
            self._say(f"  order {fact.number} cancelled")

    def on_refused(self, _context: Context, _command: Command, reason: Reason) -> None:
        """Tell of a refusal."""
        self._say(f"  refused: {reason.value.replace('_', ' ')}")

    def _do(self, context: Context, instrument: str, words: list[str]) -> bool:
        """Do what was typed; False where the market is to go on."""
        match words:
            case [] | ["wait"]:
                return False
            case ["end"]:
                self._ended = True
            case ["buy" | "sell" as side, *numbers] if 1 <= len(numbers) <= 2 and all(map(_is_number, numbers)):
                (context.buy if side == "buy" else context.sell)(instrument, *numbers)
            case ["close"] if held := context.position(instrument):
                (context.sell if held > 0 else context.buy)(instrument, abs(held), reduce_only=True)
            case ["cancel"]:
                context.cancel_all(instrument)
            case _:
                self._say(f"  ? {HELP}")
        return not self._ended

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
