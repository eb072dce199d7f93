"""Sessions by hand of what came after linear perpetuals: other contracts, legs, collateral, time, margin rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from events import commands as c
from events.commands import INSURANCE, FundingSource
from events.instruments import FeeTier, InstrumentId
from events.rules import DueAt, ExitFee, MaintenanceBasis, ModeSwitch
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.contracts import (
    COIN,
    HOUR,
    LONG,
    OUNCE,
    SHORT,
    auto_add,
    dated,
    dated_inverse,
    exchange,
    hedge,
    index,
    inverse,
    join,
    later,
    pack_of,
    price,
    several_assets,
    transfer,
)
from tests.spec.words import (
    BUY,
    CROSS,
    FOK,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    USD,
    account,
    add_margin,
    cancel,
    deposit,
    funding,
    instrument,
    mark,
    open_account,
    place,
    position,
    remove_margin,
    resting,
    set_leverage,
    set_mode,
    withdraw,
)

LATE, LATE_COIN = InstrumentId("LATE"), InstrumentId("LATE_COIN")
FEES = {"maker_fee": 20_000, "taker_fee": 50_000, "liquidation_fee": PERCENT, "interest": 10_000}
ENDING = {"expiry": 12 * HOUR, "settlement_fee": 50_000}

ALL_ASSETS = several_assets(
    instrument(GOLD, **FEES),
    instrument(TIN, **FEES, funding_cap=PERCENT // 10),
    inverse(**FEES),
    dated(LATE, **FEES, **ENDING, settlement_window=2 * HOUR),
    dated_inverse(LATE_COIN, **FEES, **ENDING),
    debt_limit=100,
    interest=PERCENT // 100,
    interest_interval=HOUR,
    fee=PERCENT // 10,
    fee_tiers=(FeeTier(0, 0, 0), FeeTier(2_000, 10_000, 40_000)),
)

OTHER_RULES = pack_of(
    instrument(GOLD, **FEES),
    inverse(**FEES),
    maintenance_basis=MaintenanceBasis.ENTRY,
    exit_fee=ExitFee.AT_BANKRUPTCY,
    due_at=DueAt.BELOW_MAINTENANCE,
    mode_switch=ModeSwitch.WHEN_OPEN,
    liquidation_pays_taker_fee=True,
)


def all_assets() -> Session:
    """by-hand-2: all contracts, legs, several assets, computed funding, settlement."""
    return recorded(_opening, _contracts, _hedges, _collateral, _isolated, _debts, _time)


def other_rules() -> Session:
    """by-hand-3: margins of another venue, and modes that switch with positions open."""
    return recorded(_other_opening, _switches, _coins)


def _rich(name: str) -> list[Any]:
    return [account(name, 1_000_000), deposit(name, 1_000_000, asset=OUNCE)]


def _opening() -> Iterator[Any]:
    yield opening(ALL_ASSETS, c.SessionOptions(funding=FundingSource.PREMIUM))
    yield [*_rich("maker"), *_rich("taker"), deposit(INSURANCE, 100_000), deposit(INSURANCE, 100_000, asset=OUNCE)]
    yield [index(0), index(1, on="LEAD"), price(0), mark(100), index(99), mark(50, on=TIN), index(51, on=TIN)]


def _contracts() -> Iterator[Any]:
    """Inverse and dated contracts, an order that settlement will end, and what has no price yet."""
    yield [*_rich("ann"), exchange("ann", 10), exchange("ann", 10, USD, USD), exchange("ann", 10**9, USD, OUNCE)]
    yield [join("ann"), price(2), exchange("ann", 0), exchange("ann", 1_000), exchange("ann", 999, USD, OUNCE)]
    yield [mark(100, on=name) for name in (COIN, LATE, LATE_COIN)]
    yield [index(101, on=LATE), index(98, on=LATE_COIN)]
    yield position(1, BUY, price=100, lots=10, by="ann", on=COIN)
    yield [*position(3, SELL, price=101, lots=7, by="ann", on=LATE), resting(5, BUY, price=90, lots=3, on=LATE)]
    yield [*position(6, BUY, price=103, lots=9, by="ann", on=LATE_COIN), place(8, SELL, price=99, lots=99, tif=FOK)]
    yield [transfer("ann", 500, "maker"), transfer("ann", 5, "ann"), transfer("ann", 5, "nobody")]
    yield [transfer("ann", 5, INSURANCE), transfer("ann", 10**9, "maker"), transfer("ann", 9, "taker", asset=OUNCE)]


def _hedges() -> Iterator[Any]:
    """Legs in cross and isolated, one of them liquidated."""
    yield [*_rich("ben"), hedge("ben"), place(10, BUY, price=100, lots=1, by="ben")]
    yield position(11, BUY, price=100, lots=10, by="ben", leg=LONG)
    yield position(13, SELL, price=100, lots=6, by="ben", leg=SHORT)
    yield [hedge("ben", False), place(15, BUY, price=99, lots=9, by="ben", leg=SHORT), set_leverage("ben", 5)]
    yield [set_mode("ben", ISOLATED, on=TIN), set_mode("ben", ISOLATED)]
    yield position(17, BUY, price=50, lots=20, by="ben", on=TIN, leg=LONG)
    yield position(19, SELL, price=50, lots=8, by="ben", on=TIN, leg=SHORT)
    yield [add_margin("ben", 20, on=TIN, leg=SHORT), remove_margin("ben", 5, on=TIN, leg=SHORT)]
    yield [resting(21, BUY, price=46, lots=5, on=TIN), mark(47, on=TIN), mark(50, on=TIN)]
    yield place(22, BUY, price=100, lots=1, by="taker", leg=LONG)


def _collateral() -> Iterator[Any]:
    """Wallets that join and part, and what speaks against it."""
    yield [account("cleo", 150), deposit("cleo", 300, asset=OUNCE), set_mode("cleo", ISOLATED, on=TIN), join("cleo")]
    yield [set_mode("cleo", CROSS, on=TIN), join("cleo"), set_mode("cleo", ISOLATED)]
    yield position(30, BUY, price=100, lots=40, by="cleo")
    yield [join("cleo", False), withdraw("cleo", 300, asset=OUNCE), withdraw("cleo", 10, asset=OUNCE)]
    yield [exchange("cleo", 140, USD, OUNCE), place(32, SELL, price=130, lots=2, by="cleo"), join("cleo", False)]


def _isolated() -> Iterator[Any]:
    """Margin added when a position falls due."""
    yield [account("dan", 1_000, mode=ISOLATED), auto_add("dan"), auto_add("dan", instrument="LEAD")]
    yield [*position(40, BUY, price=100, lots=20, by="dan"), mark(95), mark(93), auto_add("dan", False), mark(100)]


def _debts() -> Iterator[Any]:
    """Losses that become debts, interest on them, their exchange, and a pool that all of it does not save."""
    yield [account("eve"), deposit("eve", 500, asset=OUNCE), join("eve")]
    yield [*position(50, BUY, price=100, lots=9, by="eve"), resting(52, BUY, price=91, lots=9)]
    yield [place(53, SELL, price=91, lots=9, by="eve", reduce_only=True), later(HOUR)]
    yield [*position(54, BUY, price=100, lots=30, by="eve"), resting(56, BUY, price=88, lots=30)]
    yield place(57, SELL, price=88, lots=30, by="eve", reduce_only=True)
    yield [*position(58, BUY, price=100, lots=20, by="eve"), later(2 * HOUR)]
    yield [mark(92), price(1), mark(80), mark(100), price(2)]


def _time() -> Iterator[Any]:
    """Computed funding at 8:00, settlement at 12:00, and what is refused then."""
    yield [mark(102), c.SetMarkPrice(5 * HOUR, GOLD, 1_050_000), later(8 * HOUR), funding(PERCENT, on=COIN)]
    yield [c.SetIndexPrice(11 * HOUR, LATE, 1_050_000), (later(12 * HOUR), cancel(5), mark(100, on=LATE))]
    yield [
        place(60, BUY, price=100, lots=1, on=LATE),
        index(1, on=LATE),
        funding(1, on=LATE_COIN),
        later(40 * 24 * HOUR),
    ]
    yield [position(61, BUY, price=100, lots=3, by="ann"), c.AdvanceTime(c.Nanos(0))]


def _other_opening() -> Iterator[Any]:
    yield opening(OTHER_RULES)
    yield [*_rich("maker"), *_rich("taker"), deposit(INSURANCE, 100_000)]
    yield [mark(100), mark(100, on=COIN), join("taker"), exchange("taker", 1), join("taker", False)]


def _switches() -> Iterator[Any]:
    """There and back with a position open, and closed with the fee of a taker."""
    yield [account("ann", 1_000), *position(1, BUY, price=100, lots=20, by="ann"), set_mode("ann", ISOLATED)]
    yield [set_mode("ann", CROSS), place(3, SELL, price=120, lots=1, by="ann"), set_mode("ann", ISOLATED), cancel(3)]
    yield [set_mode("ann", ISOLATED), resting(4, BUY, price=94, lots=8), mark(95), mark(94), mark(100)]


def _coins() -> Iterator[Any]:
    """An inverse short, isolated at last, and covered by the fund."""
    yield [open_account("bob"), deposit("bob", 300, asset=OUNCE)]
    yield [*position(10, SELL, price=100, lots=20, by="bob", on=COIN), mark(90, on=COIN), mark(105, on=COIN)]
    yield [set_mode("bob", ISOLATED, on=COIN), mark(125, on=COIN)]


SESSIONS = {"by-hand-2": all_assets, "by-hand-3": other_rules}
