"""What the doctor looks at, one function each: it says what it found, whether that is well, and else what to do."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import resource
import shutil
import sqlite3
import stat
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from events.log import DamagedLog, LogError
from events.store.soundness import is_being_written
from events.store.sqlite import open_session
from gateway.commands.keys import ring_of
from gateway.errors import UsageError
from gateway.serving.certificates import RENEW_BEFORE, Certificate
from gateway.serving.connections import CONNECTIONS_MAX
from gateway.serving.hosts import listen

PYTHON_NEEDED = (3, 11)
SYNCS = 21
SYNC_MS_MAX = 20.0
"""An order is acknowledged after one sync of the disk: slower disks make slow clients."""

ROOM_MIN = 1 << 30
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
DRIFT_SECONDS_MAX = 2.0
FILES_SPARE = 100


class Given(NamedTuple):
    """What is looked at."""

    session: Path
    host: str
    port: int
    tls_port: int

    @property
    def folder(self) -> Path:
        """Where the session is, or will be."""
        return self.session.resolve().parent


class Finding(NamedTuple):
    """What a check found; the remedy is for what is not well."""

    name: str
    is_ok: bool
    said: str
    remedy: str = ""


Findings = Iterator[Finding]


def python(_given: Given) -> Findings:
    """The interpreter is new enough."""
    is_ok = sys.version_info[:2] >= PYTHON_NEEDED
    yield Finding("python", is_ok, platform.python_version(), "make the environment anew with Python 3.11 or newer")


def packages(_given: Given) -> Findings:
    """What Ringfence needs is installed, and new enough."""
    wrong = []
    needed = list(_needed())
    for name, least in needed:
        try:
            found = version(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if _numbers(found) < _numbers(least):
            wrong.append(f"{name} is {found}, needed {least}")
    said = ", ".join(wrong) or f"{len(needed)} as needed"
    yield Finding("packages", not wrong, said, "install them: make setup, in the checkout")


def _needed() -> Iterator[tuple[str, str]]:
    """Names and least versions of the packages that are no extras."""
    try:
        listed = requires("ringfence") or []
    except PackageNotFoundError:
        project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))
        listed = project["project"]["dependencies"]
    for line in listed:
        if "extra ==" not in line and (match := re.match(r"([\w.-]+)>=([\d.]+)", line)):
            yield match[1], match[2]


def _numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)[:3]]


def ports(given: Given) -> Findings:
    """The ports are free, unless it is this session that is served there."""
    try:
        for option, port in (("--port", given.port), ("--tls-port", given.tls_port)):
            listen(given.host, port, option).close()
    except UsageError:
        if not (given.session.exists() and is_being_written(given.session)):
            raise
        yield Finding("ports", True, f"in use, and {given.session} is being served")
    else:
        yield Finding("ports", True, f"{given.port} and {given.tls_port} are free on {given.host}")


def disk(given: Given) -> Findings:
    """The disk has room, and makes writes durable quickly."""
    room = shutil.disk_usage(given.folder).free
    yield Finding("room", room >= ROOM_MIN, f"{room / 2**30:,.1f} GiB free in {given.folder}", "free at least 1 GiB")
    took = sync_ms(given.folder)
    remedy = f"acknowledgements wait for it; take a disk of this machine that syncs within {SYNC_MS_MAX:.0f} ms"
    yield Finding("sync", took <= SYNC_MS_MAX, f"{took:.2f} ms to make a write durable (median of {SYNCS})", remedy)


def sync_ms(folder: Path) -> float:
    """How long the disk takes to make 4 KiB durable, ms. Raises OSError."""
    times = []
    with tempfile.TemporaryFile(dir=folder, prefix=".ringfence-") as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return median(times) * 1000


def clock(given: Given) -> Findings:
    """The clock is set, and the same as that of the disk: clients' signatures are judged by it."""
    now = datetime.now(UTC)
    with tempfile.NamedTemporaryFile(dir=given.folder, prefix=".ringfence-") as file:
        apart = abs(os.stat(file.name).st_mtime - time.time())
    is_ok = now > EARLIEST and apart <= DRIFT_SECONDS_MAX
    remedy = "set the clock, by NTP for instance: signatures more than a second ahead or 5 s old are refused"
    yield Finding("clock", is_ok, f"{now:%Y-%m-%d %H:%M:%S} UTC, {apart:.1f} s from that of the disk", remedy)


def session(given: Given) -> Findings:
    """The session's file can be read, and its database is sound."""
    path = given.session
    if not path.exists():
        yield Finding("session", True, f"{path} is not there yet; ringfence serve --session {path} begins it")
        return
    remedy = f"keep what is good of it: ringfence log repair {path}"
    try:
        records, sound = asyncio.run(_records(path)), _soundness(path)
    except DamagedLog as error:
        yield Finding("session", False, str(error), remedy)
    except (LogError, sqlite3.Error) as error:
        said, _, remedy = str(error).rpartition("; ")
        yield Finding("session", False, said or str(error), remedy)
    else:
        yield Finding("session", sound == "ok", f"{path}: {records:,} records, {sound}", remedy)


def _soundness(path: Path) -> str:
    """What SQLite says of the file: ok, or what is wrong."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        return str(database.execute("pragma quick_check(1)").fetchone()[0])


async def _records(path: Path) -> int:
    log = await open_session(path, read_only=True)
    try:
        return (await log.head()).seq
    finally:
        await log.close()


def keys(given: Given) -> Findings:
    """The keys can be opened, and nobody else may read them."""
    path = given.session.with_name(f"{given.session.name}.keys")
    if not path.exists():
        yield Finding("keys", True, "none yet; ringfence serve makes the first one")
        return
    count = len(ring_of(given.session).keys())
    files = [path, path.with_name(f"{path.name}.master")]
    open_ones = [file for file in files if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077]
    said = f"others may read {', '.join(map(str, open_ones))}" if open_ones else f"{count} in {path}"
    yield Finding("keys", not open_ones, said, "chmod 600 " + " ".join(map(str, open_ones)))


def certificates(given: Given) -> Findings:
    """The certificate is good for a while."""
    folder = given.session.with_name(f"{given.session.name}.tls")
    if not folder.exists():
        yield Finding("certificate", True, "none yet; ringfence serve makes one")
        return
    until = Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key").until()
    left = until - datetime.now(UTC)
    remedy = "start the server again: it makes another one, and clients have to trust the new ca.pem"
    is_ok = left > RENEW_BEFORE - timedelta(days=1)
    yield Finding("certificate", is_ok, f"{folder / 'server.pem'}: good until {until:%Y-%m-%d}", remedy)


def files(_given: Given) -> Findings:
    """As many files may be open as there may be connections."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = CONNECTIONS_MAX + FILES_SPARE
    is_ok = soft == resource.RLIM_INFINITY or soft >= needed
    said = f"{soft:,} may be open" + ("" if is_ok else f", so about {max(0, soft - FILES_SPARE):,} connections")
    yield Finding("files", is_ok, said, f"ulimit -n {needed}, in the shell that starts the server")


Check = Callable[[Given], Findings]

CHECKS: dict[str, Check] = {
    "python": python, "packages": packages, "ports": ports, "disk": disk, "clock": clock, "session": session,
    "keys": keys, "certificate": certificates, "files": files,
}  # fmt: skip
