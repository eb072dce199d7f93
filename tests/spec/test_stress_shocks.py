"""The shocks of the cascade laboratory: shapes, sizes, and the ways of real candles; and the book that they meet."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from events.commands import Side
from events.instruments import load_pack
from events.units import SECOND, UNIT, Nanos
from replay.sources import SourceError
from replay.stress.ladder import Ladder
from replay.stress.scenario import Liquidity, lots_of, quote_of
from replay.stress.shocks import LEAST, Point, Shape, Shock, ShockError, candles
from tests.candles import MINUTE, NS, START, bar, generated, write

PACK = load_pack("binance-usdm")
BTC, ETH = PACK.instruments[:2]
COIN = load_pack("binance-coinm").instruments[0]
PERCENT = UNIT // 100


def levels(shape: Shape, size: int = -30, steps: int = 10, seed: int = 1) -> list[int]:
    """The path in per cent of the start."""
    shock = Shock(size * PERCENT, shape, over=steps * SECOND, every=SECOND)
    return [point.price for point in shock.points(100, seed)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape.STEP, [100, *[70] * 10]),
        (Shape.RAMP, [100, 97, 94, 91, 88, 85, 82, 79, 76, 73, 70]),
        (Shape.V, [100, 94, 88, 82, 76, 70, 76, 82, 88, 94, 100]),
    ],
)
def test_a_shape_goes_where_it_says(shape: Shape, expected: list[int]) -> None:
    assert levels(shape) == expected


def test_a_rise_is_a_shock_too() -> None:
    assert levels(Shape.RAMP, 50, 5) == [100, 110, 120, 130, 140, 150]


def test_a_path_is_stated_as_often_as_asked() -> None:
    points = Shock(-30 * PERCENT, over=60 * SECOND, every=20 * SECOND).points(UNIT, 1)
    assert [point.after // SECOND for point in points] == [0, 20, 40, 60]


def test_jumps_are_led_to_the_size_of_the_shock_by_a_way_that_the_seed_decides() -> None:
    shock = Shock(-30 * PERCENT, Shape.JUMPS)
    one, again, other = (shock.points(UNIT, seed) for seed in (1, 1, 2))
    assert one == again != other
    assert {one[0].price, other[0].price} == {UNIT}
    assert {one[-1].price, other[-1].price} == {70 * PERCENT}
    steps = [abs(b.price - a.price) for a, b in pairwise(one)]
    assert max(steps) > 5 * sorted(steps)[len(steps) // 2]


def test_no_path_ends_at_nothing() -> None:
    assert Shock(-UNIT, Shape.RAMP).points(UNIT, 1)[-1].price == LEAST


class TestCandles:
    """The mark goes where the prices of the bars went."""

    def test_each_price_of_a_bar_is_a_point(self, tmp_path: Path) -> None:
        rows = [bar(open="100.0", high="120.0", low="80.0", close="110.0")]
        way = candles([write(tmp_path / "BTCUSDT-1m.csv", rows)], PACK, BTC)
        assert (way.price, way.at, way.problems) == (100 * UNIT, START * NS, ())
        third = MINUTE * NS // 3
        assert way.points == [
            Point(0, 100 * UNIT), Point(third, 80 * UNIT), Point(2 * third, 120 * UNIT),
            Point(MINUTE * NS - NS, 110 * UNIT),
        ]  # fmt: skip

    def test_prices_finer_than_the_ticks_of_the_pack_are_read(self, tmp_path: Path) -> None:
        rows = [bar(open="100.01234567", high="100.01234568", low="50.0", close="100.0", volume="0.00000009")]
        way = candles([write(tmp_path / "BTCUSDT-1m.csv", rows)], PACK, BTC)
        assert (way.price, len(way.points)) == (10_001_234_567, 4)

    def test_marks_are_read_as_well(self, tmp_path: Path) -> None:
        way = candles([write(tmp_path / "BTCUSDT-mark.csv", generated(3, marks=True))], PACK, BTC)
        assert len(way.points) > 3

    def test_files_follow_each_other(self, tmp_path: Path) -> None:
        rows = generated(6)
        one, two = write(tmp_path / "BTCUSDT-a.csv", rows[:3]), write(tmp_path / "BTCUSDT-b.csv", rows[3:])
        both = write(tmp_path / "BTCUSDT-c.csv", rows)
        assert candles([one, two], PACK, BTC).points == candles([both], PACK, BTC).points
        with pytest.raises(ShockError, match=r"BTCUSDT-a.csv: begins before the file ahead of it ends"):
            candles([two, one], PACK, BTC)

    def test_a_part_of_the_time_is_taken(self, tmp_path: Path) -> None:
        path = write(tmp_path / "BTCUSDT-1m.csv", generated(6))
        start = (START + 2 * MINUTE) * NS
        way = candles([path], PACK, BTC, start, 2 * MINUTE * NS)
        assert (way.at, way.points[0]) == (start, Point(0, way.price))
        assert MINUTE * NS < way.points[-1].after < 2 * MINUTE * NS

    def test_what_is_wrong_with_a_file_is_told(self, tmp_path: Path) -> None:
        path = write(tmp_path / "BTCUSDT-1m.csv", [bar(), bar(START + 5 * MINUTE)])
        assert "no bars from" in candles([path], PACK, BTC).problems[0]
        with pytest.raises(ShockError, match=r"is about BTCUSDT, and the market is ETHUSDT; give --symbol BTCUSDT"):
            candles([path], PACK, ETH)
        with pytest.raises(ShockError, match="no candles in the time asked for"):
            candles([path], PACK, BTC, (START + 60 * MINUTE) * NS)
        notes = tmp_path / "BTCUSDT.txt"
        notes.write_text("nothing of the kind\n")
        with pytest.raises(ShockError, match="holds no candles"):
            candles([notes], PACK, BTC)
        with pytest.raises(SourceError, match="No such file"):
            candles([tmp_path / "BTCUSDT-none.csv"], PACK, BTC)


class TestTheBook:
    """A block of the same value at every price, which refills."""

    price = 60_000 * UNIT
    depth = 2_000_000 * UNIT

    def ladder(self, **more: int) -> Ladder:
        return Ladder(BTC, Liquidity(self.depth, **more))

    def value(self, rows_of: Ladder, side: Side, within: int) -> int:
        """What stands within so much of the best price, a Rate, on the side that forced orders of `side` meet."""
        book = rows_of.state(Nanos(1), self.price)
        bids = book.bids_end[0]
        part = slice(0, bids) if side is Side.SELL else slice(bids, None)
        prices, lots = book.level_price[part], book.level_lots[part]
        far = within * prices[0] // UNIT
        near = zip(prices, lots, strict=True)
        return sum(quote_of(BTC, n, p * BTC.tick) for p, n in near if abs(p - prices[0]) < far)

    def test_its_depth_within_one_per_cent_is_the_one_stated(self) -> None:
        for side in Side:
            assert self.value(self.ladder(), side, PERCENT) == pytest.approx(self.depth, rel=0.01)
            assert self.value(self.ladder(), side, 6 * PERCENT) == pytest.approx(5 * self.depth, rel=0.01)

    def test_it_stands_around_the_price_and_is_not_crossed(self) -> None:
        book = self.ladder().state(Nanos(1), self.price)
        bids = book.bids_end[0]
        assert (book.level_price[0], book.level_price[bids]) == (600_000, 600_001)
        assert book.mark == [self.price]
        book.check()

    def test_a_forced_sale_of_the_depth_pushes_the_bids_down_by_one_per_cent_and_half_comes_back_in_the_half_life(
        self,
    ) -> None:
        ladder = self.ladder(refill=30 * SECOND)
        ladder.take(Side.SELL, self.depth)
        assert ladder.displaced == {Side.SELL: PERCENT, Side.BUY: 0}
        book = ladder.state(Nanos(1), self.price)
        assert (book.level_price[0], book.level_price[book.bids_end[0]]) == (594_000, 600_000)
        assert ladder.pass_time(30 * SECOND, self.price)
        assert ladder.displaced[Side.SELL] == PERCENT // 2
        ladder.pass_time(60 * SECOND, self.price)
        assert ladder.displaced[Side.SELL] == pytest.approx(PERCENT // 8, abs=2)

    def test_without_a_half_life_it_refills_at_once(self) -> None:
        ladder = self.ladder(refill=0)
        ladder.take(Side.BUY, self.depth)
        ladder.pass_time(1, self.price)
        assert set(ladder.displaced.values()) == {0}

    @pytest.mark.parametrize(("feedback", "mark"), [(0, 60_000), (50, 59_700), (100, 59_400)])
    def test_the_mark_follows_as_far_as_it_is_fed_back(self, feedback: int, mark: int) -> None:
        ladder = self.ladder(feedback=feedback * PERCENT)
        ladder.take(Side.SELL, self.depth)
        assert ladder.mark(self.price) == mark * UNIT

    def test_it_never_loses_all_of_its_price(self) -> None:
        ladder = self.ladder(feedback=UNIT)
        ladder.take(Side.SELL, 10**4 * self.depth)
        assert ladder.mark(self.price) == self.price // 10

    def test_a_book_as_it_was_need_not_be_stated_again(self) -> None:
        ladder = self.ladder()
        assert [ladder.pass_time(SECOND, price) for price in (1, 1, 2)] == [True, False, True]

    def test_a_level_that_holds_less_than_a_lot_leaves_it_to_the_next(self) -> None:
        book = Ladder(BTC, Liquidity(60 * UNIT)).state(Nanos(1), self.price)
        bids = book.level_lots[: book.bids_end[0]]
        assert set(bids) == {1}
        assert len(bids) == 5 * 60 * UNIT // quote_of(BTC, 1, self.price)

    def test_an_inverse_contract_counts_in_contracts(self) -> None:
        assert (quote_of(COIN, 3, self.price), lots_of(COIN, 350 * UNIT, self.price)) == (300 * UNIT, 3)
        assert (quote_of(BTC, 2, self.price), lots_of(BTC, 150 * UNIT, self.price)) == (120 * UNIT, 2)
