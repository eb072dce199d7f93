"""What a user stream tells a moment after the rest: that a conditional order which fired has ended.

At the venue a service of its own keeps conditional orders. It hears from the matching engine how their orders ended, so
that its FINISHED comes after the order's own events, by milliseconds, and clients lean on that: NautilusTrader, told
both in one breath, takes the fill for one that it missed and makes up another. Source: its issues 3664 (the fill comes
before FINISHED) and 3287 (an ALGO_UPDATE as received, 7 ms after the time it tells of).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from events.commands import AccountId
from gateway.binance.sockets_orders import FINISHED

Event = dict[str, Any]
LATE_SECONDS = 0.02


class Late:
    """Holds back what is told late; `send` is called with it when its moment has come."""

    def __init__(self, send: Callable[[AccountId, list[Event]], None]) -> None:
        self._send = send
        self._waiting: dict[AccountId, list[Event]] = {}

    def now(self, account: AccountId, events: list[Event]) -> list[Event]:
        """What of these is told now. Events of conditional orders never overtake each other."""
        waiting, at_once = self._waiting.get(account, []), list[Event]()
        was_waiting = bool(waiting)
        for event in events:
            is_late = event["e"] == "ALGO_UPDATE" and (waiting or event["o"]["X"] == FINISHED)
            (waiting if is_late else at_once).append(event)
        if waiting and not was_waiting:
            self._waiting[account] = waiting
            asyncio.get_running_loop().call_later(LATE_SECONDS, self._tell, account)
        return at_once

    def _tell(self, account: AccountId) -> None:
        self._send(account, self._waiting.pop(account))
