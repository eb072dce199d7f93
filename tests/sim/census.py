"""What made-up sessions reached: commands, facts, refusals, how orders expired and liquidations ended, options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

from events.codec import decode_body
from events.commands import AnyCommand, OpenSession
from events.facts import AnyFact, Expiry, LiquidationEnded, LiquidationOutcome, OrderExpired, Refused
from events.record import Batch
from events.refusals import Reason
from tests.sim.world import World

ROWS = {
    "commands": [kind.__name__ for kind in get_args(AnyCommand)],
    "facts": [kind.__name__ for kind in get_args(AnyFact)],
    "refusals": [reason.value for reason in Reason],
    "expiries": [why.value for why in Expiry],
    "liquidations": [outcome.value for outcome in LiquidationOutcome],
}
"""What there is to reach."""


class Census:
    """How often each thing happened, and in how many sessions."""

    def __init__(self) -> None:
        self.sessions = 0
        self.records = 0
        self.happened: Counter[tuple[str, str]] = Counter()
        self.reached: Counter[tuple[str, str]] = Counter()

    def add(self, world: World) -> None:
        """Count a session."""
        batches = [decode_body(number, body) for number, body in enumerate(world.bodies, 1)]
        seen = Counter(sight for batch in batches for sight in sights(batch))
        self.sessions += 1
        self.records += world.state.seq
        self.happened.update(seen)
        self.reached.update(seen.keys())

    def missing(self, group: str) -> list[str]:
        """What of a group no session reached."""
        return [name for name in ROWS[group] if not self.reached[group, name]]

    def table(self) -> str:
        """What was reached, by how many sessions, how often."""
        lines = [f"{'':14} {'':28} {'sessions':>8} {'times':>8}"]
        for group, names in (ROWS | self._options()).items():
            for name in names:
                label = group if name == names[0] else ""
                lines.append(f"{label:14} {name:28} {self.reached[group, name]:>8} {self.happened[group, name]:>8}")
        return "\n".join(lines)

    def _options(self) -> dict[str, list[str]]:
        return {"options": sorted(name for group, name in self.reached if group == "options")}


def sights(batch: Batch) -> Iterator[tuple[str, str]]:
    """What a batch counts for."""
    if isinstance(command := batch.command, OpenSession):
        options: Any = command.options
        for field in options.__struct_fields__:
            yield "options", f"{field} {getattr(options, field).value}"
    yield "commands", type(batch.command).__name__
    for fact in batch.facts:
        yield "facts", type(fact).__name__
        match fact:
            case Refused(reason=Enum(value=str() as name)):
                yield "refusals", name
            case OrderExpired(why=Enum(value=str() as name)):
                yield "expiries", name
            case LiquidationEnded(outcome=Enum(value=str() as name)):
                yield "liquidations", name
