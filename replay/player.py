"""The player: lets history go on row by row in the order of time, wakes strategies, and drives the sequencer.

Each step submits one AdvanceMarket up to the first row that can touch a trader, a mark or a timer, and never past the
next wake of a strategy, so that every fact carries the time of the row that led to it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import heappop, heappush

from events import commands as c
from events.chunks import encode_chunk
from events.facts import MarkPriceMoved, Refused, Traded
from events.instruments import AssetId, InstrumentId, MarginMode, RulePack
from events.observations import Observations
from events.record import Batch
from events.refusals import Reason
from events.units import UNIT, Atoms, MarkUnits, Nanos
from exchange.core.matching.market import first_touch
from exchange.core.state import RULES_VERSION, Outcome, State
from exchange.projections.results import Results
from exchange.sequencer import Sequencer, SequencerError
from replay.loading import StrategyError, failure
from replay.sources import Source
from replay.sources.report import SourceError
from replay.strategy import Context, Strategy

READY_EVERY = 256
"""So many batches are decided between two looks at the committer."""


PROBLEMS_MAX = 20
"""So many defects of the book are told of each kind; the rest is counted only."""


class SetupError(Exception):
    """A session or an account that cannot be set up as asked; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Trader:
    """An account of the replay, as it is set up before the first row."""

    name: c.AccountId
    mode: MarginMode
    leverage: int
    deposit: Decimal
    strategy: Strategy
    multi: bool = False


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
        strict: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._sequencer = sequencer
        self._streams = [Stream(source, order) for order, source in enumerate(sources)]
        self._traders = traders
        self._strict = strict
        self._on_progress = on_progress
        self._contexts: dict[c.AccountId, tuple[Context, Strategy]] = {}
        self._wakes: list[tuple[Nanos, int, Trader]] = []
        self._news: deque[Batch] = deque()
        self.progress = Progress()
        self.results = Results()
        self.first_at = Nanos(0)
        self.defects: Counter[str] = Counter()
        self.problems: list[str] = []
        sequencer.on_batch = self._note

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
        for context, strategy in self._contexts.values():
            _call(strategy.on_finish, context)
        self._tell()
        await self._sequencer.flush()

    def send(self, command: c.Command) -> Batch | Outcome:
        """Decide a command now; whoever it concerns is told once the present caller is done."""
        return self._sequencer.decide(command)

    def _note(self, batch: Batch) -> None:
        self.results.observe(batch)
        self.progress.batches += 1
        if self._contexts and len(batch.records) > 1:
            self._news.append(batch)

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
            self.send(c.Deposit(at, fund, c.RequestId(f"fund-{asset}"), asset, _atoms(insurance)))
        for trader in self._traders:
            self._open_account(trader, instruments, assets)
        for order, trader in enumerate(self._traders):
            context, strategy = self._contexts[trader.name]
            _call(strategy.on_start, context)
            self._wake_again(at, order, trader)

    @staticmethod
    def _funds(
        pack: RulePack, settle: Mapping[InstrumentId, AssetId], names: tuple[InstrumentId, ...]
    ) -> list[tuple[AssetId, c.AccountId]]:
        """The insurance funds of what is traded, and the asset of each."""
        funds = c.funds_of(pack)
        return list(dict.fromkeys((settle[name], funds[name]) for name in names))

    def _open_account(self, trader: Trader, instruments: tuple[InstrumentId, ...], assets: tuple[AssetId, ...]) -> None:
        at, name = self.first_at, trader.name
        request = (c.RequestId(f"open-{n}") for n in range(1, 1000))
        self.send(c.OpenAccount(at, name, next(request)))
        for asset in assets if trader.deposit else ():
            self.send(c.Deposit(at, name, next(request), asset, _atoms(trader.deposit)))
        for instrument in instruments:
            self.send(c.SetMarginMode(at, name, next(request), instrument, trader.mode))
            max_leverage = self.state.contracts[instrument].rules.brackets.max_leverage
            if not 1 <= trader.leverage <= max_leverage:
                raise SetupError(
                    f"account {name}: {instrument} cannot be traded at {trader.leverage}x; give 1 to {max_leverage}"
                )
            self.send(c.SetLeverage(at, name, next(request), instrument, trader.leverage))
        if trader.multi:
            self._join(trader, next(request))
        context = Context(lambda: self.state, name, self.send)
        context.instruments = instruments
        self._contexts[name] = (context, trader.strategy)

    def _join(self, trader: Trader, request: c.RequestId) -> None:
        """Let all wallets of an account answer for all its positions."""
        batch = self.send(c.SetCollateralMode(self.first_at, trader.name, request, True))
        if isinstance(batch, Batch):
            for fact in batch.facts:
                if isinstance(fact, Refused):
                    raise SetupError(
                        f"account {trader.name}: no multi-asset mode ({fact.reason.value}); "
                        "give the index price of its assets, e.g. --index USDTUSD=1, under a pack with collateral"
                    )

    async def _play(self, streams: list[Stream]) -> None:
        """Wake the strategy whose time has come, or apply the next rows of the stream that is behind."""
        stream = min(streams, key=lambda s: (s.next_at, s.order))
        until = [s.next_at for s in streams if s is not stream]
        if self._wakes:
            wake_at, order, trader = self._wakes[0]
            if wake_at <= stream.next_at:
                self._wake(wake_at, order, trader)
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
        row = first_touch(feed, chunk, stream.row, last)
        at = Nanos(max(chunk.at[row], self.state.now))
        self.send(c.AdvanceMarket(at, chunk.instrument, stream.id, stream.row, row))
        self.progress.observations += row + 1 - stream.row
        self.progress.at = at
        stream.row = row + 1
        if feed.defects:
            self._complain(stream, feed.defects)
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

    def _wake(self, at: Nanos, order: int, trader: Trader) -> None:
        heappop(self._wakes)
        context, strategy = self._contexts[trader.name]
        context.woken_at = at
        _call(strategy.on_timer, context)
        self._wake_again(at, order, trader)
        self._tell()

    def _wake_again(self, at: Nanos, order: int, trader: Trader) -> None:
        every = trader.strategy.every
        if type(every) is not int or every < 0:
            name = f"{type(trader.strategy).__module__}:{type(trader.strategy).__qualname__}"
            raise StrategyError(f"strategy {name}: every is {every!r}; make it whole nanoseconds, 0 for never")
        if every:
            heappush(self._wakes, (Nanos(at + every), order, trader))

    def _tell(self) -> None:
        """Tell strategies what happened to their accounts, until nothing new happens."""
        while self._news:
            batch = self._news.popleft()
            marked = False
            for fact in batch.facts:
                marked = marked or isinstance(fact, MarkPriceMoved)
                if isinstance(fact, Traded):
                    for name in {fact.maker: None, fact.taker: None}:
                        if name in self._contexts:
                            context, strategy = self._contexts[name]
                            _call(strategy.on_fill, context, fact)
                elif isinstance(fact, Refused):
                    self._tell_refusal(batch.command, fact.reason)
                elif (told := self._contexts.get(getattr(fact, "account", c.MARKET))) is not None:
                    _call(told[1].on_fact, told[0], fact)
            if marked:
                self.results.sample(self.state)

    def _tell_refusal(self, command: c.Command, reason: Reason) -> None:
        if isinstance(command, c.TradersCommand) and command.account in self._contexts:
            context, strategy = self._contexts[command.account]
            _call(strategy.on_refused, context, command, reason)


def _call(method: Callable[..., None], *arguments: object) -> None:
    """Call a strategy; a fault of its own is told with its place, one of ours goes on as it is."""
    try:
        method(*arguments)
    except (AssertionError, SequencerError):
        raise
    except Exception as error:
        raise StrategyError(f"{method.__qualname__} failed: {failure(error)}; mend the strategy") from error


def _nothing(streams: Sequence[Stream]) -> str:
    """Why there is nothing to replay: the first defect, or what the first file held instead."""
    for stream in streams:
        for problem in stream.source.report.problems:
            return f"nothing to replay: {problem}"
    source = streams[0].source
    held = ", ".join(f"{count:,} {reason}" for reason, count in sorted(source.report.skipped.items())) or "no line"
    return f"nothing to replay: {source.path} holds {held}; give a file with depth, trades or marks"


def _atoms(amount: Decimal) -> Atoms:
    return Atoms(int(amount * UNIT))
