"""One made-up session from one seed: who does what how often, when the live state is lost, and when it is over."""

from __future__ import annotations

from collections.abc import Callable

from events.commands import Command
from tests.sim import accounts, prices
from tests.sim.nonsense import more_nonsense, nonsense
from tests.sim.traders import Traders
from tests.sim.world import Happening, World

RECORDS = 500
"""How long a session is unless told otherwise."""

HABITS: dict[Callable[[Traders], Command], int] = {
    Traders.order: 40,
    Traders.close: 8,
    Traders.hit: 5,
    Traders.ruin: 2,
    Traders.join: 8,
    Traders.cancel: 8,
    accounts.deposit: 4,
    accounts.trickle: 1,
    accounts.withdraw: 2,
    accounts.leverage: 3,
    accounts.mode: 3,
    accounts.margin: 3,
    prices.mark: 6,
    prices.shock: 4,
    prices.walk: 1,
    prices.funding: 3,
    prices.history: 10,
    prices.time: 1,
    Traders.proceed: 1,
    Traders.repeat: 2,
    nonsense: 6,
}
"""What is done how often."""

WIDER_HABITS = HABITS | {
    Traders.borrow: 6,
    Traders.hedge: 3,
    accounts.transfer: 3,
    accounts.exchange: 4,
    accounts.other_mode: 3,
    accounts.position_mode: 3,
    accounts.collateral_mode: 3,
    accounts.auto_add: 2,
    prices.index: 8,
    prices.jump: 3,
    prices.squeeze: 6,
    more_nonsense: 3,
}
"""What is done where the rules are not plain."""

GUARDED_HABITS = WIDER_HABITS | {prices.slump: 5}
"""What is done where marks may be old or disorderly: they have to meet somebody who is due."""


def run(seed: int, records: int = RECORDS, world: World | None = None) -> World:
    """Run a session to so many records, lose the live state on the way; at the end everything is decided once more.

    Whoever wants to look at a session that failed brings the world.
    """
    world = world or World()
    traders = Traders(seed, world)
    for command in traders.opening():
        world.play(command)
    while world.state.seq < records:
        world.play(following(traders))
        chance = traders.dice.random()
        if chance < 0.02:
            world.play(Happening.SAVE)
        elif chance < 0.03:
            world.play(traders.dice.choice((Happening.CRASH, Happening.RESTORE)))
    world.finish()
    return world


def following(traders: Traders) -> Command:
    """The next command: due work in every second place, as long as there is some."""
    dice = traders.dice
    traders.let_time_pass()
    if traders.world.state.due and dice.random() < 0.5:
        return traders.proceed()
    habits = HABITS if traders.rules.is_plain else GUARDED_HABITS if has_holds(traders) else WIDER_HABITS
    habit = traders.planned.pop(0) if traders.planned else dice.choices(list(habits), list(habits.values()))[0]
    command = habit(traders)
    traders.at = max(traders.at, command.at)
    traders.given.append(command)
    return command


def has_holds(traders: Traders) -> bool:
    """Whether the rules put liquidations off."""
    guards = traders.pack.guards
    return guards.mark_age_max > 0 or guards.breaker.jump > 0
