"""What a replay came to: for people, and as an object for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from events.commands import AccountId
from events.instruments import AssetId
from events.units import decimal_text
from exchange.core.state import State
from exchange.projections.results import AccountResult, Money, Results, margin_ratio
from gateway.console import OUT, aligned, money_text, ratio_text, time_text
from gateway.reports.ways import options_object, ways
from gateway.wording import places_of
from replay.fills import has_no_book
from replay.player import Progress
from replay.quotes import equity_atoms


@dataclass(slots=True)
class Replayed:
    """A replay that ended.

    problems tells the first defects of each kind, defects counts all. time_went_back counts rows that were older than
    the row before, and took its time.
    """

    state: State
    results: Results
    progress: Progress
    first_at: int
    head: str
    skipped: dict[str, int]
    problems: list[str]
    seconds: float
    defects: int
    time_went_back: int


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
        "time_went_back": replayed.time_went_back,
        "options": options_object(replayed.state.options),
        "without_book": [c.id for c in replayed.state.contracts.values() if has_no_book(c)],
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
    for word, what in ways(state):
        OUT.print(f"{word:9}{what}", markup=False)
    if replayed.skipped:
        OUT.print("skipped  " + ", ".join(f"{count:,} {reason}" for reason, count in replayed.skipped.items()))
    if replayed.time_went_back:
        OUT.print(f"time     went back {replayed.time_went_back:,} times; those rows took the time of the one before")
    if replayed.results.accounts:
        for line in account_table(state, replayed.results):
            OUT.print(line, markup=False)
    OUT.print(
        f"session  {state.seq:,} records in {state.batch:,} batches, {replayed.seconds:.2f} s, {speed:,.0f} x real time"
    )
    OUT.print(f"head     {replayed.head}")
    if out:
        OUT.print(f"written  {out}")


def account_table(state: State, results: Results) -> list[str]:
    """The lines of a table with a row an account and asset."""
    assets = list(dict.fromkeys(asset for name in results.accounts for asset in _assets(state, name)))
    names = ("account", "mode", *(("asset",) if len(assets) > 1 else ()))
    head = (*names, "fills", "fees", "funding", "PnL", "equity", "margin ratio", "worst", "liquidations")
    rows = [
        tuple(_row(state, name, result, asset, is_first=n == 0, has_assets=len(assets) > 1))
        for name, result in results.accounts.items()
        for n, asset in enumerate(_assets(state, name) or assets[:1])
    ]
    title = f"accounts, amounts in {', '.join(assets) or 'none'}"
    return ["", title, "", *aligned([head, *rows], right=range(len(names), len(head))), ""]


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
    yield ratio_text(margin_ratio(state, name)) if is_first else ""
    yield ratio_text(result.peak_ratio) if is_first else ""
    yield f"{result.liquidations}" if is_first else ""
