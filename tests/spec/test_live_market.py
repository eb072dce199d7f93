"""The endless market: what it is at any time follows from its seed, and candles of before join what is played."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from events.chunks import chunk_id, encode_chunk
from events.instruments import InstrumentId, load_pack
from events.observations import Kind, Observations
from events.units import SECOND
from gateway.live.blocks import BLOCK_MS, IDS, MS
from gateway.live.endless import BLOCK, Endless
from gateway.live.noise import HEIGHT, hashed, smooth
from gateway.live.path import CRASHES, FINE, HOUR_MS, SQUEEZES, WHOLE, Course, Path

PACK = load_pack("binance-usdm")
NOON = 1_790_000_040 * SECOND
BTC, ETH, SOL = (InstrumentId(name) for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT"))
DAY_MS = 86_400_000


def _chunks(seed: int, instrument: str, count: int, start: int = NOON) -> list[Observations]:
    (source,) = Endless(seed, (instrument,)).sources(PACK, {}, start)
    return list(islice(source, count))


def _path(seed: int = 1) -> Path:
    return Path(seed, BTC, Course(600_000, 265_000))


class TestPath:
    """The price as a function of time."""

    def test_a_time_has_its_price_whatever_was_asked_before(self) -> None:
        times = np.arange(NOON // MS, NOON // MS + 3_600_000, 777, dtype=np.int64)
        whole = _path().fair(times)
        assert [int(_path().fair(times[n : n + 1])[0]) for n in (0, 50, 999)] == [int(whole[n]) for n in (0, 50, 999)]
        assert (_path().at(times).fair == whole).all()

    def test_other_seeds_and_instruments_have_other_prices(self) -> None:
        times = np.array([NOON // MS], np.int64)
        found = {int(_path(seed).fair(times)[0]) for seed in range(20)}
        found |= {int(Path(1, name, Course(600_000, 265_000)).fair(times)[0]) for name in (ETH, SOL)}
        assert len(found) == 22

    def test_it_moves_as_a_walk_does_and_stays_near_its_mean(self) -> None:
        times = np.arange(NOON // MS, NOON // MS + 90 * DAY_MS, HOUR_MS, dtype=np.int64)
        prices = _path().fair(times) / FINE
        assert 0.55 * 600_000 < prices.min() < prices.max() < 1.45 * 600_000
        assert 0.4 < np.diff(np.log(prices)).std() * np.sqrt(24 * 365) < 1.2

    def test_a_crash_takes_a_share_within_seconds_and_is_gone_within_the_hour(self) -> None:
        hours = np.arange(NOON // MS // HOUR_MS, NOON // MS // HOUR_MS + 2_000, dtype=np.int64)
        minutes = hours[:, None] * HOUR_MS + np.arange(0, HOUR_MS, 5_000)
        moved = _path().crash(minutes.reshape(-1)).reshape(minutes.shape)
        deepest, highest = moved.min(axis=1) / WHOLE, moved.max(axis=1) / WHOLE
        crashes, squeezes = deepest[deepest < 0], highest[highest > 0]
        assert 2_000 / CRASHES * 0.8 < len(crashes) + len(squeezes) < 2_000 / CRASHES * 1.2
        assert 0 < len(squeezes) * (SQUEEZES - 2) < len(crashes)
        assert -0.061 < crashes.min() < crashes.max() < -0.014
        assert not moved[:, [0, -1]].any()

    def test_it_says_when_it_is_wild(self) -> None:
        times = np.arange(NOON // MS, NOON // MS + 2 * DAY_MS, 1_000, dtype=np.int64)
        wild, moved = _path().is_wild(times), _path().crash(times)
        assert wild.any()
        assert (moved[wild][1:] != 0).mean() > 0.9


def test_noise_passes_through_the_points_of_its_lattice() -> None:
    places = np.arange(10, dtype=np.int64)
    assert (smooth(3, 50, places * 50) == hashed(3, places) - HEIGHT).all()
    assert (smooth(3, 1, np.repeat(places, 9)) == np.repeat(hashed(3, places) - HEIGHT, 9)).all()


class TestChunks:
    """What is played."""

    @pytest.mark.parametrize("instrument", [BTC, ETH, SOL, "XRPUSDT"])
    def test_the_same_seed_gives_the_same_chunks(self, instrument: str) -> None:
        ids = [chunk_id(chunk) for chunk in _chunks(5, instrument, 15)]
        assert ids == [encode_chunk(chunk).id for chunk in _chunks(5, instrument, 15)]
        assert ids[0] != chunk_id(_chunks(6, instrument, 1)[0])

    @pytest.mark.parametrize("seconds", [1, 17, 59, 60, 71])
    def test_who_begins_within_a_minute_has_the_chunks_from_there_on(self, seconds: int) -> None:
        whole = _chunks(5, ETH, 40)
        since = NOON + seconds * SECOND
        place = next(n for n, chunk in enumerate(whole) if chunk.at[-1] >= since)
        assert _chunks(5, ETH, 10, since) == whole[place : place + 10]

    @pytest.mark.parametrize("instrument", [BTC, ETH, SOL])
    def test_chunks_are_short_and_whole_and_follow_each_other(self, instrument: str) -> None:
        chunks = _chunks(5, instrument, 40)
        for chunk in chunks:
            chunk.check()
            assert chunk.at[-1] - chunk.at[0] < 5 * SECOND
            assert min(chunk.level_lots) >= 0 < min(chunk.print_lots, default=1)
        assert all(before.at[-1] < after.at[0] for before, after in pairwise(chunks))

    def test_each_minute_begins_with_a_snapshot_a_trade_and_a_mark(self) -> None:
        for chunk in _chunks(5, BTC, 40):
            snapshots = [n for n, kind in enumerate(chunk.kind) if kind == Kind.SNAPSHOT]
            assert all(n == 0 and chunk.at[n] % BLOCK == 0 for n in snapshots)
            if snapshots:
                assert chunk.kind[:3] == [Kind.SNAPSHOT, Kind.PRINT, Kind.MARK]

    def test_there_is_a_mark_each_second_with_its_index_and_funding(self) -> None:
        chunks = _chunks(5, BTC, 26)
        marked = [at for chunk in chunks for at, kind in zip(chunk.at, chunk.kind, strict=True) if kind == Kind.MARK]
        assert marked == list(range(NOON, NOON + len(marked) * SECOND, SECOND))
        for chunk in chunks:
            assert {at % (8 * 3600 * SECOND) for at in chunk.mark_next_funding} <= {0}
            assert min(chunk.mark_next_funding) > chunk.at[0]
            shares = [abs(mark / index - 1) for mark, index in zip(chunk.mark, chunk.mark_index, strict=True)]
            assert max(shares) < 0.002

    def test_funding_may_be_paid_more_often(self) -> None:
        (source,) = Endless(5, (BTC,), funding_seconds=20).sources(PACK, {}, NOON)
        times = {at for chunk in islice(source, 12) for at in chunk.mark_next_funding}
        assert times == {NOON + 20 * n * SECOND for n in (1, 2, 3)}

    def test_ids_of_a_minute_stay_below_those_of_the_next(self) -> None:
        for instrument in (BTC, SOL):
            for chunk in _chunks(5, instrument, 40):
                assert {last // IDS for last in chunk.last_id} <= {at // MS // BLOCK_MS for at in chunk.at}

    def test_a_pack_without_these_instruments_gives_its_first_ones(self) -> None:
        pack = load_pack("bybit-linear")
        names = [terms.id for terms in pack.instruments[:3]]
        assert Endless(names=("NONE",)).instruments(pack) == names


class TestHistory:
    """Candles of before."""

    def test_they_join_the_trades_that_are_played(self) -> None:
        market = Endless(5)
        for instrument in (BTC, ETH, SOL):
            candles = market.history(PACK, instrument, NOON - 600 * SECOND, NOON + 180 * SECOND)
            chunks = _chunks(5, instrument, 40)
            trades = [
                (chunk.at[row], chunk.print_price[chunk.index[row]])
                for chunk in chunks
                for row, kind in enumerate(chunk.kind)
                if kind == Kind.PRINT
            ]
            assert len(candles.at) == 13
            assert (candles.open[1:] == candles.close[:-1]).all()
            for n in (10, 11, 12):
                prices = [price for at, price in trades if candles.at[n] <= at < candles.at[n] + BLOCK]
                assert abs(prices[0] - candles.open[n]) < candles.open[n] / 20_000
                assert abs(prices[-1] - candles.close[n]) < candles.close[n] / 5_000
                assert abs(max(prices) - candles.high[n]) < candles.high[n] / 1_000

    def test_they_are_the_same_whatever_stretch_is_asked_for(self) -> None:
        market = Endless(5)
        long = market.history(PACK, ETH, NOON - 86_400 * SECOND, NOON)
        short = market.history(PACK, ETH, NOON - 600 * SECOND, NOON)
        assert len(long.at) == 1440
        assert all((a[-10:] == b).all() for a, b in zip(long, short, strict=True))
        assert short.at[-1] == NOON - 60 * SECOND

    def test_they_are_candles(self) -> None:
        found = Endless(5).history(PACK, SOL, NOON - 86_400 * SECOND, NOON)
        assert (found.low <= np.minimum(found.open, found.close)).all()
        assert (found.high >= np.maximum(found.open, found.close)).all()
        assert (found.bought < found.lots).all()
        assert min(found.bought.min(), found.trades.min()) > 0

    def test_volumes_are_about_those_that_are_played(self) -> None:
        found = Endless(5).history(PACK, BTC, NOON - 86_400 * SECOND, NOON)
        played = [lots for chunk in _chunks(5, BTC, 65) for lots in chunk.print_lots]
        assert 0.4 < sum(played) / 5 / found.lots.mean() < 2.5
        assert 0.4 < len(played) / 5 / found.trades.mean() < 2.5

    def test_nothing_is_known_of_other_instruments_and_of_no_time(self) -> None:
        assert len(Endless(5).history(PACK, InstrumentId("NONE"), NOON, NOON + BLOCK).at) == 0
        assert len(Endless(5).history(PACK, BTC, NOON, NOON).at) == 0
