"""The player: lets history go on row by row in the order of time, wakes strategies, and drives the sequencer.

Each step submits one AdvanceMarket up to the first row that can touch a trader, a mark or a timer, and never past the
next wake of a strategy or the next time at which something falls due, so that every fact carries the time of what led
to it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from events import commands as c
from events.chunks import encode_chunk
from events.instruments import AssetId, InstrumentId, RulePack
from events.observations import Observations
from events.record import Batch
from events.units import UNIT, MarkUnits, Nanos
from exchange.core.matching.touching import first_touch
from exchange.core.state import FAR, RULES_VERSION, Outcome, State
from exchange.projections.results import Results
from exchange.sequencer import Sequencer
from replay.sources import Source
from replay.sources.report import SourceError
from replay.spacing import RECORD_AS_ROWS, Spacing
from replay.strategy import Context
from replay.traders import SetupError, Trader, Traders, atoms
from replay.waking import Alarm

READY_EVERY = 256
"""So many batches are decided between two looks at the committer."""


PROBLEMS_MAX = 20
"""So many defects of the book are told of each kind; the rest is counted only."""


@dataclass(slots=True)
class Progress:
    """How far the replay is: rows applied, the session time reached, batches decided."""

    observations: int = 0
    at: int = 0
    batches: int = 0


class Stream:
    """One source as the player reads it: the chunk at hand, and the row that comes next."""

    def __init__(self, source: Source, order: int) -> None:
        self.source = source
        self.order = order
        self.chunks: Iterator[Observations] = iter(source)
        self.chunk: Observations | None = None
        self.instrument: InstrumentId | None = None
        self.id = c.ChunkId("")
        self.row = 0

    @property
    def next_at(self) -> Nanos:
        """The time of the next row."""
        assert self.chunk is not None
        return Nanos(self.chunk.at[self.row])


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
    ) -> None:
        self._sequencer = sequencer
        self._streams = [Stream(source, order) for order, source in enumerate(sources)]
        self._traders = Traders(traders, lambda: self.state, self.send, deeds)
        self._strict = strict
        self._on_progress = on_progress
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
        streams = [stream for stream in self._streams if self._load(stream)]
        if not streams:
            raise SourceError(_nothing(self._streams))
        self.first_at = min(stream.next_at for stream in streams)
        self._open(pack, options, [stream.chunk.instrument for stream in streams if stream.chunk], insurance, indices)
        while streams:
            await self._play(streams)
        self._traders.finish()
        self._tell()
        await self._sequencer.flush()

    def send(self, command: c.Command) -> Batch | Outcome:
        """Decide a command now; whoever it concerns is told once the present caller is done."""
        return self._sequencer.decide(command)

    def _note(self, batch: Batch) -> None:
        self.results.observe(batch)
        self.progress.batches += 1
        self._traders.note(batch)

    def _open(
        self,
        pack: RulePack,
        options: c.SessionOptions,
        names: list[InstrumentId],
        insurance: Decimal,
        indices: Mapping[InstrumentId, Decimal] | None,
    ) -> None:
        at = self.first_at
        self.send(c.OpenSession(at, RULES_VERSION, pack, options))
        if self.state.pack is None:
            raise SetupError(f"no session can be opened under the rule pack {pack.id}; `ringfence pack check` says why")
        instruments = tuple(dict.fromkeys(names))
        settle = {terms.id: terms.settle for terms in pack.instruments}
        assets = tuple(dict.fromkeys(settle[name] for name in instruments))
        for pair, price in (indices or {}).items():
            self.send(c.SetIndexPrice(at, pair, MarkUnits(int(price * UNIT))))
        for asset, fund in self._funds(pack, settle, instruments) if insurance else ():
            self.send(c.Deposit(at, fund, c.RequestId(f"fund-{asset}"), asset, atoms(insurance)))
        self._traders.open(at, instruments, assets)

    @staticmethod
    def _funds(
        pack: RulePack, settle: Mapping[InstrumentId, AssetId], names: tuple[InstrumentId, ...]
    ) -> list[tuple[AssetId, c.AccountId]]:
        """The insurance funds of what is traded, and the asset of each."""
        funds = c.funds_of(pack)
        return list(dict.fromkeys((settle[name], funds[name]) for name in names))

    async def _play(self, streams: list[Stream]) -> None:
        """Wake the strategy whose time has come, or apply the next rows of the stream that is behind."""
        stream = min(streams, key=lambda s: (s.next_at, s.order))
        until = [s.next_at for s in streams if s is not stream]
        if self.state.next_timer < FAR:
            until.append(Nanos(self.state.next_timer))
        if (wake_at := self._traders.alarms.next_at) is not None:
            if wake_at <= stream.next_at:
                self._traders.wake()
                self._tell()
                return
            until.append(wake_at)
        self._advance(stream, min(until, default=None))
        if self.progress.batches % READY_EVERY == 0:
            await self._sequencer.ready()
        assert stream.chunk is not None
        if stream.row == len(stream.chunk):
            await self._sequencer.ready()
            if self._on_progress:
                self._on_progress(self.progress)
            self._sequencer.release_chunk(stream.id)
            if self._spacing.is_over(work := self.progress.observations + RECORD_AS_ROWS * self.state.seq):
                self._spacing.begin(work, self._sequencer.take_snapshot())
            if not self._load(stream):
                streams.remove(stream)

    def _load(self, stream: Stream) -> bool:
        """Fetch the stream's next chunk; False where there is none."""
        stream.chunk = next(stream.chunks, None)
        stream.row = 0
        if stream.chunk is None:
            return False
        if stream.instrument not in (None, stream.chunk.instrument):
            raise SourceError(
                f"{stream.source.path}: holds {stream.instrument} and {stream.chunk.instrument}; "
                "split it by symbol and give all the files, they are merged by time"
            )
        stream.instrument = stream.chunk.instrument
        stored = encode_chunk(stream.chunk)
        if twin := next((s for s in self._streams if s.chunk is not None and s.id == stored.id), None):
            raise SourceError(f"{stream.source.path}: holds what {twin.source.path} holds; name each file once")
        stream.id = stored.id
        self._sequencer.add_chunk(stored, stream.chunk)
        return True

    def _advance(self, stream: Stream, until: Nanos | None) -> None:
        """Apply rows of the chunk at hand: those before `until`, at least one, up to the first that can touch
        somebody.
        """
        chunk = stream.chunk
        assert chunk is not None
        feed = self.state.contracts[chunk.instrument].feed
        last = len(chunk) - 1
        if until is not None:
            last = max(stream.row, bisect_left(chunk.at, until, stream.row) - 1)
        first = stream.row
        row = self._traders.alarms.last_row(chunk, first, first_touch(feed, chunk, first, last))
        at = Nanos(max(chunk.at[row], self.state.now))
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
        """What only the book could notice: a gap in update ids, a crossed book."""
        for row, what in defects:
            problem = f"{stream.source.locate(row)}: {what}, and no fills until it is whole again; fetch the file again"
            if self._strict:
                raise SourceError(problem)
            kind = what.replace(" ", "_")
            self.defects[kind] += 1
            if self.defects[kind] <= PROBLEMS_MAX:
                self.problems.append(problem)

    def _tell(self) -> None:
        self._traders.tell(lambda: self.results.sample(self.state))


def _nothing(streams: Sequence[Stream]) -> str:
    """Why there is nothing to replay: the first defect, or what the first file held instead."""
    for stream in streams:
        for problem in stream.source.report.problems:
            return f"nothing to replay: {problem}"
    source = streams[0].source
    held = ", ".join(f"{count:,} {reason}" for reason, count in sorted(source.report.skipped.items())) or "no line"
    return f"nothing to replay: {source.path} holds {held}; give a file with depth, trades or marks"
