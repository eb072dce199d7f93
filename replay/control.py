"""The player's controls, for whoever holds them: a program, keys, or a client.

One `Control` is given to whatever plays: a replay under way (`Player(control=...)`) or a session looked at again
(`Visit.play(control)`). It only says when the next thing may happen. What happens is decided elsewhere, and is the same
at any speed and with any pause.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from events.record import Batch
from events.units import Nanos
from replay.clock import Clock, WallClock
from replay.moments import is_any
from replay.transport import Loop, Speed, Transport, speed_of, speed_text

Wish = Callable[[Any], Any]
"""What a `Player` or a `Visit`, whichever plays, is to do between two batches; it may be a coroutine function."""

TURNS = 32
"""After so many things that did not have to wait, others have their turn."""


class NoWayBack(Exception):
    """A replay under way does not go back; the message says what does."""


class Over(Exception):
    """Something was wished for and nothing is played any more."""


class Control:
    """Play, pause, step, speed, seek and loop. Each call returns at once; `still` waits until nothing runs.

    Speed is session time for each second of wall time: 10, "0.1", "max".
    """

    def __init__(self, speed: float | str = "1", *, is_playing: bool = True, clock: Clock | None = None) -> None:
        self._clock = clock or WallClock()
        self._transport = Transport(speed_of(str(speed)), is_playing=is_playing)
        self._stirred = asyncio.Event()
        self._still = asyncio.Event()
        self._counts: Callable[[Batch], bool] = is_any
        self._wishes: deque[tuple[Wish, asyncio.Future[Any]]] = deque()
        self._turns = 0
        self.is_stopped = self.is_at_end = self.is_over = False
        self.last: Batch | None = None
        self.on_passed: Callable[[Batch], None] | None = None

    # What may be asked

    def play(self, length: int | None = None) -> None:
        """Go on, for so many ns of session time if they are given."""
        self._transport.play(self._clock.now(), None if length is None else Nanos(length))
        self._stir()

    def pause(self) -> None:
        """Stop before whatever would be next."""
        self._transport.pause(self._clock.now())
        self._stir()

    def toggle(self) -> None:
        """Pause where it plays, else play."""
        if self.is_playing or self._transport.steps:
            self.pause()
        else:
            self.play()

    def step(self, count: int = 1, counts: Callable[[Batch], bool] = is_any) -> None:
        """Go on at once and pause after so many batches that count: any, or those of one of `moments`."""
        self._counts = counts
        self._transport.step(self._clock.now(), count)
        self._stir()

    def set_speed(self, speed: float | str) -> None:
        """Go so fast from now on. Raises ValueError."""
        self._transport.set_speed(self._clock.now(), speed_of(str(speed)))
        self._stir()

    def hurry(self, until: int) -> None:
        """Go on at once to this session time, ns, then as before."""
        self._transport.hurry(Nanos(until))
        self._stir()

    def set_loop(self, start: int, end: int) -> None:
        """Of a session looked at again: play this stretch of session time over and over. Raises ValueError."""
        if start >= end:
            raise ValueError("a loop ends after it begins")
        self._transport.loop = Loop(Nanos(start), Nanos(end))
        self._stir()

    def end_loop(self) -> None:
        """Play on beyond the end of the loop."""
        self._transport.loop = None
        self._stir()

    async def seek(self, at: int) -> None:
        """Go to this session time, ns. Raises NoSuchMoment, and NoWayBack where a replay under way is past it."""
        await self.wish(lambda player: player.seek(at))

    async def seek_record(self, record: int) -> None:
        """Of a session looked at again: go to the end of the batch that holds this record. Raises NoSuchMoment."""
        await self.wish(lambda visit: visit.seek_record(record))

    async def step_back(self, count: int = 1, counts: Callable[[Batch], bool] = is_any) -> None:
        """Of a session looked at again: pause, and go back to where so many batches that count were last."""
        self.pause()
        await self.wish(lambda visit: visit.step(-count, counts))

    async def wish(self, wish: Wish) -> Any:
        """Have whoever plays do this in its turn, between two batches; what came of it.

        Raises what that raises, and Over.
        """
        if self.is_over:
            raise Over("nothing is played any more")
        done = asyncio.get_running_loop().create_future()
        self._wishes.append((wish, done))
        self._stir()
        return await done

    def stop(self) -> None:
        """End it here."""
        self.is_stopped = True
        self._stir()

    # What can be seen

    @property
    def is_playing(self) -> bool:
        """Whether the session clock runs."""
        return self._transport.is_playing

    @property
    def speed(self) -> Speed:
        """Session time for each second of wall time; None is as fast as it goes."""
        return self._transport.speed

    @property
    def loop(self) -> Loop | None:
        """What is played over and over."""
        return self._transport.loop

    @property
    def now(self) -> int:
        """The session clock, ns since the epoch."""
        return self._transport.clock(self._clock.now())

    def as_object(self) -> dict[str, Any]:
        """All of that in plain types."""
        loop = self.loop
        return {
            "playing": self.is_playing,
            "speed": speed_text(self.speed),
            "now": self.now,
            "loop": None if loop is None else list(loop),
            "at_end": self.is_at_end,
        }

    async def still(self) -> None:
        """Wait until it pauses, all steps are done, or it ends."""
        self._still.clear()
        self._stir()
        if not self.is_over:
            await self._still.wait()

    # For whoever plays

    async def turn(self, at: Nanos | None) -> bool:
        """Wait for what is next, at that session time; None where there is nothing. True once it may happen.

        False where something was asked meanwhile: grant what was wished, look again what is next, see whether to stop.
        """
        self._stirred.clear()
        if self.is_stopped or self._wishes:
            return False
        self.is_at_end = at is None
        wait = None if at is None else self._transport.wait(self._clock.now(), at)
        if wait == 0:
            self._turns += 1
            if self._turns % TURNS == 0:
                await asyncio.sleep(0)
            return True
        if wait is None:
            self._still.set()
        await self._clock.wait(wait, self._stirred)
        return False

    async def grant(self, player: Any) -> bool:
        """Do what was wished for first; False where nothing was."""
        if not self._wishes:
            return False
        wish, done = self._wishes.popleft()
        try:
            result = wish(player)
            result = await result if isawaitable(result) else result
        except Exception as error:
            if not done.done():
                done.set_exception(error)
        else:
            if not done.done():
                done.set_result(result)
        return True

    def passed(self, batch: Batch) -> None:
        """Something was played."""
        self.last = batch
        self._transport.passed(self._clock.now(), batch.at, self._counts(batch))
        if self.on_passed:
            self.on_passed(batch)

    def moved(self, at: Nanos) -> None:
        """The session stands elsewhere now."""
        self._transport.moved(self._clock.now(), at)

    def begins_again(self, at: Nanos | None) -> Nanos | None:
        """Where to go back to instead of on, as `Transport.begins_again`."""
        return self._transport.begins_again(at)

    def ended(self) -> None:
        """Nothing will be played any more."""
        self.is_stopped = self.is_over = True
        while self._wishes:
            _, done = self._wishes.popleft()
            if not done.done():
                done.set_exception(Over("nothing is played any more"))
        self._still.set()

    def stir(self) -> None:
        """Something else changed what is next."""
        self._stir()

    def _stir(self) -> None:
        self._stirred.set()
