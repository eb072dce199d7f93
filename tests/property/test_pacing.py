"""Whoever holds a replay, whatever they ask of its controls and whenever: the log is the one of a replay in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from events.commands import SessionOptions
from events.log import Head
from events.store.memory import MemoryLog
from events.units import SECOND
from examples.quoter import Quoter
from exchange.sequencer import Sequencer
from replay.clock import ManualClock
from replay.control import Control, NoWayBack, Over
from replay.latency import latency
from replay.moments import moments
from replay.player import Player
from replay.sources import open_source
from replay.traders import Trader
from tests.captures import PACK
from tests.loop import turns
from tests.playing import capture, market, play, trader
from tests.strategies import Gambler

SPAN = 10
"""So many seconds has the market, a crash and its liquidations among them."""

SLOW = SessionOptions(latency=latency("40ms", feed="25ms", jitter="30ms", seed=5))
"""Orders are on their way when somebody pauses."""


def traders() -> list[Trader]:
    return [trader(Gambler()), trader(Quoter(), "ben")]


class Asked(NamedTuple):
    """What is asked of the controls, how many turns of the event loop after it is done what was asked before."""

    what: str
    how: float | int | str = 0
    turns: int = 0


def asked(what: str, how: st.SearchStrategy[float] | st.SearchStrategy[str]) -> st.SearchStrategy[Asked]:
    return st.builds(Asked, st.just(what), how, st.sampled_from([0, 1, 2, 5, 20, 60]))


requests = st.lists(
    st.one_of(
        asked("speed", st.sampled_from(["0.001", "0.1", "1", "7/3", "60", "1000000", "max"])),
        asked("play", st.floats(0.001, 3)),
        asked("step", st.integers(0, 5)),
        asked("step to a mark", st.integers(1, 3)),
        asked("step to a fill", st.just(1)),
        asked("seek", st.floats(-3, 5)),
        asked("hold", st.floats(0, 30)),
        *(asked(what, st.just(0)) for what in ("pause", "toggle", "go", "step back", "still")),
    ),
    min_size=3,
    max_size=15,
)
"""Seconds are of session time, but for `hold`: wall time that goes by."""


class Held:
    """A replay under way, in memory, in somebody's hands."""

    def __init__(self, path: Path, control: Control, clock: ManualClock) -> None:
        self._path, self._control, self._clock = path, control, clock

    async def head(self, asking: Sequence[Asked]) -> Head:
        """Ask all of that, then let it go on to its end; the head of the log."""
        log = MemoryLog()
        sequencer = await Sequencer.open(log)
        self._player = Player(sequencer, [open_source(self._path, PACK)], traders(), control=self._control)
        playing = asyncio.create_task(self._player.run(PACK, SLOW))
        for one in asking:
            await turns(one.turns)
            with suppress(NoWayBack, Over):
                await self._ask(one)
        self._control.set_speed("max")
        self._control.play()
        await playing
        await sequencer.close()
        return await log.head()

    async def _ask(self, asked: Asked) -> None:
        control, how = self._control, asked.how
        match asked.what:
            case "speed":
                control.set_speed(str(how))
            case "play":
                control.play(int(float(how) * SECOND))
            case "go":
                control.play()
            case "step":
                control.step(int(how))
            case "step to a mark":
                control.step(int(how), moments("mark"))
            case "step to a fill":
                control.step(int(how), moments("fill"))
            case "seek":
                await control.seek(self._player.state.now + int(float(how) * SECOND))
            case "step back":
                await control.step_back()
            case "hold":
                self._clock.advance(int(float(how) * SECOND))
            case "pause":
                control.pause()
            case "toggle":
                control.toggle()
            case _ if not control.is_playing:
                await control.still()


@cache
def files() -> tuple[TemporaryDirectory[str], Path]:
    """The market, and the folder that is there as long as it is."""
    folder = TemporaryDirectory()
    return folder, capture(Path(folder.name), market(SPAN))


def played(asking: Sequence[Asked], speed: str, is_playing: bool) -> Head:
    clock = ManualClock()
    control = Control(speed, is_playing=is_playing, clock=clock)
    return asyncio.run(Held(files()[1], control, clock).head(asking))


@cache
def in_one_go() -> Head:
    """Without anybody at the controls."""
    return play(files()[1], traders=traders(), options=SLOW).head


@settings(max_examples=25)
@given(requests, st.sampled_from(["0.1", "1", "50", "max"]), st.booleans())
def test_no_way_of_playing_it_changes_a_byte(asking: list[Asked], speed: str, is_playing: bool) -> None:
    assert played(asking, speed, is_playing) == in_one_go()
