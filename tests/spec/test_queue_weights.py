"""A queue model of the session's own: weights of its equal parts, front first; 10 ahead of an order, 5 behind."""

from __future__ import annotations

from typing import Any

import pytest

from events.commands import QueueModel, SessionOptions
from events.refusals import Reason
from tests.scenario import Scenario, opening, scenario
from tests.spec.tape import diff, snapshot, tape
from tests.spec.words import BUY, pack, refused, resting

OPEN = tape(snapshot({99: 10, 98: 20}, {101: 10, 102: 20}))


def shrunk(weights: tuple[int, ...], to: int) -> Scenario:
    return (
        scenario(queue_weights=weights)
        .given(OPEN, resting(1, BUY, price=99, lots=3), tape(diff({99: 15}), after=1))
        .given(tape(diff({99: to}), after=2))
    )


@pytest.mark.parametrize(
    ("weights", "to", "queue"),
    [
        # one part is the proportional model
        ((1,), 12, "M8 3#1 M4"),
        ((7,), 11, "M8 3#1 M3"),
        # the first 7.5 lots alone: all of them ahead; of 11, one more than stands there leaves at the back
        ((1, 0), 12, "M7 3#1 M5"),
        ((1, 0), 4, "3#1 M4"),
        # the last 7.5 lots: 2.5 ahead and 5 behind; of 11, three more than these take are left for the front
        ((0, 1), 12, "M9 3#1 M3"),
        ((0, 1), 4, "M4 3#1"),
        # 7.5 + 3 x 2.5 ahead weigh as much as 3 x 5 behind
        ((1, 3), 11, "M8 3#1 M3"),
        ((1, 3), 0, "3#1"),
    ],
)
def test_what_leaves_is_spread_by_weight(weights: tuple[int, ...], to: int, queue: str) -> None:
    shrunk(weights, to).book(f"ask 102: M20\nask 101: M10\nbid 99: {queue}\nbid 98: M20")


@pytest.mark.parametrize(
    "options",
    [
        {"queue_weights": (0, 0)},
        {"queue_weights": (1, -1)},
        {"queue_weights": (1_000_001,)},
        {"queue_weights": (1,) * 65},
        {"queue_weights": (1, 2), "queue_model": QueueModel.AHEAD},
    ],
    ids=["nothing", "below 0", "too large", "too many", "two models"],
)
def test_weights_that_make_no_sense_open_no_session(options: dict[str, Any]) -> None:
    session = Scenario()
    session.when(opening(pack(), SessionOptions(**options))).then(refused(Reason.BAD_SESSION_OPTIONS))
