"""What happens to everybody: marks and index prices that move or jump, funding, history."""

from __future__ import annotations

import msgspec

from events import commands as c
from events.commands import Command
from events.instruments import InstrumentId
from events.units import UNIT
from tests.sim.clock import proceed
from tests.sim.traders import Traders

SHOCKS = (1, 50, 70, 80, 90, 95, 98, 100, 102, 105, 110, 120, 150, 200, 1000)
"""Where a price jumps to, per cent of where it started."""


def mark(t: Traders) -> Command:
    """The mark moves a little."""
    terms = t.terms()
    t.prices[terms.id] = _moved(t, t.prices[terms.id])
    return c.SetMarkPrice(t.at, terms.id, t.prices[terms.id])


def walk(t: Traders) -> Command:
    """The mark goes up and down for a while, and nothing else happens: no band is where it was afterwards."""
    name = t.terms().id
    t.planned = [lambda t: _step(t, name)] * t.dice.choice((4, 4, 20))
    return _step(t, name)


def _step(t: Traders, name: InstrumentId) -> Command:
    t.prices[name] = _moved(t, t.prices[name])
    return c.SetMarkPrice(t.at, name, t.prices[name])


def _moved(t: Traders, price: int) -> int:
    return max(1, price + price * t.dice.randint(-100, 100) // 10_000 + t.dice.randint(-1, 1))


def shock(t: Traders) -> Command:
    """The mark jumps: by some per cent, near to nothing, far up. Prices follow it or not; at times funding does."""
    terms = t.terms()
    start = t.rules.prices[terms.id]
    price = max(1, start * t.dice.choice(SHOCKS) // 100)
    if t.dice.random() < 0.3:
        t.planned = [funding]
    t.prices[terms.id] = t.dice.choice((price, start))
    return c.SetMarkPrice(t.at, terms.id, price)


def slump(t: Traders) -> Command:
    """The mark goes against somebody who holds something, and due work is done at once."""
    held = [p for account in t.accounts() for p in account.positions.values() if p.lots and not p.contract.expired]
    if not held:
        return mark(t)
    position = t.dice.choice(held)
    price = position.contract.mark
    share = t.dice.choice((12, 30, 70)) * (-1 if position.lots > 0 else 1)
    t.planned = [proceed]
    return c.SetMarkPrice(t.at, position.contract.id, max(1, price + price * share // 100))


def index(t: Traders) -> Command:
    """The index price of an instrument or a spot pair moves a little, or jumps."""
    name = t.dice.choice([*t.rules.prices])
    start = t.rules.prices[name]
    price = max(1, start * t.dice.choice(SHOCKS) // 100) if t.dice.random() < 0.2 else _moved(t, t.indices[name])
    t.indices[name] = t.dice.choice((price, price, start))
    return c.SetIndexPrice(t.at, InstrumentId(name), price)


def funding(t: Traders) -> Command:
    """Funding, at times several at one moment."""
    rate = t.dice.choice((0, 1, -1, 10_000, -10_000, 750_000, -750_000, 30_000_000, -30_000_000, 3 * UNIT, -3 * UNIT))
    return c.ApplyFunding(t.at, t.terms().id, rate)


def history(t: Traders) -> Command:
    """The next rows of a chunk, or the first ones of a new one."""
    if t.rows:
        rows = t.rows.pop()
        return msgspec.structs.replace(rows, at=max(t.at, rows.at))
    terms = t.terms()
    past = t.histories[terms.id]
    past.price = t.dice.choice((past.price, t.ticks(terms)))
    columns = past.chunk(t.dice, t.at, t.dice.randint(1, 12))
    chunk = c.ChunkId(f"chunk-{len(t.world.columns)}")
    t.world.columns[chunk] = columns
    last = len(columns) - 1
    middle = t.dice.randint(0, last)
    if middle < last:
        t.rows.append(c.AdvanceMarket(columns.at[last], terms.id, chunk, middle + 1, last))
    return c.AdvanceMarket(columns.at[middle], terms.id, chunk, 0, middle)


def squeeze(t: Traders) -> Command:
    """The mark goes to where the watch looks at somebody's pool again, or just beyond: a pool that is barely due."""
    held = [p for a in t.accounts() for p in a.positions.values() if p.lots and not p.pool.due]
    near = [(p, at) for p in held for at in (p.low, p.high) if at > 0 and abs(at - p.contract.mark) * 3 < at]
    if not near:
        return mark(t)
    position, at = t.dice.choice(near)
    beyond = t.dice.choice((0, 1, at // 2000, at // 200)) * (-1 if position.lots > 0 else 1)
    t.prices[position.contract.id] = max(1, at + beyond)
    t.planned = [proceed]
    return c.SetMarkPrice(t.at, position.contract.id, max(1, at + beyond))
