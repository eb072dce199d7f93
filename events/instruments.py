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

from events.units import UNIT, Atoms, Lots, MarkUnits, Nanos, Rate, decimal_text, exact_units

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


class LinearPerp(msgspec.Struct, frozen=True, omit_defaults=True, tag="linear_perp"):
    """A perpetual contract on `base`, priced in `quote` and settled in `settle`.

    tick and lot are 10^-8 of the quote and base asset; fees are Rates of the trade's value.
    """

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

    @property
    def atoms_per_tick_lot(self) -> int:
        """Value in atoms of one lot at a price of one tick: exact, `check` refuses the rest."""
        return self.tick * self.lot // UNIT

    def price_text(self, ticks: int) -> str:
        """The price as decimal text."""
        return decimal_text(ticks, self.tick)

    def size_text(self, lots: int) -> str:
        """The size as decimal text."""
        return decimal_text(lots, self.lot)

    def check(self) -> None:
        """Raise PackError where the instrument contradicts itself."""
        where = self.id
        if self.tick <= 0 or self.lot <= 0 or self.tick * self.lot % UNIT:
            raise PackError(f"{where}: tick x lot must be a positive whole number of atoms (10^-8)")
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


Instrument = LinearPerp


class RulePack(msgspec.Struct, frozen=True, omit_defaults=True):
    """A venue's rules at a date: the instruments, and the flags that venues differ by.

    `market_buy_slippage` is the Rate by which a market buy's reserve exceeds the best ask; `max_orders` the most open
    orders per account and instrument; `default_leverage` what an account trades with until it sets its own.
    """

    id: str
    version: str
    source: str
    market_buy_slippage: Rate
    max_orders: int
    default_leverage: int
    instruments: tuple[Instrument, ...]

    def check(self) -> RulePack:
        """Raise PackError where the pack contradicts itself; return the pack."""
        if self.market_buy_slippage < 0 or self.max_orders < 1 or self.default_leverage < 1:
            raise PackError(f"{self.id}: needs market_buy_slippage >= 0, max_orders >= 1 and default_leverage >= 1")
        assets: list[str] = [asset for i in self.instruments for asset in (i.base, i.quote, i.settle)]
        seen: set[str] = set()
        for text in (self.id, self.version, self.source, *assets, *(i.id for i in self.instruments)):
            if not (text and text.isascii() and text.isprintable()):
                raise PackError(f"{text!a} is not a text of printable ASCII")
        for instrument in self.instruments:
            if instrument.id in seen or instrument.id in assets:
                raise PackError(f"{self.id}: the name {instrument.id} is taken twice")
            seen.add(instrument.id)
            instrument.check()
        return self


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


class _BracketText(msgspec.Struct, forbid_unknown_fields=True):
    floor: str
    cap: str
    max_leverage: int
    mmr: str
    cum: str

    def integers(self) -> Bracket:
        amounts = {name: exact_units(getattr(self, name)) for name in ("floor", "cap", "mmr", "cum")}
        return msgspec.convert({**amounts, "max_leverage": self.max_leverage}, Bracket)


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

    def integers(self) -> LinearPerp:
        lot = exact_units(self.lot)
        if lot == 0:
            raise PackError(f"{self.id}: lot must not be 0")
        return LinearPerp(
            id=InstrumentId(self.id),
            base=AssetId(self.base),
            quote=AssetId(self.quote),
            settle=AssetId(self.settle),
            tick=MarkUnits(exact_units(self.tick)),
            lot=lot,
            min_lots=Lots(exact_units(self.min_size, lot)),
            max_lots=Lots(exact_units(self.max_size, lot)),
            min_notional=Atoms(exact_units(self.min_notional)),
            maker_fee=Rate(exact_units(self.maker_fee)),
            taker_fee=Rate(exact_units(self.taker_fee)),
            liquidation_fee=Rate(exact_units(self.liquidation_fee)),
            funding_interval=Nanos(self.funding_interval_hours * 3600 * 10**9),
            brackets=tuple(bracket.integers() for bracket in self.brackets),
        )


class _PackText(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    version: str
    source: str
    market_buy_slippage: str
    max_orders: int
    default_leverage: int
    instruments: list[_InstrumentText]

    def integers(self) -> RulePack:
        return RulePack(
            id=self.id,
            version=self.version,
            source=self.source,
            market_buy_slippage=Rate(exact_units(self.market_buy_slippage)),
            max_orders=self.max_orders,
            default_leverage=self.default_leverage,
            instruments=tuple(instrument.integers() for instrument in self.instruments),
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
        return msgspec.json.decode(source.read_bytes(), type=_PackText).integers().check()
    except OSError as error:
        raise PackError(f"{name_or_path}: {error.strerror}") from error
    except ValueError as error:
        raise PackError(f"{name_or_path}: {error}") from error


def _shipped() -> Any:
    return files("events") / "packs"
