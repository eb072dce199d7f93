"""Garbage collection as a program of long runs wants it; the composition root's choice, not the library's."""

from __future__ import annotations

import gc

COLLECT_AFTER = 50_000
"""So many new containers before the collector looks; what the core makes holds no cycles."""


def collect_seldom() -> None:
    """Leave out of every collection what is there by now, and collect seldom from here on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
