"""One file of an archive over HTTP, until all of it is here and its checksum is right.

What has come so far lies in `NAME.part`: the next try, of this run or a later one, asks for the rest (RFC 9110, Range)
and begins anew where the server will not have it. The whole file is checked before it takes its name, in one step.

    FetchError           told in one line
    +-- NotThere         the server has no such file
    +-- WrongChecksum    it came whole, and is not what its checksum says
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

TRIES = 6
"""So often in a row a transfer may fail without a byte gained."""

FIRST_WAIT, LONGEST_WAIT = 1, 60
"""Seconds between two tries: the first, twice as long each time, and no longer than that."""

BLOCK = 1 << 18
"""So many bytes are read at a time."""

TIMEOUT = urllib3.Timeout(connect=15, read=60)

_AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that say: try again."""

_OK, _PARTIAL, _GONE, _NOT_THAT_RANGE = 200, 206, (404, 410), 416

_SUM = re.compile(r"([0-9a-fA-F]{64})(\s|$)")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

T = TypeVar("T")

OnBytes = Callable[[int, int | None], None]
"""Told how many bytes there are by now, and how many there will be, if that is known."""


class FetchError(Exception):
    """Something could not be fetched; the message says what, why and what to do."""


class NotThere(FetchError):
    """The server has no such file."""


class WrongChecksum(FetchError):
    """A file that is not what its checksum says."""


class _Hiccup(Exception):
    """A try that failed, and how long the server asks to be left alone, s."""

    def __init__(self, why: str, wait: float = 0) -> None:
        super().__init__(why)
        self.wait = wait


class Fetched(NamedTuple):
    """A file that is here: its digest, its size, and whether it was here before."""

    sha256: str
    size: int
    was_here: bool


class Remote:
    """A server of archives. `tell` is told, in a line, why it waits before it tries again; `sleep` is how it waits."""

    def __init__(self, base_url: str, tell: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:
        self._base = base_url.rstrip("/")
        self._pool = _pool(self._base)
        self._tell = tell
        self._sleep = sleep

    def fetch(self, path: str, target: Path, on_bytes: OnBytes) -> Fetched:
        """Have the file of this path in `target`, and its checksum beside it. Raises FetchError, OSError."""
        beside = self._persistently(lambda: self._read(f"{path}.CHECKSUM"))
        digest = _digest_of(beside, f"{self._base}/{path}.CHECKSUM")
        if target.exists() and sha256_of(target) == digest:
            return Fetched(digest, target.stat().st_size, was_here=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        begun = part.exists()
        self._complete(path, part, on_bytes)
        if begun and sha256_of(part) != digest:
            part.unlink()
            self._complete(path, part, on_bytes)
        if (found := sha256_of(part)) != digest:
            part.unlink()
            raise WrongChecksum(
                f"{self._base}/{path}: has the SHA-256 {found[:12]}..., and its checksum file says {digest[:12]}...; "
                "it is not kept: fetch it again later"
            )
        os.replace(part, target)
        target.with_name(f"{target.name}.CHECKSUM").write_bytes(beside)
        return Fetched(digest, target.stat().st_size, was_here=False)

    def _complete(self, path: str, part: Path, on_bytes: OnBytes) -> None:
        """Fetch what is missing of a part."""
        self._persistently(lambda: self._extend(path, part, on_bytes), lambda: _size(part))

    def _persistently(self, do: Callable[[], T], gained: Callable[[], int] = lambda: 0) -> T:
        """What it returns in the end, however often it has to be tried as long as that gains anything."""
        failures, before = 0, gained()
        while True:
            try:
                return do()
            except _Hiccup as hiccup:
                now = gained()
                failures, before = (1 if now > before else failures + 1), now
                if failures >= TRIES:
                    raise FetchError(f"{hiccup}, {TRIES} times in a row; go on later with the same command") from None
                wait = min(hiccup.wait or FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT)
                self._tell(f"{hiccup}; trying again in {wait:g} s")
                self._sleep(wait)

    def _read(self, path: str) -> bytes:
        """A small file."""
        with self._get(path) as response:
            if response.status != _OK:
                raise self._unusable(response, path)
            return b"".join(response.stream(BLOCK, decode_content=False))

    def _extend(self, path: str, part: Path, on_bytes: OnBytes) -> None:
        """Append what is missing of a part, or begin it anew."""
        have = _size(part)
        with self._get(path, {"Range": f"bytes={have}-"} if have else {}) as response:
            if response.status == _NOT_THAT_RANGE:
                if _whole_size(response) != have:
                    part.unlink()
                    raise _Hiccup(f"{self._base}/{path}: what is here of it does not go on")
                return
            if response.status == _PARTIAL and _first(response) != have:
                part.unlink()
                raise _Hiccup(f"{self._base}/{path}: the server sent another part than the one asked for")
            if response.status not in (_OK, _PARTIAL):
                raise self._unusable(response, path)
            goes_on = response.status == _PARTIAL
            length = response.headers.get("Content-Length")
            total = int(length) + have * goes_on if length else None
            with part.open("ab" if goes_on else "wb") as file:
                on_bytes(file.tell(), total)
                for block in response.stream(BLOCK, decode_content=False):
                    file.write(block)
                    on_bytes(file.tell(), total)
                file.flush()
                os.fsync(file.fileno())

    @contextmanager
    def _get(self, path: str, headers: dict[str, str] | None = None) -> Iterator[urllib3.BaseHTTPResponse]:
        """A response whose body is to be read; a connection that fails before or while it is, is a hiccup."""
        url = f"{self._base}/{path}"
        try:
            response = self._pool.request("GET", url, headers=headers, preload_content=False)
            try:
                yield response
            finally:
                response.close()
        except HTTPError as error:
            raise _Hiccup(f"{url}: {_said(error)}") from error

    def _unusable(self, response: urllib3.BaseHTTPResponse, path: str) -> Exception:
        url = f"{self._base}/{path}"
        if response.status in _GONE:
            return NotThere(url)
        if response.status in _AGAIN:
            wait = response.headers.get("Retry-After", "")
            return _Hiccup(f"{url}: the server answers {response.status}", float(wait) if wait.isdecimal() else 0)
        return FetchError(f"{url}: the server answers {response.status}; check the address, or open it in a browser")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pool(base: str) -> urllib3.PoolManager:
    """Connections that follow redirects and repeat nothing themselves, through the proxy that the system names."""
    parts = urlsplit(base)
    retries = urllib3.Retry(
        total=None, connect=0, read=0, redirect=5, status=0, other=0, respect_retry_after_header=False
    )
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, retries=retries, timeout=TIMEOUT)
    return urllib3.PoolManager(retries=retries, timeout=TIMEOUT)


def _digest_of(text: bytes, url: str) -> str:
    match = _SUM.match(text.decode("utf-8", "replace"))
    if not match:
        raise FetchError(f"{url}: does not begin with a SHA-256; check the address, or fetch it again later")
    return match[1].lower()


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _first(response: urllib3.BaseHTTPResponse) -> int:
    """The place of the first byte that the server sends."""
    match = _RANGE.match(response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _whole_size(response: urllib3.BaseHTTPResponse) -> int:
    """The size of the file that has no such range, where the server tells it."""
    size = response.headers.get("Content-Range", "").removeprefix("bytes */")
    return int(size) if size.isdecimal() else -1


def _said(error: HTTPError) -> str:
    """What happened, in words."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    for kind, words in _WORDS.items():
        if isinstance(cause, kind):
            return words
    return f"{type(cause).__name__}: {cause}"


_WORDS: dict[type[Exception], str] = {
    NameResolutionError: "no such host is known; check the address and the network",
    NewConnectionError: "nobody answers there; check the address and the network",
    ConnectTimeoutError: f"no connection within {TIMEOUT.connect_timeout} s",
    ProtocolError: "the connection broke off",
    ReadTimeoutError: f"no byte within {TIMEOUT.read_timeout} s",
}
