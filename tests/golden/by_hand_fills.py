"""Sessions by hand of markets of which history has trades and no book."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from events.commands import INSURANCE, SessionOptions, TradeFills
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.tape import diff, marked, printed, snapshot, tape
from tests.spec.words import BUY, PERCENT, SELL, account, deposit, market, pack, place, position, proceed, resting


def _parts(fills: TradeFills) -> Iterator[Any]:
    yield opening(
        pack(maker_fee=PERCENT // 50, taker_fee=PERCENT // 20, liquidation_fee=PERCENT),
        SessionOptions(trade_fills=fills),
    )
    yield [account("maker", 100_000), account("ann", 200), account("bob", 5_000), deposit(INSURANCE, 1_000)]
    yield [tape(marked(100)), market(1, BUY, lots=1, by="bob"), *position(2, BUY, price=100, lots=15, by="ann")]
    yield [resting(4, BUY, price=99, lots=5), resting(5, BUY, price=98, lots=5, visible=2)]
    yield tape(printed(SELL, 100, 3, at=10), printed(BUY, 99, 3, at=11), printed(SELL, 98, 4, at=12))
    yield [market(6, BUY, lots=6, by="bob"), place(7, SELL, price=97, lots=3, by="bob")]
    yield [resting(8, SELL, price=101, lots=4), tape(printed(BUY, 101, 3, at=13), printed(SELL, 97, 9, at=14))]
    yield [tape(printed(SELL, 90, 4, at=15), marked(88, at=15)), proceed()]
    yield [market(9, BUY, lots=3, by="bob"), tape(printed(BUY, 95, 2, at=16), snapshot({94: 9}, {96: 7}, at=16))]
    yield [resting(10, BUY, price=94, lots=2), tape(printed(SELL, 94, 10, at=17), diff({94: 1}, at=18), after=1)]


def _session(fills: TradeFills) -> Callable[[], Session]:
    return lambda: recorded(partial(_parts, fills))


SESSIONS = {"trades-through-1": _session(TradeFills.THROUGH), "trades-touch-1": _session(TradeFills.TOUCH)}
