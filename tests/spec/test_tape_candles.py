"""Candles: every interval agrees with a naive recomputation from the trades, whenever they are asked for."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from gateway.serving.tape.candles import DAY, HOUR, INTERVALS, MINUTE, Candle, flat, merged
from gateway.serving.tape.ladder import LARGEST, Ladder, Rung
from gateway.serving.tape.ticker import Day

JANUARY = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000


def trade(at: int, price: int, lots: int = 1, bought: bool = True, name: int = 1) -> Candle:
    value = price * lots
    return Candle(at, price, price, price, price, lots, value, 1, lots * bought, value * bought, name, name)


def random_trades(seed: int, days: int, many: int) -> list[Candle]:
    rng, price = random.Random(seed), 1000
    times = sorted(rng.randrange(days * DAY) for _ in range(many))
    found = []
    for n, at in enumerate(times, 1):
        price = max(1, price + rng.randrange(-9, 10))
        found.append(trade(JANUARY + at, price, rng.randrange(1, 9), rng.random() < 0.5, n))
    return found


def naive(trades: list[Candle], name: str, now: int) -> list[Candle]:
    """Every candle from the first trade to now, straight from the trades."""
    interval = INTERVALS[name]
    found, start, close = [], interval.begin(trades[0].start), trades[0].open
    while start <= now:
        end = interval.next(start)
        of_it = [t for t in trades if start <= t.start < end]
        if of_it:
            close = of_it[-1].close
            sums = (sum(t[k] for t in of_it) for k in range(5, 10))
            high, low = max(t.high for t in of_it), min(t.low for t in of_it)
            found.append(Candle(start, of_it[0].open, high, low, close, *sums, of_it[0].first, of_it[-1].last))
        else:
            found.append(flat(start, close))
        start = end
    return found


@pytest.mark.parametrize("name", INTERVALS)
@pytest.mark.parametrize(("days", "many"), [(1, 150), (70, 120)])
def test_every_interval_agrees_with_a_naive_recomputation(name: str, days: int, many: int) -> None:
    trades = random_trades(len(name) + days, days, many)
    ladder = Ladder()
    for one in trades[:-5]:
        ladder.take(one)
    again = Ladder()
    again.load(ladder.dump())
    for one in trades[-5:]:
        again.take(one)
    now = trades[-1].start + 3 * HOUR
    expected = naive(trades, name, now)
    kept = 400
    found = again.candles(INTERVALS[name], None, None, kept, now)
    assert found == expected[-kept:]


def test_ranges_are_of_when_candles_begin_and_include_both_ends() -> None:
    ladder = Ladder()
    for n in range(60):
        ladder.take(trade(JANUARY + n * MINUTE, 100 + n))
    now, five = JANUARY + HOUR, INTERVALS["5m"]

    def starts(start: int | None, end: int | None, limit: int) -> list[int]:
        return [(candle.start - JANUARY) // MINUTE for candle in ladder.candles(five, start, end, limit, now)]

    assert starts(None, None, 3) == [50, 55, 60]
    assert starts(None, JANUARY + 20 * MINUTE, 2) == [15, 20]
    assert starts(JANUARY + 1, None, 3) == [5, 10, 15]
    assert starts(JANUARY, JANUARY + 10 * MINUTE, 9) == [0, 5, 10]
    assert starts(JANUARY - DAY, None, 500)[:1] == [0]
    assert starts(0, None, 2) == [0, 5]
    assert starts(now + DAY, None, 5) == []
    assert starts(10**18, None, 5) == []
    assert starts(None, 10**18, 1) == [60]
    assert starts(JANUARY, JANUARY - 1, 5) == []
    assert Ladder().candles(five, None, None, 5, now) == []


def test_weeks_begin_on_mondays_and_months_on_the_first() -> None:
    def day(at: int) -> datetime:
        return datetime.fromtimestamp(at // 1000, UTC)

    for n in range(0, 800, 7):
        at = JANUARY + n * DAY + 12345
        assert day(INTERVALS["1w"].begin(at)).weekday() == 0
        assert day(INTERVALS["1M"].begin(at)).day == 1
        following = INTERVALS["1M"].next(INTERVALS["1M"].begin(at))
        assert day(following).day == 1
        assert 28 * DAY <= following - INTERVALS["1M"].begin(at) <= 31 * DAY


def test_a_downtime_is_flat_and_of_a_very_long_one_only_the_end_is_kept() -> None:
    rung = Rung(MINUTE, 100)
    rung.take(trade(JANUARY, 50))
    closed = rung.take(trade(JANUARY + 5 * MINUTE, 60))
    assert [candle.close for candle in closed] == [50] * 5
    assert all(candle.trades == 0 for candle in closed[1:])
    rung.take(trade(JANUARY + 9 * DAY, 70))
    kept = rung.between(0, JANUARY + 10 * DAY)
    assert len(kept) == 100
    assert kept[-1].start == JANUARY + 9 * DAY - MINUTE
    ladder = Ladder()
    ladder.take(trade(JANUARY, 50))
    ladder.take(trade(JANUARY + 40 * DAY, 60))
    days = ladder.candles(INTERVALS["1d"], None, None, 100, JANUARY + 40 * DAY)
    assert [candle.start for candle in days] == [JANUARY + n * DAY for n in range(41)]
    assert ladder.candles(INTERVALS["1h"], None, None, 3, JANUARY + 40 * DAY)[0].close == 50


def test_what_comes_late_belongs_to_the_running_candle_and_old_ones_are_dropped() -> None:
    rung = Rung(MINUTE, 8)
    for n in range(30):
        rung.take(trade(JANUARY + n * MINUTE, 100 + n))
    rung.take(trade(JANUARY, 7))
    assert rung.running is not None
    assert (rung.running.start, rung.running.low) == (JANUARY + 29 * MINUTE, 7)
    assert 8 <= len(rung) <= 10
    assert rung.between(0, JANUARY + 5 * MINUTE) == []
    assert Rung(MINUTE, 8).between(0, JANUARY) == []


def test_a_value_beyond_a_column_is_the_largest_that_it_holds() -> None:
    rung = Rung(MINUTE, 8)
    rung.take(Candle(JANUARY, 1, 1, 1, 1, 1, LARGEST + 5))
    rung.take(trade(JANUARY + MINUTE, 1))
    assert rung.between(JANUARY, JANUARY + 1)[0].value == LARGEST


def test_the_last_day_is_1440_minutes_the_running_one_included() -> None:
    ladder, rng = Ladder(), random.Random(5)
    day = Day(ladder)
    assert day.until(JANUARY) is None
    trades = []
    for n in range(2000):
        trades.append(trade(JANUARY + n * MINUTE + rng.randrange(MINUTE), rng.randrange(90, 110), 2, n % 3 == 0, n + 1))
        ladder.take(trades[-1])
        if n in (0, 1, 500, 1999):
            now = trades[-1].start
            since = now - now % MINUTE - DAY + MINUTE
            of_it = [t for t in trades if t.start >= since]
            found = day.until(now)
            assert found is not None
            assert found == day.until(now)
            assert (found.high, found.low) == (max(t.high for t in of_it), min(t.low for t in of_it))
            assert (found.lots, found.trades, found.bought) == tuple(sum(t[k] for t in of_it) for k in (5, 7, 8))
            assert (found.open, found.close) == (of_it[0].open, of_it[-1].close)
            assert (found.first, found.last) == (of_it[0].first, of_it[-1].last)
    quiet = day.until(trades[-1].start + 10 * MINUTE)
    assert quiet is not None
    assert quiet.close == trades[-1].close
    gone = day.until(trades[-1].start + 2 * DAY)
    assert gone is not None
    assert (gone.lots, gone.close) == (0, trades[-1].close)


def test_two_candles_are_one() -> None:
    a, b = trade(0, 5, 2, name=1), trade(1, 9, 3, bought=False, name=2)
    assert merged(a, b) == Candle(0, 5, 9, 5, 9, 5, 37, 2, 2, 10, 1, 2)
    assert merged(a, flat(1, 5)).last == 1
    assert merged(flat(0, 5), b).first == 2


@pytest.mark.parametrize("many", [0, 1, 2, 61, 1500, 4400])
def test_a_history_is_as_if_it_had_been_seen(many: int) -> None:
    seen, told = Ladder(), Ladder()
    minutes = [trade(JANUARY + n * MINUTE, 100 + n % 97, 1 + n % 3, n % 2 > 0, n + 1) for n in range(many)]
    told.begin(minutes)
    for minute in minutes:
        seen.take(minute)
    for ladder in (seen, told):
        ladder.take(trade(JANUARY + many * MINUTE + 5, 500))
    now = JANUARY + many * MINUTE + 9
    for name in ("1m", "15m", "1h", "4h", "1d", "1M"):
        assert told.candles(INTERVALS[name], None, None, 5000, now) == seen.candles(
            INTERVALS[name], None, None, 5000, now
        )
