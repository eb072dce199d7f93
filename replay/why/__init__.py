"""One liquidation looked at closely: its story step by step, and what would have prevented it, decided in forks."""

from __future__ import annotations

from replay.why.holding import Holding
from replay.why.story import Story, Storyteller, Told

__all__ = ["Holding", "Story", "Storyteller", "Told"]
