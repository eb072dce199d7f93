"""The server that clients are tried against: one for the tests of each file."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.clients.running import Running, ServerThread

collect_ignore = [] if os.environ.get("RINGFENCE_CLIENTS") else ["slow"]
"""freqtrade and NautilusTrader have an environment of their own: `make test-clients`."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running server with two accounts and a key of each."""
    thread = ServerThread(tmp_path_factory.mktemp("server"))
    running = thread.start()
    yield running
    thread.stop()
