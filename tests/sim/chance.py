"""Rules by chance: instruments of all kinds under any combination of options that a pack may have.

Every option is drawn with dice of its own, named after it: a new one is a line in a table, and leaves what the seeds
mean otherwise as it was. `test_rules.py` asks for a line for every field of a pack.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from random import Random
from typing import Any, NamedTuple

import msgspec

from events.guards import NO_BREAKER, UNGUARDED, Breaker, PriceGuards
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
from events.units import SECOND, UNIT, mul_div_ceil

HOUR = 3600 * SECOND
WORTH = {"BTC": 60_000, "XBT": 60_000, "ETH": 3_000, "SOL": 150}


class Dice(Random):
    """Dice by name, and dice of their own for every option."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def of(self, what: str) -> Dice:
        """Those of one option: what is drawn with them changes nothing else."""
        return Dice(f"{self.name} {what}")


class Theme(NamedTuple):
    """What is not left to chance: options of the pack, of its liquidations and of its instruments; which these are;
    whether there may be collateral; and how many facts a batch holds.
    """

    pack: dict[str, Any] = {}
    liquidation: dict[str, Any] = {}
    terms: dict[str, Any] = {}
    instruments: tuple[str, ...] = ()
    collateral: bool = True
    batch_facts: int = 0


NONE = Theme()

Options = dict[str, Callable[[Random, int], Any]]
"""Option -> what it is drawn from: dice, and how much somebody rich has, atoms of what amounts are counted in."""

SLICES: Options = {
    "slice": lambda dice, _: dice.choice((UNIT // 5, UNIT // 2, UNIT)),
    "slice_above": lambda dice, whole: dice.choice((0, whole // 100, whole // 10)),
    "cooldown": lambda dice, _: dice.choice((1, 30 * SECOND, HOUR)),
}
"""What goes with the style slices. Amounts are of dollars."""

AUCTION: Options = {
    "auction_start": lambda dice, _: dice.choice((0, UNIT // 100)),
    "auction_rise": lambda dice, _: dice.choice((0, UNIT // 1000, UNIT // 50)),
    "auction_steps": lambda dice, _: dice.choice((1, 2, 5)),
    "auction_interval": lambda dice, _: dice.choice((1, SECOND, 60 * SECOND)),
}
"""What goes with the style auction."""

LIQUIDATION: Options = {
    "style": lambda dice, _: dice.choice(list(LiquidationStyle)),
    "funds": lambda dice, _: dice.choice(list(Funds)),
    "backstop": lambda dice, _: dice.choice((0, 0, UNIT * 2 // 3)),
    "last_resort": lambda dice, _: tuple(dice.sample(list(Layer), dice.choice((0, 1, 1, 2, 2, 3)))),
    "window": lambda dice, _: dice.choice((0, 1, 30 * SECOND, HOUR)),
    "warning": lambda dice, _: dice.choice((0, UNIT * 3 // 10, UNIT * 8 // 10, UNIT)),
    "recovery": lambda dice, _: dice.choice((0, 0, UNIT * 3 // 10, UNIT * 6 // 10)),
}
"""Any way to liquidate: whole or in steps, with or without a backstop, layers in any order. Amounts are of dollars."""

SHARES = (0, 0, 0, UNIT // 100, UNIT // 4)

BREAKER: Options = {
    "jump": lambda dice, _: dice.choice((UNIT // 50, UNIT // 20, UNIT // 4)),
    "window": lambda dice, _: dice.choice((60, 3600)) * SECOND,
    "halt": lambda dice, _: dice.choice((60, 600)) * SECOND,
    "auction": lambda dice, _: dice.choice((0, 10, 60)) * SECOND,
}
"""When marks are disorderly, and how long trading is halted then."""

GUARDS: Options = {
    "mark_band": lambda dice, _: dice.choice(SHARES),
    "mark_step": lambda dice, _: dice.choice(SHARES),
    "index_step": lambda dice, _: dice.choice(SHARES),
    "mark_age_max": lambda dice, _: dice.choice((0, 1, 10)) * SECOND,
    "breaker": lambda dice, whole: Breaker(**drawn(BREAKER, dice, whole)) if dice.random() < 0.8 else NO_BREAKER,
}
"""Prices that are bounded by the index, by those before them, or by both, that age, and that trip a breaker."""

PACK: Options = {
    "market_buy_slippage": lambda dice, _: dice.choice((0, 50_000)),
    "max_orders": lambda dice, _: dice.choice((3, 8, 200)),
    "max_triggers": lambda dice, _: dice.choice((0, 1, 3)),
    "default_leverage": lambda dice, _: dice.choice((1, 5, 10)),
    "maintenance_basis": lambda dice, _: dice.choice(list(MaintenanceBasis)),
    "exit_fee": lambda dice, _: dice.choice(list(ExitFee)),
    "due_at": lambda dice, _: dice.choice(list(DueAt)),
    "funding_price": lambda dice, _: dice.choice(list(FundingPrice)),
    "liquidation_price": lambda dice, _: dice.choice(list(PriceShown)),
    "liquidation_pays_taker_fee": lambda dice, _: dice.random() < 0.3,
    "margin_model": lambda dice, _: dice.choices(list(MarginModel), (6, 2, 2))[0],
    "margin_step": lambda dice, _: dice.choice((0, 0, 0, 100, 10**6)),
    "premium_hours": lambda dice, _: dice.choice((0, 8, 24)),
    "rate_hours": lambda dice, _: dice.choice((0, 0, 8)),
    "mode_switch": lambda dice, _: dice.choice(list(ModeSwitch)),
    "leverage_change": lambda dice, _: dice.choice(list(LeverageChange)),
    "interest_interval": lambda dice, _: dice.choice((HOUR // 10, HOUR)),
    "fee_tiers": lambda dice, whole: _tiers(dice, whole) if dice.random() < 0.4 else (),
    "liquidation": lambda dice, whole: _liquidation(dice, whole, {}),
    "reduce_only": lambda dice, _: dice.choice(list(ReduceOnly)),
    "amend_priority": lambda dice, _: dice.choice(list(AmendPriority)),
    "max_amendments": lambda dice, _: dice.choice((1, 3, 10_000)),
    "max_batch": lambda dice, _: dice.choice((2, 5, 50)),
    "max_batch_cancels": lambda dice, _: dice.choice((2, 10)),
    "max_iceberg_parts": lambda dice, _: dice.choice((0, 3, 10)),
    "good_till_ahead": lambda dice, _: dice.choice((0, 0, 1, 600)) * SECOND,
    "withdrawal_gate": lambda dice, _: dice.choice((0, 60, 600)) * SECOND,
    "guards": lambda dice, whole: PriceGuards(**drawn(GUARDS, dice, whole)) if dice.random() < 0.6 else UNGUARDED,
}
"""What a venue may do in another way than others. Amounts are of dollars."""

TERMS: Options = {
    "min_lots": lambda dice, _: dice.choice((1, 1, 2)),
    "min_notional": lambda dice, whole: dice.choice((0, whole // 1000)),
    "maker_fee": lambda dice, _: dice.choice((20_000, 0, -5_000)),
    "taker_fee": lambda dice, _: dice.choice((0, 50_000)),
    "liquidation_fee": lambda dice, _: dice.choice((0, 500_000)),
    "trigger_protect": lambda dice, _: dice.choice((0, UNIT // 100, UNIT // 20)),
    "interest": lambda dice, _: dice.choice((0, 10_000)),
    "liquidation_cap": lambda dice, _: dice.choice((0, 0, 1, 100, 10**4)),
    "market_max_lots": lambda dice, _: dice.choice((0, 0, 10**4, 10**6)),
    "price_up": lambda dice, _: dice.choice((0, 0, 0, UNIT * 21 // 20, UNIT * 2)),
    "price_down": lambda dice, _: dice.choice((0, 0, 0, UNIT * 19 // 20, UNIT // 2)),
    "market_take_bound": lambda dice, _: dice.choice((0, 0, UNIT // 20, UNIT // 1000)),
    "funding_cap": lambda dice, _: dice.choice((0, UNIT // 100)),
    "funding_floor": lambda dice, _: dice.choice((0, 0, -UNIT // 200)),
}
"""What instruments may have whatever they are. Amounts are of the settle asset."""

PERPETUAL: Options = {"funding_interval": lambda dice, _: dice.choice((1, 8)) * HOUR}
DATED: Options = {
    "funding_interval": lambda _dice, _: 0,
    "expiry": lambda dice, _: dice.choice((1, 4, 30)) * HOUR,
    "settlement_fee": lambda dice, _: dice.choice((0, 50_000)),
    "settlement_window": lambda dice, _: dice.choice((0, HOUR // 2)),
}
"""What only these have; an expiry is counted from the start of the session."""


LINEAR = {"quote": AssetId("USDT"), "settle": AssetId("USDT"), "tick": UNIT // 10, "lot": UNIT // 1000}
INVERSE = {"quote": AssetId("USD"), "tick": UNIT // 10, "lot": UNIT, "contract_value": 100 * UNIT}
KINDS: list[tuple[type[Instrument], str, dict[str, Any]]] = [
    (LinearPerp, "BTCUSDT", LINEAR | {"base": AssetId("BTC")}),
    (LinearPerp, "DOGEUSDC", {
        "base": AssetId("DOGE"), "quote": AssetId("USDC"), "settle": AssetId("USDC"), "tick": 1_000, "lot": UNIT,
    }),
    (InversePerp, "BTCUSD", INVERSE | {"base": AssetId("BTC"), "settle": AssetId("BTC")}),
    (InversePerp, "ETHUSD", INVERSE | {"base": AssetId("ETH"), "settle": AssetId("ETH"), "contract_value": 10 * UNIT}),
    (LinearFuture, "BTCUSDT-Q", LINEAR | {"base": AssetId("BTC")}),
    (LinearFuture, "ETHUSDT-Q", LINEAR | {"base": AssetId("ETH")}),
    (InverseFuture, "BTCUSD-Q", INVERSE | {"base": AssetId("BTC"), "settle": AssetId("BTC")}),
]  # fmt: skip
"""What rules by chance choose from: kind, name, terms."""


def drawn(options: Options, dice: Random, whole: int) -> dict[str, Any]:
    """A value for each of these options."""
    assert isinstance(dice, Dice)
    return {name: draw(dice.of(name), whole) for name, draw in options.items()}


def worth_of(asset: str, other: int = 1) -> int:
    """The worth of an asset: a dollar where it is one, or where nothing better is known."""
    return WORTH.get(asset, other)


def _liquidation(dice: Random, whole: int, given: dict[str, Any]) -> Liquidation:
    rules = drawn(LIQUIDATION, dice, whole) | given
    if rules["style"] is LiquidationStyle.SLICES:
        rules |= drawn(SLICES, dice, whole)
    if rules["style"] is LiquidationStyle.AUCTION:
        rules |= drawn(AUCTION, dice, whole) | {"window": 0}
    rules |= given
    return Liquidation(**rules | {"recovery": min(rules["recovery"], rules["warning"])})


def by_chance(dice: Dice, rich: int, start: int, theme: Theme = NONE) -> RulePack:
    """Some instruments under any rules but those of the theme, mostly with collateral."""
    options = _compatible(drawn(PACK, dice, rich * UNIT) | theme.pack)
    options["liquidation"] = _liquidation(dice.of("liquidation"), rich * UNIT, theme.liquidation)
    chosen = dice.of("instruments")
    kinds = [KINDS[kind] for kind in sorted(chosen.sample(range(len(KINDS)), chosen.randint(2, 4)))]
    kinds = [kind for kind in KINDS if kind[1] in theme.instruments] or kinds
    instruments = tuple(_instrument(dice.of(kind[1]), rich, start, options, *kind) for kind in kinds)
    instruments = tuple(msgspec.structs.replace(terms, **_given(theme, terms)) for terms in instruments)
    capped = options["liquidation"].window > 0 and any(instrument.liquidation_cap for instrument in instruments)
    if not capped:
        options |= {"liquidation": msgspec.structs.replace(options["liquidation"], window=0)}
        instruments = tuple(msgspec.structs.replace(instrument, liquidation_cap=0) for instrument in instruments)
    pack = RulePack(id="by-chance", version="1", source="the dice", instruments=instruments, **options)
    collateral = dice.of("collateral")
    has_collateral = theme.collateral and collateral.random() < 0.8
    return (_with_collateral(collateral, rich, pack) if has_collateral else pack).check()


def _given(theme: Theme, terms: Instrument) -> dict[str, Any]:
    """The terms that the theme has for an instrument; a dated one among its own outlasts every session."""
    lasts = terms.expiry > 0 and terms.id in theme.instruments
    return theme.terms | ({"expiry": terms.expiry + 10**4 * HOUR} if lasts else {})


def _compatible(options: dict[str, Any]) -> dict[str, Any]:
    """A premium that is paid off has no rate; margins rounded to a step go with nothing else that changes them."""
    if options["premium_hours"]:
        options = options | {"rate_hours": 0}
    if not options["margin_step"]:
        return options
    is_leverage = options["margin_model"] is MarginModel.LEVERAGE
    model = MarginModel.LEVERAGE if is_leverage else MarginModel.STANDARD
    return options | {
        "margin_model": model, "exit_fee": ExitFee.NONE, "maintenance_basis": MaintenanceBasis.MARK
    }  # fmt: skip


def _instrument(
    dice: Dice, rich: int, start: int, pack: dict[str, Any], kind: type[Instrument], name: str, own: dict[str, Any]
) -> Instrument:
    whole, is_dated = rich * UNIT // worth_of(own["settle"]), kind in (LinearFuture, InverseFuture)
    terms = own | drawn(TERMS, dice, whole) | drawn(DATED if is_dated else PERPETUAL, dice, whole)
    terms["max_lots"] = 10**7 * max(1, rich // 10**5)
    if is_dated:
        terms["expiry"] += start
    margins, model = dice.of("margins"), pack["margin_model"]
    rows = brackets(margins, whole, 1 if pack["margin_step"] else margins.randint(1, 4))
    if model is not MarginModel.LEVERAGE:
        terms["initial_margin"] = margins.choice((rows[0].mmr + UNIT // 100, UNIT // 10, UNIT // 2))
        if model is MarginModel.STANDARD and margins.random() < 0.5:
            terms |= {"open_interest_lower": whole, "open_interest_upper": 5 * whole}
    if len(rows) == 1 and margins.random() < 0.3 and ("initial_margin" in terms or not pack["margin_step"]):
        terms["maintenance_fraction"] = UNIT // 2
        rows = (_with_fraction(rows[0], terms),)
    return kind(id=InstrumentId(name), brackets=rows, **terms)  # type: ignore[no-any-return]


def _with_fraction(row: Bracket, terms: dict[str, Any]) -> Bracket:
    """The bracket whose rate is that fraction of the initial margin."""
    initial, of = terms.get("initial_margin", 1), UNIT if terms.get("initial_margin") else row.max_leverage
    return msgspec.structs.replace(row, mmr=mul_div_ceil(terms["maintenance_fraction"], initial, of))


def brackets(dice: Random, whole: int, count: int) -> tuple[Bracket, ...]:
    """So many brackets whose edges lie around the amount (atoms); rates in thousandths, cum exact."""
    edges = [
        0,
        *(whole * share // 4000 * 1000 for share in sorted(dice.sample(range(1, 40), count - 1))),
        whole * 10**6,
    ]
    rates = sorted(dice.choice((4, 5, 10, 25, 50, 125)) for _ in range(count))
    leverages = sorted((dice.choice((5, 10, 20, 50, 100)) for _ in range(count)), reverse=True)
    rises = [0, *(edge * (b - a) // 1000 for edge, (a, b) in zip(edges[1:], pairwise(rates), strict=False))]
    rows = zip(
        edges[:-1], edges[1:], leverages, (rate * UNIT // 1000 for rate in rates), accumulate(rises), strict=True
    )
    return tuple(Bracket(*row) for row in rows)  # type: ignore[arg-type]


def _tiers(dice: Random, whole: int) -> tuple[FeeTier, ...]:
    return (
        FeeTier(0, 20_000, 50_000),  # type: ignore[arg-type]
        FeeTier(dice.choice((1, whole)), 10_000, 40_000),  # type: ignore[arg-type]
        FeeTier(3 * whole, -5_000, 30_000),  # type: ignore[arg-type]
    )


def _with_collateral(dice: Random, rich: int, pack: RulePack) -> RulePack:
    """The pack with every settle asset, and dollars, as collateral, each with haircuts, a debt limit and interest."""
    dollars = AssetId("USDT")
    assets = dict.fromkeys([dollars, *(terms.settle for terms in pack.instruments), AssetId("ETH")])
    rules, pairs = [], []
    for asset in assets:
        whole = rich * UNIT // worth_of(asset)
        pair = InstrumentId("") if asset == dollars else InstrumentId(f"{asset}/USDT")
        if pair:
            pairs.append(SpotPair(pair, asset, dollars, dice.choice((0, 100_000))))  # type: ignore[arg-type]
        tiers = (HaircutTier(0),) if not pair else _haircuts(dice, whole)  # type: ignore[arg-type]
        rules.append(
            Collateral(asset, tiers, pair, dice.choice((0, whole // 10)), dice.choice((0, 1_000, UNIT // 100)))  # type: ignore[arg-type]
        )
    return msgspec.structs.replace(pack, valuation=dollars, collateral=tuple(rules), spot=tuple(pairs))


def _haircuts(dice: Random, whole: int) -> tuple[HaircutTier, ...]:
    low, high = sorted((dice.choice((0, 5, 10)), dice.choice((5, 30, 100))))
    first = HaircutTier(low * UNIT // 100, max(1, whole // 2))  # type: ignore[arg-type]
    return (first, HaircutTier(high * UNIT // 100)) if dice.random() < 0.7 else (HaircutTier(high * UNIT // 100),)  # type: ignore[arg-type]
