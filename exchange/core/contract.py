"""An instrument at work: its terms, its mark, its book, who holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from events.commands import SessionOptions
from events.guards import either
from events.instruments import Instrument, Inverse, RulePack
from events.phases import TradingPhase
from events.rules import ReduceOnly
from events.units import UNIT
from exchange.core.book import Book, Order
from exchange.core.margin.rules import MarginRules
from exchange.core.matching.market import MarketFeed
from exchange.core.swing import Swing
from exchange.core.triggers.index import Triggers

if TYPE_CHECKING:
    from exchange.core.state import Position


class Average(msgspec.Struct):
    """A figure weighted by time: the premium of a perpetual contract over its index, the index of one near its expiry.

    total is the sum of figure x ns up to `at`, since when it is `latest`; `since` is when counting began.
    """

    latest: int = 0
    total: int = 0
    at: int = 0
    since: int = 0


class Contract:
    """An instrument at work: its terms, its mark, its book, who holds it, and the triggers of the watch.

    What a position is worth, in grains and with the sign of what it gains by, is lots x num // den at the mark: num =
    lot x mark, den = 1 where it is linear; num = - face, den = mark where it is inverse. gain is +1 for a linear
    contract and -1 for an inverse one; per_tick_lot is the value in atoms of one lot at one tick; marked is the record
    that moved the mark last, marked_at when it did, index the index price. phase is what may be done, closed that it is
    not continuous trading; halted is until when the breaker halts trading, 0 where it does not; uncrossing says that
    what crosses is trading, at which price (ticks), by which entry of the queue. take_bound is the Rate within which of
    the mark market orders trade, 0 where there is none; is_banded says that limit prices are held to the mark, and
    shrinks that reduce-only orders do with their position; swing is the window of the breaker, where there is one.
    open_interest is the sum of all long lots; liquidated are the lots that count for the cap, the last of them at
    liquidated_at. lows and highs are heaps of triggers, entries as in `liquidation.triggers`; one counts only while its
    position still bears that trigger.
    """

    __slots__ = (
        "average",
        "book",
        "clearing",
        "closed",
        "default_leverage",
        "den",
        "expired",
        "face",
        "feed",
        "gain",
        "good_till_ahead",
        "halted",
        "highs",
        "holders",
        "id",
        "index",
        "is_banded",
        "is_inverse",
        "liquidated",
        "liquidated_at",
        "lot",
        "lows",
        "maker_fee",
        "mark",
        "marked",
        "marked_at",
        "max_parts",
        "num",
        "offer",
        "open_interest",
        "per_tick_lot",
        "phase",
        "positions",
        "rules",
        "settle",
        "shrinks",
        "swing",
        "take_bound",
        "taker_fee",
        "terms",
        "tick",
        "triggers",
        "uncrossing",
    )  # fmt: skip

    def __init__(self, terms: Instrument, pack: RulePack, options: SessionOptions) -> None:
        self.terms = terms
        self.id = terms.id
        self.settle = terms.settle
        self.tick: int = terms.tick
        self.lot = terms.lot
        self.per_tick_lot = terms.atoms_per_tick_lot
        self.maker_fee: int = terms.maker_fee
        self.taker_fee: int = terms.taker_fee
        self.is_inverse = isinstance(terms, Inverse)
        self.gain = -1 if self.is_inverse else 1
        self.face = terms.contract_value * terms.lot * UNIT if isinstance(terms, Inverse) else 0
        self.rules = MarginRules(terms, pack)
        self.default_leverage = min(pack.default_leverage, self.rules.brackets.max_leverage)
        self.book = Book(options)
        self.triggers = Triggers()
        self.feed = MarketFeed(self.book, options, fillable, self.triggers.lasts)
        self.good_till_ahead = pack.good_till_ahead
        self.shrinks = pack.reduce_only is ReduceOnly.SHRINK
        self.max_parts = pack.max_iceberg_parts
        self.marked = 0
        self.marked_at = 0
        self.phase = TradingPhase.CONTINUOUS
        self.closed = False
        self.halted = 0
        self.uncrossing: tuple[int, tuple[int, int, str, str, int]] | None = None
        bounds = [bound for bound in (terms.market_take_bound, options.max_slippage) if bound]
        self.take_bound = min(bounds, default=0)
        self.is_banded = terms.price_up > 0 or terms.price_down > 0
        breaker = either(options.guards, pack.guards).breaker
        self.swing = Swing(breaker.window) if breaker.jump else None
        self.index = 0
        self.expired = False
        self.offer: tuple[int, int, str, str, int] | None = None
        self.average = Average()
        self.open_interest = 0
        self.liquidated = 0
        self.liquidated_at = 0
        self.clearing = 0
        self.positions: list[Position] = []
        self.holders: dict[Position, None] = {}
        self.lows: list[int] = []
        self.highs: list[int] = []
        self.mark = 0
        self.num, self.den = 0, 1

    def set_mark(self, mark: int) -> None:
        """Take a mark price above 0."""
        self.mark = mark
        self.num, self.den = self.worth_at(mark)

    def set_phase(self, phase: TradingPhase, halted: int = 0) -> None:
        """Take a trading phase, by the breaker until then; history meets no order but in its own halts. For `apply`
        only.
        """
        self.phase, self.halted = phase, halted
        self.closed = phase is not TradingPhase.CONTINUOUS
        self.book.shut = self.closed and not halted

    def worth_at(self, price: int) -> tuple[int, int]:
        """What one lot is worth at a price, mark units, as a fraction in grains."""
        return (-self.face, price) if self.is_inverse else (self.lot * price, 1)

    def value_of(self, price: int, lots: int) -> int:
        """The one value of a trade at a price in ticks, atoms: exact for a linear contract, rounded down else."""
        return lots * self.per_tick_lot // price if self.is_inverse else price * lots * self.per_tick_lot

    def outermost(self, sign: int) -> int | None:
        """The last price, ticks, at which a market order of that sign trades; None where any price will do.

        mark x (1 + bound) rounded down for buys, mark x (1 - bound) rounded up for sells.
        """
        if not self.take_bound:
            return None
        whole = UNIT * self.tick
        if sign > 0:
            return self.mark * (UNIT + self.take_bound) // whole
        return -(-self.mark * (UNIT - self.take_bound) // whole)

    def notional_per_lot(self, price: int) -> int:
        """What one lot at a price, mark units, adds to notional, grains: rounded up where it is inverse."""
        return -(-self.face // price) if self.is_inverse else price * self.lot


def fillable(order: Order) -> int:
    """How many lots an order in the book may trade: a reduce-only one not more than there is to reduce."""
    if not order.reduce_only:
        return order.lots
    held: int = order.holder.lots
    return min(order.lots, abs(held)) if held * order.sign < 0 else 0
