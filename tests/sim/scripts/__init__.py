"""The scripts: the turns of the waterfall, a liquidation under each venue's rules, orders that shrink with
their position, and a way to every refusal.

Each is told as the specification tells it that explains it; here it says only how the turn comes about. A new one is a
function that returns a scenario, and a line in the `SCRIPTS` of its module.
"""

from __future__ import annotations

from tests.sim.scripted import Script
from tests.sim.scripts import beginning, closing, layers, linking, ranking, reducing, venues, watching
from tests.sim.scripts.refusing import refusals

TURNS = {**closing.SCRIPTS, **layers.SCRIPTS, **ranking.SCRIPTS, **watching.SCRIPTS}
"""The turns of the waterfall, by name."""

SCRIPTS: dict[str, Script] = (
    TURNS | linking.SCRIPTS | venues.SCRIPTS | beginning.SCRIPTS | reducing.SCRIPTS | refusals()
)
"""All of them, by name."""
