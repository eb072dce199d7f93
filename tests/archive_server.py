"""A server of public archives for tests, on the loopback only: the layout of the real one, and faults as told."""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

Answer = Callable[["Handler", bytes], None]
"""What is answered to a request for a file that there is."""


class Archives:
    """What lies on the server, by path, what was asked for, and what is answered instead of the file, one after the
    other.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.faults: dict[str, list[Answer]] = {}
        self.url = ""

    def put(self, path: str, body: bytes, checksum: str = "") -> str:
        """Lay a file and its checksum down."""
        digest = checksum or hashlib.sha256(body).hexdigest()
        self.files[path] = body
        self.files[f"{path}.CHECKSUM"] = f"{digest}  {path.rpartition('/')[2]}\n".encode()
        return path

    def fail(self, path: str, *answers: Answer) -> None:
        """Answer so to the next requests for the file."""
        self.faults[path] = list(answers)

    @property
    def counts(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(path for path, _ in self.asked)

    def ranges(self, path: str) -> Sequence[str]:
        """The ranges that were asked for of a file; empty for all of it."""
        return [part for asked, part in self.asked if asked == path]


class Handler(BaseHTTPRequestHandler):
    """Answers as the archives say."""

    protocol_version = "HTTP/1.1"
    archives: Archives

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.lstrip("/")
        self.archives.asked.append((path, self.headers.get("Range", "")))
        body = self.archives.files.get(path)
        if body is None:
            self.say(404, b"NoSuchKey")
            return
        faults = self.archives.faults.get(path, [])
        answer = faults.pop(0) if faults else ranged
        answer(self, body)

    def say(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        """Send all of it, of which it may claim to be longer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def ranged(handler: Handler, body: bytes) -> None:
    """The file, or the part of it that is asked for."""
    match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if not match:
        handler.say(200, body)
    elif int(match[1]) >= len(body):
        handler.say(416, b"", Content_Range=f"bytes */{len(body)}")
    else:
        first = int(match[1])
        span = f"bytes {first}-{len(body) - 1}/{len(body)}"
        handler.say(206, body[first:], Content_Range=span)


def whole(handler: Handler, body: bytes) -> None:
    """The whole file, whatever range was asked for."""
    handler.say(200, body)


def broken_after(count: int) -> Answer:
    """So many bytes, of more that were promised, then the connection ends."""

    def answer(handler: Handler, body: bytes) -> None:
        handler.say(200, body[:count], len(body))

    return answer


def status(number: int, **headers: str) -> Answer:
    """Another status than 200."""
    return lambda handler, _: handler.say(number, b"", **headers)


def other_part(handler: Handler, body: bytes) -> None:
    """A part that nobody asked for."""
    handler.say(206, body[:2], Content_Range=f"bytes 0-1/{len(body)}")


class Server(ThreadingHTTPServer):
    """Says nothing of clients that leave in the middle: they are meant to."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def served() -> Iterator[Archives]:
    """The archives, on a port of their own."""
    archives = Archives()
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"archives": archives}))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    archives.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield archives
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
