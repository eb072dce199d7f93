"""What many made-up sessions found, shrunk to the shortest that shows it."""

from __future__ import annotations

from events.commands import (
    ApplyFunding,
    Deposit,
    OpenAccount,
    OpenSession,
    PlaceOrder,
    Proceed,
    SessionOptions,
    SetMarginMode,
    SetMarkPrice,
    SetPositionMode,
    Side,
)
from events.instruments import Liquidation, RulePack
from events.rules import Layer, MarginModel
from events.terms import Bracket, Leg, LinearPerp, MarginMode
from tests.sim.world import World

SCALED = RulePack(
    id="dydx-v4",
    version="1",
    source="made up",
    market_buy_slippage=0,
    max_orders=2,
    default_leverage=1,
    instruments=(
        LinearPerp(
            id="LINK-USD",
            base="LINK",
            quote="USD",
            settle="USDC",
            tick=100000,
            lot=100000000,
            min_lots=1,
            max_lots=1000000,
            min_notional=0,
            maker_fee=0,
            taker_fee=0,
            liquidation_fee=0,
            funding_interval=1,
            brackets=(Bracket(floor=0, cap=120000000000000, max_leverage=1, mmr=1, cum=0),),
            initial_margin=1,
            open_interest_lower=1000000000000000,
            open_interest_upper=1200000000000000,
        ),
    ),
    margin_model=MarginModel.STANDARD,
)

RANKED = RulePack(
    id="binance-usdm",
    version="1",
    source="made up",
    market_buy_slippage=0,
    max_orders=1,
    default_leverage=5,
    instruments=(
        LinearPerp(
            id="ETHUSDT",
            base="ETH",
            quote="USDT",
            settle="USDT",
            tick=1000000,
            lot=20000,
            min_lots=1,
            max_lots=200000000000000,
            min_notional=0,
            maker_fee=0,
            taker_fee=1,
            liquidation_fee=0,
            funding_interval=1,
            brackets=(Bracket(floor=0, cap=12500000000000000000000, max_leverage=5, mmr=1, cum=0),),
        ),
    ),
    liquidation=Liquidation(last_resort=(Layer.ADL,)),
)


def test_open_interest_grows_once_both_sides_of_a_trade_are_posted() -> None:
    """The maker, posted first, lessens open interest: the taker's margin must not go by that."""
    world = World()
    world.given(
        OpenSession(at=0, rules_version=1, pack=SCALED, options=SessionOptions()),
        SetMarkPrice(at=0, instrument="LINK-USD", mark=1),
        OpenAccount(at=0, account="BEN", request="r1"),
        OpenAccount(at=0, account="CAT", request="r2"),
        SetMarginMode(at=0, account="BEN", request="r3", instrument="LINK-USD", mode=MarginMode.ISOLATED),
        Deposit(at=0, account="CAT", request="r4", asset="USDC", amount=100000000000),
        Deposit(at=0, account="BEN", request="r5", asset="USDC", amount=100000000000000),
        PlaceOrder(
            at=0, account="CAT", request="r6", number=1, instrument="LINK-USD", side=Side.BUY, lots=1000000, price=1
        ),
        SetPositionMode(at=0, account="BEN", request="r7", hedges=True),
        PlaceOrder(
            at=0, account="CAT", request="r8", number=2, instrument="LINK-USD", side=Side.SELL, lots=100000, price=12000
        ),
        PlaceOrder(
            at=0,
            account="BEN",
            request="r9",
            number=1,
            instrument="LINK-USD",
            side=Side.SELL,
            lots=1000000,
            leg=Leg.SHORT,
        ),
        SetMarkPrice(at=0, instrument="LINK-USD", mark=1100000000),
    )
    world.when(
        PlaceOrder(
            at=0,
            account="BEN",
            request="r10",
            number=2,
            instrument="LINK-USD",
            side=Side.BUY,
            lots=100000,
            leg=Leg.LONG,
        ),
    )
    world.finish()


def test_two_ranks_that_differ_by_less_than_an_atom_are_told_apart() -> None:
    """The queue of deleveraging is as fine in the audit as in the core."""
    world = World()
    world.given(
        OpenSession(at=0, rules_version=1, pack=RANKED, options=SessionOptions()),
        SetMarkPrice(at=0, instrument="ETHUSDT", mark=300000000000),
        OpenAccount(at=0, account="ANA", request="r1"),
        OpenAccount(at=0, account="EVA", request="r2"),
        OpenAccount(at=0, account="FAY", request="r3"),
        Deposit(at=0, account="ANA", request="r4", asset="USDT", amount=3000000000000000000000),
        Deposit(at=0, account="EVA", request="r5", asset="USDT", amount=3000000000000000000000),
        Deposit(at=0, account="FAY", request="r6", asset="USDT", amount=20000000000000000),
        SetMarginMode(at=0, account="ANA", request="r7", instrument="ETHUSDT", mode=MarginMode.ISOLATED),
        SetMarginMode(at=0, account="FAY", request="r8", instrument="ETHUSDT", mode=MarginMode.ISOLATED),
        PlaceOrder(
            at=0,
            account="EVA",
            request="r9",
            number=1,
            instrument="ETHUSDT",
            side=Side.SELL,
            lots=200000000000000,
            price=300933,
        ),
        PlaceOrder(at=0, account="FAY", request="r10", number=1, instrument="ETHUSDT", side=Side.BUY, lots=1415793480),
        PlaceOrder(
            at=0, account="ANA", request="r11", number=1, instrument="ETHUSDT", side=Side.BUY, lots=200000000000000
        ),
        ApplyFunding(at=0, instrument="ETHUSDT", rate=-30000000),
        Proceed(at=0, limit=1),
    )
    world.when(Proceed(at=0, limit=5))
    world.finish()
