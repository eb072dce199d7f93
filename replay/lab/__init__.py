"""The laboratory: one history folded under several margin modes, side by side."""

from __future__ import annotations

from replay.lab.figures import Figures
from replay.lab.fold import AccountLab, Lab, LabError
from replay.lab.series import BEYOND, Room, Series
from replay.lab.shadow import Mode

__all__ = ["BEYOND", "AccountLab", "Figures", "Lab", "LabError", "Mode", "Room", "Series"]
