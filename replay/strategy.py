"""The strategy protocol: what a trader's program is told, and when."""

from __future__ import annotations

from decimal import Decimal

from events.commands import Command
from events.facts import AnyFact, Traded
from events.instruments import InstrumentId
from events.refusals import Reason
from events.units import Nanos
from replay.context import Context
from replay.waking import Bar, Print

__all__ = ["Context", "Strategy"]


class Strategy:
    """A trader's program. Every method may be left as it is: it does nothing.

    `every` is the time between two calls of `on_timer`, `bars` the length of the bars for `on_bar`, in nanoseconds of
    session time; 0 means never. `context.wake` asks for further calls. Who wants `on_book` or `on_trade` is called at
    every change of every market, which is slow, and his own choice: all others are applied in bulk. Where `talks` is
    True the terminal is the strategy's: nothing else is drawn there, nor reads its keys.
    """

    every: Nanos = Nanos(0)
    bars: Nanos = Nanos(0)
    talks: bool = False

    def on_start(self, context: Context) -> None:
        """The session begins; accounts are open and funded, no mark is known yet."""

    def on_timer(self, context: Context) -> None:
        """`every` nanoseconds have passed, or a time has come that was asked for by `context.wake`."""

    def on_fill(self, context: Context, trade: Traded) -> None:
        """An order of the account traded (forced ones too)."""

    def on_order(self, context: Context, fact: AnyFact) -> None:
        """An order of the account was accepted, came to rest, was amended, triggered, cancelled or expired."""

    def on_fact(self, context: Context, fact: AnyFact) -> None:
        """Anything that happened to the account but fills and refusals, its orders too."""

    def on_price(self, context: Context, instrument: InstrumentId, price: Decimal) -> None:
        """A price reached a level that was asked for by `context.wake`."""

    def on_margin(self, context: Context, ratio: float) -> None:
        """The highest margin ratio of the account's pools rose to the one that was asked for by `context.wake`."""

    def on_bar(self, context: Context, instrument: InstrumentId, bar: Bar) -> None:
        """A bar ended; the first one with the first trade of history."""

    def on_book(self, context: Context, instrument: InstrumentId) -> None:
        """History's book changed."""

    def on_trade(self, context: Context, instrument: InstrumentId, trade: Print) -> None:
        """History traded."""

    def on_refused(self, context: Context, command: Command, reason: Reason) -> None:
        """The exchange refused a command of the account: it broke the rule named by `reason`."""

    def on_finish(self, context: Context) -> None:
        """The last row was applied."""
