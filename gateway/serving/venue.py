"""A session that runs and is served: whoever speaks for a client asks here, and hears here what is durable.

Everything that a client is told comes from durable records. Read models have folded a batch, and listeners heard of
it, before anybody is answered who asked for it; so what a client reads next is never older than its answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from events.commands import AccountId, AdvanceMarket, OrderNumber, RequestId, TradersCommand
from events.instruments import RulePack
from events.log import Head
from events.observations import Observations
from events.record import Batch
from events.units import Nanos
from exchange.committer import Acknowledgement
from exchange.core.state import State
from exchange.sequencer import Sequencer
from gateway.serving.calendar import Calendar
from gateway.serving.models import NOTHING, Model, Moment

WAITING_MAX = 2_000
"""So many commands of clients may wait for their answer; further ones are refused at once."""

Listener = Callable[[Moment], None]
Look = Callable[[State, Batch, Observations | None], Any]


class Overloaded(Exception):
    """Too many commands wait already; the client is to ask again later."""


class Venue:
    """A running session as both dialects see it.

    clock gives the session time of the player, ns. models are folded in this order. look, if there is one, sees the
    state right after each batch was decided, and what it returns comes with the moment once that is durable.
    `on_asked`, if set, hears of each command that was asked for and how it was answered.
    """

    def __init__(
        self, sequencer: Sequencer, calendar: Calendar, clock: Callable[[], int], models: Sequence[Model] = (),
        look: Look | None = None, *, start: str = "", most: int = WAITING_MAX,
    ) -> None:  # fmt: skip
        self.calendar = calendar
        self.waiting = 0
        self.on_asked: Callable[[TradersCommand, Acknowledgement], None] | None = None
        self._sequencer = sequencer
        self._clock = clock
        self._models = tuple(models)
        self._look = look
        self._looks: dict[str, Look] = {}
        self._most = most
        self._requests = (RequestId(f"{start}{n}") for n in count(1))
        self._numbers: dict[AccountId, int] = {}
        self._undurable: deque[Moment] = deque()
        self._listeners: dict[int, Listener] = {}
        self._names = count(1)
        self._settling: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._player_sees = sequencer.on_batch
        sequencer.on_batch = self._decided
        sequencer.when_durable(self._stored)

    # What can be seen

    @property
    def state(self) -> State:
        """The state as decided: wait for `settled` before it is shown to anybody."""
        return self._sequencer.state

    @property
    def pack(self) -> RulePack:
        """The rules of the session."""
        pack = self._sequencer.state.pack
        assert pack is not None, "a venue serves a session that is open"
        return pack

    @property
    def is_running(self) -> bool:
        """Whether commands are decided."""
        return self._sequencer.is_running

    @property
    def durable(self) -> Head:
        """Where the log ends for good."""
        return self._sequencer.durable

    @property
    def now(self) -> Nanos:
        """The session time of what is asked now."""
        return Nanos(max(self._clock(), self.state.now))

    @property
    def shown_ms(self) -> int:
        """The session time of now as it is shown, ms since the epoch."""
        return self.calendar.shown_ms(self.now)

    # What can be asked

    def request(self) -> RequestId:
        """A request id that nobody used before."""
        return next(self._requests)

    def number(self, account: AccountId) -> OrderNumber:
        """The number for the account's next order. Ask for it in the same turn in which the command is asked."""
        last = max(self.state.accounts[account].last_number, self._numbers.get(account, 0))
        self._numbers[account] = last + 1
        return OrderNumber(last + 1)

    async def ask(self, command: TradersCommand) -> Acknowledgement:
        """Have a command decided, and wait until that is durable. Raises Overloaded, Unfit, NotAcknowledged, Stopped.

        It is decided before the first wait, unless work is due.
        """
        if self.waiting >= self._most:
            raise Overloaded(f"{self.waiting:,} commands wait for their answer; ask again later")
        self.waiting += 1
        try:
            answer = await self._sequencer.submit_soon(command)
        finally:
            self.waiting -= 1
        if self.on_asked is not None:
            self.on_asked(command, answer)
        return answer

    async def settled(self) -> None:
        """Wait until all that is decided by now is durable, so that the state may be shown."""
        seq = self.state.seq
        if self.durable.seq < seq:
            done = asyncio.get_running_loop().create_future()
            self._settling.append((seq, done))
            await done

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have every durable moment told, in order. Returns what ends it. A listener neither waits nor raises."""
        name = next(self._names)
        self._listeners[name] = listener
        return lambda: self._listeners.pop(name, None) and None

    def look(self, name: str, look: Look) -> None:
        """Have this see the state after each batch too; what it returns is in the moment's `more`, by its name."""
        self._looks[name] = look

    # What the sequencer says

    def _decided(self, batch: Batch) -> None:
        """A batch was decided; where one of its number was before, the session was rebuilt and that one never was."""
        if self._player_sees is not None:
            self._player_sees(batch)
        pending = self._undurable
        while pending and pending[-1].batch.number >= batch.number:
            pending.pop()
        state, command = self._sequencer.state, batch.records[0].message
        columns = state.columns.get(command.chunk) if type(command) is AdvanceMarket else None
        seen = self._look(state, batch, columns) if self._look else None
        looks = self._looks
        more = {name: look(state, batch, columns) for name, look in looks.items()} if looks else NOTHING
        pending.append(Moment(batch, columns, seen, more))

    def _stored(self, head: Head) -> None:
        pending = self._undurable
        while pending and pending[0].batch.number <= head.batch:
            moment = pending.popleft()
            for model in self._models:
                model.fold(moment)
            for listener in tuple(self._listeners.values()):
                listener(moment)
        settling = self._settling
        while settling and settling[0][0] <= head.seq:
            _, done = settling.popleft()
            if not done.done():
                done.set_result(None)
