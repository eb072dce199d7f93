"""Orders on their way to the exchange, and news on their way back.

The session's clock is that of the exchange. A program that gets news `feed` later acts on the market of a moment with a
clock that is so much ahead: called when the exchange is at t, it reads t + feed on its own clock, and what it asks
arrives at t + feed + entry. So everything that it reads (book, marks, positions, orders) is of one and the same moment.
Where the feed's latency is measured, rows stand at the times of their capture already, and the session's clock is the
program's own: it is not ahead, and what it asks takes so much longer. See `docs/decisions/0028-latency.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from heapq import heappop, heappush
from typing import Any

from events.commands import AccountId, Command, SubmitBatch, TradersCommand
from events.latency import NO_LATENCY, Latency
from events.linked import PlaceLinked
from events.observations import Observations
from events.units import Nanos
from replay.stress.chance import stream
from replay.synth_market import Random

UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
"""Suffix -> ns."""

MEASURED = "data"
"""In the place of a time: what the rows of the data took."""

LONGEST = 10 * 60 * 10**9
"""No latency is longer, ns."""


def latency(entry: str = "0", feed: str = "0", jitter: str = "0", seed: int = 0) -> Latency:
    """Latencies as people write them: 5ms, 250us, 1.5s; entry and feed also `data`, for what its rows took.

    Raises ValueError.
    """
    told = Latency(
        duration("latency", "0" if entry == MEASURED else entry),
        duration("feed-latency", "0" if feed == MEASURED else feed),
        duration("latency-jitter", jitter),
        seed,
        entry == MEASURED,
        feed == MEASURED,
    )
    return NO_LATENCY if told == Latency(seed=seed) else told


def duration(name: str, text: str) -> Nanos:
    """A time with its unit as whole ns; 0 needs none. Raises ValueError."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = UNITS.get(text[len(number) :], 0 if text != "0" else 1)
    try:
        found = Decimal(number) * unit
        if unit and 0 <= found <= LONGEST and found == int(found):
            return Nanos(int(found))
    except InvalidOperation:
        pass
    raise ValueError(f"{name} {text}: give a time up to ten minutes with its unit, as 5ms, 250us or 0.1s")


def short(time: int) -> str:
    """A time in the largest unit of which it is a whole number."""
    name, unit = next((name, unit) for name, unit in reversed(UNITS.items()) if time % unit == 0)
    return f"{time // unit}{name}"


class Outbox:
    """What accounts asked and the exchange has not got yet. On one account's way nothing overtakes."""

    def __init__(self, told: Latency = NO_LATENCY) -> None:
        self.latency = told
        self._on_its_way: list[tuple[Nanos, int, TradersCommand]] = []
        self._arrivals: dict[AccountId, Nanos] = {}
        self._chances: dict[AccountId, Random] = {}
        self._measured = 0
        self._serial = 0
        self._is_closed = False

    @property
    def is_used(self) -> bool:
        """Whether anything takes time to arrive."""
        return self.latency != NO_LATENCY

    @property
    def next_at(self) -> Nanos | None:
        """When the next command arrives, None where none is on its way."""
        return self._on_its_way[0][0] if self._on_its_way else None

    def measure(self, chunk: Observations, row: int) -> None:
        """Note how long a row was on its way; one that was captured before it happened says nothing."""
        taken = chunk.at[row] - chunk.transacted[row]
        if chunk.transacted[row] and taken >= 0:
            self._measured = min(taken, LONGEST)

    def post(self, command: Command) -> None:
        """Send a command of an account on its way at its time, unless the session is over."""
        assert isinstance(command, TradersCommand)
        if self._is_closed:
            return
        account = command.account
        at = Nanos(max(command.at + self._delay(account), self._arrivals.get(account, 0)))
        self._arrivals[account] = at
        self._serial += 1
        heappush(self._on_its_way, (at, self._serial, command))

    def arrived(self) -> Command:
        """The next command, at the time of its arrival."""
        at, _, command = heappop(self._on_its_way)
        return dated(command, at)

    def close(self) -> None:
        """Take nothing more: what is on its way still arrives."""
        self._is_closed = True

    def of(self, account: AccountId) -> list[Command]:
        """What an account has on its way, in the order in which it was sent."""
        found = sorted((serial, command) for _, serial, command in self._on_its_way if command.account == account)
        return [command for _, command in found]

    def _delay(self, account: AccountId) -> int:
        told = self.latency
        delay = told.entry + self._measured * (told.entry_measured + told.feed_measured)
        if not told.jitter:
            return delay
        if account not in self._chances:
            self._chances[account] = stream(told.seed, account)
        return delay + self._chances[account].below(told.jitter + 1)


def dated(command: Command, at: Nanos) -> Command:
    """The command, and all the orders in it, at another time."""
    parts: dict[str, Any] = {}
    if isinstance(command, SubmitBatch):
        parts["items"] = tuple(item.__replace__(at=at) for item in command.items)
    elif isinstance(command, PlaceLinked):
        parts["linked"] = tuple(one.__replace__(at=at) for one in command.linked)
        parts["entry"] = command.entry and command.entry.__replace__(at=at)
    return command.__replace__(at=at, **parts)


def each(commands: Sequence[Command]) -> list[Command]:
    """The commands, and in the place of a batch or of linked orders all that are in it."""
    found: list[Command] = []
    for command in commands:
        if isinstance(command, SubmitBatch):
            found += command.items
        elif isinstance(command, PlaceLinked):
            found += [*([command.entry] if command.entry else ()), *command.linked]
        else:
            found.append(command)
    return found
