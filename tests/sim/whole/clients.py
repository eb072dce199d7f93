"""Who asks: traders that lose patience and ask again under the same name, and an operator who moves prices and time."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

from events import commands as c
from events.chunks import encode_chunk
from events.commands import Command, TradersCommand
from events.log import StoredChunk
from events.observations import Observations
from exchange.core.state import RULES_VERSION
from exchange.failures import NotAcknowledged
from exchange.sequencer import COMMANDS_A_TURN, Sequencer
from tests.sim.whole.witness import Witness
from tests.spec.hosting import marks
from tests.spec.words import EASY, GOLD, TICK, TIN, USD

SECOND = 10**9


def now() -> int:
    """What time it is, ns; a session begins at 1."""
    return 1 + int(asyncio.get_running_loop().time() * SECOND)


class Client:
    """A trader: it lives outside of the process, and remembers what it asked for and was never told of."""

    def __init__(self, name: str, dice: Random, witness: Witness, told: Counter[str]) -> None:
        self.name = name
        self._dice = dice
        self._witness = witness
        self._counts = told
        self._number = 0
        self._open: dict[str, TradersCommand] = {}

    @property
    def is_done(self) -> bool:
        """Whether it was told of everything that it asked for."""
        return not self._open

    async def live(self, sequencer: Sequencer, commands: int) -> None:
        """Ask again for what is open, then for so many new things. Raises Stopped."""
        for command in [*self._open.values()]:
            await self._ask(sequencer, command)
        for _ in range(commands):
            command = self._made_up()
            self._open[command.request] = command
            if self._dice.random() < 0.2 and self._number > 3:
                await asyncio.gather(self._ask(sequencer, command), self._ask(sequencer, command))
            else:
                await self._ask(sequencer, command)

    async def _ask(self, sequencer: Sequencer, command: TradersCommand) -> None:
        """Until there is an answer; a client without patience comes back later."""
        tries = 0
        while command.request in self._open or not tries:
            await asyncio.sleep(self._dice.choice((0, 0.001, 0.02)) * self._dice.random() + 0.02 * tries)
            self._counts["asked again"] += tries > 0
            tries += 1
            try:
                async with asyncio.timeout(self._dice.choice((0.0005, 0.01, 60, 60))):
                    answer = await sequencer.submit(command)
            except TimeoutError:
                self._counts["vanished"] += 1
            except NotAcknowledged:
                self._counts["not acknowledged"] += 1
            else:
                self._counts["acknowledged"] += 1
                self._witness.heard(command, answer)
                self._open.pop(command.request, None)

    def _made_up(self) -> TradersCommand:
        self._number += 1
        number, dice, request = self._number, self._dice, f"r{self._number}"
        if number == 1:
            return c.OpenAccount(now(), self.name, request)
        if number == 2:
            return c.Deposit(now(), self.name, request, USD, dice.choice((300, 2_000)))
        kind = dice.random()
        if kind < 0.7:
            return self._order(number, request)
        if kind < 0.8:
            return c.CancelOrder(now(), self.name, request, number - dice.randint(1, 3))
        if kind < 0.9:
            items = tuple(self._order(10 * number + n, f"{request}-{n}") for n in range(2))
            return c.SubmitBatch(now(), self.name, request, items)
        return c.Withdraw(now(), self.name, request, USD, dice.choice((1, 100)))

    def _order(self, number: int, request: str) -> c.PlaceOrder:
        dice = self._dice
        side, on = dice.choice((c.Side.BUY, c.Side.SELL)), dice.choice((GOLD, TIN))
        number += 10 * number if number < 1000 else 0
        return c.PlaceOrder(now(), self.name, request, number, on, side, dice.randint(1, 20), dice.randint(97, 103))


class Operator:
    """Moves prices and time; what it asks for has no name, so it does not insist."""

    def __init__(self, dice: Random, told: Counter[str]) -> None:
        self.columns: dict[c.ChunkId, Observations] = {}
        self._dice = dice
        self._counts = told
        self._chunks: list[tuple[StoredChunk, Observations]] = []
        self._row = 0

    async def open(self, sequencer: Sequencer) -> None:
        """Open the session, if nobody did yet, and lend what history there is. Raises Stopped."""
        for chunk, observations in self._chunks:
            sequencer.add_chunk(chunk, observations)
        while not sequencer.state.pack or sequencer.durable.batch < 3:
            try:
                sequencer.decide(c.OpenSession(now(), RULES_VERSION, EASY, c.SessionOptions()))
                for instrument in (GOLD, TIN):
                    sequencer.decide(c.SetMarkPrice(now(), instrument, 100 * TICK))
                await sequencer.flush()
            except NotAcknowledged:
                await asyncio.sleep(self._dice.random() * 0.1)
                await self._settled(sequencer)
            else:
                assert sequencer.durable.batch, "what was flushed is not durable"

    async def live(self, sequencer: Sequencer, commands: int) -> None:
        """Ask for so many things, as a client or as a player does. Raises Stopped."""
        for _ in range(commands):
            await asyncio.sleep(self._dice.random() * 0.03)
            command = self._made_up(sequencer)
            try:
                if self._dice.random() < 0.5:
                    await sequencer.submit(command)
                else:
                    await self._play(sequencer, command)
            except NotAcknowledged:
                self._counts["lost to the operator"] += 1
                await self._settled(sequencer)

    async def _play(self, sequencer: Sequencer, command: Command) -> None:
        """Decide without waiting, at times much at once."""
        for _ in range(COMMANDS_A_TURN if self._dice.random() < 0.1 else 0):
            sequencer.decide(c.AdvanceTime(now()))
        await sequencer.ready()
        sequencer.decide(command)
        self._counts["played"] += 1
        if self._dice.random() < 0.3:
            await sequencer.flush()

    async def _settled(self, sequencer: Sequencer) -> None:
        """Wait until the session stands again."""
        for wait in self._dice.sample((sequencer.ready, sequencer.flush), 2):
            try:
                await wait()
            except NotAcknowledged:
                self._counts["lost to the operator"] += 1

    def _made_up(self, sequencer: Sequencer) -> Command:
        dice = self._dice
        kind, on = dice.random(), dice.choice((GOLD, TIN))
        if kind < 0.4:
            return c.SetMarkPrice(now(), on, dice.choice((70, 90, 99, 101, 110, 140)) * TICK)
        if kind < 0.6:
            return c.ApplyFunding(now(), on, dice.choice((-100_000, 100_000, 1_000_000)))
        if kind < 0.8:
            return c.AdvanceTime(now())
        return self._history(sequencer)

    def _history(self, sequencer: Sequencer) -> Command:
        """A row of marks, of a chunk that is new every few rows."""
        if self._row % 3 == 0:
            ticks = [self._dice.randint(85, 115) for _ in range(3)]
            columns = marks(GOLD, *ticks, at=max(sequencer.state.now, now()) + len(self._chunks))
            stored = encode_chunk(columns)
            self._chunks.append((stored, columns))
            self.columns[stored.id] = columns
            sequencer.add_chunk(stored, columns)
        chunk, columns = self._chunks[-1]
        row = self._row % 3
        self._row += 1
        at = max(columns.at[row], now())
        return c.AdvanceMarket(at, GOLD, chunk.id, row, row)
