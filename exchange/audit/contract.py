"""An instrument as its terms and its venue's rules have it: what positions are worth, and the margin that they need.

Amounts are fractions of an atom. A worth has the sign of what its holder gains by: a linear position gains as its value
rises, an inverse one as its value in coin falls. What the core rounds is rounded here too, to the same grain (10^-8 of
an atom) and the same side, as its docstrings say: a worth down (the notional is its size), what is required up.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from events.commands import Side
from events.facts import AuctionUncrossed
from events.instruments import Bracket, Instrument, Inverse, RulePack
from events.phases import TradingPhase
from events.rules import ExitFee, MaintenanceBasis, MarginModel
from events.units import UNIT
from exchange.audit.clock import Average
from exchange.audit.lines import Line

if TYPE_CHECKING:
    from exchange.audit.books import Position

NOTHING = Fraction()
PARTS = 10**6
"""Initial margin that rises with open interest is counted in parts per million: dYdX v4, liquidity tiers."""


def down(amount: Fraction) -> Fraction:
    """Rounded down to a grain."""
    return Fraction(floor(amount * UNIT), UNIT)


def up(amount: Fraction) -> Fraction:
    """Rounded up to a grain."""
    return Fraction(ceil(amount * UNIT), UNIT)


def rate(of: int) -> Fraction:
    """A Rate as the part that it is."""
    return Fraction(of, UNIT)


class Contract:
    """An instrument at work. mark and index are 0 while unknown; holders are its open positions.

    marked_at is when the mark moved last, halted until when the breaker halts trading, 0 where it does not; past are
    the marks that stood within the window of the breaker, each with its end, trips the one that the present mark leapt
    from. phase is what may be done; auction says that what crosses is trading, to_trade how many lots of it still will
    (None where orders left), turns who traded last, by side, as (price, record).
    open_interest is the sum of all long lots, lines who rests on each side.
    funding_at is the next funding time where the session computes it.
    """

    def __init__(self, terms: Instrument, pack: RulePack) -> None:
        self.terms = terms
        self.pack = pack
        self.mark = 0
        self.index = 0
        self.is_expired = False
        self.liquidated = 0
        self.liquidated_at = 0
        self.marked_at = self.halted = self.trips = 0
        self.phase = TradingPhase.CONTINUOUS
        self.auction: AuctionUncrossed | None = None
        self.to_trade: int | None = None
        self.turns: dict[int, tuple[int, int]] = {}
        self.past: list[tuple[int, int]] = []
        self.open_interest = 0
        self.holders: dict[Position, None] = {}
        self.lines = {side: Line(1 if side is Side.BUY else -1) for side in Side}
        self.average = Average()
        self.gain = -1 if isinstance(terms, Inverse) else 1
        self.scales = terms.open_interest_upper > 0
        self.closing_fee = rate(terms.taker_fee) if pack.exit_fee is ExitFee.AT_BANKRUPTCY else NOTHING
        self._fee_at_mark = rate(terms.taker_fee) if pack.exit_fee is ExitFee.AT_MARK else NOTHING

    def worth(self, lots: int, price: int) -> Fraction:
        """What lots are worth at a price in mark units, exactly: size x price, or - size x contract value / price."""
        terms = self.terms
        if not lots:
            return NOTHING
        if isinstance(terms, Inverse):
            return Fraction(-lots * terms.lot * terms.contract_value, price)
        return Fraction(lots * terms.lot * price, UNIT)

    def notional(self, lots: int, price: int) -> Fraction:
        """Size x price in the settle asset, signed as the lots are, exactly."""
        return self.worth(lots, price) * self.gain

    def value(self, lots: int, ticks: int) -> int:
        """The one value of a trade: exact for a linear contract, rounded down to an atom for an inverse one."""
        return floor(self.notional(lots, ticks * self.terms.tick))

    def at_mark(self, lots: int) -> Fraction:
        """What lots are worth at the mark, rounded down to a grain."""
        return down(self.worth(lots, self.mark))

    def price_of(self, lots: int, value: int) -> Fraction:
        """The price, mark units, at which so many lots have this value."""
        terms = self.terms
        if isinstance(terms, Inverse):
            return Fraction(lots * terms.lot * terms.contract_value, value)
        return Fraction(value * UNIT, lots * terms.lot)

    def initial(self, size: Fraction, leverage: int) -> Fraction:
        """Initial margin of a notional: its part by leverage, by the venue's rate, or both; or by open interest."""
        model, part = self.pack.margin_model, rate(self.terms.initial_margin)
        if self.scales:
            part = self._scaled()
        elif model is MarginModel.LEVERAGE:
            part = Fraction(1, leverage)
        elif model is MarginModel.LEVERAGED:
            part /= leverage
        return self._stepped(up(size * part))

    def _scaled(self) -> Fraction:
        """The base rate up to the lower cap of open interest, all from the upper one on, a straight line in between."""
        lower, upper = self.terms.open_interest_lower, self.terms.open_interest_upper
        base = Fraction(floor(rate(self.terms.initial_margin) * PARTS), PARTS)
        reached = (abs(self.at_mark(self.open_interest)) - lower) / (upper - lower)
        share = base + (1 - base) * min(Fraction(1), max(NOTHING, reached))
        return Fraction(floor(share * PARTS), PARTS)

    def _stepped(self, margin: Fraction) -> Fraction:
        step = self.pack.margin_step
        return Fraction(ceil(margin / step) * step) if step else margin

    def maintenance(self, lots: int, entry: int, backing: int, leverage: int) -> Fraction:
        """Maintenance margin of a position: brackets at the mark or the entry value, and the fee for closing it.

        backing, atoms, is what the position can lose: the fee at the bankruptcy price depends on it.
        """
        if not lots:
            return NOTHING
        size = abs(self.at_mark(lots))
        if self.pack.maintenance_basis is MaintenanceBasis.ENTRY:
            margin = self._scheduled(Fraction(abs(entry)), leverage, NOTHING) + up(size * self._fee_at_mark)
        else:
            margin = self._scheduled(size, leverage, self._fee_at_mark)
        return margin + up(self._bankrupt_size(entry, backing) * self.closing_fee) if self.closing_fee else margin

    def _scheduled(self, size: Fraction, leverage: int, extra: Fraction) -> Fraction:
        """Brackets; where the venue rounds margins to a step, those of the one rate that it has, at the mark."""
        terms, is_leveraged = self.terms, self.pack.margin_model is MarginModel.LEVERAGED
        if self.pack.margin_step:
            base, fraction = rate(terms.brackets[0].mmr), Fraction(1)
            if terms.maintenance_fraction:
                base, fraction = rate(terms.initial_margin), rate(terms.maintenance_fraction)
            return self._stepped(self._stepped(size * base) * fraction)
        bracket, divisor = self._bracket(size), leverage if is_leveraged else 1
        return up(size * (rate(bracket.mmr) / divisor + extra)) - down(Fraction(bracket.cum, divisor))

    def _bracket(self, size: Fraction) -> Bracket:
        return [bracket for bracket in self.terms.brackets if bracket.floor <= size][-1]

    def _bankrupt_size(self, entry: int, backing: int) -> Fraction:
        """The notional at which closing, and the fee for it, uses up the backing: worth - fee x size = entry - backing.

        A worth above 0 stays above it, one below 0 below: beyond, there is no such price. Worth is rounded up.
        """
        if entry > 0:
            return max(NOTHING, up((entry - backing) / (1 - self.closing_fee)))
        return abs(min(NOTHING, up((entry - backing) / (1 + self.closing_fee))))

    def fee_put_aside(self, sign: int, value: Fraction, leverage: int) -> Fraction:
        """The fee for closing at the bankruptcy price of a value at its leverage: value x (1 -+ 1 / leverage) x fee."""
        return value * (1 - Fraction(sign * self.gain, leverage)) * self.closing_fee

    def margin_given(self, sign: int, value: int, leverage: int) -> int:
        """What an isolated wallet is given when a value, atoms, is opened: each part rounded up to an atom."""
        aside = self.fee_put_aside(sign, Fraction(value), leverage)
        return ceil(self.initial(Fraction(value), leverage)) + ceil(aside)
