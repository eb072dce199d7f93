"""When strategies are woken: at a time, with a bar, by a price, by a margin ratio, or by each change of a market.

Between two wakes rows are applied in bulk: a time ends what is applied at once just before it, a price that is waited
for, or a change that somebody wants to see, just behind the row that has it. What waits lies in heaps, so that a
price between the nearest two costs two comparisons.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from events.commands import AccountId
from events.instruments import InstrumentId
from events.observations import Kind, Observations
from events.triggers import PriceSource
from events.units import UNIT, Nanos
from replay.parameters import exact, given, nanos

if TYPE_CHECKING:
    from replay.context import Context

DEPTH = (int(Kind.DIFF), int(Kind.SNAPSHOT), int(Kind.ORDERS))
PRINT = int(Kind.PRINT)
NEVER = Nanos(0)


class Bar(NamedTuple):
    """What history traded in a stretch of time from `start` on; a stretch without a trade repeats the last price."""

    start: Nanos
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int


class Print(NamedTuple):
    """A trade of history: its price and size, and whether the taker bought."""

    price: Decimal
    size: Decimal
    is_buy: bool


class Alarm(NamedTuple):
    """A time at which an account is woken: on its timer, once, or for the bar that ends then."""

    at: Nanos
    order: int
    serial: int
    account: AccountId
    bars: Nanos = NEVER
    repeats: bool = False
    deed: Callable[[Context], object] | None = None


class Levels:
    """The levels of one price that accounts wait for: those to which it has to rise, and those to which it has to fall.

    A level that nobody could place yet, as there was no price, is placed by the first one.
    """

    __slots__ = ("_above", "_below", "_unplaced")

    def __init__(self) -> None:
        self._above: list[tuple[int, int, AccountId]] = []
        self._below: list[tuple[int, int, AccountId]] = []
        self._unplaced: list[tuple[int, int, AccountId]] = []

    def __bool__(self) -> bool:
        return bool(self._above or self._below or self._unplaced)

    def add(self, level: int, serial: int, account: AccountId, price: int) -> None:
        """Wait for the level; `price` is the present one, 0 where there is none."""
        if not price:
            self._unplaced.append((level, serial, account))
        elif level >= price:
            heappush(self._above, (level, serial, account))
        else:
            heappush(self._below, (-level, serial, account))

    def is_reached(self, price: int) -> bool:
        """Whether this price wakes somebody, or places a level."""
        above, below = self._above, self._below
        return bool((above and price >= above[0][0]) or (below and price <= -below[0][0]) or self._unplaced)

    def reached(self, price: int) -> list[AccountId]:
        """Take out who waited for this price: the nearest levels first, then who asked earlier."""
        for level, serial, account in self._unplaced:
            self.add(level, serial, account, price)
        self._unplaced = []
        woken = []
        while self._above and self._above[0][0] <= price:
            woken.append(heappop(self._above)[2])
        while self._below and -self._below[0][0] >= price:
            woken.append(heappop(self._below)[2])
        return woken


class Bars:
    """Bars of one length in one instrument, made of the prints of history as they are applied."""

    __slots__ = ("_close", "_high", "_low", "_open", "_trades", "_volume")

    def __init__(self) -> None:
        self._open = self._high = self._low = self._close = self._volume = self._trades = 0

    def add(self, prices: list[int], lots: list[int]) -> None:
        """Fold prints, in their order."""
        if not prices:
            return
        if not self._trades:
            self._open = self._high = self._low = prices[0]
        self._high, self._low = max(self._high, *prices), min(self._low, *prices)
        self._close, self._trades = prices[-1], self._trades + len(prices)
        self._volume += sum(lots)

    def end(self, start: Nanos, tick: Decimal, lot: Decimal) -> Bar | None:
        """The bar that ends now, None before the first trade of all; the next one begins."""
        if not self._close:
            return None
        if not self._trades:
            self._open = self._high = self._low = self._close
        opened, high, low, close = (price * tick for price in (self._open, self._high, self._low, self._close))
        bar = Bar(start, opened, high, low, close, self._volume * lot, self._trades)
        self._trades = self._volume = 0
        return bar


class Alarms:
    """Everything that anybody waits for. Times are those of the exchange; who is woken has a clock that is `lag` ns
    ahead, as long as news takes to reach him.
    """

    def __init__(self) -> None:
        self.times: list[Alarm] = []
        self.levels: defaultdict[tuple[InstrumentId, PriceSource], Levels] = defaultdict(Levels)
        self.ratios: dict[AccountId, tuple[float, bool]] = {}
        self.bars: defaultdict[InstrumentId, dict[Nanos, Bars]] = defaultdict(dict)
        self.sees_books = False
        self.sees_prints = False
        self.lag = 0
        self._serial = 0
        self._woken: dict[AccountId, tuple[Nanos, int]] = {}

    @property
    def next_at(self) -> Nanos | None:
        """When somebody is woken by a time, None for never."""
        return self.times[0].at if self.times else None

    def wake_at(
        self, at: Nanos, order: int, account: AccountId, bars: Nanos = NEVER, repeats: bool = False,
        deed: Callable[[Context], object] | None = None,
    ) -> None:  # fmt: skip
        """Wake an account at a time. Of the same time the earlier account is first, then what was asked first."""
        heappush(self.times, Alarm(at, order, self._next(), account, bars, repeats, deed))

    def wakes(self, alarm: Alarm) -> int:
        """How often its account has been woken at its time, this time included."""
        at, woken = self._woken.get(alarm.account, (alarm.at, 0))
        woken = woken + 1 if at == alarm.at else 1
        self._woken[alarm.account] = (alarm.at, woken)
        return woken

    def wake_on_price(
        self, instrument: InstrumentId, source: PriceSource, level: int, account: AccountId, price: int
    ) -> None:
        """Wake an account once the price reaches the level, mark units or ticks."""
        self.levels[instrument, source].add(level, self._next(), account, price)

    def wake_on_ratio(self, account: AccountId, ratio: float) -> None:
        """Wake an account whenever its margin ratio reaches this one from below."""
        self.ratios[account] = (ratio, False)

    def ratio_rises(self, account: AccountId, ratio: float | None) -> bool:
        """Whether the margin ratio reached what the account waits for; nothing is held where it is None."""
        level, was_reached = self.ratios[account]
        is_reached = ratio is not None and ratio >= level
        self.ratios[account] = (level, is_reached)
        return is_reached and not was_reached

    def last_row(self, chunk: Observations, first: int, last: int) -> int:
        """The first of these rows that wakes somebody by itself, else the last."""
        levels = self.levels.get((chunk.instrument, PriceSource.LAST)) if self.levels else None
        if not (levels or self.sees_books or self.sees_prints):
            return last
        for row in range(first, last):
            if (kind := chunk.kind[row]) == PRINT:
                if self.sees_prints or (levels and levels.is_reached(chunk.print_price[chunk.index[row]])):
                    return row
                if self.sees_books and changes_book(chunk, row):
                    return row
            elif self.sees_books and kind in DEPTH:
                return row
        return last

    def fold(self, chunk: Observations, first: int, last: int) -> None:
        """Add the prints of rows that were applied to the bars in the making."""
        if makers := self.bars.get(chunk.instrument):
            prints = [chunk.index[row] for row in range(first, last + 1) if chunk.kind[row] == PRINT]
            prices, lots = ([column[i] for i in prints] for column in (chunk.print_price, chunk.print_lots))
            for maker in makers.values():
                maker.add(prices, lots)

    def _next(self) -> int:
        self._serial += 1
        return self._serial


def changes_book(chunk: Observations, row: int) -> bool:
    """Whether a row changes history's book: its levels, its orders, or a print of an order that it names."""
    if chunk.kind[row] == PRINT:
        return bool(chunk.print_order and chunk.print_order[chunk.index[row]])
    return chunk.kind[row] in DEPTH


def bar_end(at: Nanos, length: Nanos) -> Nanos:
    """When the bar ends in which this moment lies: bars begin at whole multiples of their length since the epoch."""
    return Nanos((at // length + 1) * length)


class Wake:
    """What a strategy asks to be woken by, beside its timer and its bars."""

    def __init__(self, context: Context, alarms: Alarms, order: int) -> None:
        self._context = context
        self._alarms = alarms
        self._order = order

    @property
    def lag(self) -> int:
        """How far the clock of who is woken is ahead of the exchange's, ns."""
        return self._alarms.lag

    def at(self, time: int, deed: Callable[[Context], object] | None = None) -> None:
        """Call `deed`, by default `on_timer`, once at this time, ns; at once where it is over.

        A strategy that is woken at one time again and again fails.
        """
        at = Nanos(max(time, self._context.now) - self.lag)
        self._alarms.wake_at(at, self._order, self._context.account, deed=deed)

    def after(self, seconds: Decimal | float | str, deed: Callable[[Context], object] | None = None) -> None:
        """Call `deed`, by default `on_timer`, once after so many seconds of session time."""
        self.at(self._context.now + nanos("seconds", seconds), deed)

    def on_price(self, instrument: str, level: Decimal | str, source: PriceSource = PriceSource.MARK) -> None:
        """Call `on_price` once, as soon as the mark, or the price of a trade, reaches this level.

        A level at or above the present price waits for a rise, one below it for a fall. The level is rounded to what
        the price can be: up where it waits for a rise, else down.
        """
        contract = self._context.contract(instrument)
        source = given("source", source)
        is_mark = source is PriceSource.MARK
        unit = 1 if is_mark else contract.tick
        price = contract.mark if is_mark else contract.feed.traded
        at = exact("level", level) * UNIT / unit
        rounded = int(at.to_integral_value(ROUND_CEILING if not price or at >= price else ROUND_FLOOR))
        self._alarms.wake_on_price(contract.id, source, rounded, self._context.account, price)

    def on_margin(self, ratio: Decimal | float | str) -> None:
        """Call `on_margin` whenever the highest margin ratio of the account's pools rises to this one: 1 is due."""
        self._alarms.wake_on_ratio(self._context.account, float(ratio))
