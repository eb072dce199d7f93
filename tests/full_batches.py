"""Batches that are soon full: how many facts one holds is a constant of the exchange, made smaller for a while."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from exchange import audit
from exchange.core import state, step

NAME = "BATCH_FACTS"
USUAL = state.BATCH_FACTS
"""How many facts a batch holds unless told otherwise."""

assert getattr(step, NAME) == getattr(audit.books, NAME) == USUAL, "core and auditor know the constant by this name"


@contextmanager
def batches_of(facts: int) -> Iterator[None]:
    """Let a batch hold so many facts, in every module of the core and of the auditor that knows how many."""
    before = getattr(state, NAME)
    if before != facts:
        _set(facts)
    try:
        yield
    finally:
        if before != facts:
            _set(before)


def _set(facts: int) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("exchange.") and hasattr(module, NAME):
            setattr(module, NAME, facts)
