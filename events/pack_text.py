"""A rule pack's file: JSON in decimal text, read into the integers of `RulePack`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from events.guards import NO_BREAKER, UNGUARDED, Breaker, PriceGuards
from events.instruments import CLOSE_ALL, Collateral, FeeTier, HaircutTier, Liquidation, RulePack
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
    InverseFuture,
    InversePerp,
    LinearFuture,
    LinearPerp,
    PackError,
    SpotPair,
)
from events.units import SECOND, Atoms, Nanos, Rate, exact_units

HOUR = 3600 * SECOND


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
    *("interest", "funding_cap", "funding_floor", "settlement_fee", "trigger_protect"),
    *("price_up", "price_down", "market_take_bound"),
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
    brackets: list[_BracketText]
    funding_interval_hours: int = 0
    contract_value: str = ""
    initial_margin: str = "0"
    maintenance_fraction: str = "0"
    open_interest_lower: str = "0"
    open_interest_upper: str = "0"
    skew_scale: str = "0"
    max_funding_velocity: str = "0"
    interest: str = "0"
    funding_cap: str = "0"
    funding_floor: str = "0"
    expiry: datetime | None = None
    settlement_fee: str = "0"
    settlement_window_minutes: int = 0
    liquidation_cap: str = "0"
    trigger_protect: str = "0"
    market_max_size: str = "0"
    price_up: str = "0"
    price_down: str = "0"
    market_take_bound: str = "0"

    def integers(self) -> Instrument:
        """The instrument: inverse where it has a contract value, dated where it has an expiry."""
        lot = exact_units(self.lot)
        if lot == 0:
            raise PackError(f"{self.id}: lot must not be 0")
        terms: dict[str, Any] = {name: exact_units(getattr(self, name)) for name in _AMOUNTS}
        terms |= {name: getattr(self, name) for name in ("id", "base", "quote", "settle")}
        terms |= {
            "lot": lot,
            "min_lots": exact_units(self.min_size, lot),
            "max_lots": exact_units(self.max_size, lot),
            "liquidation_cap": exact_units(self.liquidation_cap, lot),
            "market_max_lots": exact_units(self.market_max_size, lot),
            "funding_interval": self.funding_interval_hours * HOUR,
            "brackets": tuple(bracket.integers() for bracket in self.brackets),
            "settlement_window": self.settlement_window_minutes * 60 * SECOND,
            "expiry": _nanos(self.id, self.expiry),
        }
        if self.contract_value:
            face = exact_units(self.contract_value)
            if self.expiry:
                return InverseFuture(contract_value=face, **terms)
            return InversePerp(contract_value=face, **terms)
        return LinearFuture(**terms) if self.expiry else LinearPerp(**terms)


def _nanos(where: str, moment: datetime | None) -> int:
    if moment is None:
        return 0
    if moment.tzinfo is None:
        raise PackError(f"{where}: its expiry needs a time zone, as in 2024-12-27T08:00:00Z")
    return int(moment.timestamp()) * SECOND


class _HaircutText(msgspec.Struct, forbid_unknown_fields=True):
    haircut: str
    cap: str = "0"


class _CollateralText(msgspec.Struct, forbid_unknown_fields=True):
    asset: str
    tiers: list[_HaircutText]
    index: str = ""
    debt_limit: str = "0"
    interest: str = "0"

    def integers(self) -> Collateral:
        tiers = tuple(HaircutTier(Rate(exact_units(t.haircut)), Atoms(exact_units(t.cap))) for t in self.tiers)
        debt_limit, interest = Atoms(exact_units(self.debt_limit)), Rate(exact_units(self.interest))
        return Collateral(AssetId(self.asset), tiers, InstrumentId(self.index), debt_limit, interest)


class _SpotText(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    base: str
    quote: str
    fee: str = "0"

    def integers(self) -> SpotPair:
        return SpotPair(InstrumentId(self.id), AssetId(self.base), AssetId(self.quote), Rate(exact_units(self.fee)))


class _FeeTierText(msgspec.Struct, forbid_unknown_fields=True):
    volume: str
    maker: str
    taker: str

    def integers(self) -> FeeTier:
        return FeeTier(exact_units(self.volume), Rate(exact_units(self.maker)), Rate(exact_units(self.taker)))


class _LiquidationText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    style: LiquidationStyle = LiquidationStyle.FULL
    backstop: str = "0"
    last_resort: tuple[Layer, ...] = ()
    warning: str = "0"
    recovery: str = "0"
    slice: str = "0"
    slice_above: str = "0"
    cooldown_seconds: int = 0
    window_seconds: int = 0
    funds: Funds = Funds.SHARED
    auction_start: str = "0"
    auction_rise: str = "0"
    auction_steps: int = 0
    auction_interval_seconds: int = 0

    def integers(self) -> Liquidation:
        rates = ("backstop", "warning", "recovery", "slice", "slice_above", "auction_start", "auction_rise")
        stated: dict[str, Any] = {name: exact_units(getattr(self, name)) for name in rates}
        times = ("cooldown", "window", "auction_interval")
        stated |= {name: getattr(self, f"{name}_seconds") * SECOND for name in times}
        stated |= {name: getattr(self, name) for name in ("style", "last_resort", "auction_steps", "funds")}
        rules = Liquidation(**stated)
        return CLOSE_ALL if rules == CLOSE_ALL else rules


class _BreakerText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    jump: str
    window_seconds: int
    halt_seconds: int
    auction_seconds: int = 0

    def integers(self) -> Breaker:
        times = (self.window_seconds, self.halt_seconds, self.auction_seconds)
        return Breaker(Rate(exact_units(self.jump)), *(Nanos(seconds * SECOND) for seconds in times))


class _GuardsText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mark_band: str = "0"
    mark_step: str = "0"
    index_step: str = "0"
    mark_age_max_seconds: int = 0
    breaker: _BreakerText | None = None

    def integers(self) -> PriceGuards:
        band, mark, index = (Rate(exact_units(share)) for share in (self.mark_band, self.mark_step, self.index_step))
        breaker = self.breaker.integers() if self.breaker else NO_BREAKER
        guards = PriceGuards(band, mark, index, Nanos(self.mark_age_max_seconds * SECOND), breaker)
        return UNGUARDED if guards == UNGUARDED else guards


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
    rate_hours: int = 0
    mode_switch: ModeSwitch = ModeSwitch.WHEN_FLAT
    leverage_change: LeverageChange = LeverageChange.WHEN_FLAT
    valuation: str = ""
    collateral: list[_CollateralText] = []
    spot: list[_SpotText] = []
    interest_interval_hours: int = 0
    fee_tiers: list[_FeeTierText] = []
    liquidation: _LiquidationText = _LiquidationText()
    guards: _GuardsText = _GuardsText()
    withdrawal_gate_seconds: int = 0
    good_till_ahead_seconds: int = 0
    max_triggers: int = 0
    amend_priority: AmendPriority = AmendPriority.WHEN_SMALLER
    max_amendments: int = AMENDMENTS
    max_batch: int = 5
    max_batch_cancels: int = 10
    reduce_only: ReduceOnly = ReduceOnly.CAP
    max_iceberg_parts: int = 10

    def integers(self) -> RulePack:
        stated: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        for name in ("interest_interval_hours", "withdrawal_gate_seconds", "good_till_ahead_seconds"):
            del stated[name]
        return RulePack(
            **stated
            | {
                "market_buy_slippage": exact_units(self.market_buy_slippage),
                "margin_step": exact_units(self.margin_step),
                "instruments": tuple(instrument.integers() for instrument in self.instruments),
                "collateral": tuple(rule.integers() for rule in self.collateral),
                "spot": tuple(pair.integers() for pair in self.spot),
                "interest_interval": self.interest_interval_hours * HOUR,
                "fee_tiers": tuple(tier.integers() for tier in self.fee_tiers),
                "liquidation": self.liquidation.integers(),
                "guards": self.guards.integers(),
                "withdrawal_gate": Nanos(self.withdrawal_gate_seconds * SECOND),
                "good_till_ahead": Nanos(self.good_till_ahead_seconds * SECOND),
            }
        )


def pack_of(text: bytes) -> RulePack:
    """The rule pack that the text of a file states, not checked yet. Raises ValueError."""
    return msgspec.json.decode(text, type=_PackText).integers()
