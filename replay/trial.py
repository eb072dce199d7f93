"""Tests of strategies in given / when / then form: markets and accounts, what is done by hand, what has to follow.

    (Trial()
        .given(prices("BTCUSDT", (0, "60000"), (10, "56000")), account("ann", leverage=20, deposit=1_000))
        .when(at(1, "ann", lambda context: context.buy("BTCUSDT", "0.3")))
        .then(happened(LiquidationStarted, account="ann"), ends("ann", position={"BTCUSDT": "0"})))

A trial is played once, the first time that somebody asks what followed, into a log in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from events.codec import decode_body
from events.commands import AccountId
from events.facts import AnyFact
from events.instruments import InstrumentId, MarginMode, RulePack, load_pack
from events.record import Batch
from events.store.memory import MemoryLog
from exchange.core.state import State
from exchange.projections.results import Results
from exchange.sequencer import Sequencer
from replay.apart import run_apart
from replay.expectations import Ends, Expectation, Happened
from replay.fills import settled
from replay.given import check_account, session_options
from replay.goldens import check_golden, keep_golden
from replay.markets import Files, Generated, Market, Point, Prices
from replay.marking import mark_source
from replay.player import Player
from replay.recorded import Recorded
from replay.strategy import Context, Strategy
from replay.traders import Trader
from replay.wanted import number, parties

Deed = Callable[[Context], object]
"""Something that an account does, given what a strategy is given."""


class At(NamedTuple):
    """A deed, and when: seconds after the first row."""

    seconds: Decimal
    account: AccountId
    deed: Deed


class Disappointment(AssertionError):
    """What a trial came to is not what was expected; the message says what it was, with its causes."""


class Trial:
    """A session under test. Its golden sessions are kept in `goldens`; `update` makes new ones of what follows."""

    def __init__(self, goldens: Path = Path("golden"), name: str = "session", *, update: bool = False) -> None:
        self._goldens = goldens
        self._name = name
        self._update = update
        self._markets: list[Market] = []
        self._accounts: list[Trader] = []
        self._deeds: list[At] = []
        self._pack: RulePack | None = None
        self._options: dict[str, Any] = {}
        self._insurance = Decimal(0)
        self._indices: dict[InstrumentId, Decimal] = {}

    def given(
        self, *things: Market | Trader | Path | str, pack: RulePack | str = "", insurance: Decimal | int | str = 0,
        indices: Mapping[str, Decimal | int | str] | None = None, **options: Any,
    ) -> Trial:  # fmt: skip
        """Markets (files by their path), accounts, the rule pack, the insurance fund, index prices of pairs that value
        collateral, options of the session: choices by name, shares as decimals, times in seconds. Where marks come from
        and what fills orders is found out of the data unless it is said. Raises ValueError.
        """
        for thing in things:
            if isinstance(thing, Trader):
                if thing.name in (trader.name for trader in self._accounts):
                    raise ValueError(f"account {thing.name}: there is another one; give each a name of its own")
                self._accounts.append(thing)
            else:
                self._markets.append(Files((Path(thing),)) if isinstance(thing, Path | str) else thing)
        if pack:
            self._pack = load_pack(pack) if isinstance(pack, str) else pack
        self._insurance = number(insurance, "insurance") or self._insurance
        self._indices |= {
            InstrumentId(pair): number(price, f"index of {pair}") for pair, price in (indices or {}).items()
        }
        self._options |= options
        session_options(self._options)
        return self._unplayed()

    def when(self, *deeds: At) -> Trial:
        """Things done by hand, beside what strategies do."""
        self._deeds += deeds
        return self._unplayed()

    def then(self, *expected: Expectation) -> Trial:
        """All of this has to hold. Raises Disappointment; ValueError where history ends before a deed."""
        __tracebackhide__ = True
        if undone := self._player_and_log[0].undone:
            raise ValueError(f"history ends before a deed of {undone[0].account}; tell of a price after it")
        faults = [fault for expectation in expected if (fault := expectation.fault(self))]
        if faults:
            raise Disappointment("\n".join(["", *faults]))
        return self

    def golden(self, name: str = "") -> Trial:
        """Every record is that of the golden session of this name, by default the test's. Raises Disappointment."""
        __tracebackhide__ = True
        path = self._goldens / f"{name or self._name}.db"
        if self._update:
            run_apart(keep_golden(self._player_and_log[1], path))
        elif fault := run_apart(check_golden(self._player_and_log[1], path)):
            raise Disappointment(f"\n{fault}")
        return self

    def facts(self, *kinds: type[AnyFact], account: str = "") -> list[AnyFact]:
        """The facts of these kinds, of all where none is named, in order; of one account, or of all. A refusal is a
        fact of whose command it was.
        """
        return [
            fact
            for batch in self.batches
            for fact in batch.facts
            if isinstance(fact, kinds or AnyFact) and (not account or account in parties(batch.command, fact))
        ]

    @cached_property
    def batches(self) -> list[Batch]:
        """All batches of the session."""
        return run_apart(self._read(self._player_and_log[1]))

    @property
    def state(self) -> State:
        """The state at the end."""
        return self._player_and_log[0].state

    @property
    def results(self) -> Results:
        """How the accounts fared."""
        return self._player_and_log[0].results

    @property
    def head(self) -> str:
        """The digest of the session, in hexadecimal."""
        return run_apart(self._player_and_log[1].head()).digest.hex()

    def _unplayed(self) -> Trial:
        if "_player_and_log" in self.__dict__:
            raise ValueError("this session was played already; begin another one")
        return self

    @cached_property
    def _player_and_log(self) -> tuple[Player, MemoryLog]:
        """The session, played to its end."""
        if not self._markets:
            raise ValueError("no market is given; give prices, a generated market, or a file")
        unknown = {deed.account for deed in self._deeds} - {trader.name for trader in self._accounts}
        if unknown:
            raise ValueError(f"at: no account {', '.join(sorted(unknown))} is given")
        pack = self._pack or load_pack("binance-usdm")
        with TemporaryDirectory(prefix="ringfence-") as folder:
            sources = [source for market in self._markets for source in market.sources(pack, Path(folder))]
            return run_apart(self._play(pack, sources))

    async def _play(self, pack: RulePack, sources: Sequence[Any]) -> tuple[Player, MemoryLog]:
        log = MemoryLog()
        sequencer = await Sequencer.open(log)
        try:
            said = {"mark_source": mark_source(sources).value} | self._options
            options = settled(session_options(said), sources, "trade_fills" in said)
            player = Player(sequencer, sources, self._accounts, deeds=self._deeds, strict=True)
            await player.run(pack, options, self._insurance, self._indices)
        finally:
            await sequencer.close()
        return player, log

    async def _read(self, log: MemoryLog) -> list[Batch]:
        return [decode_body(stored.number, stored.body) async for stored in log.read()]


def account(
    name: str,
    mode: str = "cross",
    *,
    leverage: int = 20,
    deposit: Decimal | int | str = 10_000,
    strategy: Strategy | type[Strategy] | None = None,
) -> Trader:
    """An account, traded by a strategy where there is one. mode: isolated, cross, or multi for all assets together.

    Raises ValueError.
    """
    check_account(name, mode, leverage)
    made = strategy() if isinstance(strategy, type) else strategy or Strategy()
    margin = MarginMode.ISOLATED if mode == "isolated" else MarginMode.CROSS
    return Trader(AccountId(name), margin, leverage, number(deposit, f"account {name}: deposit"), made, mode == "multi")


def prices(
    instrument: str, *points: tuple[Decimal | float | str, Decimal | float | str], depth: Decimal | float | str = "100"
) -> Prices:
    """A market told as (seconds, price): each is the mark and a trade of one lot, and the book has `depth` a tick above
    and below it. Raises ValueError.
    """
    what = f"prices of {instrument}:"
    for point in points:
        if not isinstance(point, tuple | list) or len(point) != 2:
            raise ValueError(f'{what} {point!r} is no point; give (seconds, price), as (0, "60000")')
    told = tuple(Point(number(at, f"{what} time"), number(price, f"{what} price")) for at, price in points)
    return Prices(InstrumentId(instrument), told, number(depth, f"{what} depth"))


def generated(**options: Any) -> Generated:
    """A market from a seed; the options are those of `replay.synth.Scenario`: seed, seconds, symbol, crash ..."""
    return Generated(options)


def recorded(path: Path | str) -> Recorded:
    """The market of a session file, without what its traders did."""
    return Recorded(Path(path))


def at(seconds: Decimal | float | str, account: str, deed: Deed) -> At:
    """A deed of an account, so many seconds after the first row."""
    return At(number(seconds, "at: time"), AccountId(account), deed)


def happened(kind: type[AnyFact], *, times: int | None = None, **fields: Any) -> Happened:
    """Facts of this kind with these fields: one at least, or exactly so many. Prices, sizes and amounts are decimals as
    text, or whole ticks, lots and atoms; account= is either party of a trade, and who was refused. Raises ValueError.
    """
    return Happened(kind, fields, times)


def never(kind: type[AnyFact], **fields: Any) -> Happened:
    """No fact of this kind with these fields."""
    return Happened(kind, fields, 0)


def ends(account: str, asset: str = "USDT", **figures: Any) -> Ends:
    """Figures of an account at the end: equity, fees, funding, fills, liquidations, refusals, and position, a mapping
    of instruments to signed sizes.
    """
    return Ends(account, asset, figures)
