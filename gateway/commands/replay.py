"""`ringfence replay`: history through the exchange, with accounts, into a session file."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.commands import (
    INSURANCE,
    MARKET,
    AccountId,
    FundingSource,
    Impact,
    MarkSource,
    QueueModel,
    SessionOptions,
)
from events.instruments import AssetId, InstrumentId, MarginMode, RulePack, load_pack
from events.observations import Kind
from events.store.sqlite import open_session
from events.units import UNIT, decimal_text
from exchange.core.state import State
from exchange.projections.results import AccountResult, Money, Results, margin_ratio
from exchange.sequencer import Sequencer
from gateway.console import OUT, complain, money_text, progress, say_json, time_text
from gateway.errors import UsageError
from gateway.memory import collect_seldom
from gateway.wording import places_of
from replay.loading import make_strategy
from replay.player import Player, Progress, Trader
from replay.sources import Source, open_source
from replay.strategy import equity_atoms

T = TypeVar("T", bound=Enum)

PROBLEMS_SHOWN = 10

RATIO_SHOWN = 10
"""A margin ratio beyond ten times the equity is only said to be so."""


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


@dataclass(slots=True)
class Replayed:
    """A replay that ended."""

    state: State
    results: Results
    progress: Progress
    first_at: int
    head: str
    skipped: dict[str, int]
    problems: list[str]
    seconds: float


def run(request: Request, as_json: bool) -> int:
    """Replay and report."""
    pack = load_pack(request.pack)
    sources = [open_source(path, pack, request.strict, request.symbol) for path in request.sources]
    traders = _traders(request.accounts, request.strategy)
    if request.strategy and not traders:
        raise UsageError("--strategy needs an account: add --account NAME:MODE:LEVERAGE:DEPOSIT")
    replayed = replay(
        sources,
        traders,
        pack,
        options_for(request, sources),
        request.out,
        request.strict,
        amount(request.insurance, "--insurance"),
        dict(_index(text, pack) for text in request.indices),
    )
    for problem in replayed.problems[:PROBLEMS_SHOWN]:
        complain(problem)
    if len(replayed.problems) > PROBLEMS_SHOWN:
        complain(f"... and {len(replayed.problems) - PROBLEMS_SHOWN} more; --strict stops at the first")
    if as_json:
        say_json(as_object(replayed))
    else:
        show(replayed, request.out)
    return 0


def replay(
    sources: Sequence[Source],
    traders: Sequence[Trader],
    pack: RulePack,
    options: SessionOptions,
    out: Path | None,
    strict: bool = False,
    insurance: Decimal = Decimal(0),
    indices: Mapping[InstrumentId, Decimal] | None = None,
) -> Replayed:
    """Play the sources into a session file; without `out`, into one that is gone when the replay ends."""
    started = perf_counter()
    collect_seldom()
    with tempfile.TemporaryDirectory(prefix="ringfence-") as folder:
        path = out or Path(folder) / "session.db"
        size = sum(source.path.stat().st_size for source in sources)
        with progress("replay", size) as advance:

            def on_progress(reached: Progress) -> None:
                advance(sum(source.position for source in sources), reached.observations, reached.at)

            playing = _play(path, sources, traders, pack, options, strict, insurance, indices or {}, on_progress)
            player, head = asyncio.run(playing)
    skipped: Counter[str] = Counter()
    problems = []
    for source in sources:
        skipped.update(source.report.skipped)
        problems.extend(source.report.problems)
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
    )


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
) -> tuple[Player, str]:
    log = await open_session(path, create=True)
    empty = True
    try:
        sequencer = await Sequencer.open(log)
        player = Player(sequencer, sources, traders, strict=strict, on_progress=on_progress)
        try:
            await player.run(pack, options, insurance, indices)
            return player, sequencer.durable.digest.hex()
        finally:
            empty = not player.progress.observations
            await sequencer.close()
    finally:
        await log.close()
        if empty:
            path.unlink()


def options_for(request: Request, sources: Sequence[Source]) -> SessionOptions:
    """The session's options; mark `auto` takes marks from the data where its beginning has any, else the mid price."""
    mark = request.mark
    if mark == "auto":
        beginnings = (next(iter(source), None) for source in sources)
        has_marks = any(chunk is not None and Kind.MARK in chunk.kind for chunk in beginnings)
        mark = (MarkSource.DATA if has_marks else MarkSource.MID).value
    return SessionOptions(
        mark_source=_choice("--mark", MarkSource, mark, "auto"),
        queue_model=_choice("--queue-model", QueueModel, request.queue_model),
        impact=_choice("--impact", Impact, request.impact),
        funding=_choice("--funding", FundingSource, request.funding),
    )


def _choice(option: str, choices: type[T], text: str, *more: str) -> T:
    try:
        return choices(text)
    except ValueError:
        *names, last = [*more, *(str(choice.value) for choice in choices)]
        raise UsageError(f"{option} {text}: give {', '.join(names)} or {last}") from None


def _traders(texts: Sequence[str], strategy: str) -> list[Trader]:
    traders = [_trader(text, strategy) for text in texts]
    names = Counter(trader.name for trader in traders)
    for text, trader in zip(texts, traders, strict=True):
        if names[trader.name] > 1:
            raise UsageError(f"--account {text}: there is another account {trader.name!r}; give each a name of its own")
    return traders


def _trader(text: str, strategy: str) -> Trader:
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
    return Trader(AccountId(name), margin, int(leverage), money, make_strategy(strategy), mode == "multi")


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


def market_figures(state: State) -> dict[str, Any]:
    """What the session knows of the market alone; the same from a replay and from the log."""
    contracts = [c for c in state.contracts.values() if c.feed.observations]
    lots = sum(c.feed.volume * c.lot for c in contracts)
    return {
        "trades": sum(c.feed.prints for c in contracts),
        "volume": _padded(lots, contracts),
        "top_of_book": [sum(c.feed.equal for c in contracts), sum(c.feed.different for c in contracts)],
        "observations": sum(c.feed.observations for c in contracts),
    }


def _padded(amount: int, contracts: Sequence[Any]) -> str:
    """The volume with as many decimals as the finest lot has."""
    text = decimal_text(amount)
    places = max((len(decimal_text(c.lot).partition(".")[2]) for c in contracts), default=0)
    whole, _, part = text.partition(".")
    return f"{whole}.{part:0<{places}}" if places else whole


def as_object(replayed: Replayed) -> dict[str, Any]:
    """The replay as one object for --json."""
    results = replayed.results
    return {
        **market_figures(replayed.state),
        "own_fills": results.own_fills,
        "records": replayed.state.seq,
        "facts_by_kind": dict(sorted(results.kinds.items())),
        "liquidations": results.liquidations,
        "head": replayed.head,
        "first_at": replayed.first_at,
        "last_at": replayed.progress.at,
        "skipped": replayed.skipped,
        "seconds": round(replayed.seconds, 3),
        "accounts": account_figures(replayed.state, results),
    }


def account_figures(state: State, results: Results) -> dict[str, Any]:
    """Each account's figures as decimal strings: by asset, and of its only asset also where it has no more than one."""
    figures: dict[str, Any] = {}
    for name, result in results.accounts.items():
        assets = {asset: _money(state, name, result.of(asset), asset) for asset in _assets(state, name)}
        counts = {"fills": result.fills, "liquidations": result.liquidations, "refusals": result.refusals}
        only = next(iter(assets.values())) if len(assets) == 1 else {} if assets else _NOTHING
        figures[name] = {**counts, **only, "assets": assets}
    return figures


_NOTHING = dict.fromkeys(("fees", "funding", "pnl", "equity"), "0")


def _assets(state: State, name: AccountId) -> list[AssetId]:
    """The assets that an account has a wallet in."""
    return list(state.accounts[name].wallets)


def _money(state: State, name: AccountId, money: Money, asset: AssetId) -> dict[str, str]:
    equity = equity_atoms(state.accounts[name], asset)
    amounts = {"fees": money.fees, "funding": money.funding, "pnl": equity - money.deposits, "equity": equity}
    return {what: decimal_text(amount) for what, amount in amounts.items()}


def show(replayed: Replayed, out: Path | None) -> None:
    """The replay for people."""
    market, state = market_figures(replayed.state), replayed.state
    span = (replayed.progress.at - replayed.first_at) / 1e9
    speed = span / replayed.seconds if replayed.seconds else 0
    equal, different = market["top_of_book"]
    OUT.print(f"market   {time_text(replayed.first_at)} to {time_text(replayed.progress.at)} UTC ({span:,.1f} s)")
    OUT.print(
        f"         {market['observations']:,} observations, {market['trades']:,} trades, volume {market['volume']}, "
        f"top of book equal {equal:,} different {different:,}"
    )
    if replayed.skipped:
        OUT.print("skipped  " + ", ".join(f"{count:,} {reason}" for reason, count in replayed.skipped.items()))
    if replayed.results.accounts:
        OUT.print(account_table(state, replayed.results))
    OUT.print(
        f"session  {state.seq:,} records in {state.batch:,} batches, {replayed.seconds:.2f} s, {speed:,.0f} x real time"
    )
    OUT.print(f"head     {replayed.head}")
    if out:
        OUT.print(f"written  {out}")


def account_table(state: State, results: Results) -> Table:
    """One row an account and asset."""
    assets = list(dict.fromkeys(asset for name in results.accounts for asset in _assets(state, name)))
    what = ", ".join(assets) or "none"
    table = Table(title=f"accounts, amounts in {what}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("account", "mode", *(("asset",) if len(assets) > 1 else ())):
        table.add_column(column, no_wrap=True)
    for column in ("fills", "fees", "funding", "PnL", "equity", "margin ratio", "at worst", "liquidations"):
        table.add_column(column, justify="right", overflow="fold")
    for name, result in results.accounts.items():
        for n, asset in enumerate(_assets(state, name) or assets[:1]):
            table.add_row(*_row(state, name, result, asset, is_first=n == 0, has_assets=len(assets) > 1))
    return table


def _row(
    state: State, name: AccountId, result: AccountResult, asset: AssetId, *, is_first: bool, has_assets: bool
) -> Iterator[str]:
    """The cells of an account in one asset; what is the account's own stands in its first row."""
    account, money = state.accounts[name], result.of(asset)
    equity = equity_atoms(account, asset)
    modes = sorted({p.mode.value for p in account.positions.values()})
    yield name if is_first else ""
    yield ("multi" if account.multi else "/".join(modes) or "cross") if is_first else ""
    if has_assets:
        yield asset
    yield f"{result.fills:,}" if is_first else ""
    assert state.pack is not None
    places = places_of(state.pack, asset)
    yield from (money_text(a, places) for a in (money.fees, money.funding, equity - money.deposits, equity))
    yield _ratio(margin_ratio(state, name)) if is_first else ""
    yield _ratio(result.peak_ratio) if is_first else ""
    yield f"{result.liquidations}" if is_first else ""


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    return f"{ratio * 100:.1f} %" if ratio < RATIO_SHOWN else f"> {RATIO_SHOWN:.0%}".replace("%", " %")
