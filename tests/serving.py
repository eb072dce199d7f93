"""A venue for tests: a session in memory under the real rules of Binance USD-M, whose market a test moves by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import time_ns
from typing import Any, TypeVar

from events import commands as c
from events.chunks import encode_chunk
from events.instruments import InstrumentId, MarginMode, load_pack
from events.store.memory import MemoryLog
from events.units import SECOND, UNIT, Atoms, Nanos
from exchange.core.state import RULES_VERSION
from exchange.sequencer import Sequencer
from gateway.serving.blotter import Blotter
from gateway.serving.calendar import Calendar
from gateway.serving.models import Model
from gateway.serving.tape.tape import Tape
from gateway.serving.venue import Venue
from replay.markets import NOON, Point, Prices

BTC = InstrumentId("BTCUSDT")
START = Nanos(NOON * SECOND)


@dataclass
class Served:
    """The venue, and its market: `move` lets time pass to a new price, with a book of `depth` one tick around it."""

    venue: Venue
    sequencer: Sequencer
    at: int = START
    price: str = ""
    step: int = 1
    """So much later, ns, each look at the clock finds it: a real one does not stand still."""

    def clock(self) -> int:
        self.at += self.step
        return self.at

    def move(self, price: str, seconds: float = 1, instrument: str = BTC, depth: str = "50") -> None:
        self.at += int(seconds * SECOND)
        self.price = price
        prices = Prices(InstrumentId(instrument), (Point(Decimal(0), Decimal(price)),), Decimal(depth))
        (source,) = prices.sources(self.venue.pack, Path())
        (columns,) = list(source)
        columns.at[:] = columns.transacted[:] = [self.at] * len(columns)
        columns.first_id[0] = columns.last_id[0] = self.at
        chunk = encode_chunk(columns)
        self.sequencer.add_chunk(chunk, columns)
        last = len(columns) - 1
        self.sequencer.decide(c.AdvanceMarket(Nanos(self.at), columns.instrument, chunk.id, 0, last))
        self.sequencer.release_chunk(chunk.id)

    async def account(self, name: str, deposit: str = "10000", mode: MarginMode = MarginMode.CROSS) -> c.AccountId:
        """Open an account and pay in USDT."""
        venue, account = self.venue, c.AccountId(name)
        await venue.ask(c.OpenAccount(venue.now, account, venue.request()))
        amount = Atoms(int(Decimal(deposit) * UNIT))
        await venue.ask(c.Deposit(venue.now, account, venue.request(), venue.pack.instruments[0].settle, amount))
        if mode is not MarginMode.CROSS:
            await venue.ask(c.SetMarginMode(venue.now, account, venue.request(), BTC, mode))
        return account

    async def close(self) -> None:
        await self.sequencer.close()


K = TypeVar("K", bound=Served)


async def served(
    price: str = "60000", *, models: Sequence[Model] = (), look: Any = None, calendar: Calendar | None = None,
    pack: str = "binance-usdm", log: Any = None, kind: type[K] = Served,  # type: ignore[assignment]
) -> K:  # fmt: skip
    sequencer = await Sequencer.open(MemoryLog() if log is None else log)
    sequencer.decide(c.OpenSession(START, RULES_VERSION, load_pack(pack), c.SessionOptions()))
    found = kind(None, sequencer)  # type: ignore[arg-type]
    found.venue = Venue(sequencer, calendar or Calendar(), found.clock, models, look)
    found.move(price)
    await sequencer.flush()
    return found


@dataclass
class Moved(Served):
    """The same with all that a server shows of a session."""

    blotter: Any = None
    tape: Any = None
    log: Any = None
    control: Any = None
    is_on_time: bool = True


async def moved(price: str = "60000", pack: str = "binance-usdm") -> Moved:
    """A session to be served whose market a test moves; its time is shown as the wall's of when it began."""
    rules, log, calendar = load_pack(pack), MemoryLog(), Calendar()
    calendar.resume(START, time_ns())
    blotter, tape = Blotter(rules), Tape(rules, calendar)
    eyes = {"models": (blotter, tape), "look": tape.look, "calendar": calendar}
    found = await served(price, **eyes, pack=pack, log=log, kind=Moved)
    found.blotter, found.tape, found.log = blotter, tape, log
    return found
