"""`ringfence fork --set NAME:order:N...`: orders are found in whatever asked for them, and who is not found is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from events.commands import Proceed
from events.store.sqlite import open_session
from exchange.sequencer import Sequencer
from tests.command_line import ringfence
from tests.scenario import scenario
from tests.spec.linking import attached, bracket, pair, profit
from tests.spec.waiting import waiting
from tests.spec.words import BUY, SELL, place, together
from tests.tampering import rows_of

ASKED = (
    pair(place(10, SELL, lots=4, price=110), waiting(11, SELL, at=90, lots=4)),
    bracket(place(20, BUY, lots=4, price=95), profit(21, SELL, at=110), attached(22, SELL, at=90)),
    together(place(30, BUY, lots=1, price=80), waiting(31, BUY, at=120)),
    waiting(40, BUY, at=130),
    bracket(place(50, BUY, lots=4, price=94), attached(51, SELL, at=90)),
    together(place(60, BUY, lots=1, price=80)),
)
"""A tick is 0.0001, and so is a lot."""


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "session.db"
    commands = [batch.command for batch in scenario().given(*ASKED).batches]
    asyncio.run(_keep(path, [command for command in commands if not isinstance(command, Proceed)]))
    return path


async def _keep(path: Path, commands: list[Any]) -> None:
    log = await open_session(path, create=True)
    sequencer = await Sequencer.open(log)
    for command in commands:
        sequencer.decide(command)
    await sequencer.close()
    await log.close()


def asked_in(session: Path) -> list[dict[str, Any]]:
    """The commands that place orders."""
    kinds = ("place_order.1", "place_trigger.1", "place_linked.1", "submit_batch.1")
    return [row.records[0][2] for row in rows_of(session) if row.records[0][2]["kind"] in kinds]


def orders_of(command: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The orders of a command by number."""
    several = [*filter(None, [command.get("entry")]), *command.get("linked", ()), *command.get("items", ())]
    return {one["number"]: one for one in several or [command]}


def forked(session: Path, *settings: str) -> list[dict[int, dict[str, Any]]]:
    """The orders that each command of the fork places; nothing is refused there, and it stands every check."""
    out = session.with_name("fork.db")
    changes = [word for setting in settings for word in ("--set", f"taker:order:{setting}")]
    said = ringfence("fork", session, "--at", 1, *changes, "--out", out, "--json").json
    assert said["accounts"][-1]["b"]["refusals"] == 0
    assert ringfence("audit", out, "--json").json["ok"]
    return [orders_of(command) for command in asked_in(out)]


EVERY = [{10, 11}, {20, 21, 22}, {30, 31}, {40}, {50, 51}, {60}]


@pytest.mark.parametrize(
    ("number", "left"),
    [
        (10, [{11}, *EVERY[1:]]),
        (11, [{10}, *EVERY[1:]]),
        (20, [EVERY[0], *EVERY[2:]]),
        (21, [EVERY[0], {20, 22}, *EVERY[2:]]),
        (31, [*EVERY[:2], {30}, *EVERY[3:]]),
        (40, [*EVERY[:3], *EVERY[4:]]),
        (51, [*EVERY[:4], {50}, EVERY[5]]),
        (60, EVERY[:5]),
    ],
)
def test_an_order_is_left_out_of_whatever_asked_for_it(session: Path, number: int, left: list[set[int]]) -> None:
    assert [set(orders) for orders in forked(session, f"{number}=none")] == left


@pytest.mark.parametrize(
    ("setting", "command", "number", "field", "value"),
    [
        ("10:price=0.0115", 0, 10, "price", 115),
        ("11:trigger=0.0085", 0, 11, "trigger", 85),
        ("20:size=0.0003", 1, 20, "lots", 3),
        ("22:trigger=0.0085", 1, 22, "trigger", 85),
        ("30:size=0.0003", 2, 30, "lots", 3),
        ("31:trigger=0.0125", 2, 31, "trigger", 125),
        ("40:price=0.0140", 3, 40, "price", 140),
    ],
)
def test_an_order_is_placed_otherwise_by_whatever_asked_for_it(
    session: Path, setting: str, command: int, number: int, field: str, value: int
) -> None:
    before = [orders_of(asked) for asked in asked_in(session)]
    after = forked(session, setting)
    assert after[command][number][field] == value
    before[command][number][field] = value
    assert after == before


def test_both_of_a_pair_have_the_size_that_one_is_given(session: Path) -> None:
    pair_of, *_ = forked(session, "11:size=0.0003")
    assert [order["lots"] for order in pair_of.values()] == [3, 3]


@pytest.mark.parametrize(
    ("at", "setting", "complaint"),
    [
        (1, "bob:order:1=none", "there is no account 'bob'; it has "),
        (1, "bob:deposit:USD=1", "there is no account 'bob'; it has "),
        (1, "taker:order:99=none", "there is no order 99 of taker"),
        ("last", "taker:order:20=none", "order 20 of taker was placed by record "),
        ("last", "pack=bybit-linear", "nothing after that moment is changed by it; a rule pack is set with --at 1"),
        (1, "taker:order:10:trigger=1", "order 10 of taker waits for no price"),
        (1, "taker:order:22:size=1", "order 22 of taker has no size of its own"),
    ],
)
def test_an_edit_that_cannot_be_applied_says_why(session: Path, at: Any, setting: str, complaint: str) -> None:
    record = rows_of(session)[-1].last_seq if at == "last" else at
    out = session.with_name("fork.db")
    said = ringfence("fork", session, "--at", record, "--set", setting, "--out", out, status=2).complaint
    assert said.startswith(f"--set {setting!r}: {complaint}")
    assert not out.exists()


def test_what_another_edit_leaves_out_is_not_changed(session: Path) -> None:
    both = ("--set", "taker:order:40=none", "--set", "taker:order:40:price=1")
    said = ringfence("fork", session, "--at", 1, *both, "--out", session.with_name("fork.db"), status=2).complaint
    assert said == "--set 'taker:order:40:price=1': order 40 of taker is left out by another --set"
