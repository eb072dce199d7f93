"""A moment of a session as tables: books, wallets, pools, positions, open orders, every number with its unit."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from events.instruments import instrument_of
from events.units import UNIT, exact_units
from gateway.console import ratio_text
from gateway.reports.why_words import Words

Rows = list[list[str]]


def tables(accounts: dict[str, Any], words: Words) -> Iterator[tuple[str, Rows, int]]:
    """Those that have anything to show: heading, rows with their head, and how many columns of text come first."""
    for heading, left, head, of in (
        ("wallets", 1, ("account", "balance", "equity", "available", "withdrawable"), _wallets),
        ("pools", 2, ("account", "pool", "equity", "MM", "margin ratio", "isolated margin"), _pools),
        ("positions", 3, ("account", "position", "mode", "size", "entry price", "notional", "PnL", "ADL"), _positions),
        ("open orders", 3, ("account", "order", "instrument", "side", "size", "price", "reduces"), _orders),
        ("conditional orders", 3, ("account", "order", "instrument", "waits for", "then", "size"), _triggers),
    ):
        if rows := [[name, *row] for name, account in accounts.items() for row in of(account, words)]:
            yield heading, [list(head), *rows], left


def book(name: str, instrument: dict[str, Any], words: Words) -> Rows:
    """Both sides of a book, the best prices first."""
    bids, asks = instrument["bids"], instrument["asks"]
    rows = [["bid size", "bid", "ask", "ask size"]]
    for n in range(max(len(bids), len(asks))):
        bid, ask = (_level(side[n], name, words) if n < len(side) else ["", ""] for side in (bids, asks))
        rows.append([bid[1], *bid[:1], *ask])
    return rows


def phase(instrument: dict[str, Any], name: str, words: Words) -> str:
    """What may be done where trading is not continuous, and what trading would begin with."""
    said = f"phase {instrument['phase']}"
    if instrument["indicative"] is None:
        return f"{said}, nothing crosses"
    price, lots, surplus = instrument["indicative"]
    more = "offered" if surplus.startswith("-") else "asked for"
    rest = sized(surplus.removeprefix("-"), name, words)
    return f"{said}, indicative: {sized(lots, name, words)} at {priced(price, name, words)}, {rest} more {more}"


def _level(level: list[str], name: str, words: Words) -> list[str]:
    price, size = level
    return [priced(price, name, words), sized(size, name, words)]


def sized(size: str, name: str, words: Words) -> str:
    """A size with its unit."""
    lots = exact_units(size, words.instruments[name].lot)
    return f"{'-' if lots < 0 else ''}{words.size(lots, name)}"


def priced(price: str, name: str, words: Words) -> str:
    """An exact price with its unit."""
    return words.price(exact_units(price, words.instruments[name].tick), name)


def _amount(text: str, asset: str, words: Words) -> str:
    return words.atoms(exact_units(text), asset)


def _wallets(account: dict[str, Any], words: Words) -> Iterator[list[str]]:
    for asset, wallet in account["wallets"].items():
        names = ("balance", "equity", "available", "withdrawable")
        yield [_amount(wallet[name], asset, words) for name in names]


def _pools(account: dict[str, Any], words: Words) -> Iterator[list[str]]:
    for pool in account["pools"]:
        asset, ratio, alone = words.pool_asset(pool["pool"]), pool["margin_ratio"], pool["isolated_margin"]
        amounts = [_amount(pool[name], asset, words) for name in ("equity", "maintenance")]
        shown = ratio_text(inf if ratio is None else ratio)
        yield [pool["pool"], *amounts, shown, _amount(alone, asset, words) if alone is not None else "-"]


def _positions(account: dict[str, Any], words: Words) -> Iterator[list[str]]:
    for p in account["positions"]:
        name = instrument_of(p["name"])
        yield [
            p["name"],
            f"{p['mode']} {p['leverage']}x",
            sized(p["size"], name, words),
            words.mark(exact_units(p["entry_price"]), name),
            _amount(p["notional"], p["asset"], words),
            _amount(p["unrealised_pnl"], p["asset"], words),
            "-" if p["adl_light"] is None else str(p["adl_light"]),
        ]


def _orders(account: dict[str, Any], words: Words) -> Iterator[list[str]]:
    for o in account["orders"]:
        name = o["instrument"]
        size, price = sized(o["size"], name, words), priced(o["price"], name, words)
        yield [f"{o['number']:,}", name, o["side"], size, price, "yes" if o["reduce_only"] else "no"]


def _triggers(account: dict[str, Any], words: Words) -> Iterator[list[str]]:
    for t in account["triggers"]:
        name = t["instrument"]
        size = "all" if t["size"] is None else sized(t["size"], name, words)
        then = f"{t['side']} {'at market' if t['price'] is None else priced(t['price'], name, words)}"
        yield [f"{t['number']:,}", name, _waits_for(t, name, words), then, size]


def _waits_for(t: dict[str, Any], name: str, words: Words) -> str:
    """Mark or last price, and where a conditional order meets it: a trailing stop, so far from its extreme."""
    if t["callback"] is None:
        return f"{t['source']} {priced(t['trigger'], name, words)}"
    back = f"{exact_units(t['callback']) * 100 / UNIT:g} % back"
    if t["extreme"] is None:
        return f"{t['source']} {priced(t['trigger'], name, words)}, then {back}"
    return f"{t['source']} {back} from {words.mark(exact_units(t['extreme']), name)}"
