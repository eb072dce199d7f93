"""What goes on by itself: time passes, due work is done, and requests are sent again."""

from __future__ import annotations

import msgspec

from events import commands as c
from events.commands import Command
from events.units import SECOND
from exchange.core.state import FAR
from tests.sim.traders import Traders

HOUR = 3600 * SECOND


def time(t: Traders) -> Command:
    """Time passes."""
    return c.AdvanceTime(t.at + t.dice.choice((0, SECOND, HOUR)))


def jump(t: Traders) -> Command:
    """Time goes on to the next funding, expiry or interest, just before it or after, or to another day."""
    following = t.world.state.next_timer
    if following == FAR or t.dice.random() < 0.2:
        return c.AdvanceTime(t.at + t.dice.choice((HOUR, 24 * HOUR)))
    return c.AdvanceTime(max(t.at, following + t.dice.randint(-1, 1)))


def proceed(t: Traders) -> Command:
    """Due work, whether there is some or not, in small steps or large ones."""
    return c.Proceed(t.at, t.dice.choice((0, 1, 1, 2, 5, 50, 4096)))


def repeat(t: Traders) -> Command:
    """A request that was given before, as a client does that heard no answer."""
    given = [command for command in t.given if isinstance(command, c.TradersCommand)]
    return msgspec.structs.replace(t.dice.choice(given), at=t.at) if given else c.AdvanceTime(t.at)
