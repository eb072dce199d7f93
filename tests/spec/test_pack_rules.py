"""The rules by which venues differ: what a pack may state, what contradicts itself, and what sessions know of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from events import facts as f
from events.instruments import (
    Collateral,
    FeeTier,
    HaircutTier,
    InverseFuture,
    InversePerp,
    LinearFuture,
    PackError,
    RulePack,
    SpotPair,
    load_pack,
    pack_names,
    read_pack,
)
from events.refusals import Reason
from events.rules import DueAt, ExitFee, FundingPrice, MaintenanceBasis, MarginModel, PriceShown
from events.units import UNIT, decimal_text
from tests.golden.sessions import heads, load
from tests.scenario import opening, unopened
from tests.spec.words import refused

LINEAR: dict[str, Any] = {
    "id": "XUSD",
    "base": "X",
    "quote": "USD",
    "settle": "USD",
    "tick": "0.1",
    "lot": "0.001",
    "min_size": "0.001",
    "max_size": "1000",
    "min_notional": "5",
    "maker_fee": "0.0001",
    "taker_fee": "0.0005",
    "liquidation_fee": "0",
    "funding_interval_hours": 8,
    "brackets": [{"floor": "0", "cap": "50000", "max_leverage": 20, "mmr": "0.03", "cum": "0"}],
}
INVERSE = LINEAR | {"settle": "X", "tick": "0.5", "lot": "1", "min_size": "1", "contract_value": "100"}

PACK: dict[str, Any] = {
    "id": "test",
    "version": "2024-10-01",
    "source": "made up",
    "market_buy_slippage": "0",
    "max_orders": 200,
    "default_leverage": 20,
    "instruments": [LINEAR],
}

PERP_ONLY = {"funding_interval_hours", "interest"}
DATED = {k: v for k, v in LINEAR.items() if k not in PERP_ONLY} | {"id": "XUSD_Q", "expiry": "2024-12-27T08:00:00Z"}
"""A contract that expires."""

PAIR = {"id": "X/USD", "base": "X", "quote": "USD", "fee": "0.001"}
DOLLARS = {"asset": "USD", "tiers": [{"haircut": "0"}]}
COINS = {"asset": "X", "index": "X/USD", "tiers": [{"haircut": "0.05", "cap": "100"}, {"haircut": "0.1"}]}

SECOND_BRACKET = {"floor": "50000", "cap": "60000", "max_leverage": 10, "mmr": "0.04", "cum": "500"}

BELOW_0 = "test: margin_step, premium_hours, rate_hours, interest_interval must not be below 0"


def read(pack: dict[str, Any]) -> RulePack:
    return read_pack(json.dumps(pack).encode(), "pack.json")


def pack(**rules: Any) -> dict[str, Any]:
    return PACK | rules


def linear(rules: dict[str, Any] | None = None, **terms: Any) -> dict[str, Any]:
    return pack(instruments=[LINEAR | terms], **rules or {})


def inverse(**terms: Any) -> dict[str, Any]:
    return pack(instruments=[INVERSE | terms])


def standard(**terms: Any) -> dict[str, Any]:
    return linear({"margin_model": "standard"}, **({"initial_margin": "0.05"} | terms))


def dated(**terms: Any) -> dict[str, Any]:
    return pack(instruments=[DATED | terms])


def answering(*collateral: dict[str, Any], **rules: Any) -> dict[str, Any]:
    """A pack with this collateral."""
    return pack(**{"valuation": "USD", "spot": [PAIR], "collateral": list(collateral)} | rules)


def haircuts(*tiers: dict[str, str]) -> dict[str, Any]:
    return answering(DOLLARS, COINS | {"tiers": list(tiers)})


def tiers(*volumes: tuple[str, str, str]) -> dict[str, Any]:
    return pack(fee_tiers=[{"volume": v, "maker": m, "taker": t} for v, m, t in volumes])


def digest(pack: RulePack) -> str:
    return hashlib.sha256(msgspec.json.encode(pack)).hexdigest()


@pytest.mark.parametrize("name", heads())
def test_the_pack_of_an_older_log_keeps_its_bytes(name: str) -> None:
    messages = [record[2] for body in load(name).bodies for record in msgspec.json.decode(body, type=list[Any])]
    recorded = next(message["pack"] for message in messages if message["kind"] == "session_opened.1")
    assert msgspec.json.encode(msgspec.convert(recorded, RulePack)) == msgspec.json.encode(recorded)


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_comes_back_from_its_bytes(name: str) -> None:
    shipped = load_pack(name)
    again = msgspec.json.decode(msgspec.json.encode(shipped), type=RulePack)
    assert again == shipped.check()
    assert digest(again) == digest(shipped)


def test_rules_at_their_default_leave_no_bytes() -> None:
    stated = pack(
        maintenance_basis="mark",
        exit_fee="none",
        due_at="at_maintenance",
        funding_price="mark",
        liquidation_price="exact",
        liquidation_pays_taker_fee=False,
        margin_model="leverage",
        margin_step="0",
        premium_hours=0,
        rate_hours=0,
        mode_switch="when_flat",
        leverage_change="when_flat",
        valuation="",
        collateral=[],
        spot=[],
        interest_interval_hours=0,
        fee_tiers=[],
        instruments=[
            LINEAR
            | {"initial_margin": "0", "skew_scale": "0.0", "interest": "0", "funding_cap": "0", "funding_floor": "0"}
        ],
    )
    assert digest(read(stated)) == digest(read(PACK))


def test_what_the_shipped_packs_say() -> None:
    packs = {name: load_pack(name) for name in pack_names()}
    assert packs["bybit-inverse"].maintenance_basis is MaintenanceBasis.ENTRY
    assert packs["bybit-inverse"].exit_fee is ExitFee.AT_BANKRUPTCY
    assert packs["bybit-inverse"].liquidation_price is PriceShown.TICK
    assert {n for n, p in packs.items() if p.exit_fee is ExitFee.AT_MARK} == {*("gate", "okx", "okx-inverse")}
    assert {n for n, p in packs.items() if p.due_at is DueAt.BELOW_MAINTENANCE} == {"drift", "dydx-v4", "synthetix-v3"}
    assert {n for n, p in packs.items() if p.funding_price is FundingPrice.INDEX} == {"hyperliquid", "kraken-futures"}
    assert {n for n, p in packs.items() if p.margin_model is not MarginModel.LEVERAGE} == {
        *("drift", "dydx-v4", "nautilus-standard", "synthetix-v3")
    }
    assert {n for n, p in packs.items() if any(i.maintenance_fraction for i in p.instruments)} == {
        *("dydx-v4", "hyperliquid")
    }


def test_one_lot_of_an_inverse_contract_at_one_tick_is_worth_a_whole_number_of_atoms() -> None:
    (perp,) = read(inverse()).instruments
    assert isinstance(perp, InversePerp)
    assert decimal_text(perp.atoms_per_tick_lot) == "200"
    assert (perp.price_text(3), perp.size_text(7)) == ("1.5", "7")


def test_a_fraction_of_the_initial_margin_is_a_rate_rounded_up() -> None:
    brackets = [{"floor": "0", "cap": "50000", "max_leverage": 3, "mmr": "0.16666667", "cum": "0"}]
    (perp,) = read(linear(maintenance_fraction="0.5", brackets=brackets)).instruments
    assert perp.brackets[0].mmr * 6 == UNIT + 2


def test_a_dated_contract_has_its_time_in_nanoseconds() -> None:
    (future,) = read(dated(settlement_fee="0.0005", settlement_window_minutes=30)).instruments
    assert isinstance(future, LinearFuture)
    assert (future.expiry, future.settlement_window) == (1_735_286_400 * 10**9, 1_800 * 10**9)
    (coin,) = read(pack(instruments=[INVERSE | {"expiry": DATED["expiry"], "funding_interval_hours": 0}])).instruments
    assert isinstance(coin, InverseFuture)


def test_collateral_and_tiers_are_read_into_integers() -> None:
    held = COINS | {"debt_limit": "0.5", "interest": "0.0001"}
    rules = read(answering(DOLLARS, held, interest_interval_hours=1) | tiers(("0", "0", "0"), ("9", "-0.01", "0.02")))
    assert rules.collateral[1] == Collateral(
        "X", (HaircutTier(5_000_000, 100 * UNIT), HaircutTier(10_000_000)), "X/USD", UNIT // 2, 10_000
    )
    assert rules.spot == (SpotPair("X/USD", "X", "USD", 100_000),)
    assert rules.fee_tiers == (FeeTier(0, 0, 0), FeeTier(9 * UNIT, -1_000_000, 2_000_000))
    assert rules.interest_interval == 3600 * 10**9


Build = Callable[..., dict[str, Any]]

WRONG = [
    (pack(margin_step="-1"), BELOW_0),
    (pack(premium_hours=-1), BELOW_0),
    (pack(due_at="never"), "Invalid enum value 'never' - at `$.due_at`"),
    (inverse(settle="USD"), "XUSD: an inverse contract settles in its base asset, X"),
    (inverse(contract_value="0"), "XUSD: contract value x lot / tick must be a positive whole number of atoms"),
    (inverse(contract_value="-1"), "XUSD: contract value x lot / tick must be a positive whole number of atoms"),
    (inverse(tick="0"), "XUSD: contract value x lot / tick must be a positive whole number of atoms"),
    (inverse(tick="0.7"), "XUSD: contract value x lot / tick must be a positive whole number of atoms"),
    (inverse(brackets=[]), "XUSD: no leverage bracket"),
    (linear(initial_margin="-0.1"), "XUSD: initial margin and maintenance fraction must lie between 0 and 100 %"),
    (linear(initial_margin="1.1"), "XUSD: initial margin and maintenance fraction must lie between 0 and 100 %"),
    (linear(maintenance_fraction="2"), "XUSD: initial margin and maintenance fraction must lie between 0 and 100 %"),
    (linear(skew_scale="-1"), "XUSD: skew scale and funding velocity must not be below 0"),
    (linear(max_funding_velocity="-1"), "XUSD: skew scale and funding velocity must not be below 0"),
    (standard(open_interest_lower="2", open_interest_upper="1"), "XUSD: open interest needs 0 <= lower < upper cap"),
    (standard(open_interest_lower="-1", open_interest_upper="1"), "XUSD: open interest needs 0 <= lower < upper cap"),
    (standard(open_interest_lower="1"), "XUSD: open interest needs 0 <= lower < upper cap"),
    (linear(open_interest_upper="1"), "XUSD: open interest needs 0 <= lower < upper cap, and an initial margin to"),
    (linear(maintenance_fraction="0.5"), "XUSD: a maintenance fraction goes with one bracket, whose mmr is 0.025"),
    (standard(maintenance_fraction="0.5"), "XUSD: a maintenance fraction goes with one bracket, whose mmr is 0.025"),
    (
        linear(maintenance_fraction="0.6", brackets=[*LINEAR["brackets"], SECOND_BRACKET]),
        "XUSD: a maintenance fraction goes with one bracket, whose mmr is 0.03",
    ),
    (linear(initial_margin="0.05"), "XUSD: an initial_margin goes with the margin models standard and leveraged"),
    (pack(margin_model="standard"), "XUSD: an initial_margin goes with the margin models standard and leveraged"),
    (pack(margin_model="leveraged"), "XUSD: an initial_margin goes with the margin models standard and leveraged"),
    (pack(rate_hours=-1), BELOW_0),
    (pack(premium_hours=8, rate_hours=8), "test: funding goes by premium_hours or by rate_hours, not by both"),
    (
        pack(interest_interval_hours=-1),
        BELOW_0,
    ),
    (pack(max_amendments=-1), "test: max_amendments must not be below 0"),
    (pack(amend_priority="often"), "Invalid enum value 'often' - at `$.amend_priority`"),
    (pack(mode_switch="often"), "Invalid enum value 'often' - at `$.mode_switch`"),
    (linear(lot="0"), "XUSD: lot must not be 0"),
    (dated(settlement_fee="1"), "XUSD_Q: settlement fee, funding cap and interest must be below 100 %"),
    (dated(settlement_fee="-0.1"), "XUSD_Q: settlement fee, funding cap and interest must be below 100 %"),
    (linear(funding_floor="-1"), "XUSD: the funding floor must be above -100 % and below the funding cap"),
    (linear(funding_floor="0.01", funding_cap="0.01"), "XUSD: the funding floor must be above -100 % and below the"),
    (linear(funding_cap="1"), "XUSD: settlement fee, funding cap and interest must be below 100 %"),
    (linear(interest="-1"), "XUSD: settlement fee, funding cap and interest must be below 100 %"),
    (linear(settlement_fee="0.1"), "XUSD: a perpetual contract has no expiry and no settlement"),
    (linear(settlement_window_minutes=60), "XUSD: a perpetual contract has no expiry and no settlement"),
    (linear(funding_interval_hours=0), "XUSD: needs min_notional >= 0 and a funding interval above 0"),
    (dated(min_notional="-1"), "XUSD_Q: needs min_notional >= 0 and a funding interval above 0"),
    (
        dated(funding_interval_hours=8),
        "XUSD_Q: a dated contract needs an expiry, a settlement window before",
    ),
    (
        dated(settlement_window_minutes=-1),
        "XUSD_Q: a dated contract needs an expiry, a settlement window before",
    ),
    (
        dated(expiry="1969-12-27T08:00:00Z"),
        "XUSD_Q: a dated contract needs an expiry, a settlement window before",
    ),
    (dated(expiry="2024-12-27T08:00:00"), "XUSD_Q: its expiry needs a time zone, as in 2024-12-27T08:00:00Z"),
    (dated(expiry="soon"), "Invalid RFC3339 encoded datetime - at `$.instruments[0].expiry`"),
    (pack(instruments=[LINEAR, LINEAR]), "test: the name XUSD is taken twice"),
    (pack(instruments=[LINEAR | {"id": "USD"}]), "test: the name USD is taken twice"),
    (pack(spot=[PAIR | {"id": "XUSD"}]), "test: the name XUSD is taken twice"),
    (linear(id="XUSD:long"), "test: the name XUSD:long ends like that of a leg in hedge mode"),
    (pack(spot=[PAIR | {"id": "X:short"}]), "test: the name X:short ends like that of a leg in hedge mode"),
    (pack(spot=[PAIR | {"quote": ""}]), "'' is not a text of printable ASCII"),
    (pack(collateral=[DOLLARS | {"asset": "\u00e9"}]), "'\\xe9' is not a text of printable ASCII"),
    (pack(spot=[PAIR | {"quote": "X"}]), "X/USD: a spot pair needs two assets, and a fee from 0 to below 50 %"),
    (pack(spot=[PAIR | {"fee": "0.5"}]), "X/USD: a spot pair needs two assets, and a fee from 0 to below 50 %"),
    (pack(spot=[PAIR | {"fee": "-0.1"}]), "X/USD: a spot pair needs two assets, and a fee from 0 to below 50 %"),
    (answering(DOLLARS, DOLLARS), "test: collateral USD: stated twice"),
    (answering(COINS), "test: collateral lacks the settle asset USD"),
    (answering(DOLLARS, valuation="X"), "test: collateral USD: its index must be a spot pair USD/X"),
    (answering(DOLLARS, COINS | {"index": ""}), "test: collateral X: its index must be a spot pair X/USD"),
    (answering(DOLLARS, COINS | {"index": "Y/USD"}), "test: collateral X: its index must be a spot pair X/USD"),
    (answering(DOLLARS | {"index": "X/USD"}), "test: collateral USD: its index must be a spot pair USD/USD"),
    (answering(DOLLARS | {"tiers": []}), "test: collateral USD: needs tiers, a debt limit >= 0 and interest from 0"),
    (answering(DOLLARS | {"debt_limit": "-1"}), "test: collateral USD: needs tiers, a debt limit >= 0 and interest"),
    (answering(DOLLARS | {"interest": "1"}), "test: collateral USD: needs tiers, a debt limit >= 0 and interest"),
    (haircuts({"haircut": "1.1"}), "test: collateral X: haircuts must rise with their caps, and only the last tier"),
    (haircuts({"haircut": "-0.1"}), "test: collateral X: haircuts must rise with their caps, and only the last"),
    (haircuts({"haircut": "0"}, {"haircut": "0.1"}), "test: collateral X: haircuts must rise with their caps, and"),
    (
        haircuts({"haircut": "0.2", "cap": "1"}, {"haircut": "0.1"}),
        "test: collateral X: haircuts must rise with their caps, and only the last tier is without one",
    ),
    (
        haircuts({"haircut": "0.1", "cap": "5"}, {"haircut": "0.2", "cap": "5"}, {"haircut": "0.3"}),
        "test: collateral X: haircuts must rise with their caps, and only the last tier is without one",
    ),
    (haircuts({"haircut": "0.1", "cap": "5"}), "test: collateral X: the last tier is without a cap"),
    (tiers(("0", "0", "0"), ("0", "0", "0")), "test: fee tiers need rising volumes, and fees below 100 %"),
    (tiers(("0", "0", "0"), ("1", "0", "1")), "test: fee tiers need rising volumes, and fees below 100 %"),
    (tiers(("-1", "0", "0")), "test: fee tiers need rising volumes, and fees below 100 %"),
    (tiers(("5", "0", "0")), "test: the first fee tier starts at volume 0"),
    (
        linear({"margin_step": "0.1"}, brackets=[*LINEAR["brackets"], SECOND_BRACKET]),
        "XUSD: margins that are rounded to a step go with one bracket",
    ),
    (
        linear({"margin_step": "0.1"}, maintenance_fraction="0.5", brackets=[LINEAR["brackets"][0] | {"mmr": "0.025"}]),
        "XUSD: margins that are rounded to a step take a maintenance_fraction of an initial_margin",
    ),
    (
        pack(margin_step="0.1", exit_fee="at_mark"),
        "XUSD: margins that are rounded to a step go with brackets at the mark and no exit fee",
    ),
    (
        linear({"exit_fee": "at_mark"}, taker_fee="0.97"),
        "XUSD: maintenance margin and exit fee together must be below 100 %",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_a_pack_whose_rules_contradict_each_other_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(PackError) as refusal:
        read(wrong)
    assert str(refusal.value).startswith(f"pack.json: {message}")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("right", "beyond"),
    [
        (PACK, []),
        (pack(liquidation_price="tick", premium_hours=24), []),
        (pack(maintenance_basis="entry"), []),
        (pack(exit_fee="at_mark", liquidation_pays_taker_fee=True), []),
        (linear(maintenance_fraction="0.6"), []),
        (standard(skew_scale="5"), ["skew_scale"]),
        (inverse(), []),
    ],
)
def test_what_goes_beyond_sessions_is_named(right: dict[str, Any], beyond: list[str]) -> None:
    assert read(right).beyond_sessions() == beyond


@pytest.mark.parametrize("name", pack_names())
def test_a_session_opens_only_under_rules_that_it_knows(name: str) -> None:
    rules = load_pack(name)
    asked = opening(rules)
    opened = f.SessionOpened(asked.rules_version, rules, asked.options)
    answer = refused(Reason.BAD_RULE_PACK) if rules.beyond_sessions() else opened
    unopened().when(asked).then(answer)
