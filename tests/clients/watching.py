"""What all tests of clients that watch share: they end in time, and the market moves meanwhile."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from functools import wraps
from itertools import count
from typing import Any

import pytest

from tests.clients.running import Running

LIMIT_SECONDS = 30.0

LEAKS = pytest.mark.filterwarnings("ignore")
"""Clients connect in ways that their own libraries hold deprecated, and leave connections open."""


def in_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The async test as a plain one that ends in time, while the market moves up and down.

    What a client leaves open is collected at its end, where `LEAKS` are forgiven, and not in somebody else's test.
    """

    @wraps(test)
    def run(server: Running) -> None:
        async def limited() -> None:
            moving = asyncio.ensure_future(_move(server))
            try:
                async with asyncio.timeout(LIMIT_SECONDS):
                    await test(server)
            finally:
                moving.cancel()

        asyncio.run(limited())
        gc.collect()

    return run


async def _move(server: Running) -> None:
    for n in count():
        await asyncio.to_thread(server.call, server.session.move, f"{60_000 + n % 5}", 0.1)
        await asyncio.sleep(0.1)


async def until(heard: asyncio.Queue[Any], is_it: Callable[[Any], bool]) -> Any:
    """The first of what is heard that is it."""
    while not is_it(found := await heard.get()):
        pass
    return found
