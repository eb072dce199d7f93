"""Strategies run again: through the past of a fork as it is recorded, and on from there for themselves.

A strategy has a state of its own, which no session holds. So it lives through the past once more: it is told what
happened, when it happened, and what it asks for is compared with what is recorded and not decided. At the fork its
recorded commands end and its own take their place, while the market and all other accounts go on as recorded.

The market stops where it stopped in the session, so that recorded commands find their place, and wherever a strategy
that runs again is woken, or an order of the fork can be touched.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from events import commands as c
from events.instruments import InstrumentId
from events.log import EventLog, StoredBatch
from events.units import Nanos
from exchange.core.matching.touching import first_touch
from exchange.core.state import FAR, State
from exchange.core.step import apply_batch
from replay.context import Context
from replay.editing import Editor
from replay.slots import Rows, Said, Slot, Slots
from replay.strategy import Strategy
from replay.traders import Traders


@dataclass(slots=True)
class Again:
    """Strategies by the account that each trades, made anew.

    Filled while they run: asked, for how many recorded commands of before the fork each strategy asked again; and
    parted, the record at which it first asked for something else.
    """

    strategies: Mapping[c.AccountId, Strategy]
    asked: Counter[c.AccountId] = field(default_factory=Counter)
    parted: dict[c.AccountId, int] = field(default_factory=dict)


async def rerun(
    log: EventLog, before: int, editor: Editor, again: Again, on_batch: Callable[[StoredBatch], None]
) -> None:
    """Play on, from batch `before` of a session on, with strategies that are run again.

    Raises LogError, SequencerError, StrategyError.
    """
    running = _Rerun(editor, again)
    async for slot in Slots(log, before, on_batch):
        running.play(slot)
        await editor.sequencer.ready()
    running.go_live()


class _Rerun:
    """Goes through the slots of a session: applies what is past, decides what comes after."""

    def __init__(self, editor: Editor, again: Again) -> None:
        self._editor = editor
        self._sequencer = editor.sequencer
        self._again = again
        self._past = State()
        self._is_live = self._has_started = self._has_finished = False
        self._slot = Slot(None)
        self._lent: dict[InstrumentId, c.ChunkId] = {}
        self._places: dict[c.AccountId, int] = {}
        self._opened: dict[c.AccountId, list[InstrumentId]] = {}
        self._contexts: dict[c.AccountId, Context] = {}
        self._requests: dict[c.AccountId, int] = {}
        self._traders = Traders((), lambda: self._state, self._send)

    @property
    def _state(self) -> State:
        return self._sequencer.state if self._is_live else self._past

    # Through a slot

    def play(self, slot: Slot) -> None:
        """Let the market advance, then have said what was said after it, or what strategies say in its place."""
        self._slot = slot
        if slot.rows:
            self._advance(slot.rows)
        while slot.said:
            self._say_next(slot)
        if slot.rows:
            self._tell()
        if not self._has_started:
            self._start()
        if slot.until is None:
            self._finish()
            while self._next_wake < (FAR, FAR):
                self._wake()
        while slot.until is not None and self._next_wake <= (slot.until, FAR):
            self._wake()

    def _say_next(self, slot: Slot) -> None:
        """Do what comes before the next recorded command: set up, wake, finish; or have it said."""
        said = slot.said[0]
        if self._has_started and self._next_wake <= (said.command.at, self._place(said.command)):
            self._wake()
        elif self._is_asked(said) and not self._has_started:
            self._start()
        elif slot.until is None and not self._has_finished and (self._is_asked(said) or self._arrives(said)):
            self._finish()
        else:
            self._say(slot.said.popleft())
            if slot.rows and not _sets_up(said.command):
                self._tell()

    def _arrives(self, said: Said) -> bool:
        """Whether it took time to come, and so comes when all strategies were told that the last row was applied."""
        return said.command.at > self._state.now

    def _start(self) -> None:
        self._has_started = True
        self._join_opened()
        self._traders.start(Nanos(self._state.now))

    def _finish(self) -> None:
        if not self._has_finished:
            self._has_finished = True
            self._traders.finish()
            self._tell()

    @property
    def _next_wake(self) -> tuple[int, int]:
        """When something asked arrives, or somebody is woken by a time, and his place. Behind the last row nobody is
        woken, and nothing arrives before all have been told.
        """
        times, arrives = self._traders.alarms.times, self._traders.outbox.next_at
        if self._slot.until is None:
            times, arrives = [], arrives if self._has_finished else None
        woken = times[0][:2] if times else (FAR, FAR)
        return woken if arrives is None else min(woken, (arrives, -1))

    def _wake(self) -> None:
        if self._slot.until is None:
            self._traders.deliver()
        else:
            self._traders.wake()
        self._tell()

    def _tell(self) -> None:
        self._traders.tell(lambda: None)

    # What is recorded

    def _say(self, said: Said) -> None:
        """Have a recorded command said: apply it where it is past, decide it where nobody asks in its place."""
        command = said.command
        if said.batches:
            if self._is_asked(said):
                self._part(_account(said), said.seq)
            self._apply(said)
            return
        self.go_live()
        if not self._is_asked(said):
            self._editor.decide(command)
            self._editor.insert()
            self._note(command)

    def _apply(self, said: Said) -> None:
        """Apply what is past; behind the last of it the fork begins, before anybody is told."""
        for batch in said.batches:
            apply_batch(self._past, batch)
            self._traders.note(batch)
        self._note(said.command)
        slot = self._slot
        if slot.ends_past and not (slot.said and slot.said[0].batches):
            self.go_live()

    def _note(self, command: c.Command) -> None:
        """Keep in mind how accounts are set up, and which requests are taken."""
        if not isinstance(command, c.TradersCommand):
            return
        if isinstance(command, c.OpenAccount) and command.account not in self._places:
            self._join_opened()
            self._places[command.account] = len(self._places)
            self._opened[command.account] = []
        elif isinstance(command, c.SetMarginMode) and _sets_up(command):
            self._show(command.account, command.instrument)
        elif command.request.isdecimal():
            self._requests[command.account] = int(command.request)

    def _show(self, account: c.AccountId, instrument: InstrumentId) -> None:
        """Let an account's strategy know of an instrument, whose margin mode was set."""
        if account in self._contexts:
            self._traders.follow(account, (instrument,))
        elif account in self._opened:
            self._opened[account].append(instrument)

    def _join_opened(self) -> None:
        """Let strategies trade the accounts that are set up by now."""
        for account, instruments in self._opened.items():
            strategy = self._again.strategies.get(account) or Strategy()
            self._contexts[account] = self._traders.join(account, self._places[account], strategy)
            self._traders.follow(account, tuple(instruments))
        self._opened.clear()

    def _is_asked(self, said: Said) -> bool:
        """Whether a strategy that runs again asked for it: its requests are numbers, those by which an
        account was set up or edited are not.
        """
        command = said.command
        return (
            isinstance(command, c.TradersCommand)
            and command.account in self._again.strategies
            and command.request.isdecimal()
        )

    def _place(self, command: c.Command) -> int:
        """Where its account stands among those that are woken at a time; everything else comes before them."""
        return self._places.get(getattr(command, "account", c.MARKET), -1)

    # What strategies ask for

    def _send(self, command: c.Command) -> None:
        """Take what a strategy asks for: in the past compare it with what is recorded, afterwards have it decided."""
        assert isinstance(command, c.TradersCommand)
        command = command.__replace__(at=max(command.at, self._state.now))
        if self._is_live or not self._is_past(command):
            self.go_live()
            self._ask(command)

    def _is_past(self, command: c.TradersCommand) -> bool:
        """Whether the command belongs to the past, which is recorded; then it was compared with that."""
        said, account = self._slot.said, command.account
        own = next((one for one in said if one.batches and self._is_asked(one) and _account(one) == account), None)
        if own is None and self._slot.ends_past:
            while said and said[0].batches:
                self._say(said.popleft())
            return False
        if own is None:
            self._part(account, self._slot.next_seq)
        elif own.command != command:
            self._part(account, own.seq)
        elif account not in self._again.parted:
            self._pass(own)
            self._apply(own)
            self._again.asked[account] += 1
        return True

    def _ask(self, command: c.TradersCommand) -> None:
        """Decide what a strategy asks for, and ahead of it what was said before it in the session."""
        if same := next((one for one in self._slot.said if one.command == command), None):
            self._pass(same)
        self._editor.decide(command)

    def _pass(self, until: Said) -> None:
        """Have said what comes before that."""
        while (said := self._slot.said.popleft()) is not until:
            self._say(said)

    def _part(self, account: c.AccountId, seq: int) -> None:
        self._again.parted.setdefault(account, seq)

    # The market, and the fork

    def _advance(self, rows: Rows) -> None:
        """Apply the rows: past ones as they were applied, others up to whatever stops there."""
        if not rows.said.batches:
            self.go_live()
            self._lend(rows)
            self._play_on(rows)
            return
        self._lend(rows)
        self._apply(rows.said)
        self._told_rows(rows, rows.command.first_row, rows.command.last_row)

    def _play_on(self, rows: Rows) -> None:
        columns, row = rows.columns, rows.command.first_row
        while row <= rows.command.last_row:
            if self._next_wake <= (columns.at[row], FAR):
                self._wake()
                continue
            last = self._last_row(rows, row)
            at = Nanos(max(columns.at[last], self._state.now))
            self._sequencer.decide(c.AdvanceMarket(at, columns.instrument, rows.chunk.id, row, last))
            self._told_rows(rows, row, last)
            row = last + 1

    def _last_row(self, rows: Rows, first: int) -> int:
        """How far rows may be applied at once."""
        columns, alarms = rows.columns, self._traders.alarms
        until = min(self._next_wake[0], self._state.next_timer)
        last = max(first, bisect_left(columns.at, until, first, rows.command.last_row + 1) - 1)
        feed = self._state.contracts[columns.instrument].feed
        return alarms.last_row(columns, first, first_touch(feed, columns, first, last))

    def _told_rows(self, rows: Rows, first: int, last: int) -> None:
        self._tell()
        self._traders.applied(rows.columns, first, last)
        self._tell()

    def _lend(self, rows: Rows) -> None:
        """Have the rows at hand, in place of those before of the same instrument."""
        name, chunk = rows.command.instrument, rows.chunk
        old = self._lent.get(name)
        if old == chunk.id:
            return
        self._lent[name] = chunk.id
        if old is not None and self._is_live:
            self._sequencer.release_chunk(old)
        elif old is not None:
            del self._past.columns[old]
        if self._is_live:
            self._sequencer.add_chunk(chunk, rows.columns)
        else:
            self._past.columns[chunk.id] = rows.columns

    def go_live(self) -> None:
        """The fork: from here on commands are decided, edits first of all."""
        if self._is_live:
            return
        self._is_live = True
        self._lent.clear()
        self._sequencer.on_batch = self._traders.note
        for account, context in self._contexts.items():
            context.resume(self._requests.get(account, 0))
        self._editor.insert()


def _sets_up(command: c.Command) -> bool:
    """Whether the player asked for it to set an account up, all of them before anybody is told."""
    return isinstance(command, c.TradersCommand) and command.request.startswith("open-")


def _account(said: Said) -> c.AccountId:
    """Whose command it is."""
    assert isinstance(said.command, c.TradersCommand)
    return said.command.account
