"""Runs of the cascade laboratory for tests: a small crowd under the usual rules unless told otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from events.instruments import load_pack
from events.log import EventLog
from events.rules import Funds
from events.store.memory import MemoryLog
from events.units import SECOND, UNIT
from exchange.sequencer import Sequencer
from replay.stress import Crowd, Liquidity, Scenario, Shock
from replay.stress.population import Modes
from replay.stress.run import Outcome, Run
from replay.stress.shocks import Point, Shape

PERCENT = UNIT // 100


def scenario(
    *, accounts: int = 90, pack: str = "binance-usdm", size: int = -30, shape: str = "ramp", steps: int = 30,
    depth: int = 2, fund: int = 1, feedback: int = 0, second: int = 0, seed: int = 1,
    refill: int = 30 * SECOND, funds: Funds = Funds.SHARED, **crowd: Any,
) -> Scenario:  # fmt: skip
    """A scenario; size, depth, fund, feedback and second are per cent, refill ns."""
    rules = load_pack(pack)
    if funds is not Funds.SHARED:
        rules = rules.__replace__(liquidation=rules.liquidation.__replace__(funds=funds))
    people = Crowd(accounts, second=second * PERCENT, **crowd)
    shock = Shock(size * PERCENT, Shape(shape))
    shock = replace(shock, every=shock.over // steps)
    markets = rules.instruments[: 2 if second else 1]
    starts = [600_000 * terms.tick for terms in rules.instruments[:2]]
    paths = (shock.points(starts[0], seed), [Point(0, starts[-1])])
    liquidity = Liquidity(people.open_interest * depth // 100, refill, feedback=feedback * PERCENT)
    return Scenario(
        rules, markets, paths[: len(markets)], people, (liquidity,) * len(markets),
        people.open_interest * fund // 100, seed, after=4 * shock.every, every=shock.every,
    )  # fmt: skip


def stress(what: Scenario, modes: Modes = Modes.MIXED, log: MemoryLog | None = None) -> Outcome:
    """Run it."""
    return asyncio.run(stress_into(what, modes, log or MemoryLog()))


async def stress_into(what: Scenario, modes: Modes, log: EventLog) -> Outcome:
    """Run it into a log of any kind."""
    sequencer = await Sequencer.open(log)
    try:
        members = list(what.crowd.members(what.seed))
        return await Run(what, members, modes, sequencer, lambda _done, _seq, _at: None).play()
    finally:
        await sequencer.close()
