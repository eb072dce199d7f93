"""`ringfence replay`: history through the exchange, with accounts, into a session file."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import partial
from math import inf
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from events.commands import (
    INSURANCE,
    MARKET,
    AccountId,
    FundingSource,
    Impact,
    MarkSource,
    QueueModel,
    SessionOptions,
    TradeFills,
)
from events.instruments import InstrumentId, MarginMode, RulePack, load_pack
from events.latency import Latency
from events.notes import note_strategies
from events.store.sqlite import open_session
from events.units import SECOND, UNIT, Nanos, Rate, exact_units
from exchange.sequencer import Sequencer
from gateway.commands.params import named_params
from gateway.commands.replay_keys import by_keys as hold
from gateway.console import complain, progress, say_json
from gateway.errors import UsageError
from gateway.memory import collect_seldom
from gateway.playing import keys
from gateway.reports.replay_figures import Replayed, as_object, show
from replay.control import Control
from replay.fills import trade_fills, without_made_up_books
from replay.given import weights
from replay.latency import latency
from replay.loading import StrategyError, make_strategy
from replay.marking import mark_source
from replay.noted import notes_of
from replay.player import Player, Progress
from replay.recorded import Recorded
from replay.sources import Source, is_session, open_source
from replay.sources.report import SourceError
from replay.traders import SetupError, Trader

T = TypeVar("T", bound=Enum)

PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked on the command line."""

    sources: Sequence[Path]
    strategy: str
    accounts: Sequence[str]
    out: Path | None
    mark: str
    pack: str
    insurance: str
    strict: bool
    queue_model: str
    impact: str
    funding: str
    symbol: str = ""
    indices: Sequence[str] = ()
    max_slippage: str = "0"
    opening_auction: int = 0
    columns: str = ""
    params: Sequence[str] = ()
    trade_fills: str = "auto"
    latency: str = "0"
    feed_latency: str = "0"
    latency_jitter: str = "0"
    latency_seed: int = 0
    speed: str = ""


def run(request: Request, as_json: bool) -> int:
    """Replay and report."""
    pack = load_pack(request.pack)
    sources = _sources(request, pack)
    traders = _traders(request.accounts, request.strategy, named_params(request.params))
    if request.strategy and not traders:
        raise UsageError("--strategy needs an account: add --account NAME:MODE:LEVERAGE:DEPOSIT")
    if request.params and not request.strategy:
        raise UsageError(f"--param {request.params[0]} needs a strategy: add --strategy module:Class")
    replayed = replay(
        sources,
        traders,
        pack,
        options_for(request, sources),
        request.out,
        request.strict,
        amount(request.insurance, "--insurance"),
        dict(_index(text, pack) for text in request.indices),
        _control(request.speed),
        by_keys=keys.are_there() and not as_json,
    )
    for problem in replayed.problems[:PROBLEMS_SHOWN]:
        complain(problem)
    if (more := replayed.defects - PROBLEMS_SHOWN) > 0:
        complain(f"... and {more:,} more; --strict stops at the first")
    if as_json:
        say_json(as_object(replayed))
    else:
        show(replayed, request.out)
    _tell_of_refusals(replayed, request.out)
    return 0


def _tell_of_refusals(replayed: Replayed, out: Path | None) -> None:
    """Say of whom nothing traded as what he asked for was refused."""
    where = f"`ringfence report {out}` says" if out else "keep the session with --out, and `ringfence report` says"
    for name, result in replayed.results.accounts.items():
        if result.refusals and not result.fills:
            complain(f"{name}: nothing traded, and {result.refusals:,} commands were refused; {where} why")


def _control(speed: str) -> Control | None:
    """The controls, where somebody asked for them by a speed. Raises UsageError."""
    try:
        return Control(speed) if speed else None
    except ValueError as error:
        raise UsageError(f"--{error}") from error


def _sources(request: Request, pack: RulePack) -> list[Source]:
    """The files, open. Raises SourceError, and UsageError where --symbol is of no use to any of them."""
    sources = [source for path in request.sources for source in _sources_of(request, pack, path)]
    if request.symbol and all(_name_says_it(pack, path, request.columns) for path in request.sources):
        raise UsageError(f"--symbol {request.symbol}: each file's name says what it is about; leave the option out")
    return sources


def _sources_of(request: Request, pack: RulePack, path: Path) -> Sequence[Source]:
    """A file's source, or those of the market in a recorded session."""
    if path.is_file() and is_session(path):
        return Recorded(path).sources(pack, path)
    return [open_source(path, pack, request.strict, request.symbol, request.columns)]


def _name_says_it(pack: RulePack, path: Path, columns: str) -> bool:
    """Whether the file is read without being told its symbol, and has nothing to pick symbols from."""
    try:
        return not open_source(path, pack, columns=columns).names_symbols
    except SourceError:
        return False


def replay(
    sources: Sequence[Source],
    traders: Sequence[Trader],
    pack: RulePack,
    options: SessionOptions,
    out: Path | None,
    strict: bool = False,
    insurance: Decimal = Decimal(0),
    indices: Mapping[InstrumentId, Decimal] | None = None,
    control: Control | None = None,
    by_keys: bool = False,
) -> Replayed:
    """Play the sources into a session file; without `out`, into one that is gone when the replay ends.

    Under control it keeps to the speed, and somebody at a terminal has it in hand, unless a strategy talks there.
    """
    started = perf_counter()
    collect_seldom()
    with tempfile.TemporaryDirectory(prefix="ringfence-") as folder:
        path = out or Path(folder) / "session.db"
        size = sum(path.stat().st_size for path in dict.fromkeys(source.path for source in sources))
        is_taken = any(trader.strategy.talks for trader in traders)
        by_keys = by_keys and control is not None and not is_taken
        with progress("replay", size, patience=inf if by_keys or is_taken else 0.0) as advance:

            def on_progress(reached: Progress) -> None:
                advance(sum(source.position for source in sources), reached.observations, reached.at)

            figures = strict, insurance, indices or {}, on_progress
            playing = _play(path, sources, traders, pack, options, *figures, control, by_keys)
            with _saying_what_is_kept(out):
                player, head = asyncio.run(playing)
    skipped: Counter[str] = Counter()
    problems = []
    defects = sum(player.defects.values())
    for source in sources:
        report = source.report
        skipped.update(report.skipped)
        problems.extend(report.problems)
        defects += sum(report.skipped[reason] for reason in report.defective)
    skipped.update(player.defects)
    return Replayed(
        player.state,
        player.results,
        player.progress,
        player.first_at,
        head,
        dict(sorted(skipped.items())),
        problems + player.problems,
        perf_counter() - started,
        defects,
        sum(source.report.time_went_back for source in sources),
    )


@contextmanager
def _saying_what_is_kept(out: Path | None) -> Iterator[None]:
    """Say where that is which was played before the body failed."""
    try:
        yield
    except (StrategyError, SourceError, SetupError) as error:
        if out is None or not out.exists():
            raise
        raise type(error)(f"{error}; what was played until then is kept in {out}") from error


async def _play(
    path: Path,
    sources: Sequence[Source],
    traders: Sequence[Trader],
    pack: RulePack,
    options: SessionOptions,
    strict: bool,
    insurance: Decimal,
    indices: Mapping[InstrumentId, Decimal],
    on_progress: Callable[[Progress], None],
    control: Control | None,
    by_keys: bool,
) -> tuple[Player, str]:
    log = await open_session(path, create=True)
    empty = True
    try:
        sequencer = await Sequencer.open(log)
        player = Player(sequencer, sources, traders, strict=strict, on_progress=on_progress, control=control)
        await note_strategies(log, notes_of(traders))
        try:
            playing = partial(player.run, pack, options, insurance, indices)
            if control and by_keys:
                await hold(log, sequencer, path, player, control, playing)
            else:
                await playing()
            return player, sequencer.durable.digest.hex()
        finally:
            empty = not player.progress.observations
            await sequencer.close()
    finally:
        await log.close()
        if empty:
            path.unlink()


def options_for(request: Request, sources: Sequence[Source]) -> SessionOptions:
    """The session's options; mark `auto` takes marks from the data where its beginning has any, else the mid price, and
    trade fills `auto` fill orders by trades where an instrument begins with trades and no book.
    """
    mark, fills = request.mark, request.trade_fills
    if fills not in ("auto", TradeFills.BOOK.value):
        _choice("--trade-fills", TradeFills, fills, "auto")
        without_made_up_books(sources)
    if fills == "auto":
        fills = trade_fills(sources).value
    if mark == "auto":
        mark = mark_source(sources).value
    own = _weights(request.queue_model)
    if request.opening_auction < 0:
        raise UsageError(f"--opening-auction {request.opening_auction}: give seconds, 0 for none")
    return SessionOptions(
        mark_source=_choice("--mark", MarkSource, mark, "auto"),
        queue_model=QueueModel.PROPORTIONAL if own else _choice("--queue-model", QueueModel, request.queue_model),
        impact=_choice("--impact", Impact, request.impact),
        funding=_choice("--funding", FundingSource, request.funding),
        max_slippage=_share("--max-slippage", request.max_slippage),
        opening_auction=Nanos(request.opening_auction * SECOND),
        trade_fills=TradeFills(fills),
        latency=_latency(request),
        queue_weights=own,
    )


def _weights(text: str) -> tuple[int, ...]:
    """A queue model of one's own, as 3,2,1; nothing where it is one by name. Raises UsageError."""
    if "," not in text:
        return ()
    try:
        found = weights(text)
    except ValueError:
        raise UsageError(f"--queue-model {text}: give whole numbers, front of the queue first, as 3,2,1") from None
    if defect := SessionOptions(queue_weights=found).defect():
        raise UsageError(f"--queue-model {text}: {defect}")
    return found


def _latency(request: Request) -> Latency:
    try:
        return latency(request.latency, request.feed_latency, request.latency_jitter, request.latency_seed)
    except ValueError as error:
        raise UsageError(f"--{error}") from None


def _share(option: str, text: str) -> Rate:
    """A share from 0 to below 1, as a Rate."""
    try:
        share = exact_units(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: {error}") from None
    if not 0 <= share < UNIT:
        raise UsageError(f"{option} {text}: give a share from 0 to below 1, as 0.02")
    return Rate(share)


def _choice(option: str, choices: type[T], text: str, *more: str) -> T:
    try:
        return choices(text)
    except ValueError:
        *names, last = [*more, *(str(choice.value) for choice in choices)]
        raise UsageError(f"{option} {text}: give {', '.join(names)} or {last}") from None


def _traders(texts: Sequence[str], strategy: str, params: Mapping[str, str]) -> list[Trader]:
    traders = [_trader(text, strategy, params) for text in texts]
    names = Counter(trader.name for trader in traders)
    for text, trader in zip(texts, traders, strict=True):
        if names[trader.name] > 1:
            raise UsageError(f"--account {text}: there is another account {trader.name!r}; give each a name of its own")
    return traders


def _trader(text: str, strategy: str, params: Mapping[str, str]) -> Trader:
    parts = text.split(":")
    if len(parts) != 4:
        raise UsageError(f"--account {text}: write NAME:MODE:LEVERAGE:DEPOSIT, e.g. ann:isolated:20:10000")
    name, mode, leverage, deposit = parts
    if not (name and name.isascii() and name.isprintable()) or name in (MARKET, INSURANCE):
        raise UsageError(
            f"--account {text}: {name!r} cannot name an account; take printable ASCII, not {MARKET} or {INSURANCE}"
        )
    if mode not in ("isolated", "cross", "multi"):
        raise UsageError(f"--account {text}: mode {mode!r}; give isolated, cross or multi")
    if not leverage.isdecimal() or int(leverage) < 1:
        raise UsageError(f"--account {text}: leverage {leverage!r}; give a whole number from 1")
    money = amount(deposit, f"--account {text}: deposit")
    margin = MarginMode.ISOLATED if mode == "isolated" else MarginMode.CROSS
    made = make_strategy(strategy, params)
    return Trader(AccountId(name), margin, int(leverage), money, made, mode == "multi", params)


def _index(text: str, pack: RulePack) -> tuple[InstrumentId, Decimal]:
    """PAIR=PRICE as typed, of a pair that values collateral. Raises UsageError."""
    pair, _, price = text.partition("=")
    names = [found.id for found in pack.spot]
    if pair not in names:
        raise UsageError(f"--index {text}: {pack.id} has no pair {pair!r}; it has {', '.join(names) or 'none'}")
    value = amount(price, f"--index {text}: price")
    if not value:
        raise UsageError(f"--index {text}: price '0'; give a number above 0")
    return InstrumentId(pair), value


def amount(text: str, what: str) -> Decimal:
    """A sum of money as typed. Raises UsageError that names what it is for."""
    try:
        value = Decimal(text)
        if value.is_finite() and value >= 0 and value * UNIT == int(value * UNIT):
            return value
    except InvalidOperation:
        pass
    raise UsageError(f"{what} {text!r}; give a number from 0 with at most 8 decimals")
