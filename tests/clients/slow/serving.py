"""`ringfence serve` in a process of its own, for clients that are processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

CLIENTS = os.environ.get("RINGFENCE_CLIENTS", "")
"""The environment that has freqtrade and NautilusTrader; `make test-clients` makes it and says so here."""


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """A server with a generated market; what it says of itself."""
    command = [sys.executable, "-m", "gateway.cli", "serve", "--session", str(folder / "session.db"), "--json"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", "0", "--tls-port", "0", *options], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.communicate(timeout=30)


def wait_until(holds: Any, seconds: float, every: float = 1.0) -> Any:
    """What it returns as soon as that is true; an AssertionError where it takes longer."""
    until = monotonic() + seconds
    while not (found := holds()):
        assert monotonic() < until, f"not within {seconds:.0f} s"
        sleep(every)
    return found
