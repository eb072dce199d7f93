"""Sessions that are damaged and then used, a few; `python -m tests.sim.damage` damages a thousand."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.sim.damage import rounds


def test_a_damaged_session_is_refused_or_keeps_its_past_and_its_future(tmp_path: Path) -> None:
    tally = asyncio.run(rounds(tmp_path, range(1, 101)))
    assert tally.total() == 100
    assert {what.partition(":")[0] for what in tally} == {"refused", "as it was", "shorter"}
    assert {what.partition(": ")[2].partition(",")[0] for what in tally} == {"database", "log of newer pages"}
