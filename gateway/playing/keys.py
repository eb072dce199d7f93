"""A player by keys: each does what a typed line would, and the screen follows."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from itertools import cycle
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.text import Text

from events.commands import MARKET
from gateway.console import OUT
from gateway.errors import UsageError
from gateway.playing.deck import Deck, LookBack
from gateway.playing.terminal import keys_of
from gateway.reports.play_screen import lines
from replay.transport import FASTEST, SLOWEST
from replay.travel import utc

FRAME_SECONDS = 0.1
"""The screen is drawn so often at most, and only where something changed."""

LOOK_BACK, RETURN = "look back", "return"
"""Lines that only keys give."""

LINES = {
    "right": "step", "left": "back", "up": "seek +10s", "down": "seek -10s", "n": "step fill", "p": "back fill",
    "m": "step mark", "x": "step liquidation", "home": "seek start", "end": "seek end", "0": "speed max",
    "1": "speed 1", "r": LOOK_BACK,
}  # fmt: skip
"""Keys that are a line each."""

PROMPTS = {"g": "seek ", ":": "", "f": "fork "}
"""Keys that begin a line, which is typed on until Enter; Escape leaves it."""


class Keys:
    """What keys do to a deck. A line that takes long does not hold up the next key: lines are done in their order."""

    def __init__(self, deck: Deck) -> None:
        self.deck = deck
        self.prompt: str | None = None
        self.message = ""
        self.is_helping = False
        self.changed = asyncio.Event()
        self._todo: deque[str] = deque()
        self._more = asyncio.Event()
        self._loop_from: str | None = None
        self._replay: Deck | None = None
        self._looked: LookBack | None = None

    def press(self, key: str) -> None:
        """A key was pressed, by its name or letter."""
        self.message = ""
        if self.prompt is not None:
            self._type(key)
        elif key in LINES:
            self._line(LINES[key])
        elif key in PROMPTS:
            self.prompt = PROMPTS[key]
        elif key in _DEEDS:
            _DEEDS[key](self)
        self.changed.set()

    def leave(self) -> None:
        """End it, whatever is still to do; where what was is looked at, go on with the replay."""
        if self._replay is None:
            self.deck.leave()
        else:
            self._todo.clear()
            self.deck.control.stop()
            self._line(RETURN)

    def end(self) -> None:
        """Nobody holds the keys any more."""
        (self._replay or self.deck).leave()
        self.deck.leave()

    async def work(self) -> None:
        """Do line after line until one is to quit; what cannot be done is told."""
        while not self.deck.is_left:
            await self._more.wait()
            self._more.clear()
            while self._todo and not self.deck.is_left:
                try:
                    self.message = await self._do(self._todo.popleft()) or ""
                except UsageError as error:
                    self.message = str(error)
                self.changed.set()

    def shown(self, width: int, height: int) -> list[str]:
        """The screen."""
        prompt = "" if self.prompt is None else f"> {self.prompt}█"
        return lines(self.deck, width, height, prompt, self.message, self.is_helping)

    async def close(self) -> None:
        """Let go of what was looked at."""
        if self._looked:
            await self._looked.end()

    async def _do(self, line: str) -> str | None:
        if line == LOOK_BACK:
            return await self._look_back()
        if line != RETURN:
            return await self.deck.do(line)
        await self._return()
        return None

    async def _look_back(self) -> str | None:
        """Look at what was so far, while the replay pauses."""
        deck = self.deck
        if deck.look_back is None:
            return "what was is looked at already"
        deck.control.pause()
        self._looked = await deck.look_back()
        self._replay, self.deck = deck, self._looked.deck
        self.deck.on_note = self.changed.set
        return None

    async def _return(self) -> None:
        """Go on with the replay."""
        if replay := self._replay:
            await self.close()
            self._looked, self._replay, self.deck = None, None, replay

    def _line(self, line: str) -> None:
        self._todo.append(line)
        self._more.set()

    def _type(self, key: str) -> None:
        assert self.prompt is not None
        if key == "enter":
            line, self.prompt = self.prompt, None
            if line.strip():
                self._line(_as_line(line))
        elif key == "escape":
            self.prompt = None
        elif key == "backspace":
            self.prompt = self.prompt[:-1]
        elif len(key) == 1 and key.isprintable():
            self.prompt += key

    def _toggle(self) -> None:
        self.deck.control.toggle()

    def _faster(self) -> None:
        speed = self.deck.control.speed
        if speed is not None:
            self.deck.control.set_speed(str(min(speed * 2, FASTEST)))

    def _slower(self) -> None:
        speed = self.deck.control.speed
        self.deck.control.set_speed("1000" if speed is None else str(max(speed / 2, SLOWEST)))

    def _loop(self) -> None:
        here = utc(self.deck.state.now)
        if self.deck.control.loop:
            self._line("loop off")
        elif self._loop_from is None:
            self._loop_from, self.message = here, f"a loop begins at {here}; l again where it ends"
        else:
            self._line(f"loop {self._loop_from} {here}")
            self._loop_from = None

    def _next_account(self) -> None:
        deck = self.deck
        names = ["all", *(name for name, a in deck.state.accounts.items() if name != MARKET and not a.is_reserved)]
        around = cycle(names)
        for name in around:
            if name == (deck.account or "all"):
                break
        self._line(f"account {next(around)}")

    def _help(self) -> None:
        self.is_helping = not self.is_helping


_DEEDS: dict[str, Callable[[Keys], None]] = {
    " ": Keys._toggle, "+": Keys._faster, "=": Keys._faster, "-": Keys._slower, "l": Keys._loop,
    "a": Keys._next_account, "?": Keys._help, "q": Keys.leave,
}  # fmt: skip


def _as_line(line: str) -> str:
    """What was typed; `seek` goes to a record too where it is given a small number."""
    name, _, rest = line.partition(" ")
    is_record = name == "seek" and rest.strip().isdecimal() and len(rest.strip()) <= 12
    return f"record {rest}" if is_record else line


def are_there() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


async def run(deck: Deck, play: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Let somebody at the terminal play until he quits. What plays ends with that; its failure is raised here."""
    keys = Keys(deck)
    playing: asyncio.Future[object] = asyncio.ensure_future(play())
    working: asyncio.Future[object] = asyncio.ensure_future(keys.work())
    deck.on_note = keys.changed.set
    with (
        Live(console=OUT, screen=True, auto_refresh=False, vertical_overflow="crop") as live,
        keys_of(sys.stdin.fileno(), keys.press, keys.end),
    ):
        drawing: asyncio.Future[object] = asyncio.ensure_future(_draw(live, keys))
        try:
            await asyncio.wait({playing, working, drawing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            deck.control.stop()
            for task in (drawing, working):
                task.cancel()
            await asyncio.gather(playing, drawing, working, return_exceptions=True)
            await keys.close()
    for ended in (playing, working, drawing):
        if not ended.cancelled() and (error := ended.exception()):
            raise error


async def _draw(live: Live, keys: Keys) -> None:
    """Draw what changed, and sleep where nothing does."""
    while True:
        width, height = live.console.size
        shown = keys.shown(width, height)
        live.update(Group(*(Text(line, no_wrap=True, overflow="crop") for line in shown)), refresh=True)
        await asyncio.sleep(FRAME_SECONDS)
        await keys.changed.wait()
        keys.changed.clear()
