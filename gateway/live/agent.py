"""What agents have in common: they wake at times of their own, and decide by what is to be seen then.

An agent keeps nothing in mind. Its times are whole multiples of its period, and its chances follow from the seed, its
name and the time, so that it goes on after a stop as if there had been none. Whatever it does wrong is told in the
server's log and harms nobody.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol

import structlog

from events.instruments import InstrumentId
from exchange.failures import SequencerError, Unfit
from gateway.live.noise import key_of
from replay.strategy import Context, Strategy
from replay.synth_market import Random

MS = 10**6

_LOGGER = structlog.get_logger()


class Turn(NamedTuple):
    """A time at which an agent is awake: which one it is since the epoch, and its chances."""

    number: int
    chance: Random


class Habit(Protocol):
    """What an agent does when it is awake."""

    def act(self, context: Context, turn: Turn) -> None:
        """Look, and ask for what it wants."""
        ...


class Agent(Strategy):
    """A strategy that follows a habit every `period` ms, `phase` ms after whole multiples of it."""

    def __init__(self, name: str, seed: int, habit: Habit, period: int, phase: int) -> None:
        self.name = name
        self.habit = habit
        self._key = key_of(seed, name)
        self._period = period * MS
        self._phase = phase * MS + 1

    def on_start(self, context: Context) -> None:
        """Wait for its next time."""
        self._wait(context)

    def _wait(self, context: Context) -> None:
        number = (context.now - self._phase) // self._period + 1
        context.wake.at(number * self._period + self._phase, self._wake)

    def _wake(self, context: Context) -> None:
        number = (context.now - self._phase) // self._period
        self._wait(context)
        try:
            self.habit.act(context, Turn(number, Random(self._key ^ number)))
        except Unfit as error:
            self._failed(error)
        except (AssertionError, SequencerError):
            raise
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        _LOGGER.warning("agent failed", agent=self.name, why=repr(error))


def size_of(context: Context, instrument: InstrumentId, value: int) -> Decimal:
    """How much of the instrument is worth so much at the mark, in whole lots; 0 where there is no mark."""
    mark = context.mark(instrument)
    return context.whole_lots(instrument, value / mark) if mark else Decimal(0)


def mid_of(context: Context, instrument: InstrumentId) -> Decimal | None:
    """Half way between the best prices; None where there is a side without one, or no mark."""
    quote = context.quote(instrument)
    if quote.bid is None or quote.ask is None or context.mark(instrument) is None:
        return None
    return (quote.bid + quote.ask) / 2


def pay_in(context: Context, asset: str, least: int, amount: int) -> bool:
    """Pay in again where less than that is available; whether it was done."""
    if context.available(asset) >= least:
        return False
    context.deposit(asset, Decimal(amount))
    return True
