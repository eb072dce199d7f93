"""What keys and typed lines do with a player, and what there is to see of it."""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from events import facts as f
from events.commands import MARKET, AccountId
from events.instruments import InstrumentId
from events.log import LogError
from events.record import Batch, kind_of
from events.units import decimal_text
from exchange.core.state import FAR, State
from exchange.failures import SequencerError
from exchange.projections.moment import moment
from gateway.commands.stress_given import time as length_of
from gateway.console import time_text
from gateway.errors import UsageError
from gateway.naming import there_are
from gateway.reports.why_words import Words
from gateway.times import nanos_on
from gateway.wording import words
from replay.control import Control, NoWayBack, Over
from replay.moments import Counts, moments
from replay.transport import speed_text
from replay.travel import NoSuchMoment

TRAIL = 400
"""So many marks of an instrument are kept for its chart."""

NEWS = 40
"""So many of the latest facts are kept."""

SILENT = (f.MarketAdvanced, f.MarkPriceMoved, f.TimeAdvanced, f.IndexPriceMoved)
"""Facts that come with every row or second, and are seen elsewhere."""

PLAYER_ONLY = "a replay under way goes forwards only; the key r looks back at what was, and forks it there"


Fork = Callable[[int, AccountId | None, list[str]], Awaitable[str]]
"""Writes a fork at a record, of an account that is looked at, as words say; what there is to say of it."""


class News(NamedTuple):
    """A fact as it is told: its record, its time, and what it says."""

    record: int
    at: int
    text: str

    def __str__(self) -> str:
        return f"{self.record:>9,}  {time_text(self.at)}  {self.text}"


class LookBack(NamedTuple):
    """A replay so far, to be looked at again: its deck, and what is to be done when that was enough."""

    deck: Deck
    end: Callable[[], Awaitable[None]]


class Deck:
    """A player in somebody's hands: a line is done by `do`, what there is to see is read off.

    fork writes a fork at a record; it is there where a session is looked at again.
    look_back is there for a replay under way.
    """

    def __init__(
        self, control: Control, state: Callable[[], State], title: str, account: str = "", fork: Fork | None = None,
        look_back: Callable[[], Awaitable[LookBack]] | None = None,
    ) -> None:  # fmt: skip
        self.control = control
        self.title = title
        self._fork_here = fork
        self.look_back = look_back
        self.account = AccountId(account) if account else None
        self.is_left = False
        self.on_note: Callable[[], None] | None = None
        self.news: deque[News] = deque(maxlen=NEWS)
        self.trails: dict[InstrumentId, deque[tuple[int, int]]] = {}
        self._state = state
        self._batch_begins = 0
        self._deeds: dict[str, Callable[[list[str]], Awaitable[str | None]]] = {
            "play": self._play,
            "pause": self._pause,
            "step": self._step,
            "back": self._back,
            "seek": self._seek,
            "record": self._record,
            "speed": self._speed,
            "loop": self._loop,
            "account": self._account,
            "fork": self._fork,
            "show": self._show,
            "quit": self._quit,
        }

    @property
    def state(self) -> State:
        """The state as it is played so far."""
        return self._state()

    # What is seen

    def note(self, batch: Batch) -> None:
        """Something was played: keep what there is to tell of it."""
        self._batch_begins = batch.first_seq
        if self.news and self.news[-1].record >= batch.first_seq:
            self.news = deque((one for one in self.news if one.record < batch.first_seq), NEWS)
        for record in batch.records[1:]:
            fact = record.message
            if isinstance(fact, f.MarkPriceMoved):
                self._note_mark(batch.at, fact)
            elif not isinstance(fact, SILENT):
                self.news.append(News(record.seq, batch.at, self._told(fact)))
        if self.on_note:
            self.on_note()

    def names(self) -> list[AccountId]:
        """The accounts that are shown. Raises UsageError."""
        accounts = self.state.accounts
        if self.account is None:
            return [name for name, a in accounts.items() if name != MARKET and (a.wallets or not a.is_reserved)]
        return [self.account] if self.account in accounts else []

    def moment(self, levels: int = 5) -> dict[str, Any]:
        """All that is known here, as `ringfence log at` shows it."""
        return moment(self.state, self.names(), levels)

    def as_object(self) -> dict[str, Any]:
        """Where it stands, in plain types."""
        state = self.state
        marks = {name: decimal_text(contract.mark) for name, contract in state.contracts.items() if contract.mark}
        return {
            "at": state.now,
            "record": state.seq,
            "batch": state.batch,
            **self.control.as_object(),
            "marks": marks,
            "news": [one.text for one in self.latest()],
        }

    def latest(self) -> list[News]:
        """What is told of the batch that led here."""
        return [one for one in self.news if one.record > self._batch_begins]

    def line(self) -> str:
        """Where it stands, in a line."""
        control, state = self.control, self.state
        way = "plays at" if control.is_playing else "paused,"
        at_end = ", the end" if control.is_at_end else ""
        loop = f", loop {time_text(control.loop.start)} to {time_text(control.loop.end)}" if control.loop else ""
        here = f"{time_text(max(state.now, 0))} UTC, record {state.seq:,} (batch {state.batch:,})"
        return f"{here}, {way} {speed_text(control.speed)}{at_end}{loop}"

    # What is done

    async def do(self, line: str) -> str | None:
        """Do what a line says; what there is to say of it. Raises UsageError."""
        try:
            name, *rest = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"{line!r}: {error}") from error
        if name not in self._deeds:
            raise UsageError(f"{name!r} is nothing to do here; give {', '.join(self._deeds)}")
        try:
            return await self._deeds[name](rest)
        except (NoSuchMoment, NoWayBack, Over, ValueError, LogError, SequencerError) as error:
            raise UsageError(f"{line.strip()}: {error}") from error

    def leave(self) -> None:
        """End it."""
        self.is_left = True
        self.control.stop()

    async def _play(self, rest: list[str]) -> None:
        self.control.play(length_of("play", _one(rest, "play 10s")) if rest else None)

    async def _pause(self, _: list[str]) -> None:
        self.control.pause()

    async def _step(self, rest: list[str]) -> None:
        self.control.step(*self._counted(rest))
        await self.control.still()

    async def _back(self, rest: list[str]) -> str | None:
        count, counts = self._counted(rest)
        self.control.pause()
        if await self.control.wish(lambda player: player.step(-count, counts)):
            return None
        await self.control.wish(lambda visit: visit.seek_batch(1))
        return "there are not so many before: this is the beginning"

    async def _seek(self, rest: list[str]) -> None:
        text = _one(rest, "seek 2023-04-05T08:00:12, +10s, -1m, start or end")
        if text == "start":
            self._check_visits()
            await self.control.wish(lambda visit: visit.seek_batch(1))
        elif text[:1] in ("+", "-"):
            length = length_of("seek", text[1:])
            await self.control.seek(max(0, self.control.now + (length if text[0] == "+" else -length)))
        else:
            await self.control.seek(FAR if text == "end" else self._time(text, "seek"))

    async def _record(self, rest: list[str]) -> None:
        self._check_visits()
        text = _one(rest, "record 1234")
        if not text.isdecimal():
            raise UsageError(f"record {text!r}: give its number")
        await self.control.seek_record(int(text))

    async def _speed(self, rest: list[str]) -> None:
        self.control.set_speed(_one(rest, "speed 10, 0.1 or max"))

    async def _loop(self, rest: list[str]) -> None:
        self._check_visits()
        if rest == ["off"]:
            self.control.end_loop()
            return
        if len(rest) != 2:
            raise UsageError("give loop FROM TO, two times, or loop off")
        start, end = (self._time(text, "loop") for text in rest)
        self.control.set_loop(start, end)

    async def _account(self, rest: list[str]) -> None:
        name = _one(rest, "account NAME, or account all")
        if name != "all" and name not in self.state.accounts:
            raise UsageError(f"no account {name!r} at this moment; {there_are(self.state.accounts, name)}")
        self.account = None if name == "all" else AccountId(name)

    async def _fork(self, rest: list[str]) -> str:
        if self._fork_here is None:
            raise UsageError(PLAYER_ONLY)
        self.control.pause()
        return await self._fork_here(self.state.seq, self.account, rest)

    async def _show(self, _: list[str]) -> None:
        """Whoever draws shows all there is."""

    async def _quit(self, _: list[str]) -> None:
        self.leave()

    # How

    def _time(self, text: str, what: str) -> int:
        """A time as it is typed: one of the present day where no day stands in it. Raises UsageError."""
        return nanos_on(self.control.now, text, what)

    def _counted(self, rest: list[str]) -> tuple[int, Counts]:
        """How many steps, and what counts as one: `3 fill`, either may be left out."""
        number = rest.pop(0) if rest and rest[0].isdecimal() else "1"
        return int(number), moments(_one(rest, "step 3 fill") if rest else "batch", self.account)

    def _check_visits(self) -> None:
        if self._fork_here is None:
            raise UsageError(PLAYER_ONLY)

    def _note_mark(self, at: int, fact: f.MarkPriceMoved) -> None:
        trail = self.trails.setdefault(fact.instrument, deque(maxlen=TRAIL))
        while trail and trail[-1][0] >= at:
            trail.pop()
        trail.append((at, fact.mark))

    def _told(self, fact: Any) -> str:
        pack = self.state.pack
        terms = Words(pack).instruments if pack else {}
        return f"{kind_of(fact).rpartition('.')[0]} {words(fact, terms)}".rstrip()


def _one(rest: list[str], what: str) -> str:
    if len(rest) != 1:
        raise UsageError(f"give {what}")
    return rest[0]
