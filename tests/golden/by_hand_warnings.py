"""Sessions by hand of margin calls: on the way down and back, in cross, isolated, and with all wallets together; and
with a ratio of recovery of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from events.instruments import Liquidation, RulePack
from events.units import UNIT, Rate
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.contracts import OUNCE, join, price, several_assets
from tests.spec.words import BUY, ISOLATED, SELL, account, deposit, mark, position, set_mode

WARNS = replace(several_assets(), liquidation=Liquidation(warning=Rate(UNIT * 8 // 10)))
RECOVERS = replace(WARNS.liquidation, recovery=Rate(UNIT * 6 // 10))


def warnings() -> Session:
    """warnings-1: calls, recoveries, and a pool that is gone."""
    return recorded(_warnings)


def recoveries() -> Session:
    """warnings-2: the same marks, where a pool has to gain more until it recovered."""
    return recorded(lambda: _warnings(replace(WARNS, liquidation=RECOVERS)))


SESSIONS = {"warnings-1": warnings, "warnings-2": recoveries}


def _warnings(pack: RulePack = WARNS) -> Iterator[Any]:
    yield [opening(pack), mark(100), price(2), account("maker", 100_000), account("ann", 110), account("bob", 110)]
    yield [set_mode("bob", ISOLATED), account("cat", 60), deposit("cat", 50, asset=OUNCE), join("cat")]
    yield [*position(1, BUY, price=100, lots=10, by="ann"), *position(3, SELL, price=100, lots=10, by="bob")]
    yield [*position(5, BUY, price=100, lots=10, by="cat"), mark(97), mark(95), mark(96), mark(98), mark(104)]
    yield [mark(103), mark(95), price(1), price(3), deposit("ann", 30), mark(90), mark(80), mark(120)]
