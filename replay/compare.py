"""Two sessions side by side: how far they are one, where they part, and what came of it for each account.

A digest covers everything before it, so the last batch that two logs share is found by bisection.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from events.codec import decode_body
from events.commands import AccountId
from events.instruments import AssetId
from events.log import EventLog, Head
from events.record import Record
from events.store.entries import head_after
from exchange.core.state import State
from exchange.projections.results import AccountResult, Results
from exchange.rebuild import rebuild
from replay.quotes import equity_atoms
from replay.travel import batch_at

Pair = tuple[Record | None, Record | None]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two sessions: where its log ends, its last state, the fold of the facts that the other does not have."""

    head: Head
    state: State
    since: Results


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sessions. shared is the head of the last batch that both have, first the first two records that differ: a
    missing one stands for the end of a session, and both are missing where the sessions are one.
    """

    shared: Head
    first: Pair
    left: Side
    right: Side


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account has in an asset at the end of a session, atoms, and what it did since the sessions parted.

    paid_in is what it deposited, received by transfer and exchanged into the asset since then, less what went out.
    """

    equity: int
    paid_in: int
    fills: int
    liquidations: int
    refusals: int


def gain(ours: Standing | None, theirs: Standing | None) -> int:
    """How much more the second has than the first, net of what each paid in since the sessions parted, atoms."""
    earned = [side.equity - side.paid_in if side else 0 for side in (ours, theirs)]
    return earned[1] - earned[0]


async def compare(left: EventLog, right: EventLog) -> Comparison:
    """Compare two sessions. Raises LogError."""
    shared = await _shared(left, right)
    sides = await _side(left, shared), await _side(right, shared)
    return Comparison(shared, await _first(left, right, shared), *sides)


def standings(comparison: Comparison) -> dict[tuple[AccountId, AssetId], tuple[Standing | None, Standing | None]]:
    """Every account and asset of either session, in both."""
    left, right = (_standings(side) for side in (comparison.left, comparison.right))
    return {key: (left.get(key), right.get(key)) for key in dict.fromkeys([*left, *right])}


async def _shared(left: EventLog, right: EventLog) -> Head:
    low, high = 0, min((await left.head()).batch, (await right.head()).batch)
    while low < high:
        middle = (low + high + 1) // 2
        are_one = (await batch_at(left, middle)).digest == (await batch_at(right, middle)).digest
        low, high = (middle, high) if are_one else (low, middle - 1)
    return head_after(await batch_at(left, low)) if low else Head()


async def _first(left: EventLog, right: EventLog, shared: Head) -> Pair:
    """The first record of the next batch that is not the same in both."""
    records = [await _records(log, shared.batch + 1) for log in (left, right)]
    return next(((ours, theirs) for ours, theirs in zip_longest(*records) if ours != theirs), (None, None))


async def _records(log: EventLog, batch: int) -> list[Record]:
    if batch > (await log.head()).batch:
        return []
    return decode_body(batch, (await batch_at(log, batch)).body).records


async def _side(log: EventLog, shared: Head) -> Side:
    state, head = await rebuild(log)
    since = Results(
        {name: AccountResult() for name in state.accounts if not state.accounts[name].is_reserved},
        settles={name: contract.settle for name, contract in state.contracts.items()},
    )
    async for stored in log.read(shared.batch):
        since.observe(decode_body(stored.number, stored.body))
    return Side(head, state, since)


def _standings(side: Side) -> dict[tuple[AccountId, AssetId], Standing]:
    found = {}
    for name, result in side.since.accounts.items():
        account = side.state.accounts[name]
        for asset in account.wallets:
            found[name, asset] = Standing(
                equity=equity_atoms(account, asset),
                paid_in=result.of(asset).deposits,
                fills=result.fills,
                liquidations=result.liquidations,
                refusals=result.refusals,
            )
    return found
