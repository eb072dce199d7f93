"""Who asks, whether it was just now, and whether they may: in the order in which the venue looks.

First the key, then when it was sent, then the signature, then what the key may do. Freshness is judged by the wall's
clock, whatever time the session shows. Source: Binance USD-M, "Endpoint Security Type", "Timing Security".
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.binance.desk import Desk
from gateway.binance.errors import (
    BinanceError,
    key_malformed,
    key_unknown,
    missing,
    signature_wrong,
    too_early,
    too_late,
)
from gateway.binance.params import Params
from gateway.serving.keys import Key, Scope

WINDOW_MS, WINDOW_MS_MAX = 5_000, 60_000
AHEAD_MS = 1_000
KEY_LENGTH_MAX = 256


def key_of(desk: Desk, id: str) -> Key:
    """The key of that id. Raises BinanceError."""
    if not id or len(id) > KEY_LENGTH_MAX or not id.isascii() or not id.isalnum():
        raise key_malformed()
    key = desk.keys.find(id)
    if key is None:
        raise key_unknown()
    return key


def check_time(desk: Desk, params: Params) -> None:
    """Whether it was sent within its window. Raises BinanceError."""
    sent, now = params.need_whole("timestamp"), desk.wall()
    window = WINDOW_MS
    if params.get("recvWindow") is not None:
        window = params.need_whole("recvWindow")
    if window > WINDOW_MS_MAX:
        raise BinanceError(-1131, f"recvWindow must be less than {WINDOW_MS_MAX}")
    if sent >= now + AHEAD_MS:
        raise too_early()
    if window < 0 or now - sent > window:
        raise too_late()


def check_signature(desk: Desk, key: Key, payloads: Iterable[bytes], signature: str | None) -> None:
    """Whether the owner of the key signed one of these. Raises BinanceError."""
    if not signature:
        raise missing("signature")
    if not any(desk.keys.signed(key, payload, signature) for payload in payloads):
        raise signature_wrong()


def check_scope(key: Key, scope: Scope) -> None:
    """Whether the key may do it. Raises BinanceError."""
    if scope not in key.scopes and Scope.ADMIN not in key.scopes:
        raise key_unknown()
