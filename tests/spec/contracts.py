"""Words for what came after linear perpetuals: other contracts, legs, collateral, time; and packs of easy numbers.

One lot of an easy inverse contract is worth 10,000 / price atoms of OUNCE: 100 at a price of 100 ticks, 125 at 80.
An index price of 2 says that an atom of OUNCE is worth 2 atoms of USD.
"""

from __future__ import annotations

from typing import Any

from events import commands as c
from events import facts as f
from events.facts import Expiry
from events.instruments import (
    AssetId,
    Collateral,
    HaircutTier,
    Instrument,
    InstrumentId,
    InverseFuture,
    InversePerp,
    Leg,
    LinearFuture,
    RulePack,
    SpotPair,
)
from events.units import UNIT, Atoms, Nanos, Rate
from tests.spec.words import EASY, GOLD, NOW, PERCENT, TICK, USD, Expected, instrument

LONG, SHORT = Leg.LONG, Leg.SHORT

OUNCE = AssetId("OUNCE")
COIN = InstrumentId("COIN")
"""An easy inverse contract on the ounce, beside GOLD and TIN."""

PAIR = InstrumentId("OUNCE/USD")

HOUR = 3600 * 10**9
EXPIRY = 1_000
"""When the easy dated contracts expire, ns: long after what scenarios begin with."""


def _terms(id: str, terms: dict[str, Any]) -> dict[str, Any]:
    easy = instrument(InstrumentId(id))
    return {name: getattr(easy, name) for name in easy.__struct_fields__} | terms


def inverse(id: str = COIN, **terms: Any) -> InversePerp:
    """An easy inverse perpetual contract."""
    return InversePerp(**_terms(id, {"settle": OUNCE, "contract_value": TICK} | terms))


def dated(id: str = GOLD, **terms: Any) -> LinearFuture:
    """An easy linear contract that expires."""
    return LinearFuture(**_terms(id, {"funding_interval": 0, "expiry": EXPIRY} | terms))


def dated_inverse(id: str = COIN, **terms: Any) -> InverseFuture:
    """An easy inverse contract that expires."""
    ending = {"settle": OUNCE, "contract_value": TICK, "funding_interval": 0, "expiry": EXPIRY}
    return InverseFuture(**_terms(id, ending | terms))


def pack_of(*instruments: Instrument, **rules: Any) -> RulePack:
    """An easy pack of these instruments, checked."""
    plain = {name: getattr(EASY, name) for name in EASY.__struct_fields__}
    return RulePack(**plain | {"instruments": instruments} | rules).check()


def several_assets(
    *instruments: Instrument, haircut: int = 10, cap: int = 1_000, above: int = 50, debt_limit: int = 0,
    interest: int = 0, fee: int = 0, **rules: Any,
) -> RulePack:  # fmt: skip
    """A pack whose collateral is USD, in full, and OUNCE less a haircut that is higher above the cap, percent."""
    tiers = (HaircutTier(Rate(haircut * PERCENT), Atoms(cap)), HaircutTier(Rate(above * PERCENT)))
    return pack_of(
        *(instruments or (instrument(GOLD), inverse())),
        valuation=USD,
        spot=(SpotPair(PAIR, OUNCE, USD, Rate(fee)),),
        collateral=(
            Collateral(USD, (HaircutTier(Rate(0)),), InstrumentId(""), Atoms(debt_limit), Rate(interest)),
            Collateral(OUNCE, tiers, PAIR, Atoms(debt_limit), Rate(interest)),
        ),
        **rules,
    )


# Commands.


def later(at: int) -> c.AdvanceTime:
    """Let time pass until then, ns."""
    return c.AdvanceTime(Nanos(at))


def index(ticks: int, on: str = GOLD) -> c.SetIndexPrice:
    """Set the index price of an instrument to so many ticks."""
    return c.SetIndexPrice(NOW, on, ticks * TICK)


def price(units: int, on: str = PAIR) -> c.SetIndexPrice:
    """Set the index price of a pair, in whole units of the valuation asset for one of the base asset."""
    return c.SetIndexPrice(NOW, on, units * UNIT)


def hedge(name: str, hedges: bool = True) -> c.SetPositionMode:
    """Hold two legs, or one position."""
    return c.SetPositionMode(NOW, name, "", hedges)


def join(name: str, multi: bool = True) -> c.SetCollateralMode:
    """Let all wallets answer together, or each for itself."""
    return c.SetCollateralMode(NOW, name, "", multi)


def auto_add(name: str, on: bool = True, instrument: str = GOLD) -> c.SetAutoAddMargin:
    """Add margin when the position falls due, or not."""
    return c.SetAutoAddMargin(NOW, name, "", instrument, on)


def transfer(name: str, amount: int, to: str, asset: str = USD) -> c.Transfer:
    """Move money to another account."""
    return c.Transfer(NOW, name, "", asset, amount, to)


def exchange(name: str, amount: int, asset: str = OUNCE, into: str = USD) -> c.ExchangeAsset:
    """Exchange an asset for another."""
    return c.ExchangeAsset(NOW, name, "", asset, amount, into)


# Facts.


def index_moved(ticks: int, on: str = GOLD) -> Expected:
    return f.IndexPriceMoved(on, ticks * TICK)


def settlement_due(ticks: int, on: str = GOLD) -> Expected:
    return f.SettlementDue(on, ticks * TICK)


def settled(name: str, amount: int, *, at: int, fee: int = 0, on: str = GOLD, leg: Leg = Leg.NET) -> Expected:
    """The end of a position: what it gained or lost, and the settlement price in ticks."""
    return f.PositionSettled(name, on, at * TICK, amount, fee, leg)


def ended(number: int, lots: int) -> Expected:
    """An order that ended as its contract expired."""
    return f.OrderExpired("", number, lots, Expiry.SETTLEMENT)


def transferred(name: str, amount: int, to: str, asset: str = USD) -> Expected:
    return f.Transferred(name, asset, amount, to)


def exchanged(name: str, amount: int, received: int, fee: int = 0, *, asset: str = OUNCE, into: str = USD) -> Expected:
    return f.Exchanged(name, asset, amount, into, received, fee)
