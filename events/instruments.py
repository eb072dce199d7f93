"""What is traded and by which rules: instruments, leverage brackets, and the rule pack that holds them.

A rule pack is data. It is written with decimal text (`events/packs/*.json`), loaded and checked here, and
recorded in integers as part of the first fact of a session.
"""

from __future__ import annotations

from enum import Enum
from importlib.resources import files
from pathlib import Path
from typing import Any, NewType

import msgspec

from events.rules import DueAt, ExitFee, FundingPrice, MaintenanceBasis, MarginModel, PriceShown
from events.units import SECOND, UNIT, Atoms, Lots, MarkUnits, Nanos, Rate, decimal_text, exact_units, mul_div_ceil

InstrumentId = NewType("InstrumentId", str)
AssetId = NewType("AssetId", str)


class PackError(ValueError):
    """A rule pack that cannot be used; the message says where and why."""


class MarginMode(Enum):
    """Which wallet carries a position."""

    CROSS = "cross"
    ISOLATED = "isolated"


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


class Perpetual(msgspec.Struct, frozen=True, omit_defaults=True):
    """The terms that linear and inverse perpetual contracts share; `LinearPerp` says what they mean."""

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
        if self.min_notional < 0 or self.funding_interval <= 0:
            raise PackError(f"{where}: needs min_notional >= 0 and a funding interval above 0")
        if max(abs(self.maker_fee), abs(self.taker_fee)) >= UNIT or not 0 <= self.liquidation_fee < UNIT:
            raise PackError(f"{where}: fees must be below 100 %, and the liquidation fee not negative")
        if not self.brackets:
            raise PackError(f"{where}: no leverage bracket")
        previous: Bracket | None = None
        for n, bracket in enumerate(self.brackets, 1):
            _check_bracket(f"{where}: bracket {n}", bracket, previous)
            previous = bracket
        _check_margin_rates(self)


class LinearPerp(Perpetual, frozen=True, omit_defaults=True, tag="linear_perp"):
    """A perpetual contract on `base`, priced in `quote` and settled in `settle`: its value is size x price.

    tick and lot are 10^-8 of the quote and base asset; fees are Rates of the trade's value. What follows the brackets
    is 0 where the venue has no such rule: initial_margin is a Rate of notional; maintenance_fraction the Rate of the
    initial margin (of 1 / max leverage without an initial_margin) that maintenance margin is; between the caps of open
    interest, atoms of notional, the initial margin rate rises to 100 %; skew_scale, 10^-8 of the base asset, and
    max_funding_velocity, a Rate per day, are those of a market whose skew moves fill prices and funding.
    """

    @property
    def atoms_per_tick_lot(self) -> int:
        """Value in atoms of one lot at a price of one tick: exact, `check` refuses the rest."""
        return self.tick * self.lot // UNIT

    def check(self) -> None:
        """Raise PackError where the instrument contradicts itself."""
        if self.tick <= 0 or self.lot <= 0 or self.tick * self.lot % UNIT:
            raise PackError(f"{self.id}: tick x lot must be a positive whole number of atoms (10^-8)")
        Perpetual.check(self)


class InversePerp(Perpetual, frozen=True, omit_defaults=True, kw_only=True, tag="inverse_perp"):
    """A perpetual contract settled in its base asset: its value is size x contract value / price.

    lot is 10^-8 of a contract, contract_value 10^-8 of the quote asset, all else as in `LinearPerp`.
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
        Perpetual.check(self)


Instrument = LinearPerp | InversePerp


class RulePack(msgspec.Struct, frozen=True, omit_defaults=True):
    """A venue's rules at a date: the instruments, and the flags that venues differ by.

    `market_buy_slippage` is the Rate by which a market buy's reserve exceeds the best ask; `max_orders` the most open
    orders per account and instrument; `default_leverage` what an account trades with until it sets its own;
    `margin_step` the atoms to which the venue rounds margins up, 0 where it does not; `premium_hours` the time over
    which funding pays a premium off, 0 where that is one funding interval.
    """

    id: str
    version: str
    source: str
    market_buy_slippage: Rate
    max_orders: int
    default_leverage: int
    instruments: tuple[Instrument, ...]
    maintenance_basis: MaintenanceBasis = MaintenanceBasis.MARK
    exit_fee: ExitFee = ExitFee.NONE
    due_at: DueAt = DueAt.AT_MAINTENANCE
    funding_price: FundingPrice = FundingPrice.MARK
    liquidation_price: PriceShown = PriceShown.EXACT
    liquidation_pays_taker_fee: bool = False
    margin_model: MarginModel = MarginModel.LEVERAGE
    margin_step: Atoms = Atoms(0)
    premium_hours: int = 0

    def check(self) -> RulePack:
        """Raise PackError where the pack contradicts itself; return the pack."""
        if self.margin_step < 0 or self.premium_hours < 0:
            raise PackError(f"{self.id}: margin_step and premium_hours must not be below 0")
        if self.market_buy_slippage < 0 or self.max_orders < 1 or self.default_leverage < 1:
            raise PackError(f"{self.id}: needs market_buy_slippage >= 0, max_orders >= 1 and default_leverage >= 1")
        assets: list[str] = [asset for i in self.instruments for asset in (i.base, i.quote, i.settle)]
        pools: list[str] = [instrument.settle for instrument in self.instruments]
        seen: set[str] = set()
        for text in (self.id, self.version, self.source, *assets, *(i.id for i in self.instruments)):
            if not (text and text.isascii() and text.isprintable()):
                raise PackError(f"{text!a} is not a text of printable ASCII")
        for instrument in self.instruments:
            if instrument.id in seen or instrument.id in pools:
                raise PackError(f"{self.id}: the name {instrument.id} is taken twice")
            seen.add(instrument.id)
            instrument.check()
            _check_against_pack(self, instrument)
        return self

    def beyond_brackets(self) -> list[str]:
        """The fields whose rules go beyond linear contracts that are margined by brackets at the mark."""
        rules = [name for name, default in _defaults(RulePack).items() if getattr(self, name) != default]
        names = (*_defaults(Perpetual), "contract_value")
        terms = [name for name in names if any(getattr(i, name, 0) for i in self.instruments)]
        return [name for name in (*rules, *terms) if name not in _NO_MARGIN_RULES]


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


_NO_MARGIN_RULES = ("liquidation_price", "premium_hours")
"""Rules that change what is shown or fed in, not what a pool is worth or has to hold."""


def _defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields that need not be stated, with what they are then."""
    return {field.name: field.default for field in msgspec.structs.fields(kind) if not field.required}


def _check_against_pack(pack: RulePack, instrument: Instrument) -> None:
    where = instrument.id
    exit_fee = instrument.taker_fee if pack.exit_fee is not ExitFee.NONE else 0
    if instrument.brackets[-1].mmr + exit_fee >= UNIT:
        raise PackError(f"{where}: maintenance margin and exit fee together must be below 100 %")
    if (pack.margin_model is MarginModel.LEVERAGE) == (instrument.initial_margin > 0):
        raise PackError(
            f"{where}: an initial_margin goes with the margin models standard and leveraged, and only there"
        )


def _check_margin_rates(terms: Perpetual) -> None:
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


class _BracketText(msgspec.Struct, forbid_unknown_fields=True):
    floor: str
    cap: str
    max_leverage: int
    mmr: str
    cum: str

    def integers(self) -> Bracket:
        amounts = {name: exact_units(getattr(self, name)) for name in ("floor", "cap", "mmr", "cum")}
        return msgspec.convert({**amounts, "max_leverage": self.max_leverage}, Bracket)


_AMOUNTS = (
    *("tick", "min_notional", "maker_fee", "taker_fee", "liquidation_fee", "initial_margin", "maintenance_fraction"),
    *("open_interest_lower", "open_interest_upper", "skew_scale", "max_funding_velocity"),
)
"""What an instrument states in 10^-8 of something."""


class _InstrumentText(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    base: str
    quote: str
    settle: str
    tick: str
    lot: str
    min_size: str
    max_size: str
    min_notional: str
    maker_fee: str
    taker_fee: str
    liquidation_fee: str
    funding_interval_hours: int
    brackets: list[_BracketText]
    contract_value: str = ""
    initial_margin: str = "0"
    maintenance_fraction: str = "0"
    open_interest_lower: str = "0"
    open_interest_upper: str = "0"
    skew_scale: str = "0"
    max_funding_velocity: str = "0"

    def integers(self) -> Instrument:
        """The instrument: inverse where it has a contract value."""
        lot = exact_units(self.lot)
        if lot == 0:
            raise PackError(f"{self.id}: lot must not be 0")
        terms: dict[str, Any] = {name: exact_units(getattr(self, name)) for name in _AMOUNTS}
        terms |= {name: getattr(self, name) for name in ("id", "base", "quote", "settle")}
        terms |= {
            "lot": lot,
            "min_lots": exact_units(self.min_size, lot),
            "max_lots": exact_units(self.max_size, lot),
            "funding_interval": self.funding_interval_hours * 3600 * SECOND,
            "brackets": tuple(bracket.integers() for bracket in self.brackets),
        }
        if self.contract_value:
            return InversePerp(contract_value=exact_units(self.contract_value), **terms)
        return LinearPerp(**terms)


class _PackText(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    version: str
    source: str
    market_buy_slippage: str
    max_orders: int
    default_leverage: int
    instruments: list[_InstrumentText]
    maintenance_basis: MaintenanceBasis = MaintenanceBasis.MARK
    exit_fee: ExitFee = ExitFee.NONE
    due_at: DueAt = DueAt.AT_MAINTENANCE
    funding_price: FundingPrice = FundingPrice.MARK
    liquidation_price: PriceShown = PriceShown.EXACT
    liquidation_pays_taker_fee: bool = False
    margin_model: MarginModel = MarginModel.LEVERAGE
    margin_step: str = "0"
    premium_hours: int = 0

    def integers(self) -> RulePack:
        stated: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        return RulePack(
            **stated
            | {
                "market_buy_slippage": exact_units(self.market_buy_slippage),
                "margin_step": exact_units(self.margin_step),
                "instruments": tuple(instrument.integers() for instrument in self.instruments),
            }
        )


def pack_names() -> list[str]:
    """The names of the packs that come with Ringfence."""
    return sorted(p.name.removesuffix(".json") for p in _shipped().iterdir() if p.name.endswith(".json"))


def load_pack(name_or_path: str) -> RulePack:
    """The rule pack of that name, or of that file (a name that ends in .json). Raises PackError."""
    if name_or_path.endswith(".json"):
        source: Any = Path(name_or_path)
    elif name_or_path in pack_names():
        source = _shipped() / f"{name_or_path}.json"
    else:
        raise PackError(f"no rule pack {name_or_path!r}: take one of {', '.join(pack_names())}, or a .json file")
    try:
        text = source.read_bytes()
    except OSError as error:
        raise PackError(f"{name_or_path}: {error.strerror}") from error
    return read_pack(text, name_or_path)


def read_pack(text: bytes, where: str) -> RulePack:
    """The rule pack that a file holds, checked; `where` is what PackError says it came from."""
    try:
        return msgspec.json.decode(text, type=_PackText).integers().check()
    except ValueError as error:
        raise PackError(f"{where}: {error}") from error


def _shipped() -> Any:
    return files("events") / "packs"
