"""Sessions of orders of every kind by chance: what the core and the naive exchange said alike when they were kept."""

from __future__ import annotations

from events.codec import encode_body
from tests.contract.exchanges import by_chance
from tests.golden.sessions import Session


def every_kind() -> Session:
    """orders-1: four traders who use everything that there is to ask of an order, in no order."""
    return Session([encode_body(batch) for batch in by_chance(7, 400, 400).core.batches], {})


SESSIONS = {"orders-1": every_kind}
