"""`ringfence serve` from outside: what it prints is pasted and works, Ctrl-C ends it, a start after a kill goes on."""

from __future__ import annotations

import io
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import ROOT

ANY = ("--port", "0", "--tls-port", "0")
LAST = "Ctrl-C stops it"


@contextmanager
def _serving(session: Path, end: signal.Signals = signal.SIGINT) -> Iterator[list[str]]:
    """A server in a process of its own, and the lines that it says once it is up; that signal at the end."""
    command = [sys.executable, "-m", "gateway.cli", "serve", "--session", str(session), *ANY]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        try:
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if line.startswith(LAST):
                    break
            yield lines
        finally:
            process.send_signal(end)
            _, errors = process.communicate(timeout=60)
        ended = (0, 1) if end is signal.SIGINT else (-end, 0)
        assert (process.returncode, errors.count("\n")) == ended, errors


def _pasted(lines: list[str]) -> dict[str, Any]:
    """Run the lines for ccxt as they are: what they leave behind, and what they print."""
    first = lines.index("# ccxt")
    program = "\n".join(lines[first : lines.index("", first)])
    found: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()) as printed:
        exec(program, found)
    return {**found, "printed": printed.getvalue()}


def test_what_is_printed_is_pasted_and_a_start_after_a_kill_has_the_same_orders(tmp_path: Path) -> None:
    session = tmp_path / "live.db"
    with _serving(session, signal.SIGKILL) as lines:
        found = _pasted(lines)
        exchange = found["exchange"]
        assert "'total': 10000.0" in found["printed"]
        price = exchange.fetch_ticker("BTC/USDT:USDT")["last"]
        order = exchange.create_order("BTC/USDT:USDT", "limit", "buy", 0.01, round(price * 0.9, 1))
        exchange.create_order("BTC/USDT:USDT", "market", "buy", 0.01)
        port = int(lines[1].split()[1].rpartition(":")[2])
        keys = exchange.apiKey, exchange.secret
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with _serving(session) as lines:
        assert keys[1] not in "\n".join(lines)
        again = _pasted([*_with(lines, *keys)])["exchange"]
        (open_order,) = again.fetch_open_orders("BTC/USDT:USDT")
        assert (open_order["id"], open_order["price"]) == (order["id"], order["price"])
        assert again.fetch_positions(["BTC/USDT:USDT"])[0]["contracts"] == 0.01


def _with(lines: list[str], key: str, secret: str) -> list[str]:
    """The lines with a key that one has kept."""
    return [line.replace("YOUR_KEY", key).replace("YOUR_SECRET", secret) for line in lines]
