"""What the blotter knows of an account: its orders, fills, income, moves of margin and amendments, row by row.

Prices are ticks, sizes lots, money atoms, times session time in ns; texts are made at the dialects' edge.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from events.commands import Side, TimeInForce
from events.facts import Expiry
from events.instructions import PriceMatch, SelfTrade
from events.instruments import Leg
from events.refusals import Reason
from events.triggers import PriceSource, TriggerKind

FORCED = 10**15
"""A forced order has no number of its account's: it is named by this and the number of its record."""


class Status(Enum):
    """Where an order is: it waits for its price, is open in the book, or ended."""

    WAITING = "waiting"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class OrderRow(msgspec.Struct, array_like=True):
    """An order from its placing to its end, a conditional one before and after it fired.

    lots is the whole size, executed what of it traded for `value` atoms. No price means a market order. request is that
    of who placed it. kind is that of a conditional order; fired_at is 0 until it fired. why and reason say what ended
    an order that expired. record is that of the latest change.
    """

    number: int
    instrument: str
    side: Side
    lots: int
    price: int | None
    time_in_force: TimeInForce
    reduce_only: bool
    placed_at: int
    updated_at: int
    record: int
    status: Status = Status.OPEN
    leg: Leg = Leg.NET
    client: str = ""
    request: str = ""
    self_trade: SelfTrade = SelfTrade.NONE
    good_till: int = 0
    price_match: PriceMatch = PriceMatch.NONE
    visible: int = 0
    executed: int = 0
    value: int = 0
    kind: TriggerKind | None = None
    trigger: int | None = None
    source: PriceSource = PriceSource.LAST
    callback: int = 0
    closes: bool = False
    protects: bool = False
    with_position: bool = False
    linked: int = 0
    entry: int = 0
    fired_at: int = 0
    why: Expiry | None = None
    reason: Reason | None = None
    amendments: int = 0

    @property
    def is_forced(self) -> bool:
        """Whether a liquidation placed it."""
        return self.number > FORCED

    @property
    def is_live(self) -> bool:
        """Whether it waits or is open."""
        return self.status is Status.OPEN or self.status is Status.WAITING


class Fill(msgspec.Struct, frozen=True, array_like=True):
    """One side of a trade. id is its record; executed and total are lots and value of the order up to here; realized
    is what the trade made of the position's profit, without its fee.
    """

    id: int
    at: int
    number: int
    instrument: str
    side: Side
    price: int
    lots: int
    value: int
    fee: int
    realized: int
    is_maker: bool
    leg: Leg = Leg.NET
    executed: int = 0
    total: int = 0


class IncomeKind(Enum):
    """Why a wallet gained or lost."""

    TRANSFER = "transfer"
    REALIZED_PNL = "realized_pnl"
    COMMISSION = "commission"
    FUNDING = "funding"
    INSURANCE = "insurance"
    EXCHANGE = "exchange"
    INTEREST = "interest"
    SETTLEMENT = "settlement"


class Income(msgspec.Struct, frozen=True, array_like=True):
    """A gain, or below 0 a loss; id is its record, fill that of its trade, 0 where there is none."""

    id: int
    at: int
    kind: IncomeKind
    asset: str
    amount: int
    instrument: str = ""
    fill: int = 0


class Move(msgspec.Struct, frozen=True, array_like=True):
    """Margin that went to an isolated wallet, or below 0 came from there; asked says that its owner did."""

    id: int
    at: int
    instrument: str
    leg: Leg
    asset: str
    amount: int
    asked: bool


class Amendment(msgspec.Struct, frozen=True, array_like=True):
    """An order that was given another price or size: both before and after, and how many times by then."""

    id: int
    at: int
    number: int
    instrument: str
    client: str
    price_before: int
    price: int
    lots_before: int
    lots: int
    count: int


class Held(msgspec.Struct, array_like=True):
    """A position as its fills made it: signed lots and entry value. cost is what it took beside, atoms: fees, less what
    was realised and funding received, since it was opened.
    """

    lots: int = 0
    entry_value: int = 0
    cost: int = 0
    opened_at: int = 0
    updated_at: int = 0
