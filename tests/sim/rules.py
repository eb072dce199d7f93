"""The rules of made-up sessions: binance-usdm with some terms changed, a pack as it is shipped, or rules by chance.

Prices, of instruments and of spot pairs, are in mark units; worth is what one whole of an asset is worth in dollars.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from random import Random
from typing import Any, NamedTuple

import msgspec

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
    load_pack,
    pack_names,
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
from events.units import SECOND, UNIT

START = 1_700_000_000 * SECOND
HOUR = 3600 * SECOND
WORTH = {"BTC": 60_000, "XBT": 60_000, "ETH": 3_000, "SOL": 150}
PRICES = {"BTCUSDT": 60_000 * UNIT, "ETHUSDT": 3_000 * UNIT, "DOGEUSDT": UNIT // 8}
CHEAP = {"DOGE": UNIT // 8, "AUD": 2 * UNIT // 3}

SHIPPED = [name for name in pack_names() if not load_pack(name).beyond_sessions()]
"""The packs that sessions know."""


class Rules(NamedTuple):
    """A pack, and where prices start; plain ones know nothing but linear perpetuals and the default flags."""

    pack: RulePack
    prices: dict[str, int]
    is_plain: bool


def rules(dice: Random, rich: int) -> Rules:
    """Some rules: three in ten plain, two shipped, half of them by chance."""
    kind = dice.choices((plain, shipped, by_chance), (3, 2, 5))[0]
    pack = kind(dice, rich)
    prices = {terms.id: PRICES.get(terms.id) or price_of(terms.base) for terms in pack.instruments}
    prices |= {pair.id: price_of(pair.base) for pair in pack.spot}
    return Rules(pack, prices, kind is plain)


def price_of(base: str) -> int:
    """A price of an asset in dollars, mark units."""
    return CHEAP.get(base) or worth_of(base, 10) * UNIT


def worth_of(asset: str, other: int = 1) -> int:
    """The worth of an asset: a dollar where it is one, or where nothing better is known."""
    return WORTH.get(asset, other)


def plain(dice: Random, rich: int) -> RulePack:
    """Two or three instruments of the default pack, some terms changed: settle asset, rebate, sizes for the rich."""
    whole = load_pack("binance-usdm")
    scale = max(1, rich // dice.choice((100_000, 10_000_000)))
    chosen = []
    for terms in whole.instruments:
        if terms.id in PRICES and (terms.id != "ETHUSDT" or dice.random() < 0.6):
            settle = AssetId("USDC") if terms.id == "DOGEUSDT" and dice.random() < 0.3 else terms.settle
            chosen.append(
                msgspec.structs.replace(
                    terms,
                    settle=settle,
                    quote=settle,
                    maker_fee=dice.choice((terms.maker_fee, terms.maker_fee, 0, -5_000)),
                    min_lots=dice.choice((1, 1, 2)),
                    max_lots=terms.max_lots * scale,
                    brackets=tuple(scaled(bracket, scale) for bracket in terms.brackets),
                )
            )
    return msgspec.structs.replace(whole, instruments=tuple(chosen), max_orders=dice.choice((3, 8, 200))).check()


def scaled(bracket: Bracket, by: int) -> Bracket:
    """A bracket with all its amounts multiplied."""
    return msgspec.structs.replace(bracket, floor=bracket.floor * by, cap=bracket.cap * by, cum=bracket.cum * by)


def shipped(dice: Random, rich: int) -> RulePack:
    """Some instruments of a venue, under its own rules."""
    whole = load_pack(dice.choice(SHIPPED))
    chosen = dice.sample(whole.instruments, min(len(whole.instruments), dice.randint(1, 3)))
    return msgspec.structs.replace(whole, instruments=tuple(chosen)).check()


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


def by_chance(dice: Random, rich: int) -> RulePack:
    """Instruments of all kinds under any combination of flags that a pack may have, mostly with collateral."""
    model = dice.choices(list(MarginModel), (6, 2, 2))[0]
    step = dice.choice((0, 0, 0, 100, 10**6))
    exit_fee, basis = dice.choice(list(ExitFee)), dice.choice(list(MaintenanceBasis))
    if step:
        model = MarginModel.STANDARD if model is MarginModel.LEVERAGED else model
        exit_fee, basis = ExitFee.NONE, MaintenanceBasis.MARK
    kinds = sorted(dice.sample(range(len(KINDS)), dice.randint(2, 4)))
    instruments = tuple(_instrument(dice, rich, model, step > 0, *KINDS[kind]) for kind in kinds)
    pack = RulePack(
        "by-chance", "1", "the dice", dice.choice((0, 50_000)), dice.choice((3, 8, 200)), dice.choice((1, 5, 10)),
        instruments, basis, exit_fee, dice.choice(list(DueAt)),
        dice.choice(list(FundingPrice)), liquidation_pays_taker_fee=dice.random() < 0.3, margin_model=model,
        margin_step=step, premium_hours=dice.choice((0, 8, 24)), mode_switch=dice.choice(list(ModeSwitch)),
        interest_interval=dice.choice((HOUR // 10, HOUR)), fee_tiers=_tiers(dice, rich) if dice.random() < 0.4 else (),
        liquidation=liquidation(dice),
    )  # fmt: skip
    return (_with_collateral(dice, rich, pack) if dice.random() < 0.8 else pack).check()


def liquidation(dice: Random) -> Liquidation:
    """Any way to liquidate: whole or in steps, with or without a backstop, layers in any order."""
    layers = dice.sample(list(Layer), dice.randint(0, len(Layer)))
    return Liquidation(dice.choice(list(LiquidationStyle)), dice.choice((0, 0, UNIT * 2 // 3)), tuple(layers))


def _instrument(
    dice: Random,
    rich: int,
    model: MarginModel,
    is_stepped: bool,
    kind: type[Instrument],
    name: str,
    terms: dict[str, Any],
) -> Instrument:
    whole = rich * UNIT // worth_of(terms["settle"])
    more: dict[str, Any] = {"funding_interval": dice.choice((1, 8)) * HOUR, "interest": dice.choice((0, 10_000))}
    more["funding_cap"] = dice.choice((0, UNIT // 100))
    if kind in (LinearFuture, InverseFuture):
        expiry = START + dice.choice((HOUR, 4 * HOUR, 30 * HOUR))
        more = {"funding_interval": 0, "expiry": expiry, "settlement_fee": dice.choice((0, 50_000))}
    rows = brackets(dice, whole, 1 if is_stepped else dice.randint(1, 4))
    if model is not MarginModel.LEVERAGE:
        more["initial_margin"] = dice.choice((rows[0].mmr + UNIT // 100, UNIT // 10, UNIT // 2))
        if model is MarginModel.STANDARD and dice.random() < 0.5:
            more |= {"open_interest_lower": whole, "open_interest_upper": 5 * whole}
    return kind(
        id=InstrumentId(name), min_lots=dice.choice((1, 1, 2)), max_lots=10**7 * max(1, rich // 10**5),
        min_notional=dice.choice((0, whole // 1000)), maker_fee=dice.choice((20_000, 0, -5_000)),
        taker_fee=dice.choice((0, 50_000)), liquidation_fee=dice.choice((0, 500_000)), brackets=rows, **terms, **more,
    )  # fmt: skip


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


def _tiers(dice: Random, rich: int) -> tuple[FeeTier, ...]:
    return (
        FeeTier(0, 20_000, 50_000),  # type: ignore[arg-type]
        FeeTier(dice.choice((1, rich * UNIT)), 10_000, 40_000),  # type: ignore[arg-type]
        FeeTier(3 * rich * UNIT, -5_000, 30_000),  # type: ignore[arg-type]
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
