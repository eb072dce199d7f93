"""What is done in a made-up session, and how often: tables of moves with their weights.

How to make worlds do a new thing, such as an order of a new type:

1. Write a move: a function from `Traders` to a command, in `orders`, `accounts`, `prices` or a module of its own. Let
   `t.dice` choose everything, look into `t.world.state` for a situation in which the move means something, and fall
   back to another move where there is none; `t.place(...)` makes an order, `msgspec.structs.replace` changes it. What
   has to follow at once goes into `t.planned`.
2. Give it a line in a table below. A topic of its own in `TOPICS` leaves the other worlds as they are: a world has it
   or not by dice of the topic's name. What needs certain rules has a table like `GUARDED`.
3. Ways to get it wrong are lines in `nonsense`; an option of a pack is a line in `chance`.
4. `make sim SEEDS=200` prints what was reached: every command, fact, refusal and choice has a row there by itself. What
   has its row at zero, or next to it, wants more weight, or a move that leads there.
5. What is too seldom all the same is told by hand in `scripts`, which chance does not touch.
6. `python -m tests.sim --cover --seeds 200` writes the set of seeds anew for which `make sim GATE=1` asks.
"""

from __future__ import annotations

from events.rules import LiquidationStyle
from tests.full_batches import USUAL
from tests.sim import accounts, brinks, clock, conditional, handling, linked, orders, phases, prices, reducing
from tests.sim.chance import Dice
from tests.sim.nonsense import more_nonsense, nonsense
from tests.sim.traders import Move, Traders

Habits = dict[Move, int]
"""Moves, and how often they are made for each other."""

PLAIN: Habits = {
    orders.order: 40,
    orders.close: 8,
    orders.hit: 5,
    orders.ruin: 2,
    orders.join: 8,
    orders.cancel: 8,
    accounts.deposit: 4,
    accounts.trickle: 2,
    accounts.withdraw: 2,
    accounts.leverage: 3,
    accounts.mode: 3,
    accounts.margin: 3,
    prices.mark: 6,
    prices.shock: 4,
    prices.walk: 1,
    prices.funding: 3,
    prices.history: 10,
    clock.time: 1,
    clock.proceed: 1,
    clock.repeat: 2,
    nonsense: 6,
}
"""In every world."""

WIDER: Habits = {
    orders.borrow: 6,
    orders.hedge: 3,
    accounts.transfer: 3,
    accounts.exchange: 4,
    accounts.other_mode: 3,
    accounts.position_mode: 3,
    accounts.collateral_mode: 3,
    accounts.auto_add: 2,
    prices.index: 8,
    clock.jump: 3,
    prices.squeeze: 6,
    brinks.spread: 6,
    brinks.press: 14,
    prices.slump: 4,
    brinks.support: 3,
    brinks.levy: 5,
    brinks.leave: 3,
    brinks.relief: 1,
    brinks.crash: 1,
    brinks.pile: 1,
    more_nonsense: 3,
}
"""Where the rules are not plain."""

GUARDED: Habits = {prices.slump: 5}
"""Where marks may be old or disorderly: they have to meet somebody who is due."""

AUCTIONED: Habits = {prices.slump: 5, brinks.relief: 6}
"""Where there are auctions: some pools have to wait for a step, and marks to come back meanwhile."""

CROWDED: Habits = {prices.slump: 5, brinks.crash: 5, orders.borrow: 8, clock.proceed: 5}
"""Where batches are soon full: many have to fall due at once."""

TOPICS: dict[str, Habits] = {
    "conditional orders": conditional.CONDITIONAL,
    "amendments": {handling.amend: 16, handling.amend_again: 2},
    "batches": {handling.batch: 10, handling.retry: 4, handling.cancel_all: 2},
    "countdowns": {handling.countdown: 8, handling.cancel_all: 1},
    "client ids": {handling.named: 12, handling.cancel_by_name: 3},
    "reduce-only orders": {reducing.rung: 18, reducing.lessen: 4},
    "linked orders": linked.LINKED,
    "phases": {phases.phase: 4, phases.call: 3, phases.wrong: 1},
}
"""In some of the worlds whose rules are not plain, each in another half of them."""


def habits_of(t: Traders) -> Habits:
    """What is done in a world."""
    if t.rules.is_plain:
        return PLAIN
    habits = PLAIN | WIDER
    habits |= GUARDED if has_holds(t) else {}
    habits |= AUCTIONED if t.pack.liquidation.style is LiquidationStyle.AUCTION else {}
    habits |= CROWDED if t.world.batch_facts < USUAL else {}
    for topic, moves in TOPICS.items():
        habits |= moves if Dice(f"{t.seed} {topic}").random() < 0.5 else {}
    return habits


def has_holds(t: Traders) -> bool:
    """Whether the rules put liquidations off."""
    guards = t.world.state.guards
    return guards.mark_age_max > 0 or guards.breaker.jump > 0
