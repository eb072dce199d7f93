"""How far what is played may go by now: play and pause, speed, steps, a hurry to some time, a loop.

Nothing here reads a clock: wall time comes in, ns of any clock that never goes back, and session time, ns since the
epoch. So the same figures serve a replay under way and a session looked at again, and tests need not wait.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from events.units import SECOND, Nanos

Speed = Fraction | None
"""Session time for each second of wall time; None is as fast as it goes."""

SLOWEST, FASTEST = Fraction(1, 1000), Fraction(1_000_000)

LATE_MAX = SECOND
"""Whoever is later than this, wall time, does not hurry to make up for it: the machine slept, or cannot go so fast."""


class Loop(NamedTuple):
    """A stretch of session time that is played again and again, both ends included."""

    start: Nanos
    end: Nanos


class Transport:
    """Where the session clock stands and how it runs. It begins with the first thing that is to be played.

    at is the session time of what was played last. Speed as `speed_of` takes it.
    """

    def __init__(self, speed: Speed = Fraction(1), *, is_playing: bool = True) -> None:
        self.at = Nanos(0)
        self.speed = speed
        self.is_playing = is_playing
        self.steps = 0
        self.loop: Loop | None = None
        self._until: Nanos | None = None
        self._left: int | None = None
        self._anchor: tuple[int, int] | None = None

    # What may be asked

    def play(self, wall: int, length: Nanos | None = None) -> None:
        """Let the session clock run, for so much session time if it is given."""
        self.steps, self._until, self._left = 0, None, length
        self._hold(wall)
        self.is_playing = True

    def pause(self, wall: int) -> None:
        """Stop the session clock where it stands."""
        self.steps, self._until = 0, None
        self._hold(wall)
        self.is_playing = False

    def set_speed(self, wall: int, speed: Speed) -> None:
        """Let the session clock run so fast from now on."""
        self._hold(wall)
        self.speed = speed

    def step(self, wall: int, steps: int) -> None:
        """Pause after so many further steps, and wait for none of them."""
        self.pause(wall)
        self.steps = steps

    def hurry(self, until: Nanos) -> None:
        """Play everything up to and at that session time at once; then go on as before."""
        self.steps, self._until = 0, until

    def moved(self, wall: int, at: Nanos) -> None:
        """Somebody went to another moment: the session clock stands there."""
        self.at, self._anchor, self._until = at, (wall, at), None

    # What is answered

    def clock(self, wall: int) -> int:
        """The session clock: of what is played, whatever lies up to here is due."""
        if self._anchor is None:
            return self.at
        since, at = self._anchor
        if not self.is_playing:
            return max(at, self.at)
        return self.at if self.speed is None else at + int((wall - since) * self.speed)

    def wait(self, wall: int, at: Nanos) -> int | None:
        """How long, ns of wall time, what happens next, at that session time, has to wait: None for until asked."""
        if self._until is not None and at > self._until:
            self.moved(wall, max(self.at, self._until))
        if self.steps or self._until is not None:
            return 0
        if self.is_playing and self._left is not None and self.at and at > self.at + self._left:
            self.moved(wall, Nanos(self.at + self._left))
            self.is_playing, self._left = False, None
        if not self.is_playing:
            return None
        if self.speed is None:
            return 0
        since, begun = self._anchor = self._anchor or (wall, at)
        return max(0, -((begun - at) / self.speed // 1) - (wall - since))

    def passed(self, wall: int, at: Nanos, is_step: bool = True) -> None:
        """Something happened at that session time; whether it is one of those that are counted as steps."""
        if self._left is not None:
            self._left -= max(0, at - (self.at or at))
        self.at = at
        waits_for_nothing = self.steps or self._until is not None or self.speed is None
        if waits_for_nothing or self._is_late(wall, at):
            self._anchor = (wall, at)
        if self.steps and is_step:
            self.steps -= 1

    def begins_again(self, at: Nanos | None) -> Nanos | None:
        """Where to go back to instead of on to what is next, at that session time or never: the start of the loop."""
        if self.loop is None or not self.is_playing or self._until is not None:
            return None
        return self.loop.start if at is None or at > self.loop.end else None

    def _is_late(self, wall: int, at: int) -> bool:
        return self.speed is not None and self.is_playing and self.clock(wall) - at > LATE_MAX * self.speed

    def _hold(self, wall: int) -> None:
        """Let the clock run on from where it stands."""
        if self._anchor is not None:
            self._anchor = (wall, self.clock(wall))


def speed_of(text: str) -> Speed:
    """A speed as people write it: 0.1, 10, 10x, 1/3, max. Raises ValueError."""
    if text.strip().lower() == "max":
        return None
    try:
        speed = Fraction(text.strip().lower().removesuffix("x"))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"speed {text!r}; give a number such as 0.1 or 10, or max") from None
    if not SLOWEST <= speed <= FASTEST:
        raise ValueError(f"speed {text!r}; give {float(SLOWEST):g} to {int(FASTEST):,}, or max")
    return speed


def speed_text(speed: Speed) -> str:
    """A speed as it is shown."""
    return "max" if speed is None else f"{float(speed):g}x"
