"""Reproduces the published figures and prints how many of each file, alone and in sessions: `python -m tests.truth`."""

from __future__ import annotations

import sys

from tests.truth.summary import told

sys.stdout.write(told())
