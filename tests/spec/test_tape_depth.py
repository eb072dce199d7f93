"""The tape's book: the prices that a batch touched are enough to know all of it, and every chain of changes joins."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from events import commands as c
from events.chunks import encode_chunk
from events.instructions import SelfTrade
from events.instruments import load_pack
from events.observations import Kind, Observations
from events.units import Lots, Nanos, Ticks
from gateway.serving.tape.depth import Change, Depth, Gathered, Top
from gateway.serving.tape.look import Sight
from gateway.serving.tape.seen import DepthSeen, Seen, TopSeen
from gateway.serving.tape.tape import Tape
from tests.loop import in_loop
from tests.serving import BTC, Served, served

PRICE = 600_000


def tape_of() -> Tape:
    return Tape(load_pack("binance-usdm"))


async def hosted(**options: Any) -> tuple[Served, Tape]:
    tape = tape_of()
    host = await served(models=(tape,), look=tape.look, **options)
    return host, tape


def of_core(host: Served, limit: int = 1 << 30) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    book = host.venue.state.contracts[BTC].book
    return book.depth(book.bids, limit), book.depth(book.asks, limit)


def rows(host: Served, bids: dict[int, int], asks: dict[int, int], kind: Kind, prints: list[Any] = []) -> None:  # noqa: B006
    """Let history state levels, and trade."""
    host.at += 10**8
    n = len(prints)
    columns = Observations(
        BTC, kind=[int(kind)] + [int(Kind.PRINT)] * n, at=[host.at] * (n + 1), transacted=[host.at] * (n + 1),
        index=[0, *range(n)], first_id=[host.at], last_id=[host.at], previous_id=[0], bids_end=[len(bids)],
        asks_end=[len(bids) + len(asks)], level_price=[*bids, *asks], level_lots=[*bids.values(), *asks.values()],
        print_price=[p[0] for p in prints], print_lots=[p[1] for p in prints], print_side=[p[2] for p in prints],
    )  # fmt: skip
    columns.check()
    chunk = encode_chunk(columns)
    host.sequencer.add_chunk(chunk, columns)
    for first in range(n + 1):
        host.sequencer.decide(c.AdvanceMarket(Nanos(host.at), BTC, chunk.id, first, first))
    host.sequencer.release_chunk(chunk.id)


@in_loop
@pytest.mark.parametrize("seed", range(4))
async def test_what_a_batch_touched_is_enough_to_know_the_whole_book(seed: int) -> None:
    rng = random.Random(seed)
    host, tape = await hosted()
    accounts = [await host.account(name, "100000000") for name in ("ann", "bob")]
    for _ in range(100):
        venue, account = host.venue, rng.choice(accounts)
        match rng.randrange(8):
            case 0 | 1 | 2:
                side, price = rng.choice(list(c.Side)), PRICE + rng.randrange(-9, 10)
                order = c.PlaceOrder(
                    venue.now, account, venue.request(), venue.number(account), BTC, side, Lots(rng.randrange(2, 40)),
                    Ticks(price), self_trade=rng.choice([SelfTrade.NONE, SelfTrade.EXPIRE_MAKER]),
                    visible=Lots(rng.choice([0, 0, 1])),
                )  # fmt: skip
                await venue.ask(order)
            case 3 if orders := list(venue.state.accounts[account].orders.values()):
                order = rng.choice(orders)
                await venue.ask(c.CancelOrder(venue.now, account, venue.request(), order.number))
            case 4 if orders := list(venue.state.accounts[account].orders.values()):
                order = rng.choice(orders)
                await venue.ask(
                    c.AmendOrder(
                        venue.now, account, venue.request(), order.number, Ticks(order.price + rng.randrange(-1, 2)),
                        Lots(order.total + rng.randrange(3)),
                    )
                )  # fmt: skip
            case 5:
                rows(host, {PRICE - 1: 30}, {PRICE + 1: 30, PRICE + 3: 5}, Kind.SNAPSHOT)
            case _:
                low, high = PRICE - rng.randrange(1, 9), PRICE + rng.randrange(1, 9)
                lots = rng.randrange(30), rng.randrange(30)
                prints = [(PRICE + rng.randrange(-9, 10), rng.randrange(1, 50), rng.choice([1, -1]))]
                rows(host, {low: lots[0]}, {high: lots[1]}, Kind.DIFF, prints)
        await host.venue.settled()
        assert tape.depth(BTC, 1 << 30)[1:] == of_core(host)
    await host.close()


@in_loop
async def test_a_chain_of_changes_joins_the_snapshot_wherever_that_was_taken() -> None:
    host, tape = await hosted()
    depth = tape[BTC].depth
    gathered, chain = Gathered(depth), list[Change]()
    tape.listen(lambda seen: gathered.add(seen.change) if isinstance(seen, DepthSeen) else None)
    snapshots = [(tape.depth(BTC, 1000), 0)]
    for n in range(20):
        host.move(f"{60000 + n % 3}", depth=f"{50 + n}")
        await host.venue.settled()
        snapshots.append((tape.depth(BTC, 1000), len(chain)))
        if n % 3 == 0 and (change := gathered.take(depth)):
            chain.append(change)
    chain += filter(None, [gathered.take(depth)])
    assert gathered.take(depth) is None
    assert all(a.last == b.previous for a, b in pairwise(chain))
    for (last, bids, asks), begin in snapshots:
        book = {1: dict(bids), -1: dict(asks)}
        following = [change for change in chain[begin:] if change.last >= last]
        assert not following or following[0].previous <= last <= following[0].last
        for change in following:
            for sign, levels in ((1, change.bids), (-1, change.asks)):
                book[sign].update(levels)
        final = tape.depth(BTC, 1000)
        assert {p: lots for p, lots in book[1].items() if lots} == dict(final[1])
        assert {p: lots for p, lots in book[-1].items() if lots} == dict(final[2])
    await host.close()


@in_loop
async def test_the_best_prices_are_told_when_they_change_and_only_then() -> None:
    host, tape = await hosted()
    account = await host.account("ann", "1000000")
    heard: list[Seen] = []
    end = tape.listen(heard.append)
    venue = host.venue
    for price in (PRICE - 20, PRICE):
        await venue.ask(
            c.PlaceOrder(
                venue.now, account, venue.request(), venue.number(account), BTC, c.Side.BUY, Lots(3), Ticks(price)
            )
        )
    tops = [seen for seen in heard if isinstance(seen, TopSeen)]
    assert [seen.top for seen in tops] == [Top(PRICE, 3, PRICE + 1, 50_000)]
    assert len([seen for seen in heard if isinstance(seen, DepthSeen)]) == 2
    assert tape.top(BTC) == tops[0].top
    end()
    host.move("60100")
    await venue.settled()
    assert len(heard) == 3
    await host.close()


@in_loop
async def test_a_state_that_was_built_anew_is_looked_at_as_a_whole() -> None:
    host, _ = await hosted()
    fresh = tape_of()
    state = host.venue.state
    seen = fresh.look(state, None, None)  # type: ignore[arg-type]
    assert all(sight.whole for sight in seen.values())
    assert (seen[BTC].bids, seen[BTC].asks) == of_core(host)
    await host.close()


def test_a_whole_book_says_what_is_gone_and_nothing_is_told_where_nothing_changed() -> None:
    depth = Depth()
    first = Sight(True, [(99, 1), (98, 2)], [(101, 3)], 0, 0, 1, 0)
    assert depth.see(first, 5, 0) == Change(0, 5, [(99, 1), (98, 2)], [(101, 3)])
    assert depth.see(first, 6, 0) is None
    assert depth.see(first._replace(bids=[(98, 2)]), 7, 0) == Change(5, 7, [(99, 0)], [])
    assert depth.levels(1) == ([(98, 2)], [(101, 3)])
    assert Depth().top() == Top()
