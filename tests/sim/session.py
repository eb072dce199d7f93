"""One made-up session from one seed: who does what how often, when the live state is lost, and when it is over."""

from __future__ import annotations

from events.commands import Command
from tests.sim.clock import proceed
from tests.sim.habits import habits_of
from tests.sim.opening import opening
from tests.sim.rules import batch_facts
from tests.sim.traders import Move, Traders
from tests.sim.world import Happening, World

RECORDS = 500
"""How long a session is unless told otherwise."""


def run(seed: int, records: int = RECORDS, world: World | None = None) -> World:
    """Run a session to so many records, lose the live state on the way; at the end everything is decided once more.

    Whoever wants to look at a session that failed brings the world.
    """
    world = world or World()
    world.batch_facts = batch_facts(seed)
    traders = Traders(seed, world)
    for command in opening(traders):
        world.play(command)
    habits = habits_of(traders)
    while world.state.seq < records:
        world.play(following(traders, habits))
        chance = traders.dice.random()
        if chance < 0.02:
            world.play(Happening.SAVE)
        elif chance < 0.03:
            world.play(traders.dice.choice((Happening.CRASH, Happening.RESTORE)))
    world.finish()
    return world


def following(traders: Traders, habits: dict[Move, int]) -> Command:
    """The next command: due work in every second place, as long as there is some."""
    dice = traders.dice
    traders.let_time_pass()
    if traders.world.state.due and dice.random() < 0.5:
        return proceed(traders)
    move = traders.planned.pop(0) if traders.planned else dice.choices([*habits], [*habits.values()])[0]
    command = move(traders)
    traders.at = max(traders.at, command.at)
    traders.given.append(command)
    return command
