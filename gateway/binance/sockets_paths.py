"""Which streams a client asks for by the address that it connects to.

Raw streams are at /ws, combined ones at /stream, both also under /public, /market and /private; names are in the path
or in `streams`, and a listen key may be in `listenKey`. Names that nobody knows are no mistake: some clients number
their connections there.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl

PREFIXES = ("public", "market", "private")

API = "/ws-fapi/v1"
"""Where orders are sent over a WebSocket."""


class Asked(NamedTuple):
    """Streams by name, listen keys among them, and whether their payloads are wrapped with it."""

    names: tuple[str, ...]
    wraps: bool


def asked(path: str, query: bytes) -> Asked | None:
    """What is asked for by a path, None where there is nothing."""
    first, *rest = [part for part in path.split("/") if part] or [""]
    if first in PREFIXES and rest:
        first, *rest = rest
    if first not in ("ws", "stream") or (first == "stream" and rest):
        return None
    values = dict(parse_qsl(query.decode("latin-1")))
    names = [*rest, *values.get("streams", "").split("/"), values.get("listenKey", "")]
    return Asked(tuple(dict.fromkeys(name for name in names if name)), first == "stream")
