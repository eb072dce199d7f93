"""What made-up sessions reached: commands, facts, layers of the waterfall, and every value of every kind of choice.

What there is to reach follows from the commands, the facts and the enums in them: a new one is a row of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args, get_type_hints

import msgspec

from events import facts as f
from events.asking import AnyCommand
from events.commands import LIQUIDATION_ORDER, MARKET, OpenSession
from events.facts import AnyFact
from events.record import Batch
from exchange.projections.lives import TRANSITIONS
from tests.sim.hosted import HOSTING
from tests.sim.rules import SHIPPED
from tests.sim.world import World

UNTOLD = frozenset({"Side", "Leg", "TimeInForce", "MarginMode", "PriceShown"})
"""Choices without a table of their own: what a trader means by them shows in the facts."""

LAYERS = ("book", "history", "fund", "backstop", "adl", "market", "socialised", "open")
"""Who bears a liquidation: resting orders, history's volume, the fund, the fund without asking the book, ranked
accounts, MARKET after them, the winners, and nobody, where the fund is left without means."""


def choices(kind: Any) -> Iterator[type[Enum]]:
    """The kinds of choice that commands, facts or packs of a kind hold, however deep."""
    for hint in get_type_hints(kind).values():
        for one in (hint, *get_args(hint)):
            if not isinstance(one, type):
                continue
            if issubclass(one, Enum) and one.__name__ not in UNTOLD:
                yield one
            elif issubclass(one, msgspec.Struct):
                yield from choices(one)


def rows() -> dict[str, list[str]]:
    """What there is to reach: group -> names."""
    commands, facts = get_args(AnyCommand), get_args(AnyFact)
    kinds = dict.fromkeys(one for kind in (*facts, OpenSession) for one in choices(kind))
    return {
        "commands": [kind.__name__ for kind in commands],
        "facts": [kind.__name__ for kind in facts],
        "layers": list(LAYERS),
        "life": [step.name for step in TRANSITIONS],
        **{kind.__name__: [str(value.value) for value in kind] for kind in kinds},
        "hosting": list(HOSTING),
        "pack": ["by-chance", *SHIPPED],
    }


ROWS = rows()
"""What there is to reach, by group."""


class Census:
    """How often each thing happened, and in how many sessions."""

    def __init__(self) -> None:
        self.sessions = 0
        self.records = 0
        self.happened: Sights = Counter()
        self.reached: Sights = Counter()

    def add(self, world: World) -> None:
        """Count a session."""
        self.count(seen_in(world), world.state.seq)

    def count(self, seen: Sights, records: int) -> None:
        """Count a session that reached this, in so many records."""
        self.sessions += 1
        self.records += records
        self.happened.update(seen)
        self.reached.update(seen.keys())

    def update(self, other: Census) -> None:
        """Count the sessions that another one counted."""
        self.sessions += other.sessions
        self.records += other.records
        self.happened.update(other.happened)
        self.reached.update(other.reached)

    def missing(self) -> list[tuple[str, str]]:
        """What no session reached."""
        return [(group, name) for group, names in ROWS.items() for name in names if not self.reached[group, name]]

    def waterfall(self) -> str:
        """How many sessions reached each layer of the waterfall."""
        told = ", ".join(f"{layer} {self.reached['layers', layer]}" for layer in LAYERS)
        dry = [layer for layer in LAYERS if not self.reached["layers", layer]]
        return f"layers by sessions: {told} ({'at zero: ' + ', '.join(dry) if dry else 'none is at zero'})"

    def table(self) -> str:
        """What was reached, by how many sessions, how often."""
        lines = [f"{'':22} {'':28} {'sessions':>8} {'times':>9}"]
        for group, names in ROWS.items():
            for name in names:
                label = group if name == names[0] else ""
                lines.append(f"{label:22} {name:28} {self.reached[group, name]:>8} {self.happened[group, name]:>9}")
        return "\n".join(lines)


Sights = Counter[tuple[str, str]]
"""How often each thing was seen, by group and name."""


def seen_in(world: World) -> Sights:
    """What a session counts for."""
    return Counter(sight for batch in world.batches for sight in sights(batch)) + world.sights


def sights(batch: Batch) -> Iterator[tuple[str, str]]:
    """What a batch counts for."""
    yield "commands", type(batch.command).__name__
    for fact in batch.facts:
        yield "facts", type(fact).__name__
        yield from chosen(fact)
    if isinstance(batch.command, OpenSession) and any(isinstance(fact, f.SessionOpened) for fact in batch.facts):
        yield "pack", batch.command.pack.id
    yield from layers(batch)


def chosen(thing: Any) -> Iterator[tuple[str, str]]:
    """The choices that something holds, whatever it is made of."""
    for name in thing.__struct_fields__:
        value = getattr(thing, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Enum) and type(one).__name__ not in UNTOLD:
                yield type(one).__name__, str(one.value)
            elif isinstance(one, msgspec.Struct):
                yield from chosen(one)


def layers(batch: Batch) -> Iterator[tuple[str, str]]:
    """Who bears what is closed by force, as far as the facts of a batch say it."""
    asked = False
    for fact in batch.facts:
        match fact:
            case f.LiquidationStarted() | f.LiquidationEnded():
                asked = False
            case f.LiquidationOrderPlaced():
                asked = True
            case f.Traded(taker_order=number) if number == LIQUIDATION_ORDER and asked:
                yield "layers", "history" if fact.maker == MARKET else "book"
            case f.TakenOver():
                yield "layers", "fund" if asked else "backstop"
            case f.Deleveraged(against=against):
                yield "layers", "market" if against == MARKET else "adl"
            case f.LossShared():
                yield "layers", "socialised"


class Count(msgspec.Struct):
    """A census as it is written down: sessions, records, and how often by group and name."""

    sessions: int
    records: int
    happened: list[tuple[str, str, int]]
    reached: list[tuple[str, str, int]]


def written(census: Census) -> Count:
    """The census to be written down."""
    happened, reached = ([(*key, n) for key, n in counts.items()] for counts in (census.happened, census.reached))
    return Count(census.sessions, census.records, happened, reached)


def read(count: Count) -> Census:
    """The census that was written down."""
    census = Census()
    census.sessions, census.records = count.sessions, count.records
    for counts, told in ((census.happened, count.happened), (census.reached, count.reached)):
        counts.update({(group, name): n for group, name, n in told})
    return census
