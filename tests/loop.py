"""Running async tests: each in an event loop of its own, in debug mode."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """The async test as a plain one."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs), debug=True)

    return run


async def turns(count: int = 20) -> None:
    """Let the event loop turn so often: whatever can happen without an outside event has happened."""
    for _ in range(count):
        await asyncio.sleep(0)
