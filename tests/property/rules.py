"""Hypothesis strategies for rule packs of small numbers: one lot of a linear contract at one tick is one atom.

One lot of an inverse contract is 10,000 / price atoms, price in ticks: 100 at home, like a linear one.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from events.instruments import (
    AssetId,
    Bracket,
    Collateral,
    FeeTier,
    HaircutTier,
    Instrument,
    InstrumentId,
    InverseFuture,
    InversePerp,
    LinearFuture,
    LinearPerp,
    Liquidation,
    RulePack,
    SpotPair,
)
from events.rules import (
    DueAt,
    ExitFee,
    FundingPrice,
    Layer,
    LiquidationStyle,
    MaintenanceBasis,
    MarginModel,
    ModeSwitch,
)
from events.units import SECOND, UNIT, mul_div_ceil

X, Y = InstrumentId("X"), InstrumentId("Y")
USD, EUR = AssetId("USD"), AssetId("EUR")
PAIR = InstrumentId("EUR/USD")
TICK = 10_000
"""Tick, lot and contract value, so that a lot at a tick is worth an atom."""

HOME = 100
"""Where prices start, ticks."""

EXPIRY = 8 * SECOND
"""When dated contracts expire: in the middle of a session."""

PERCENT = UNIT // 100


def contract(id: InstrumentId, brackets: tuple[Bracket, ...], kind: type[Any] = LinearPerp, **terms: Any) -> Instrument:
    """An instrument of small numbers."""
    own: dict[str, Any] = {"base": AssetId("OUNCE"), "quote": USD, "settle": USD} | terms
    if kind in (InversePerp, InverseFuture):
        own |= {"base": own["settle"], "quote": AssetId("OUNCE"), "contract_value": TICK}
    if kind in (LinearFuture, InverseFuture):
        own |= {"funding_interval": 0, "expiry": EXPIRY}
    easy = {
        "tick": TICK, "lot": TICK, "min_lots": 1, "max_lots": 10_000, "min_notional": 1, "brackets": brackets,
        "funding_interval": 8 * 3600 * SECOND, "maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0,
    }  # fmt: skip
    return kind(id=id, **easy | own)  # type: ignore[no-any-return]


@st.composite
def brackets(draw: st.DrawFn, most: int = 4) -> tuple[Bracket, ...]:
    """One to four leverage brackets whose cum is whole: floors in hundreds of atoms, rates in whole per cent.

    At 20, 25 and 36 % the mark at which equity equals maintenance margin is often a whole number of mark units.
    """
    count = draw(st.integers(1, most))
    floors = sorted(draw(st.lists(st.integers(10, 60), min_size=count - 1, max_size=count - 1, unique=True)))
    rates = sorted(
        draw(st.lists(st.sampled_from((5, 20, 25, 36)) | st.integers(1, 40), min_size=count, max_size=count))
    )
    leverages = sorted(draw(st.lists(st.integers(1, 50), min_size=count, max_size=count)), reverse=True)
    edges = [0, *(floor * 100 for floor in floors), 10**6]
    rises = [0, *(edge * (b - a) // 100 for edge, a, b in zip(edges[1:-1], rates, rates[1:], strict=False))]
    rows = zip(edges[:-1], edges[1:], leverages, (rate * PERCENT for rate in rates), accumulate(rises), strict=True)
    return tuple(Bracket(*row) for row in rows)  # type: ignore[arg-type]


fees = st.sampled_from((0, PERCENT // 20, 3 * PERCENT))
rebates = st.sampled_from((0, 100_000, -30_000))


@st.composite
def plain_packs(draw: st.DrawFn) -> RulePack:
    """Two linear perpetuals, each with brackets and fees of its own, and no flag set."""
    instruments = tuple(
        contract(name, draw(brackets()), taker_fee=draw(fees), maker_fee=draw(rebates), liquidation_fee=draw(fees))
        for name in (X, Y)
    )
    return RulePack("small", "1", "by chance", draw(st.sampled_from((0, 50_000))), 5, 10, instruments).check()  # type: ignore[arg-type]


liquidations = st.builds(
    Liquidation, st.sampled_from((LiquidationStyle.FULL, LiquidationStyle.STEPS)),
    st.sampled_from((0, 0, 2 * UNIT // 3)),
    st.lists(st.sampled_from(Layer), unique=True).map(tuple),
)  # fmt: skip
"""Whole or in steps, with or without a backstop, layers in any order."""


@st.composite
def wide_packs(draw: st.DrawFn) -> RulePack:
    """Two contracts of any kind under any flags: Y settles in USD like X, or in EUR; both may be collateral."""
    model = draw(st.sampled_from((MarginModel.LEVERAGE, *MarginModel)))
    basis, exit_fee = draw(st.sampled_from(MaintenanceBasis)), draw(st.sampled_from(ExitFee))
    is_plain = (basis, exit_fee) == (MaintenanceBasis.MARK, ExitFee.NONE) and model is not MarginModel.LEVERAGED
    step = draw(st.sampled_from((0, 0, 1, 7, 50))) if is_plain else 0
    pack = RulePack(
        "wide", "1", "by chance", draw(st.sampled_from((0, 50_000))), 5, 10,  # type: ignore[arg-type]
        tuple(draw(_instruments(name, model, step > 0)) for name in (X, Y)), basis, exit_fee,
        draw(st.sampled_from(DueAt)), draw(st.sampled_from(FundingPrice)),
        liquidation_pays_taker_fee=draw(st.booleans()), margin_model=model, margin_step=step,  # type: ignore[arg-type]
        liquidation=draw(liquidations), mode_switch=draw(st.sampled_from(ModeSwitch)),
        fee_tiers=draw(st.sampled_from(((), TIERS))),
        interest_interval=draw(st.sampled_from((0, 5 * SECOND))),  # type: ignore[arg-type]
    )  # fmt: skip
    return (replace(pack, **draw(collateral)) if draw(st.integers(0, 3)) else pack).check()


TIERS = (FeeTier(0, 0, 0), FeeTier(2_000, -30_000, 50_000))  # type: ignore[arg-type]


@st.composite
def _instruments(draw: st.DrawFn, name: InstrumentId, model: MarginModel, is_stepped: bool) -> Instrument:
    kind = draw(st.sampled_from((LinearPerp, InversePerp, LinearFuture, InverseFuture)))
    terms: dict[str, Any] = {"taker_fee": draw(fees), "maker_fee": draw(rebates), "liquidation_fee": draw(fees)}
    terms["settle"] = USD if name == X else draw(st.sampled_from((USD, EUR)))
    rows = draw(brackets(1 if is_stepped else 4))
    if kind in (LinearFuture, InverseFuture):
        terms["settlement_fee"] = draw(fees)
    if model is not MarginModel.LEVERAGE:
        terms["initial_margin"] = draw(st.integers(1, 60)) * PERCENT
    if model is MarginModel.STANDARD and draw(st.booleans()):
        terms |= {"open_interest_lower": 3_000, "open_interest_upper": 9_000}
    if model is MarginModel.STANDARD and is_stepped and draw(st.booleans()):
        fraction = draw(st.integers(20, 100)) * PERCENT
        mmr = mul_div_ceil(fraction, terms["initial_margin"], UNIT)
        terms["maintenance_fraction"] = fraction
        rows = (replace(rows[0], mmr=mmr),)
    return contract(name, rows, kind, **terms)


@st.composite
def _collateral(draw: st.DrawFn) -> dict[str, Any]:
    low, high = sorted(draw(st.tuples(*[st.sampled_from((0, 5, 20, 50, 100))] * 2)))
    tiers = (HaircutTier(low * PERCENT, 1_000), HaircutTier(high * PERCENT))  # type: ignore[arg-type]
    limit, interest = draw(st.sampled_from((0, 300))), draw(st.sampled_from((0, PERCENT)))
    return {
        "valuation": USD,
        "spot": (SpotPair(PAIR, EUR, USD, draw(st.sampled_from((0, PERCENT)))),),  # type: ignore[arg-type]
        "collateral": (
            Collateral(USD, (HaircutTier(0),), InstrumentId(""), limit, interest),  # type: ignore[arg-type]
            Collateral(EUR, tiers, PAIR, limit, interest),  # type: ignore[arg-type]
        ),
    }


collateral = _collateral()


def packs() -> st.SearchStrategy[RulePack]:
    """Plain ones and wide ones."""
    return st.one_of(plain_packs(), wide_packs(), wide_packs())
