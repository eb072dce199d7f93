"""`ringfence log at`: any moment of a session."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.commands import MARKET, AccountId
from events.log import Head
from events.store.sqlite import open_session
from events.units import Nanos
from exchange.core.state import State
from exchange.projections.moment import moment
from gateway.console import OUT, say_json, time_text
from gateway.errors import UsageError, about
from gateway.naming import there_are
from gateway.times import nanos_of
from replay.travel import NoSuchMoment, state_at, state_when


def run(session: Path, record: int, time: str, account: str, levels: int, as_json: bool) -> int:
    """Show the moment. Returns 0."""
    if record and time:
        raise UsageError("--record and --time: give one of them")
    with about(session):
        try:
            state, head = asyncio.run(_moment(session, record, nanos_of(time, "--time") if time else None))
        except NoSuchMoment as error:
            raise UsageError(f"{session}: {error}") from error
    shown = {"head": head.digest.hex(), **moment(state, _names(session, state, account), levels)}
    if as_json:
        say_json(shown)
    else:
        _show(shown, head)
    return 0


async def _moment(session: Path, record: int, at: Nanos | None) -> tuple[State, Head]:
    log = await open_session(session, read_only=True)
    try:
        if at is not None:
            return await state_when(log, at)
        return await state_at(log, record or (await log.head()).seq)
    finally:
        await log.close()


def _names(session: Path, state: State, account: str) -> list[AccountId]:
    if not account:
        return [name for name, a in state.accounts.items() if name != MARKET and (a.wallets or not a.is_reserved)]
    if account not in state.accounts:
        raise UsageError(f"{session}: no account {account!r} at that moment; {there_are(state.accounts, account)}")
    return [AccountId(account)]


def _show(shown: dict[str, Any], head: Head) -> None:
    due = f", {shown['due']:,} pieces of due work" if shown["due"] else ""
    OUT.print(f"moment   {time_text(shown['at'])} UTC, after record {head.seq:,} (batch {head.batch:,}){due}")
    for name, instrument in shown["instruments"].items():
        OUT.print()
        OUT.print(f"{name}  mark {instrument['mark']}, open interest {instrument['open_interest']}", markup=False)
        if instrument["bids"] or instrument["asks"]:
            OUT.print(_book(instrument))
    rows = [(name, asset, w) for name, a in shown["accounts"].items() for asset, w in a["wallets"].items()]
    if rows:
        OUT.print(_wallets(shown["accounts"], rows))
    if positions := [(name, p) for name, a in shown["accounts"].items() for p in a["positions"]]:
        OUT.print(_positions(positions))
    if orders := [(name, o) for name, a in shown["accounts"].items() for o in a["orders"]]:
        OUT.print(_orders(orders))
    OUT.print(f"head     {head.digest.hex()}")


def _table(title: str, left: int, *columns: str) -> Table:
    """A table whose first so many columns are texts, the others figures."""
    table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for n, column in enumerate(columns):
        table.add_column(column, justify="left" if n < left else "right", no_wrap=True)
    return table


def _book(instrument: dict[str, Any]) -> Table:
    table = _table("", 0, "bid size", "bid", "ask", "ask size")
    bids, asks = instrument["bids"], instrument["asks"]
    for n in range(max(len(bids), len(asks))):
        bid, ask = (side[n] if n < len(side) else ("", "") for side in (bids, asks))
        table.add_row(bid[1], bid[0], ask[0], ask[1])
    return table


def _wallets(accounts: dict[str, Any], rows: list[tuple[str, str, dict[str, str]]]) -> Table:
    table = _table("wallets", 2, "account", "asset", "balance", "available", "withdrawable", "margin ratio")
    before = ""
    for name, asset, wallet in rows:
        ratio = accounts[name]["margin_ratio"]
        text = "-" if ratio is None else f"{ratio:.2%}".replace("%", " %")
        table.add_row(name, asset, *wallet.values(), "" if name == before else text)
        before = name
    return table


def _positions(rows: list[tuple[str, dict[str, Any]]]) -> Table:
    what = ("position", "mode", "leverage", "size", "entry price", "notional", "unrealised PnL", "in", "ADL")
    table = _table("positions", 3, "account", *what)
    for name, p in rows:
        figures = (f"{p['leverage']}x", p["size"], p["entry_price"], p["notional"], p["unrealised_pnl"], p["asset"])
        table.add_row(name, p["name"], p["mode"], *figures, "-" if p["adl_light"] is None else str(p["adl_light"]))
    return table


def _orders(rows: list[tuple[str, dict[str, Any]]]) -> Table:
    table = _table("open orders", 4, "account", "number", "instrument", "side", "size", "price", "reduce-only")
    for name, o in rows:
        reduces = "yes" if o["reduce_only"] else "no"
        table.add_row(name, str(o["number"]), o["instrument"], o["side"], o["size"], o["price"], reduces)
    return table
