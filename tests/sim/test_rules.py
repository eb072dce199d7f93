"""The rules of made-up sessions: every option that a pack has is drawn, and every venue has its turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec
import pytest

from events.guards import Breaker, PriceGuards
from events.instruments import InverseFuture, InversePerp, LinearFuture, LinearPerp, Liquidation, RulePack
from tests.sim.chance import Dice, by_chance
from tests.sim.rules import SHIPPED, START, rules

SEEDS = range(160)

GIVEN = {
    "id": "a name", "version": "a name", "source": "a name", "base": "a name", "quote": "a name", "settle": "a name",
    "tick": "goes with the name", "lot": "goes with the name", "contract_value": "goes with the name",
    "valuation": "the dollars of every collateral",
    "skew_scale": "sessions do not know it", "max_funding_velocity": "sessions do not know it",
}  # fmt: skip
"""What is not drawn, and why."""


def values(things: Iterable[Any]) -> dict[str, set[str]]:
    """Every value that each field of these things has."""
    found: dict[str, set[str]] = defaultdict(set)
    for thing in things:
        for name, value in msgspec.structs.asdict(thing).items():
            found[name].add(repr(value))
    return found


@pytest.fixture(scope="module")
def packs() -> list[RulePack]:
    return [by_chance(Dice(str(seed)), 10 ** (3 + seed % 8), START) for seed in SEEDS]


@pytest.mark.parametrize(
    "kind", [RulePack, Liquidation, PriceGuards, Breaker, LinearPerp, InversePerp, LinearFuture, InverseFuture]
)
def test_the_dice_know_every_option_of_a_pack(kind: Any, packs: list[RulePack]) -> None:
    """An option that is missing here wants a line in a table of `tests/sim/chance.py`."""
    things = [
        *packs,
        *(p.liquidation for p in packs),
        *(p.guards for p in packs),
        *(p.guards.breaker for p in packs),
        *(i for p in packs for i in p.instruments),
    ]
    found = values(thing for thing in things if type(thing) is kind)
    perpetual = {"expiry", "settlement_fee", "settlement_window"} if kind in (LinearPerp, InversePerp) else set()
    dated = {"funding_interval"} if kind in (LinearFuture, InverseFuture) else set()
    assert {name for name in kind.__struct_fields__ if len(found[name]) < 2} - {*GIVEN, *perpetual, *dated} == set()


def test_every_value_of_an_option_is_drawn(packs: list[RulePack]) -> None:
    drawn: dict[type[Enum], set[Enum]] = defaultdict(set)
    for thing in (thing for pack in packs for thing in (pack, pack.liquidation)):
        for value in msgspec.structs.asdict(thing).values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Enum):
                    drawn[type(one)].add(one)
    assert drawn
    assert {kind: found for kind, found in drawn.items() if found != set(kind)} == {}


def test_a_new_option_leaves_the_others_as_they_are() -> None:
    dice, other = Dice("a"), Dice("a")
    other.of("new option").random()
    assert dice.of("style").random() == other.of("style").random()
    assert dice.of("style").random() != dice.of("backstop").random()


def test_every_venue_has_its_turn() -> None:
    packs = {rules(seed, 10**6).pack.id for seed in range(4 * len(SHIPPED))}
    assert packs == {*SHIPPED, "by-chance"}
    assert "binance-usdm" in packs
