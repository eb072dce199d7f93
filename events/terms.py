"""The terms of what is traded: linear and inverse contracts, perpetual or dated, spot pairs, and leverage brackets.

A linear contract is worth size x price of its settle asset, an inverse one size x contract value / price. Sizes are
whole lots, so that the value of a lot at a price of one tick is a whole number of atoms, `atoms_per_tick_lot`.
"""

from __future__ import annotations

from enum import Enum
from typing import NewType

import msgspec

from events.units import UNIT, Atoms, Lots, MarkUnits, Nanos, Rate, decimal_text, mul_div_ceil

InstrumentId = NewType("InstrumentId", str)
AssetId = NewType("AssetId", str)


class PackError(ValueError):
    """A rule pack that cannot be used; the message says where and why."""


class MarginMode(Enum):
    """Which wallet carries a position."""

    CROSS = "cross"
    ISOLATED = "isolated"


class Leg(Enum):
    """Which position of an account in an instrument: the only one, or in hedge mode the long or the short one."""

    NET = "net"
    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for the long leg, -1 for the short one, 0 for a position that may be either."""
        return _LEG_SIGNS[self]


def position_name(instrument: str, leg: Leg) -> str:
    """How the position of an account in an instrument, or in one leg of it, is named, and its pool where isolated."""
    return instrument if leg is Leg.NET else f"{instrument}:{leg.value}"


def instrument_of(name: str) -> str:
    """The instrument of a position by its name; any other name stays as it is. No instrument's id ends like a leg."""
    return name.removesuffix(":long").removesuffix(":short")


_LEG_SIGNS = {Leg.NET: 0, Leg.LONG: 1, Leg.SHORT: -1}


class Bracket(msgspec.Struct, frozen=True, omit_defaults=True):
    """One leverage bracket: for floor <= notional < cap, MM = notional x mmr - cum.

    floor, cap and cum are atoms of the settle asset, mmr a Rate.
    Source: the venue's leverage bracket table (`notionalFloor`, `notionalCap`, `maintMarginRatio`, `cum`).
    """

    floor: Atoms
    cap: Atoms
    max_leverage: int
    mmr: Rate
    cum: Atoms


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """The terms that linear and inverse contracts share; `LinearPerp` says what they mean."""

    id: InstrumentId
    base: AssetId
    quote: AssetId
    settle: AssetId
    tick: MarkUnits
    lot: int
    min_lots: Lots
    max_lots: Lots
    min_notional: Atoms
    maker_fee: Rate
    taker_fee: Rate
    liquidation_fee: Rate
    funding_interval: Nanos
    brackets: tuple[Bracket, ...]
    initial_margin: Rate = Rate(0)
    maintenance_fraction: Rate = Rate(0)
    open_interest_lower: Atoms = Atoms(0)
    open_interest_upper: Atoms = Atoms(0)
    skew_scale: int = 0
    max_funding_velocity: Rate = Rate(0)
    interest: Rate = Rate(0)
    funding_cap: Rate = Rate(0)
    funding_floor: Rate = Rate(0)
    expiry: Nanos = Nanos(0)
    settlement_fee: Rate = Rate(0)
    settlement_window: Nanos = Nanos(0)
    liquidation_cap: Lots = Lots(0)
    trigger_protect: Rate = Rate(0)
    market_max_lots: Lots = Lots(0)
    price_up: Rate = Rate(0)
    price_down: Rate = Rate(0)
    market_take_bound: Rate = Rate(0)

    def price_text(self, ticks: int) -> str:
        """The price as decimal text."""
        return decimal_text(ticks, self.tick)

    def size_text(self, lots: int) -> str:
        """The size as decimal text."""
        return decimal_text(lots, self.lot)

    def check(self) -> None:
        """Raise PackError where the instrument contradicts itself."""
        where = self.id
        if not 0 < self.min_lots <= self.max_lots:
            raise PackError(f"{where}: sizes need 0 < min_lots <= max_lots")
        if self.liquidation_cap < 0:
            raise PackError(f"{where}: liquidation_cap must not be below 0")
        if not 0 <= self.trigger_protect < UNIT:
            raise PackError(f"{where}: trigger_protect lies from 0 to below 1")
        _check_filters(self)
        _check_times(self)
        if max(abs(self.maker_fee), abs(self.taker_fee)) >= UNIT or not 0 <= self.liquidation_fee < UNIT:
            raise PackError(f"{where}: fees must be below 100 %, and the liquidation fee not negative")
        if not 0 <= self.settlement_fee < UNIT or not 0 <= self.funding_cap < UNIT or abs(self.interest) >= UNIT:
            raise PackError(f"{where}: settlement fee, funding cap and interest must be below 100 %")
        if not -UNIT < self.funding_floor < (self.funding_cap or UNIT):
            raise PackError(f"{where}: the funding floor must be above -100 % and below the funding cap")
        if not self.brackets:
            raise PackError(f"{where}: no leverage bracket")
        previous: Bracket | None = None
        for n, bracket in enumerate(self.brackets, 1):
            _check_bracket(f"{where}: bracket {n}", bracket, previous)
            previous = bracket
        _check_margin_rates(self)


class Linear(Terms, frozen=True, omit_defaults=True):
    """A contract on `base`, priced in `quote` and settled in `settle`: its value is size x price.

    tick and lot are 10^-8 of the quote and base asset; fees are Rates of the trade's value. What follows the brackets
    is 0 where the venue has no such rule: initial_margin is a Rate of notional; maintenance_fraction the Rate of the
    initial margin (of 1 / max leverage without an initial_margin) that maintenance margin is; between the caps of open
    interest, atoms of notional, the initial margin rate rises to 100 %; skew_scale, 10^-8 of the base asset, and
    max_funding_velocity, a Rate per day, are those of a market whose skew moves fill prices and funding. interest (a
    Rate per rate_hours of the pack), funding_cap and funding_floor (Rates per funding interval; without a floor, the
    cap holds both ways) are those of computed funding; expiry, ns, settlement_fee, a Rate of the value at settlement,
    and settlement_window, ns before expiry over which the index is averaged, those of a dated one. trigger_protect is
    the Rate of the mark by which the last price may be off it where a conditional order with price protection fires.
    A market order is
    for at most market_max_lots, and trades within market_take_bound, a Rate, of the mark; a limit order buys at no more
    than mark x price_up and sells at no less than mark x price_down, both Rates.
    Source of the last: Binance USD-M, `exchangeInfo`: MARKET_LOT_SIZE, marketTakeBound, PERCENT_PRICE.
    """

    @property
    def atoms_per_tick_lot(self) -> int:
        """Value in atoms of one lot at a price of one tick: exact, `check` refuses the rest."""
        return self.tick * self.lot // UNIT

    def check(self) -> None:
        """Raise PackError where the instrument contradicts itself."""
        if self.tick <= 0 or self.lot <= 0 or self.tick * self.lot % UNIT:
            raise PackError(f"{self.id}: tick x lot must be a positive whole number of atoms (10^-8)")
        Terms.check(self)


class Inverse(Terms, frozen=True, omit_defaults=True, kw_only=True):
    """A contract settled in its base asset: its value is size x contract value / price.

    lot is 10^-8 of a contract, contract_value 10^-8 of the quote asset, all else as in `Linear`.
    """

    contract_value: int

    @property
    def atoms_per_tick_lot(self) -> int:
        """Value in atoms of one lot at a price of one tick; other prices divide it. Exact, `check` refuses the rest."""
        return self.contract_value * self.lot // self.tick

    def check(self) -> None:
        """Raise PackError where the instrument contradicts itself."""
        if self.settle != self.base:
            raise PackError(f"{self.id}: an inverse contract settles in its base asset, {self.base}")
        if min(self.tick, self.lot, self.contract_value) <= 0 or self.contract_value * self.lot % self.tick:
            raise PackError(f"{self.id}: contract value x lot / tick must be a positive whole number of atoms (10^-8)")
        Terms.check(self)


class LinearPerp(Linear, frozen=True, omit_defaults=True, tag="linear_perp"):
    """A linear contract without an end, held to its index by funding."""


class InversePerp(Inverse, frozen=True, omit_defaults=True, kw_only=True, tag="inverse_perp"):
    """An inverse contract without an end, held to its index by funding."""


class LinearFuture(Linear, frozen=True, omit_defaults=True, tag="linear_future"):
    """A linear contract that settles in cash at its expiry."""


class InverseFuture(Inverse, frozen=True, omit_defaults=True, kw_only=True, tag="inverse_future"):
    """An inverse contract that settles in cash at its expiry."""


class SpotPair(msgspec.Struct, frozen=True, omit_defaults=True, tag="spot"):
    """A pair at whose index price collateral is valued and exchanged: so much of `quote` for one of `base`.

    fee is the Rate of the value that an exchange costs, which may go through two pairs. The pair has an index price and
    no order book.
    """

    id: InstrumentId
    base: AssetId
    quote: AssetId
    fee: Rate = Rate(0)

    def check(self) -> None:
        """Raise PackError where the pair contradicts itself."""
        if self.base == self.quote or not 0 <= self.fee < UNIT // 2:
            raise PackError(f"{self.id}: a spot pair needs two assets, and a fee from 0 to below 50 %")


Instrument = LinearPerp | InversePerp | LinearFuture | InverseFuture
"""What positions are held in."""


def _check_filters(terms: Terms) -> None:
    if terms.market_max_lots and not terms.min_lots <= terms.market_max_lots <= terms.max_lots:
        raise PackError(f"{terms.id}: market_max_lots lies from min_lots to max_lots")
    if not 0 <= terms.price_down <= UNIT or 0 < terms.price_up < UNIT or terms.price_up < 0:
        raise PackError(f"{terms.id}: price_down is at most 1, price_up at least 1, and 0 where there is none")
    if not 0 <= terms.market_take_bound < UNIT:
        raise PackError(f"{terms.id}: market_take_bound lies from 0 to below 1")


def _check_times(terms: Terms) -> None:
    where = terms.id
    is_perpetual = isinstance(terms, LinearPerp | InversePerp)
    if terms.min_notional < 0 or (is_perpetual and terms.funding_interval <= 0):
        raise PackError(f"{where}: needs min_notional >= 0 and a funding interval above 0")
    if is_perpetual:
        if terms.expiry or terms.settlement_fee or terms.settlement_window:
            raise PackError(f"{where}: a perpetual contract has no expiry and no settlement")
    elif terms.funding_interval or not 0 <= terms.settlement_window < terms.expiry:
        raise PackError(
            f"{where}: a dated contract needs an expiry, a settlement window before it, and no funding interval"
        )


def _check_bracket(where: str, bracket: Bracket, previous: Bracket | None) -> None:
    if bracket.cap <= bracket.floor or bracket.max_leverage < 1 or not 0 < bracket.mmr < UNIT:
        raise PackError(f"{where}: needs floor < cap, max leverage >= 1 and 0 < mmr < 1")
    if previous is None:
        if bracket.floor or bracket.cum:
            raise PackError(f"{where}: the first bracket starts at 0 with cum 0")
        return
    if bracket.floor != previous.cap:
        raise PackError(f"{where}: floor {decimal_text(bracket.floor)} is not the cap before it")
    if bracket.max_leverage > previous.max_leverage or bracket.mmr < previous.mmr:
        raise PackError(f"{where}: leverage must fall and mmr must rise from bracket to bracket")
    cum = previous.cum * UNIT + bracket.floor * (bracket.mmr - previous.mmr)
    if cum % UNIT:
        raise PackError(f"{where}: floor x the rise of mmr is no whole number of atoms")
    if bracket.cum * UNIT != cum:
        raise PackError(f"{where}: cum {decimal_text(bracket.cum)} should be {decimal_text(cum // UNIT)}")


def _check_margin_rates(terms: Terms) -> None:
    where, initial, fraction = terms.id, terms.initial_margin, terms.maintenance_fraction
    if not (0 <= initial <= UNIT and 0 <= fraction <= UNIT):
        raise PackError(f"{where}: initial margin and maintenance fraction must lie between 0 and 100 %")
    if terms.skew_scale < 0 or terms.max_funding_velocity < 0:
        raise PackError(f"{where}: skew scale and funding velocity must not be below 0")
    lower, upper = terms.open_interest_lower, terms.open_interest_upper
    if (lower or upper) and not (initial and 0 <= lower < upper):
        raise PackError(f"{where}: open interest needs 0 <= lower < upper cap, and an initial margin to raise")
    if fraction:
        first = terms.brackets[0]
        mmr = mul_div_ceil(fraction, initial, UNIT) if initial else mul_div_ceil(fraction, 1, first.max_leverage)
        if len(terms.brackets) > 1 or first.mmr != mmr:
            raise PackError(f"{where}: a maintenance fraction goes with one bracket, whose mmr is {decimal_text(mmr)}")
