"""`ringfence fetch`: market history from where it is published, whole, checked, and only what is not here yet."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from gateway.console import ERR, OUT, complain, say_json
from gateway.errors import UsageError
from gateway.fetching.layout import BASE_URL, Archive, archives, periods
from gateway.fetching.transfer import Fetched, FetchError, NotThere, OnBytes, Remote

VENUES = ("binance",)

USUAL_KINDS = ("klines", "markPriceKlines")
"""What is fetched where no table is named: small, and all that a replay needs."""

PACKS = {"um": "binance-usdm", "cm": "binance-coinm", "spot": "binance-usdm"}
"""The rule pack to try the files of a market under."""

PRINTS = ("klines", "aggTrades", "trades")
"""What a replay trades on: one of these, as each holds the same trades; the first that was fetched is named."""

STOPPED = 130

sleep = time.sleep
"""How a run waits before it tries again."""


class Request(NamedTuple):
    """What was asked on the command line."""

    venue: str
    symbol: str
    times: Sequence[str]
    kinds: Sequence[str]
    market: str
    interval: str
    to: Path
    base_url: str


class Result(NamedTuple):
    """What became of one file: where it is, or why it is not."""

    archive: Archive
    path: Path
    fetched: Fetched | None
    status: str
    problem: str = ""


def run(request: Request, as_json: bool) -> int:
    """Fetch and report. Returns 0, 1 where something could not be had, 130 where it was stopped."""
    wanted = _wanted(request)
    remote = Remote(_address(request.base_url or BASE_URL), complain, sleep)
    results: list[Result] = []
    try:
        with _bars() as bar:
            for number, archive in enumerate(wanted, 1):
                with bar(f"{number}/{len(wanted)} {archive.what}") as on_bytes:
                    results.append(_fetch(remote, archive, request.to, on_bytes))
                if not as_json:
                    _tell(results[-1])
    except KeyboardInterrupt:
        complain("stopped by the user; what came is kept, and the same command goes on there")
        return STOPPED
    if as_json:
        say_json({"files": [_as_object(result) for result in results]})
    else:
        _say_what_next(request, results)
    return int(any(result.fetched is None for result in results))


def _wanted(request: Request) -> list[Archive]:
    if request.venue not in VENUES:
        raise UsageError(f"{request.venue}: give {' or '.join(VENUES)}; of others there are files to buy or to record")
    kinds = request.kinds or [kind for kind in USUAL_KINDS if request.market != "spot" or kind == "klines"]
    return archives(request.market, request.symbol, kinds, periods(request.times), request.interval)


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--base-url {url}: give an address that begins with https:// or http://")
    return url


def _fetch(remote: Remote, archive: Archive, folder: Path, on_bytes: OnBytes) -> Result:
    path = folder / archive.path
    try:
        fetched = remote.fetch(archive.path, path, on_bytes)
    except NotThere as error:
        why = (
            f"{archive.what}: the archive does not have it ({error}); a day is published on the day after, a month in "
            "the month after, and not every table of every time"
        )
        return Result(archive, path, None, "missing", why)
    except FetchError as error:
        return Result(archive, path, None, "failed", f"{archive.what}: {error}")
    return Result(archive, path, fetched, "there" if fetched.was_here else "fetched")


def _tell(result: Result) -> None:
    if result.fetched is None:
        complain(result.problem)
        return
    before = ", as before" if result.fetched.was_here else ""
    size = f"{result.fetched.size / 1e6:,.1f} MB"
    OUT.print(f"{result.status:<8} {result.path} ({size}, checksum right{before})", markup=False)


def _as_object(result: Result) -> dict[str, object]:
    found = result.fetched
    return {
        "symbol": result.archive.symbol,
        "kind": result.archive.kind,
        "period": str(result.archive.period),
        "path": str(result.path),
        "status": result.status,
        "bytes": found.size if found else None,
        "sha256": found.sha256 if found else None,
        "problem": result.problem or None,
    }


def _say_what_next(request: Request, results: Sequence[Result]) -> None:
    """The commands that read what is here: one file looked at, and a replay of those that go together."""
    here = [result for result in results if result.fetched]
    if not here:
        return
    pack = PACKS[request.market]
    OUT.print(f"\nnext     ringfence probe {here[0].path} --pack {pack}", markup=False)
    kinds = [result.archive.kind for result in here]
    traded = next((kind for kind in PRINTS if kind in kinds), None)
    if traded is None:
        return
    files = [str(result.path) for result in here if result.archive.kind in (traded, "markPriceKlines")]
    OUT.print("         ringfence replay " + " \\\n             ".join([*files, f"--pack {pack}"]), markup=False)
    if request.market == "spot":
        OUT.print("         (of spot they may be finer than a contract's; docs/replay.md shows a pack that they fit)")


@contextmanager
def _bars() -> Iterator[_Bar]:
    """A bar a file, gone when the file is here; none where nobody looks."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=ERR, disable=not ERR.is_terminal, transient=True) as progress:
        yield _Bar(progress)


class _Bar:
    """Makes the bar of one file."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def __call__(self, what: str) -> Iterator[OnBytes]:
        task = self._progress.add_task(what, total=None)
        yield lambda done, total: self._progress.update(task, completed=done, total=total)
        self._progress.remove_task(task)
