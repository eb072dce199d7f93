"""What no iceberg may be, and what the auditor has to say against one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from events import facts as f
from events.commands import TimeInForce
from events.facts import OrderAccepted
from events.instruments import PackError, load_pack, read_pack
from events.refusals import Reason
from events.units import Lots
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import Change, noticed, putting, told
from tests.spec.icebergs import BEHIND, ICEBERG, TAKER, iceberg, queues
from tests.spec.test_pack_rules import PACK
from tests.spec.words import (
    BUY,
    EASY,
    FOK,
    GTC,
    IOC,
    POST_ONLY,
    SELL,
    amend,
    market,
    pack,
    place,
    refused,
)

REFUSALS: list[tuple[dict[str, Any], Reason]] = [
    ({"tif": IOC}, Reason.ICEBERG_CANNOT_REST),
    ({"tif": FOK}, Reason.ICEBERG_CANNOT_REST),
    ({"price": None, "tif": GTC}, Reason.ICEBERG_CANNOT_REST),
    ({"price": None, "tif": POST_ONLY}, Reason.MARKET_ORDER_CANNOT_REST),
    ({"lots": 10_001, "tif": IOC}, Reason.SIZE_ABOVE_MAXIMUM),
    ({"tif": IOC, "visible": "2.5"}, Reason.ICEBERG_CANNOT_REST),
    ({"visible": "2.5"}, Reason.VISIBLE_OFF_LOT),
    ({"visible": 1}, Reason.VISIBLE_BELOW_MINIMUM),
    ({"visible": -3}, Reason.VISIBLE_BELOW_MINIMUM),
    ({"visible": 1, "lots": 10_000}, Reason.VISIBLE_BELOW_MINIMUM),
    ({"visible": 11}, Reason.VISIBLE_ABOVE_SIZE),
    ({"visible": 2, "lots": 21}, Reason.TOO_MANY_PARTS),
    ({"visible": 2, "lots": 21, "tif": TimeInForce.GTD}, Reason.TOO_MANY_PARTS),
    ({"visible": 11, "tif": TimeInForce.GTD}, Reason.VISIBLE_ABOVE_SIZE),
]
"""How an iceberg is placed -> what it is refused for: of several rules, the first in the order of `Reason`."""


@pytest.mark.parametrize(("how", "reason"), REFUSALS)
def test_each_refusal_has_its_place(how: dict[str, Any], reason: Reason) -> None:
    session = scenario(pack(min_lots=Lots(2)))
    session.when(place(1, SELL, **{"price": 100, "lots": 10, "visible": 3, **how})).then(refused(reason))
    told(session)


@pytest.mark.parametrize(("lots", "visible"), [(20, 2), (10, 10), (19, 2), (100, 10)])
def test_ten_parts_are_not_too_many(lots: int, visible: int) -> None:
    told(scenario(pack(min_lots=Lots(2))).given(iceberg(lots=lots, visible=visible)))


class TestThePack:
    """It says how many parts an iceberg has at most."""

    def test_it_states_how_many_parts(self) -> None:
        assert read_pack(json.dumps(PACK | {"max_iceberg_parts": 60}).encode(), "some.json").max_iceberg_parts == 60
        assert load_pack("binance-usdm").max_iceberg_parts == 10
        with pytest.raises(PackError, match="max_iceberg_parts must not be below 0"):
            read_pack(json.dumps(PACK | {"max_iceberg_parts": -1}).encode(), "some.json")

    def test_none_are_allowed_where_it_says_0(self) -> None:
        rules = replace(EASY, max_iceberg_parts=0)
        scenario(rules).when(iceberg(visible=10)).then(refused(Reason.TOO_MANY_PARTS))


def showing_less() -> Scenario:
    return queues().given(market(TAKER, BUY, lots=2))


def turned() -> Scenario:
    """The iceberg's second part is behind order 2, of which the last taker took 1."""
    return queues().given(market(8, BUY, lots=3), market(TAKER, BUY, lots=1))


FALSE: dict[str, tuple[Scenario, str, Change, type]] = {
    "more than is shown": (
        showing_less(),
        "no more trades at once than is shown",
        putting(lots=4, value=400),
        f.Traded,
    ),
    "out of turn": (turned(), "the first in line trades first", putting(maker_order=ICEBERG), f.Traded),
    "before a part": (
        queues().given(market(TAKER, BUY, lots=1)),
        "the first in line trades first",
        putting(maker_order=BEHIND),
        f.Traded,
    ),
    "shows another size": (scenario().given(iceberg()), "lots that it shows", putting(visible=4), OrderAccepted),
    "shows all": (scenario().given(iceberg()), "lots that it shows", putting(visible=0), OrderAccepted),
}


@pytest.mark.parametrize("name", FALSE)
def test_the_auditor_notices(name: str) -> None:
    session, what, change, kind = FALSE[name]
    noticed(session, what, change, kind)


RULES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "takes only": ({}, {"time_in_force": IOC}, "an iceberg may rest"),
    "no price": ({}, {"price": None}, "an iceberg may rest"),
    "a part too small": ({}, {"visible": 1}, "a part is an order's least at least"),
    "a part too large": ({}, {"visible": 11}, "a part is an order's least at least"),
    "too many parts": ({"lots": 25}, {"visible": 2}, "no more parts than allowed"),
}


@pytest.mark.parametrize("name", RULES)
def test_the_auditor_knows_the_rules(name: str) -> None:
    how, false, what = RULES[name]
    session = scenario(pack(min_lots=Lots(2))).given(iceberg(**how))
    noticed(session, what, putting(**false))


@pytest.mark.parametrize("lots", [2, 31])
def test_the_auditor_knows_them_of_amendments(lots: int) -> None:
    session = queues().given(amend(ICEBERG, lots=9 if lots < 9 else 12))
    keeps = lots < 9
    what = "a part is no larger than its order" if keeps else "no more parts than allowed"
    noticed(session, what, putting(lots=lots, left=lots))
