"""Sessions by hand of how traders handle what is open: by names, amendments, batches, countdowns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.contracts import later
from tests.spec.waiting import waiting
from tests.spec.words import (
    BUY,
    POST_ONLY,
    SELL,
    account,
    amend,
    cancel,
    cancel_all,
    countdown,
    mark,
    pack,
    place,
    resting,
    together,
)


def client_ids() -> Session:
    """client-ids-1: orders by names of their own, well formed and in use or not."""
    return recorded(_client_ids)


def amendments() -> Session:
    """amendments-1: orders that keep their place, go to the back, take, end, and stay as they are."""
    return recorded(_amendments)


def batches() -> Session:
    """batches-1: items that are accepted, refused and repeated; batches that are none."""
    return recorded(_batches)


def countdowns() -> Session:
    """countdowns-1: countdowns that run out, are renewed, stopped and wrong; and cancels of all."""
    return recorded(_countdowns)


SESSIONS = {
    "client-ids-1": client_ids,
    "amendments-1": amendments,
    "batches-1": batches,
    "countdowns-1": countdowns,
}


def _client_ids() -> Iterator[Any]:
    yield [opening(), mark(100), account("maker", 100_000), account("taker", 100_000)]
    yield [resting(1, BUY, price=90, lots=5, client="a"), place(2, BUY, price=90, lots=5, client="A.b:c/d_e-f")]
    yield [place(3, BUY, price=90, lots=5, by="maker", client="a"), place(4, BUY, price=90, lots=5, client="a b")]
    yield [cancel(by="maker", client="a"), place(5, SELL, price=90, lots=5, by="maker", client="a")]
    yield [cancel(by="taker", client="a"), place(6, SELL, lots=1, by="maker", client="a")]


def _batches() -> Iterator[Any]:
    yield [opening(), mark(100), account("maker", 100_000), account("taker", 100_000)]
    yield [resting(9, SELL, price=101, lots=2), together(place(1, BUY, price=90, lots=5, request="bid"), cancel(7))]
    yield [together(place(1, BUY, price=90, lots=5, request="bid"), amend(1, price=101), waiting(3, SELL, at=80))]
    yield [
        together(*(cancel(n, by="taker") for n in range(1, 8))),
        together(),
        together(*(cancel(1, by="taker"),) * 11),
    ]
    yield [together(place(4, BUY, price=90, lots=5, by="maker")), together(cancel(4, by="taker"), request="item 0")]
    yield [together(replace(cancel(4, by="taker"), request="a"), replace(cancel(5, by="taker"), request="a"))]
    yield [together(replace(cancel(6, by="taker"), request="caf\u00e9"))]
    yield [together(place(8, BUY, price=0, lots=1), place(9, BUY, price=90, lots=1))]


def _countdowns() -> Iterator[Any]:
    yield [opening(), mark(100), account("maker", 100_000), account("taker", 100_000)]
    yield [resting(1, BUY, price=90, lots=5), resting(2, SELL, price=110, lots=5), waiting(3, SELL, at=80, by="maker")]
    yield [countdown("maker", 50), countdown("maker", 60), later(100), countdown("maker", 10), countdown("maker", 0)]
    yield [resting(4, BUY, price=90, lots=5), countdown("maker", 10), replace(cancel(4), at=500)]
    yield [countdown("maker", -1), countdown("maker", 1, on="LEAD"), countdown("taker", 5), later(1_000)]
    yield [resting(5, BUY, price=90, lots=5), cancel_all("maker"), cancel_all("maker"), cancel_all("maker", on="LEAD")]


def _amendments() -> Iterator[Any]:
    yield [opening(replace(pack(min_lots=2), max_amendments=4)), mark(100)]
    yield [account("maker", 100_000), account("taker", 10_000)]
    yield [resting(1, BUY, price=90, lots=9), resting(2, BUY, price=90, lots=7, by="taker", client="two")]
    yield [place(3, SELL, price=90, lots=4, by="taker"), amend(1, lots=8), amend(1, lots=10), amend(1, price=91)]
    yield [amend(by="taker", client="two", price=92, lots=9), amend(1, price=91), amend(1, lots=1)]
    yield [amend(1, price=90), amend(1, price=89), amend(2, lots=9_000), amend(9, lots=3, by="maker")]
    yield [resting(4, SELL, price=101, lots=5), place(5, BUY, price=99, lots=8), amend(5, price=102)]
    yield [resting(6, SELL, price=103, lots=5), place(7, BUY, price=99, lots=8, tif=POST_ONLY), amend(7, price=103)]
    yield [place(8, SELL, price=92, lots=3, by="maker"), amend(2, lots=3)]
