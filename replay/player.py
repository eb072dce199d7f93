"""The player: lets history go on row by row in the order of time, wakes strategies, and drives the sequencer.

Each step submits one AdvanceMarket up to the first row that can touch a trader, a mark or a timer, and never past the
next wake of a strategy or the next time at which something falls due, so that every fact carries the time of what led
to it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from events import commands as c
from events.chunks import encode_chunk
from events.instruments import AssetId, InstrumentId, RulePack
from events.record import Batch
from events.units import UNIT, MarkUnits, Nanos
from exchange.core.matching.touching import look_ahead
from exchange.core.state import FAR, RULES_VERSION, Outcome, State
from exchange.projections.results import Results
from exchange.sequencer import Sequencer
from replay.control import Control, NoWayBack
from replay.merging import begun
from replay.resuming import Played, rest_of
from replay.sources import Source
from replay.sources.report import SourceError
from replay.spacing import RECORD_AS_ROWS, Spacing
from replay.strategy import Context
from replay.streams import Feed, Stream
from replay.traders import SetupError, Trader, Traders, atoms
from replay.travel import utc
from replay.waking import Alarm

READY_EVERY = 256
"""So many batches are decided between two looks at the committer."""


ENDS_FILLS = ("gap in update ids", "crossed book")
"""What makes the book stale."""

PROBLEMS_MAX = 20
"""So many defects of the book are told of each kind; the rest is counted only."""


LOOK_BACK = "the key r, or `ringfence play`, looks back at what was, and forks it there"


@dataclass(slots=True)
class Progress:
    """How far the replay is: rows applied, the session time reached, batches decided."""

    observations: int = 0
    at: int = 0
    batches: int = 0


class Player:
    """Plays sources through a sequencer, with traders."""

    def __init__(
        self,
        sequencer: Sequencer,
        sources: Sequence[Source],
        traders: Sequence[Trader] = (),
        *,
        deeds: Sequence[tuple[Decimal, c.AccountId, Callable[[Context], object]]] = (),
        strict: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
        control: Control | None = None,
        grain: int = 0,
        is_live: bool = False,
    ) -> None:
        """Rows are applied no later than every `grain` ns of session time, 0: as late as nobody is the wiser. A live
        market, under control, stays open when its rows are at an end; of it no results are kept, and no snapshots taken
        while others wait.
        """
        self._sequencer = sequencer
        self._sources = sources
        self._feeds: list[Feed] = []
        self._traders = Traders(traders, partial(getattr, sequencer, "state"), self.send, deeds)
        self._strict = strict
        self._insurance = Decimal(0)
        self._met: tuple[InstrumentId, ...] = ()
        self._on_progress = on_progress
        self._control = control
        self._grain = grain
        self._is_live = is_live
        self._rows: dict[c.ChunkId, int] = {}
        self._is_open = False
        self.is_over = False
        self.progress = Progress()
        self.results = Results()
        self.first_at = Nanos(0)
        self.defects: Counter[str] = Counter()
        self.problems: list[str] = []
        self._spacing = Spacing()
        sequencer.on_batch = self._note

    @property
    def undone(self) -> list[Alarm]:
        """The deeds whose time did not come."""
        return [alarm for alarm in self._traders.alarms.times if alarm.deed]

    @property
    def state(self) -> State:
        """The state as decided so far."""
        return self._sequencer.state

    async def run(
        self,
        pack: RulePack,
        options: c.SessionOptions,
        insurance: Decimal = Decimal(0),
        indices: Mapping[InstrumentId, Decimal] | None = None,
    ) -> None:
        """Open the session, play every source to its end, and wait until all of it is stored.

        indices are the prices of pairs that value collateral, from the start on.
        """
        self._feeds = [Feed(one.source, order, one.chunks, one.close) for order, one in enumerate(begun(self._sources))]
        streams = [stream for feed in self._feeds for stream in self._load(feed)]
        if not streams:
            raise SourceError(why_nothing(self._sources))
        self.first_at = min(stream.next_at for stream in streams)
        self._insurance = insurance
        self._open(pack, options, [stream.chunk.instrument for stream in streams], indices)
        await self._go(streams)

    async def resume(
        self, ends: Mapping[InstrumentId, Played], insurance: Decimal = Decimal(0),
        indices: Mapping[InstrumentId, Decimal] | None = None,
    ) -> None:  # fmt: skip
        """Go on with a session that is open, whose history has these ends, in the rest of the same sources.

        Strategies take up their accounts; those that are new get one. indices are stated where nobody has stated any.
        Raises SourceError where the sources are others.
        """
        self.first_at, self._insurance = Nanos(self.state.now), insurance
        stated = [asset.pair.id for asset in self.state.assets.values() if asset.pair and asset.index]
        self._state_indices({pair: price for pair, price in (indices or {}).items() if pair not in stated})
        self._met = tuple(name for name, found in self.state.contracts.items() if found.feed.observations)
        self._rows = {end.chunk: end.row for end in ends.values()}
        rests = [rest_of(one, ends, self.first_at) for one in begun(self._sources)]
        self._feeds = [Feed(rest.source, order, rest.chunks, rest.close) for order, rest in enumerate(rests)]
        settle = dict.fromkeys(self.state.contracts[name].settle for name in self._met)
        self._traders.rejoin(self.first_at, self._met, tuple(settle))
        self._is_open = True
        await self._go([stream for feed in self._feeds for stream in self._load(feed)])

    async def _go(self, streams: list[Stream]) -> None:
        """Play all of it."""
        try:
            while streams or (self._is_live and self._control):
                self.is_over = not streams
                if self._control is None or await self._is_time(self._control, streams):
                    await self._play(streams)
                elif self._control.is_stopped:
                    break
        finally:
            for feed in self._feeds:
                feed.close()
        if self._control:
            self._control.ended()
        self._traders.finish()
        self._tell()
        while self._traders.outbox.next_at is not None:
            self._traders.deliver()
            self._tell()
        await self._sequencer.flush()

    def send(self, command: c.Command) -> Batch | Outcome:
        """Decide a command now; whoever it concerns is told once the present caller is done."""
        return self._sequencer.decide(command)

    def context(self, account: str) -> Context:
        """What the account's strategy trades with, for orders by hand between two batches. Raises KeyError."""
        return self._traders.context(c.AccountId(account))

    def seek(self, at: int) -> None:
        """Go on to this session time, ns, as fast as it goes. Raises NoWayBack. For a `Control`."""
        if at < self.state.now:
            raise NoWayBack(f"{utc(at)} is over; {LOOK_BACK}")
        if self._control:
            self._control.hurry(at)

    def step(self, *_: object) -> None:
        """A replay under way does not go back. Raises NoWayBack. For a `Control`."""
        raise NoWayBack(LOOK_BACK)

    async def _is_time(self, control: Control, streams: list[Stream]) -> bool:
        """Wait until what is next may happen; False where something was asked meanwhile. Traders of a live market hear
        of what others did even while it pauses.
        """
        if self._is_live:
            self._tell()
        if await control.grant(self):
            self._tell()
            return False
        return await control.turn(self._next_at(streams))

    def _note(self, batch: Batch) -> None:
        if not self._is_live:
            self.results.observe(batch)
        self.progress.batches += 1
        if self._control and self._is_open:
            self._control.passed(batch)
            if self._is_live and (self.is_over or not self._control.is_playing):
                self._control.stir()
        self._traders.note(batch)

    def _open(
        self,
        pack: RulePack,
        options: c.SessionOptions,
        names: list[InstrumentId],
        indices: Mapping[InstrumentId, Decimal] | None,
    ) -> None:
        at = self.first_at
        self.send(c.OpenSession(at, RULES_VERSION, pack, options))
        if self.state.pack is None:
            raise SetupError(f"no session can be opened under the rule pack {pack.id}; `ringfence pack check` says why")
        self._state_indices(indices or {})
        instruments, assets = self._meet(at, names)
        self._traders.open(at, instruments, assets)
        self._is_open = True

    def _state_indices(self, indices: Mapping[InstrumentId, Decimal]) -> None:
        for pair, price in indices.items():
            self.send(c.SetIndexPrice(self.first_at, pair, MarkUnits(int(price * UNIT))))

    def _meet(self, at: Nanos, names: Iterable[InstrumentId]) -> tuple[tuple[InstrumentId, ...], tuple[AssetId, ...]]:
        """Fill the insurance funds of what is traded from now on. Returns the instruments that are new, and what is
        newly settled in.
        """
        pack = self.state.pack
        assert pack is not None
        settle = {terms.id: terms.settle for terms in pack.instruments}
        funds = c.funds_of(pack)
        met = {settle[name]: None for name in self._met}
        new = tuple(name for name in dict.fromkeys(names) if name not in self._met)
        filled = {(settle[name], funds[name]): None for name in self._met}
        for asset, fund in dict.fromkeys((settle[name], funds[name]) for name in new) if self._insurance else ():
            if (asset, fund) not in filled:
                self.send(c.Deposit(at, fund, c.RequestId(f"fund-{asset}"), asset, atoms(self._insurance)))
        self._met += new
        return new, tuple(asset for asset in dict.fromkeys(settle[name] for name in new) if asset not in met)

    def _plan(self, streams: list[Stream]) -> tuple[Stream | None, Nanos | None]:
        """The stream whose rows are next, and the time that they may not reach; or no stream, and when a strategy is
        woken before that.
        """
        if not streams:
            return None, min(self._times(), default=None)
        stream, until = streams[0], []
        if len(streams) > 1:
            stream = min(streams, key=lambda s: (s.next_at, s.order))
            until = [s.next_at for s in streams if s is not stream]
        if self._grain:
            until.append(Nanos((stream.next_at // self._grain + 1) * self._grain))
        if (next_timer := self.state.next_timer) < FAR:
            until.append(Nanos(next_timer))
        if (wake_at := self._traders.next_at) is not None:
            if wake_at <= stream.next_at:
                return None, wake_at
            until.append(wake_at)
        return stream, min(until, default=None)

    def _times(self) -> list[Nanos]:
        """When something happens that is no row: a strategy is woken, something falls due."""
        timer = [Nanos(self.state.next_timer)] if self.state.next_timer < FAR else []
        return timer if self._traders.next_at is None else [*timer, self._traders.next_at]

    def _next_at(self, streams: list[Stream]) -> Nanos | None:
        """The session time at which what is next will have happened; None where nothing is."""
        stream, until = self._plan(streams)
        if stream is None:
            return None if until is None else Nanos(max(until, self.state.now))
        return Nanos(max(stream.chunk.at[self._last_row(stream, until)], self.state.now))

    async def _play(self, streams: list[Stream]) -> None:
        """Wake the strategy whose time has come, or apply the next rows of the stream that is behind."""
        stream, until = self._plan(streams)
        if stream is None:
            if until == self._traders.next_at:
                self._traders.wake()
            else:
                self.send(c.AdvanceTime(Nanos(max(until or 0, self.state.now))))
            self._tell()
            return
        self._advance(stream, until)
        if self.progress.batches % READY_EVERY == 0:
            await self._sequencer.ready()
        if stream.row == len(stream.chunk):
            await self._sequencer.ready()
            if self._on_progress:
                self._on_progress(self.progress)
            self._sequencer.release_chunk(stream.id)
            self._snap()
            streams.remove(stream)
            if stream.feed.is_played:
                streams += self._load(stream.feed)

    def _snap(self) -> None:
        """Take a snapshot where it is time to."""
        work = self.progress.observations + RECORD_AS_ROWS * self.state.seq
        if not self._is_live and self._spacing.is_over(work):
            self._spacing.begin(work, self._sequencer.take_snapshot())

    def _load(self, feed: Feed) -> list[Stream]:
        """Fetch the next stretch of a source: the streams that have rows in it, none where it ends."""
        streams = feed.read()
        if self._is_open and (new := [s.chunk.instrument for s in streams if s.chunk.instrument not in self._met]):
            at = self.state.now
            self._traders.meet(at, *self._meet(at, new))
            self._tell()
        for stream in streams:
            stored = getattr(feed.source, "stored", None) or encode_chunk(stream.chunk)
            stream.row = self._rows.pop(stored.id, -1) + 1
            if twin := next((s for other in self._feeds for s in other.streams.values() if s.id == stored.id), None):
                raise SourceError(f"{feed.source.path}: holds what {twin.feed.source.path} holds; name each file once")
            stream.id = stored.id
            if stream.row < len(stream.chunk):
                self._sequencer.add_chunk(stored, stream.chunk)
        left = [stream for stream in streams if stream.row < len(stream.chunk)]
        return left if left or not streams else self._load(feed)

    def _last_row(self, stream: Stream, until: Nanos | None) -> int:
        """The last row to apply: those before `until`, at least one, up to the first that can touch somebody."""
        chunk = stream.chunk
        last = len(chunk) - 1
        if until is not None:
            last = max(stream.row, bisect_left(chunk.at, until, stream.row) - 1)
        state = self.state
        last = look_ahead(state.contracts[chunk.instrument].feed, chunk, stream.row, last, state.seq)
        return self._traders.alarms.last_row(chunk, stream.row, last)

    def _advance(self, stream: Stream, until: Nanos | None) -> None:
        """Apply rows of the chunk at hand."""
        chunk = stream.chunk
        first, row = stream.row, self._last_row(stream, until)
        state = self.state
        feed = state.contracts[chunk.instrument].feed
        at = Nanos(max(chunk.at[row], state.now))
        self.send(c.AdvanceMarket(at, chunk.instrument, stream.id, first, row))
        self.progress.observations += row + 1 - first
        self.progress.at = at
        stream.row = row + 1
        if feed.defects:
            self._complain(stream, feed.defects)
        self._tell()
        self._traders.applied(chunk, first, row)
        self._tell()

    def _complain(self, stream: Stream, defects: list[tuple[int, str]]) -> None:
        """What only the book could notice: a gap in update ids, a crossed book, an order that nobody has heard of."""
        for row, what in defects:
            place = stream.feed.source.locate(row, stream.chunk.instrument)
            outcome = "no fills until it is whole again" if what in ENDS_FILLS else "it is taken as far as it fits"
            problem = f"{place}: {what}, and {outcome}; fetch the file again"
            if self._strict:
                raise SourceError(problem)
            kind = what.replace(" ", "_")
            self.defects[kind] += 1
            if self.defects[kind] <= PROBLEMS_MAX:
                self.problems.append(problem)

    def _tell(self) -> None:
        if self._traders.has_news:
            self._traders.tell(self._sample)

    def _sample(self) -> None:
        if not self._is_live:
            self.results.sample(self.state)


def why_nothing(sources: Sequence[Source]) -> str:
    """Why there is nothing to replay: the first defect, or what the first file held instead."""
    for source in sources:
        for problem in source.report.problems:
            return f"nothing to replay: {problem}"
    source = sources[0]
    held = ", ".join(f"{count:,} {reason}" for reason, count in sorted(source.report.skipped.items())) or "no line"
    return f"nothing to replay: {source.path} holds {held}; give a file with depth, trades or marks"
