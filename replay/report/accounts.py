"""What the report keeps of each account: money by asset and instrument, standing by asset, fills, orders, trips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from events.commands import AccountId
from events.instruments import AssetId, InstrumentId
from replay.lab import Room, Series
from replay.report.fills import FillFigures, Role
from replay.report.money import Parts, total
from replay.report.orders import OrderFigures, QueueTimes
from replay.report.spread import Spread, Thinned
from replay.report.standing import Standing
from replay.report.trips import Trips


class Dot(NamedTuple):
    """A fill as it is drawn: when, ns, at which price, ticks, signed lots, in which role."""

    at: int
    price: int
    lots: int
    role: Role


@dataclass(slots=True)
class InstrumentReport:
    """An account in one instrument. slips are those against the mid at acceptance, hundredths of a basis point, each
    weighted by its lots; trips are by position, so that in hedge mode each leg has its own.
    """

    fills: dict[Role, FillFigures] = field(default_factory=dict)
    queue: QueueTimes = field(default_factory=QueueTimes)
    trips: dict[str, Trips] = field(default_factory=dict)
    slips: Spread = field(default_factory=Spread)
    dots: Thinned[Dot] = field(default_factory=Thinned)

    def in_role(self, role: Role) -> FillFigures:
        """Its fills in a role."""
        found = self.fills.get(role)
        if found is None:
            found = self.fills[role] = FillFigures()
        return found

    @property
    def count(self) -> int:
        """How many fills there were."""
        return sum(figures.fills for figures in self.fills.values())

    @property
    def maker_share(self) -> Fraction | None:
        """How much of a hundred of the lots it filled as maker."""
        lots = sum(figures.lots for figures in self.fills.values())
        return Fraction(100 * self.fills[Role.MAKER].lots if Role.MAKER in self.fills else 0, lots) if lots else None

    def all_trips(self) -> Trips:
        """The round trips of all its positions."""
        whole = Trips()
        for trips in self.trips.values():
            whole.take(trips)
        return whole


@dataclass(slots=True)
class AccountReport:
    """One account. parts are by asset and instrument, nothing standing for what belongs to none.

    fees and funding are summed up over time, atoms by asset. liquidations counts those that started. is_together says
    that its wallets answer together at the moment, brought_together is what it brought in since, grains.
    """

    name: AccountId
    room: Room = field(default_factory=Room, repr=False)
    parts: dict[AssetId, dict[str, Parts]] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    fees: dict[AssetId, Series] = field(default_factory=dict)
    funding: dict[AssetId, Series] = field(default_factory=dict)
    instruments: dict[InstrumentId, InstrumentReport] = field(default_factory=dict)
    orders: OrderFigures = field(default_factory=OrderFigures)
    liquidations: int = 0
    is_together: bool = False
    brought_together: int = 0

    def part(self, asset: AssetId, instrument: str = "") -> Parts:
        """Its money in an asset, as far as it belongs to an instrument, or to none."""
        by = self.parts.setdefault(asset, {})
        found = by.get(instrument)
        if found is None:
            found = by[instrument] = Parts()
        return found

    def standing(self, name: str, asset: str = "") -> Standing:
        """How it stands in an asset, or in all of them together, which are valued in `asset`."""
        found = self.standings.get(name)
        if found is None:
            found = self.standings[name] = Standing(asset or name, self.room)
        return found

    def paid(self, at: int, record: int, asset: AssetId) -> None:
        """What it paid in fees and received as funding so far is this."""
        if asset not in self.fees:
            self.fees[asset], self.funding[asset] = Series(self.room), Series(self.room)
        parts = self.parts.get(asset, {}).values()
        self.fees[asset].add(at, sum(one.fees for one in parts), record)
        self.funding[asset].add(at, sum(one.funding for one in parts), record)

    def of(self, instrument: InstrumentId) -> InstrumentReport:
        """Its fills and trips in an instrument."""
        found = self.instruments.get(instrument)
        if found is None:
            found = self.instruments[instrument] = InstrumentReport()
        return found

    def trips(self, instrument: InstrumentId, position: str) -> Trips:
        """The round trips of a position."""
        known = self.of(instrument).trips
        found = known.get(position)
        if found is None:
            found = known[position] = Trips()
        return found

    def whole(self, asset: AssetId) -> Parts:
        """Its money in an asset."""
        return total(self.parts.get(asset, {}).values())

    @property
    def fills(self) -> int:
        """How many fills it had."""
        return sum(its.count for its in self.instruments.values())

    def figures(self) -> Iterator[tuple[InstrumentId, Role, FillFigures]]:
        """Its fills by instrument and role."""
        for instrument, its in self.instruments.items():
            yield from ((instrument, role, its.fills[role]) for role in Role if role in its.fills)
