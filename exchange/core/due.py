"""Kinds of due work, which waits in the queue of a session, or for a time."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from events.guards import Hold


class DueKind(IntEnum):
    """Kinds of due work, in the order in which they are done at one time."""

    FUNDING = 0
    LIQUIDATION = 1
    SETTLEMENT = 2
    INTEREST = 3
    EXCHANGE = 4
    OFFER = 5
    BREAKER = 6
    GATE = 7
    WINDOW = 8
    AUCTION = 9
    TRIGGER = 10
    PHASE = 11
    UNCROSSING = 12
    COUNTDOWN = 13


OWED = (DueKind.FUNDING, DueKind.SETTLEMENT, DueKind.INTEREST)
"""Due work that waits for single positions or wallets."""


class Wait(msgspec.Struct, frozen=True):
    """A liquidation that was put off: the number of the record that brought it, and what it waits for."""

    seq: int
    why: Hold
