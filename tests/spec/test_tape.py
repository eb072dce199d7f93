"""The tape: trades told once, forced orders with what they traded, and all of it the same after it was kept."""

from __future__ import annotations

from typing import Any

import pytest

from events import commands as c
from events.chunks import encode_chunk
from events.instruments import InstrumentId, load_pack
from events.observations import Action, Kind, Observations
from events.store.memory import MemoryLog
from events.units import Lots, MarkUnits, Nanos, Rate, Ticks
from exchange.core.state import RULES_VERSION
from exchange.sequencer import Sequencer
from gateway.serving.tape.candles import MINUTE, Candle
from gateway.serving.tape.instrument import Price
from gateway.serving.tape.look import Looker
from gateway.serving.tape.seen import ForcedSeen, FundingSeen, QuoteSeen, Seen
from gateway.serving.tape.tape import Tape
from gateway.serving.tape.trades import TRADES_A_RECORD, TRADES_KEPT, trade_id
from tests.loop import in_loop
from tests.serving import BTC, START, Served, served

PRICE = 600_000
PACK = load_pack("binance-usdm")


async def hosted(**options: Any) -> tuple[Served, Tape]:
    tape = Tape(PACK, **options)
    return await served(models=(tape,), look=tape.look), tape


async def order(host: Served, account: c.AccountId, side: c.Side, lots: int, price: int | None = None) -> None:
    venue = host.venue
    at = None if price is None else Ticks(price)
    asked = c.PlaceOrder(venue.now, account, venue.request(), venue.number(account), BTC, side, Lots(lots), at)
    assert (await venue.ask(asked)).reason is None


def advance(host: Served, columns: Observations) -> None:
    """Apply rows of history at once."""
    columns.at[:] = columns.transacted[:] = [host.at] * len(columns)
    columns.check()
    chunk = encode_chunk(columns)
    host.sequencer.add_chunk(chunk, columns)
    host.sequencer.decide(c.AdvanceMarket(Nanos(host.at), BTC, chunk.id, 0, len(columns) - 1))
    host.sequencer.release_chunk(chunk.id)


def prints(*trades: tuple[int, int, int]) -> Observations:
    many = len(trades)
    return Observations(
        BTC, kind=[int(Kind.PRINT)] * many, at=[0] * many, transacted=[0] * many, index=list(range(many)),
        print_price=[t[0] for t in trades], print_lots=[t[1] for t in trades], print_side=[t[2] for t in trades],
    )  # fmt: skip


@in_loop
async def test_what_a_print_gave_to_a_trader_is_the_traders_trade_and_no_part_of_the_print() -> None:
    host, tape = await hosted()
    ann = await host.account("ann", "1000000")
    await order(host, ann, c.Side.BUY, 3, PRICE)
    before = len(tape.trades(BTC, 99))
    advance(host, prints((PRICE - 1, 10, -1)))
    await host.venue.settled()
    found = tape.trades(BTC, 99)[before:]
    assert [(trade.price, trade.lots, trade.bought) for trade in found] == [(PRICE - 1, 7, False), (PRICE, 3, False)]
    assert tape.depth(BTC, 1)[1] == [(PRICE - 1, 50_000)]
    await host.close()


@in_loop
async def test_a_print_that_a_trader_got_all_of_is_told_once() -> None:
    host, tape = await hosted()
    ann = await host.account("ann", "1000000")
    await order(host, ann, c.Side.BUY, 9, PRICE)
    before = len(tape.trades(BTC, 99))
    advance(host, prints((PRICE - 1, 4, -1)))
    await host.venue.settled()
    assert [(trade.price, trade.lots) for trade in tape.trades(BTC, 99)[before:]] == [(PRICE, 4)]
    await host.close()


@in_loop
async def test_historys_prints_of_one_moment_at_one_price_are_one_aggregate() -> None:
    host, tape = await hosted()
    before = len(tape.trades(BTC, 99))
    advance(host, prints((PRICE, 1, 1), (PRICE, 2, 1), (PRICE, 4, -1), (PRICE + 1, 8, -1)))
    await host.venue.settled()
    found = tape.trades(BTC, 99)[before:]
    assert len({trade.id for trade in found}) == 4
    assert [trade.part == found[0].id for trade in found] == [True, True, False, False]
    assert [trade.value for trade in found] == [
        p * n * 10**4 for p, n in ((PRICE, 1), (PRICE, 2), (PRICE, 4), (PRICE + 1, 8))
    ]
    await host.close()


@in_loop
async def test_history_that_tells_orders_apart_is_looked_at_as_a_whole() -> None:
    host, tape = await hosted()
    adds = [(Action.ADD, 7, 1, PRICE - 3, 5), (Action.ADD, 8, -1, PRICE + 3, 6), (Action.CHANGE, 7, 1, PRICE - 2, 4)]
    rows = Observations(
        BTC, kind=[int(Kind.ORDERS)] * 3, at=[0] * 3, transacted=[0] * 3, index=[0, 1, 2], orders_end=[1, 2, 3],
        order_action=[int(a[0]) for a in adds], order_id=[a[1] for a in adds], order_side=[a[2] for a in adds],
        order_price=[a[3] for a in adds], order_lots=[a[4] for a in adds],
    )  # fmt: skip
    advance(host, rows)
    await host.venue.settled()
    assert tape.depth(BTC, 9)[1:] == (
        [(PRICE - 1, 50_000), (PRICE - 2, 4)], [(PRICE + 1, 50_000), (PRICE + 3, 6)],
    )  # fmt: skip
    await host.close()


@in_loop
async def test_forced_orders_marks_and_funding_are_told_and_kept() -> None:
    host, tape = await hosted()
    heard: list[Seen] = []
    end = tape.listen(heard.append)
    ann = await host.account("ann", "5000")
    venue = host.venue
    await venue.ask(c.SetLeverage(venue.now, ann, venue.request(), BTC, 100))
    await order(host, ann, c.Side.BUY, 5_000)
    assert tape[BTC].quotes.open_interest == 5_000
    for name in (BTC, InstrumentId("USDTUSD")):
        host.sequencer.decide(c.SetIndexPrice(venue.now, name, MarkUnits(60_000 * 10**8)))
    host.sequencer.decide(c.ApplyFunding(venue.now, BTC, Rate(10_000)))
    host.move("58000")
    host.move("58000")
    await venue.settled()
    forced = [seen.forced for seen in heard if isinstance(seen, ForcedSeen)]
    assert forced == list(tape[BTC].records.forced)
    assert forced
    assert (forced[0].sign, forced[0].at) == (-1, tape.now - 1000)
    assert all(0 <= one.executed <= one.lots and (one.value > 0) == (one.executed > 0) for one in forced)
    (funding,) = [seen.funding for seen in heard if isinstance(seen, FundingSeen)]
    assert (funding.rate, funding.mark) == (10_000, 60_000 * 10**8)
    assert len([seen for seen in heard if isinstance(seen, QuoteSeen)]) == 3
    assert tape[BTC].quotes.premium == (58_000 - 60_000) * 10**8 // 60_000
    assert tape.candles(BTC, "1m", price=Price.PREMIUM)[-1].close == tape[BTC].quotes.premium
    end()
    await host.close()


@in_loop
async def test_what_is_kept_is_all_of_it_but_the_book() -> None:
    host, tape = await hosted()
    ann = await host.account("ann", "1000000")
    for n in range(5):
        await order(host, ann, c.Side.BUY, 5 + n)
        host.move(f"{60_000 + n}", 47)
    host.sequencer.decide(c.ApplyFunding(host.venue.now, BTC, Rate(7)))
    await host.venue.settled()
    again = Tape(PACK)
    again.load(tape.dump())
    assert again.dump() == tape.dump()
    assert again.trades(BTC, 99) == tape.trades(BTC, 99)
    for interval in ("1m", "3m", "1h", "1M"):
        for price in Price:
            assert again.candles(BTC, interval, price=price) == tape.candles(BTC, interval, price=price)
    assert again.ticker(BTC) == tape.ticker(BTC)
    assert (again[BTC].quotes, again.now) == (tape[BTC].quotes, tape.now)
    assert again.depth(BTC, 5) == (0, [], [])
    again.look(host.venue.state, None, None)  # type: ignore[arg-type]
    await host.close()


@in_loop
async def test_what_was_before_the_session_is_asked_for_once_and_joins_its_candles() -> None:
    asked: list[tuple[int, int]] = []

    def past(instrument: InstrumentId, start: int, end: int) -> list[Candle]:
        assert instrument == BTC
        asked.append((start, end))
        return [Candle(end - n * MINUTE, 5, 9, 4, 6, 10, 60, 2, 4, 24) for n in range(120, 0, -1)]

    host, tape = await hosted(history=past)
    assert len(asked) == 1
    found = tape.candles(BTC, "1m", limit=121)
    assert [candle.start for candle in found] == [asked[0][1] + n * MINUTE for n in range(-120, 1)]
    assert (found[-2].close, found[-1].open) == (6, PRICE)
    marks = tape.candles(BTC, "1m", limit=121, price=Price.MARK)
    assert (marks[0].open, marks[0].high, marks[-1].close) == (5 * 10**7, 9 * 10**7, 60_000 * 10**8)
    premiums = tape.candles(BTC, "1h", price=Price.PREMIUM)
    assert {candle.close for candle in premiums} == {0}
    day = tape.ticker(BTC)
    assert day is not None
    assert (day.day.trades, day.day.open, day.change) == (241, 5, PRICE - 5)
    await host.close()


@in_loop
async def test_the_funding_to_come_is_computed_where_the_session_computes_it() -> None:
    sequencer = await Sequencer.open(MemoryLog())
    options = c.SessionOptions(funding=c.FundingSource.PREMIUM)
    sequencer.decide(c.OpenSession(START, RULES_VERSION, PACK, options))
    for n in range(2):
        at = Nanos(START + n * 3600 * 10**9)
        sequencer.decide(c.SetIndexPrice(at, BTC, MarkUnits(60_000 * 10**8)))
        sequencer.decide(c.SetMarkPrice(at, BTC, MarkUnits(60_060 * 10**8)))
    sight = Looker().look(sequencer.state, None, None)[BTC]  # type: ignore[arg-type]
    assert (sight.rate, sight.over) == (50_000, 1)
    assert sight.next_funding % (8 * 3600 * 10**9) == 0
    assert START < sight.next_funding <= START + 8 * 3600 * 10**9
    await sequencer.close()


def test_a_tape_without_trades_says_so_and_ids_of_trades_rise_with_their_records() -> None:
    tape = Tape(PACK)
    assert tape.ticker(BTC) is None
    assert tape.next_funding(BTC) == 0
    assert tape.trades(BTC, 5) == []
    assert TRADES_KEPT < TRADES_A_RECORD
    assert trade_id(1, TRADES_A_RECORD + 5) < trade_id(2) < trade_id(2, 1) < trade_id(3)


@pytest.mark.parametrize("seconds", [0, 61])
def test_open_interest_is_sampled_every_five_minutes(seconds: int) -> None:
    tape = Tape(PACK)
    records, quotes = tape[BTC].records, tape[BTC].quotes
    for n in range(12):
        quotes.open_interest = n
        records.sample(quotes, n * MINUTE + seconds * 1000)
    assert [(sample.at, sample.lots) for sample in records.interests] == [
        (0, 0), (5 * MINUTE, 5 if not seconds else 4), (10 * MINUTE, 10 if not seconds else 9),
    ]  # fmt: skip
