"""The rule pack: what a venue trades and by which rules, as data that a session records with its first fact.

A pack is written with decimal text (`events/packs/*.json`, read by `events/pack_text.py`), checked here, and recorded
in integers.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from events.guards import UNGUARDED, PriceGuards
from events.rules import (
    AMENDMENTS,
    AmendPriority,
    DueAt,
    ExitFee,
    FundingPrice,
    Funds,
    Layer,
    LeverageChange,
    LiquidationStyle,
    MaintenanceBasis,
    MarginModel,
    ModeSwitch,
    PriceShown,
    ReduceOnly,
)
from events.terms import (
    AssetId,
    Bracket,
    Instrument,
    InstrumentId,
    Inverse,
    InverseFuture,
    InversePerp,
    Leg,
    Linear,
    LinearFuture,
    LinearPerp,
    MarginMode,
    PackError,
    SpotPair,
    Terms,
    instrument_of,
    position_name,
)
from events.units import UNIT, Atoms, Nanos, Rate

__all__ = [
    "CLOSE_ALL",
    "UNGUARDED",
    "AssetId",
    "Bracket",
    "Collateral",
    "FeeTier",
    "HaircutTier",
    "Instrument",
    "InstrumentId",
    "Inverse",
    "InverseFuture",
    "InversePerp",
    "Leg",
    "Linear",
    "LinearFuture",
    "LinearPerp",
    "Liquidation",
    "MarginMode",
    "PackError",
    "PriceGuards",
    "RulePack",
    "SpotPair",
    "Terms",
    "instrument_of",
    "load_pack",
    "pack_names",
    "position_name",
    "read_pack",
]


class FeeTier(msgspec.Struct, frozen=True):
    """The fees of an account that traded at least `volume`, quote asset, 10^-8, over the 30 days before today (UTC)."""

    volume: int
    maker: Rate
    taker: Rate


class HaircutTier(msgspec.Struct, frozen=True, omit_defaults=True):
    """What counts of a balance up to `cap` atoms (0: of all the rest): all but the haircut, a Rate."""

    haircut: Rate
    cap: Atoms = Atoms(0)


class Collateral(msgspec.Struct, frozen=True, omit_defaults=True):
    """An asset that answers for positions in multi-asset mode.

    index names the spot pair that values it in the valuation asset, nothing where it is that asset itself. Each tier's
    haircut holds for its own slice of the balance. A debt above debt_limit, atoms, is exchanged at once; what is owed
    costs `interest`, a Rate per interest interval.
    """

    asset: AssetId
    tiers: tuple[HaircutTier, ...]
    index: InstrumentId = InstrumentId("")
    debt_limit: Atoms = Atoms(0)
    interest: Rate = Rate(0)


class Liquidation(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a venue liquidates.

    Where equity is below `backstop`, a Rate of MM, the fund takes everything over without asking the book. last_resort
    says who bears what the book does not take; without any, the fund takes all, whatever it has. A pool whose MM /
    equity comes to `warning`, a Rate, gets a margin call; 0: nobody does. It recovered once that is below `recovery`,
    a Rate; 0: below `warning`. In slices, an order is for the share `slice`, a Rate, of a position whose notional is
    above `slice_above`, atoms; for the time of `cooldown`, ns, after such an order those of the account are for whole
    positions. An instrument's liquidation_cap holds for a `window`, ns. funds says whether every instrument has an
    insurance fund of its own.
    In an auction the limit is off the mark by auction_start and, every auction_interval, ns, by auction_rise more, both
    Rates, for so many auction_steps.
    """

    style: LiquidationStyle = LiquidationStyle.FULL
    backstop: Rate = Rate(0)
    last_resort: tuple[Layer, ...] = ()
    warning: Rate = Rate(0)
    recovery: Rate = Rate(0)
    slice: Rate = Rate(0)
    slice_above: Atoms = Atoms(0)
    cooldown: Nanos = Nanos(0)
    window: Nanos = Nanos(0)
    funds: Funds = Funds.SHARED
    auction_start: Rate = Rate(0)
    auction_rise: Rate = Rate(0)
    auction_steps: int = 0
    auction_interval: Nanos = Nanos(0)

    @property
    def recovers_at(self) -> Rate:
        """The MM / equity below which a warned pool recovered, 0 where nobody is warned."""
        return self.recovery or self.warning


CLOSE_ALL = Liquidation()
"""Everything is closed at once, and the fund takes what the book does not: a pack that says no more leaves no bytes."""


class RulePack(msgspec.Struct, frozen=True, omit_defaults=True):
    """A venue's rules at a date: the instruments, and the flags that venues differ by.

    `market_buy_slippage` is the Rate by which a market buy's reserve exceeds the best ask; `max_orders` the most open
    orders per account and instrument, `max_triggers` the most conditional ones (0: no limit); `default_leverage` what
    an account trades with until it sets its own; `margin_step` the atoms to which the venue rounds margins up, 0
    where it does not; `premium_hours` the time over which funding pays a premium off, 0 where it is no such rule;
    `rate_hours` the time that a computed funding rate is stated for, of which a funding interval pays its share, 0
    where that is one interval. `valuation` is the asset in which multi-asset mode adds up the `collateral`, each
    valued at the index of a `spot` pair; debts pay interest every `interest_interval`, ns. `fee_tiers`, lowest volume
    first, replace an instrument's fees from the second tier on. An order is amended `max_amendments` times at most.
    A batch has `max_batch` items at most or, where all of them are cancels, `max_batch_cancels`. An iceberg has
    `max_iceberg_parts` parts at most; 0: there are none.
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
    rate_hours: int = 0
    mode_switch: ModeSwitch = ModeSwitch.WHEN_FLAT
    leverage_change: LeverageChange = LeverageChange.WHEN_FLAT
    valuation: AssetId = AssetId("")
    collateral: tuple[Collateral, ...] = ()
    spot: tuple[SpotPair, ...] = ()
    interest_interval: Nanos = Nanos(0)
    fee_tiers: tuple[FeeTier, ...] = ()
    liquidation: Liquidation = CLOSE_ALL
    guards: PriceGuards = UNGUARDED
    withdrawal_gate: Nanos = Nanos(0)
    good_till_ahead: Nanos = Nanos(0)
    max_triggers: int = 0
    amend_priority: AmendPriority = AmendPriority.WHEN_SMALLER
    max_amendments: int = AMENDMENTS
    max_batch: int = 5
    max_batch_cancels: int = 10
    reduce_only: ReduceOnly = ReduceOnly.CAP
    max_iceberg_parts: int = 10

    def check(self) -> RulePack:
        """Raise PackError where the pack contradicts itself; return the pack."""
        if min(self.margin_step, self.premium_hours, self.rate_hours, self.interest_interval) < 0:
            raise PackError(f"{self.id}: margin_step, premium_hours, rate_hours, interest_interval must not be below 0")
        if self.premium_hours and self.rate_hours:
            raise PackError(f"{self.id}: funding goes by premium_hours or by rate_hours, not by both")
        if self.market_buy_slippage < 0 or self.max_orders < 1 or self.default_leverage < 1:
            raise PackError(f"{self.id}: needs market_buy_slippage >= 0, max_orders >= 1 and default_leverage >= 1")
        _check_names(self)
        for instrument in self.instruments:
            instrument.check()
            _check_against_pack(self, instrument)
        for pair in self.spot:
            pair.check()
        _check_collateral(self)
        _check_tiers(self)
        _check_liquidation(self)
        if min(self.withdrawal_gate, self.max_triggers, self.good_till_ahead) < 0:
            raise PackError(f"{self.id}: withdrawal_gate, max_triggers and good_till_ahead must not be below 0")
        for name in ("max_amendments", "max_batch", "max_batch_cancels", "max_iceberg_parts"):
            if getattr(self, name) < 0:
                raise PackError(f"{self.id}: {name} must not be below 0")
        if defect := self.guards.defect():
            raise PackError(f"{self.id}: guards: {defect}")
        return self

    def beyond_sessions(self) -> list[str]:
        """The fields whose rules sessions do not know: those of a market whose skew moves prices and funding."""
        return [
            name for name in ("skew_scale", "max_funding_velocity") if any(getattr(i, name) for i in self.instruments)
        ]


def _check_names(pack: RulePack) -> None:
    """Texts are printable, and no name means two things: instruments, their legs and settle assets name pools."""
    assets: list[str] = [asset for i in pack.instruments for asset in (i.base, i.quote, i.settle)]
    assets += [asset for pair in pack.spot for asset in (pair.base, pair.quote)] + [c.asset for c in pack.collateral]
    pools: list[str] = [instrument.settle for instrument in pack.instruments]
    names: list[str] = [*(i.id for i in pack.instruments), *(pair.id for pair in pack.spot)]
    seen: set[str] = set()
    for text in (pack.id, pack.version, pack.source, *assets, *names):
        if not (text and text.isascii() and text.isprintable()):
            raise PackError(f"{text!a} is not a text of printable ASCII")
    for name in names:
        if name in seen or name in pools:
            raise PackError(f"{pack.id}: the name {name} is taken twice")
        if name.endswith((":long", ":short")):
            raise PackError(f"{pack.id}: the name {name} ends like that of a leg in hedge mode")
        seen.add(name)


def _check_against_pack(pack: RulePack, instrument: Instrument) -> None:
    where = instrument.id
    exit_fee = instrument.taker_fee if pack.exit_fee is not ExitFee.NONE else 0
    if instrument.brackets[-1].mmr + exit_fee >= UNIT:
        raise PackError(f"{where}: maintenance margin and exit fee together must be below 100 %")
    if (pack.margin_model is MarginModel.LEVERAGE) == (instrument.initial_margin > 0):
        raise PackError(
            f"{where}: an initial_margin goes with the margin models standard and leveraged, and only there"
        )
    goes = (MaintenanceBasis.MARK, ExitFee.NONE, True)
    is_leveraged = pack.margin_model is MarginModel.LEVERAGED
    if pack.margin_step and (pack.maintenance_basis, pack.exit_fee, not is_leveraged) != goes:
        raise PackError(f"{where}: margins that are rounded to a step go with brackets at the mark and no exit fee")
    if pack.margin_step and len(instrument.brackets) > 1:
        raise PackError(f"{where}: margins that are rounded to a step go with one bracket")
    if pack.margin_step and instrument.maintenance_fraction and not instrument.initial_margin:
        raise PackError(f"{where}: margins that are rounded to a step take a maintenance_fraction of an initial_margin")


def _check_collateral(pack: RulePack) -> None:
    if not pack.collateral:
        return
    pairs = {pair.id: pair for pair in pack.spot}
    seen: set[str] = set()
    for rule in pack.collateral:
        where = f"{pack.id}: collateral {rule.asset}"
        if rule.asset in seen:
            raise PackError(f"{where}: stated twice")
        seen.add(rule.asset)
        pair = pairs.get(rule.index)
        is_base = pair is not None and (pair.base, pair.quote) == (rule.asset, pack.valuation)
        if not is_base and (rule.index or rule.asset != pack.valuation):
            raise PackError(f"{where}: its index must be a spot pair {rule.asset}/{pack.valuation}")
        if rule.debt_limit < 0 or not 0 <= rule.interest < UNIT or not rule.tiers:
            raise PackError(f"{where}: needs tiers, a debt limit >= 0 and interest from 0 to below 100 %")
        _check_haircuts(where, rule.tiers)
    if missing := sorted({str(i.settle) for i in pack.instruments} - seen):
        raise PackError(f"{pack.id}: collateral lacks the settle asset {missing[0]}")


def _check_haircuts(where: str, tiers: tuple[HaircutTier, ...]) -> None:
    cap = haircut = 0
    for tier in tiers:
        if not haircut <= tier.haircut <= UNIT or (tier.cap <= cap if tier.cap else tier is not tiers[-1]):
            raise PackError(f"{where}: haircuts must rise with their caps, and only the last tier is without one")
        cap, haircut = tier.cap, tier.haircut
    if cap:
        raise PackError(f"{where}: the last tier is without a cap")


def _check_tiers(pack: RulePack) -> None:
    volume = -1
    for tier in pack.fee_tiers:
        if tier.volume <= volume or max(abs(tier.maker), abs(tier.taker)) >= UNIT:
            raise PackError(f"{pack.id}: fee tiers need rising volumes, and fees below 100 %")
        volume = tier.volume
    if pack.fee_tiers and pack.fee_tiers[0].volume:
        raise PackError(f"{pack.id}: the first fee tier starts at volume 0")


def _check_liquidation(pack: RulePack) -> None:
    rules, where = pack.liquidation, f"{pack.id}: liquidation"
    if not 0 <= rules.backstop <= UNIT:
        raise PackError(f"{where}: backstop lies from 0 to 1")
    if len(set(rules.last_resort)) < len(rules.last_resort):
        raise PackError(f"{where}: a layer of last_resort is stated twice")
    is_sliced = rules.style is LiquidationStyle.SLICES
    if is_sliced != (rules.slice > 0) or not 0 <= rules.slice <= UNIT:
        raise PackError(f"{where}: a slice above 0, at most 1, goes with the style slices")
    if min(rules.slice_above, rules.cooldown) < 0 or (rules.cooldown > 0) != is_sliced:
        raise PackError(f"{where}: a cooldown goes with slices, and slice_above is not below 0")
    if rules.window < 0 or (rules.window > 0) != any(instrument.liquidation_cap for instrument in pack.instruments):
        raise PackError(f"{where}: a window goes with the liquidation_cap of an instrument")
    _check_auction(where, rules)
    if not 0 <= rules.warning <= UNIT:
        raise PackError(f"{where}: warning lies from 0 to 1")
    if not 0 <= rules.recovery <= rules.warning:
        raise PackError(f"{where}: recovery lies from 0 to warning")
    stated = "recovery" if rules.recovery else "warning"
    for instrument in pack.instruments if rules.warning else ():
        exit_fee = instrument.taker_fee if pack.exit_fee is not ExitFee.NONE else 0
        if instrument.brackets[-1].mmr + exit_fee >= rules.recovers_at:
            raise PackError(f"{where}: {stated} has to be above the maintenance margin rates of {instrument.id}")


def _check_auction(where: str, rules: Liquidation) -> None:
    is_auction = rules.style is LiquidationStyle.AUCTION
    if (rules.auction_steps > 0, rules.auction_interval > 0) != (is_auction, is_auction):
        raise PackError(f"{where}: auction_steps and auction_interval go with the style auction")
    last = rules.auction_start + rules.auction_steps * rules.auction_rise
    if min(rules.auction_start, rules.auction_rise) < 0 or last > (UNIT if is_auction else 0):
        raise PackError(f"{where}: an auction ends at a discount of at most 1, and starts and rises by no less than 0")
    if is_auction and rules.window:
        raise PackError(f"{where}: a window of caps does not go with auctions, whose orders may close nothing")


def pack_names() -> list[str]:
    """The names of the packs that come with Ringfence."""
    return sorted(p.name.removesuffix(".json") for p in _shipped().iterdir() if p.name.endswith(".json"))


def load_pack(name_or_path: str) -> RulePack:
    """The rule pack of that name, or of that file (a name that ends in .json). Raises PackError."""
    return read_pack(pack_text(name_or_path), name_or_path)


def pack_text(name_or_path: str) -> bytes:
    """What is in the file of a rule pack. Raises PackError."""
    if name_or_path.endswith(".json"):
        source: Any = Path(name_or_path)
    elif name_or_path in pack_names():
        source = _shipped() / f"{name_or_path}.json"
    else:
        raise PackError(f"no rule pack {name_or_path!r}: take one of {', '.join(pack_names())}, or a .json file")
    try:
        return bytes(source.read_bytes())
    except OSError as error:
        raise PackError(f"{name_or_path}: {error.strerror}") from error


def read_pack(text: bytes, where: str) -> RulePack:
    """The rule pack that a file holds, checked; `where` is what PackError says it came from."""
    from events.pack_text import pack_of  # noqa: PLC0415 - it is made of what is defined here

    try:
        return pack_of(text).check()
    except ValueError as error:
        raise PackError(f"{where}: {error}") from error


def _shipped() -> Any:
    return files("events") / "packs"
