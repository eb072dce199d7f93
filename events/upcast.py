"""Old kinds made new: pure functions from the decoded message of an old tag to that of its successor.

Stored bytes are never rewritten. A body is upcast after its digest was checked, and only when it does not decode as it
stands. An optional field with a default keeps its tag and needs no upcaster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: dict[str, Upcaster] = {}
"""Old kind -> what makes of it the message of the next kind. Applied until no entry is left."""


def upcast(message: dict[str, Any]) -> dict[str, Any]:
    """The message in its newest kind."""
    while upcaster := UPCASTERS.get(str(message.get("kind"))):
        message = upcaster(message)
    return message


def upcast_body(body: list[tuple[int, int, dict[str, Any]]]) -> list[Any]:
    """A decoded body with each message in its newest kind."""
    return [[seq, cause, upcast(message)] for seq, cause, message in body]
