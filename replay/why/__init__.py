"""One liquidation looked at closely: its story step by step, and what would have prevented it, decided in forks."""

from __future__ import annotations

from replay.why.branch import Course, Effort
from replay.why.counterfactuals import Answer, Counterfactuals, Fork, counterfactuals
from replay.why.holding import Holding
from replay.why.story import Story, Storyteller, Told

__all__ = [
    "Answer",
    "Counterfactuals",
    "Course",
    "Effort",
    "Fork",
    "Holding",
    "Story",
    "Storyteller",
    "Told",
    "counterfactuals",
]
