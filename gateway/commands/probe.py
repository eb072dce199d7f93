"""`ringfence probe`: what is in a file of market history, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from events.instruments import RulePack, load_pack
from events.observations import Kind
from events.units import SECOND, decimal_text
from gateway.console import OUT, progress, say, say_json, time_text
from replay.sources.probing import Found, Probed, probe

INSTRUMENTS_SHOWN, PROBLEMS_SHOWN = 12, 10

PATIENCE = 2.0
"""The progress bar appears after so many seconds."""

NAMES = {
    Kind.SNAPSHOT: "snapshots",
    Kind.DIFF: "diffs",
    Kind.PRINT: "trades",
    Kind.TICKER: "tickers",
    Kind.MARK: "marks",
    Kind.ORDERS: "order events",
}


def run(path: Path, pack_name: str, symbol: str, as_json: bool, columns: str = "") -> int:
    """Read the file and say what there is. Returns 0 where it is sound, 1 where something is wrong with it."""
    pack = load_pack(pack_name)
    probed = read(path, pack, symbol, columns)
    if as_json:
        say_json(as_object(probed, pack))
    else:
        for head, line in _lines(probed, pack):
            say(f"{head:<9}{line}", indent=9)
        for problem in probed.problems[:PROBLEMS_SHOWN]:
            OUT.print(f"         {problem}", markup=False)
        if (more := _defects(probed) - PROBLEMS_SHOWN) > 0:
            OUT.print(f"         ... and {more:,} more", markup=False)
    return 0 if probed.is_sound else 1


def read(path: Path, pack: RulePack, symbol: str, columns: str) -> Probed:
    """Read all of a file, with a progress bar where that takes long."""
    size = path.stat().st_size if path.is_file() else None
    with progress(f"read {path.name}", size, "rows", PATIENCE) as watch:
        return probe(path, pack, symbol, columns, watch)


def _lines(probed: Probed, pack: RulePack) -> Iterator[tuple[str, str]]:
    report, (first, last) = probed.report, probed.span
    yield "file", str(probed.path)
    yield "format", f"{probed.format}, {probed.path.stat().st_size:,} bytes, {report.lines:,} lines"
    if last:
        yield "span", f"{time_text(first)} to {time_text(last)} UTC ({(last - first) / SECOND:,.1f} s)"
    for found in probed.instruments[:INSTRUMENTS_SHOWN]:
        yield from _instrument(found, pack)
    if (more := len(probed.instruments) - INSTRUMENTS_SHOWN) > 0:
        yield "", f"... and {more:,} more symbols; --json has them all"
    if counted := {reason: n for reason, n in report.skipped.items() if reason not in _told(probed)}:
        yield "counted", _counts(counted)
    if report.time_went_back:
        yield "time", f"went back {report.time_went_back:,} times; those rows take the time of the one before"
    if report.rounded:
        yield "rounded", f"{report.rounded:,} marks, indices or rates, to 10^-8"
    yield "defects", _counts(_told(probed)) or "none"


def _instrument(found: Found, pack: RulePack) -> Iterator[tuple[str, str]]:
    rows = ", ".join(f"{found.kinds[kind]:,} {name}" for kind, name in NAMES.items() if found.kinds[kind])
    yield "symbol", f"{_symbol(found, pack)}: {rows}"
    feed = found.feed
    if feed.prints:
        bought = "" if found.is_made_up else f", of it bought {decimal_text(found.bought)}"
        prices = f"prices {decimal_text(found.low)} to {decimal_text(found.high)}"
        yield "trades", f"volume {decimal_text(feed.volume)}{bought}; {prices}"
    yield from _book(found)
    if found.silence:
        yield "gaps", f"longest without a row {found.silence / SECOND:,.3f} s, until {time_text(found.silent_until)}"


def _book(found: Found) -> Iterator[tuple[str, str]]:
    """What made the book, and what it is at the end."""
    feed = found.feed
    bid, ask = (side.history.best() for side in (feed.book.bids, feed.book.asks))
    if not (found.levels or found.orders) or not (bid and ask):
        return
    bids, asks = (f"{len(side.history.stated):,}" for side in (feed.book.bids, feed.book.asks))
    if found.orders:
        made = f"{found.orders:,} messages about orders; at the end {found.open_orders:,} are open, at"
    else:
        made = f"{found.levels:,} levels stated, {found.removed:,} of them removed; at the end"
    yield "book", f"{made} {bids} bids and {asks} asks, best {decimal_text(bid)} and {decimal_text(ask)}"
    if feed.equal or feed.different:
        yield "", f"top of book equal {feed.equal:,} different {feed.different:,}"


def _symbol(found: Found, pack: RulePack) -> str:
    """The symbol, and how it goes with the rule pack."""
    if not found.is_named:
        return "not said, give it with --symbol"
    units = [f"{word} of {decimal_text(unit)}" for word, unit in (("prices", found.tick), ("sizes", found.lot)) if unit]
    needs = f" ({', '.join(units)})" if units else ""
    return f"{found.symbol}{needs}, {_fit(found, pack)}"


def _fit(found: Found, pack: RulePack) -> str:
    own = next((instrument for instrument in pack.instruments if instrument.id == found.symbol), None)
    if own is None:
        return f"not in the rule pack {pack.id}"
    if found.tick % own.tick or found.lot % own.lot:
        units = f"ticks of {decimal_text(own.tick)} and lots of {decimal_text(own.lot)}"
        return f"finer than the {units} of the rule pack {pack.id} (`ringfence pack fit` makes one that fits)"
    return f"fits the rule pack {pack.id}"


def _told(probed: Probed) -> dict[str, int]:
    """The defects by reason: what a problem was told of."""
    reasons = {reason: n for reason, n in probed.report.skipped.items() if reason in probed.report.defective}
    return reasons | probed.misfits


def _defects(probed: Probed) -> int:
    return sum(_told(probed).values())


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {reason}" for reason, n in sorted(counts.items()))


def as_object(probed: Probed, pack: RulePack) -> dict[str, Any]:
    """The same for programs; times in ns, prices and sizes as decimal text."""
    report, (first, last) = probed.report, probed.span
    return {
        "file": str(probed.path),
        "format": probed.format,
        "bytes": probed.path.stat().st_size,
        "lines": report.lines,
        "first_at": first,
        "last_at": last,
        "time_went_back": report.time_went_back,
        "rounded": report.rounded,
        "skipped": dict(sorted(report.skipped.items())),
        "defects": dict(sorted(_told(probed).items())),
        "problems": probed.problems,
        "symbols": [_object(found, pack) for found in probed.instruments],
    }


def _object(found: Found, pack: RulePack) -> dict[str, Any]:
    feed = found.feed
    best = [side.history.best() for side in (feed.book.bids, feed.book.asks)]
    return {
        "symbol": found.symbol,
        "fits": _fit(found, pack).startswith("fits"),
        "first_at": found.first_at,
        "last_at": found.last_at,
        **{name.replace(" ", "_"): found.kinds[kind] for kind, name in NAMES.items()},
        "orders": found.orders,
        "open_orders": found.open_orders,
        "levels": found.levels,
        "removed": found.removed,
        "volume": decimal_text(feed.volume),
        "bought": decimal_text(found.bought),
        "low": decimal_text(found.low),
        "high": decimal_text(found.high),
        "tick": decimal_text(found.tick),
        "lot": decimal_text(found.lot),
        "best": [None if price is None else decimal_text(price) for price in best],
        "top_of_book": [feed.equal, feed.different],
        "gaps_in_update_ids": feed.gaps,
        "crossed": feed.crossed,
        "longest_silence": found.silence,
        "silent_until": found.silent_until,
    }
