"""Where things lie in Binance's public archives: a zip a day or a month of one symbol, its `.CHECKSUM` beside it.

Source of the layout: https://github.com/binance/binance-public-data, and the folders of https://data.binance.vision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from gateway.errors import UsageError

BASE_URL = "https://data.binance.vision"

MARKETS = {"spot": "data/spot", "um": "data/futures/um", "cm": "data/futures/cm"}
"""The folder of a market: spot, USD-M futures, COIN-M futures."""

INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1mo")

_PERIOD = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)
_SYMBOL = re.compile(r"\w{2,40}")


class Kind(NamedTuple):
    """What there is of a table: days, months, one file an interval of bars, and whether of spot too."""

    daily: bool = True
    monthly: bool = True
    bars: bool = False
    spot: bool = False


KINDS = {
    "aggTrades": Kind(spot=True),
    "trades": Kind(spot=True),
    "klines": Kind(bars=True, spot=True),
    "markPriceKlines": Kind(bars=True),
    "indexPriceKlines": Kind(bars=True),
    "premiumIndexKlines": Kind(bars=True),
    "bookTicker": Kind(),
    "bookDepth": Kind(monthly=False),
    "metrics": Kind(monthly=False),
    "liquidationSnapshot": Kind(monthly=False),
    "fundingRate": Kind(daily=False),
}


class Period(NamedTuple):
    """A day, or the month that begins on it."""

    day: date
    is_month: bool

    def __str__(self) -> str:
        """As in the names of files."""
        return f"{self.day:%Y-%m}" if self.is_month else f"{self.day:%Y-%m-%d}"

    def next(self) -> Period:
        """The one after it."""
        if not self.is_month:
            return Period(self.day + timedelta(days=1), is_month=False)
        return Period((self.day + timedelta(days=31)).replace(day=1), is_month=True)

    @property
    def month(self) -> Period:
        """The month that it is in."""
        return Period(self.day.replace(day=1), is_month=True)

    @property
    def days(self) -> Iterator[Period]:
        """The day, or those of the month."""
        end = self.next().day
        for n in range((end - self.day).days):
            yield Period(self.day + timedelta(days=n), is_month=False)


class Archive(NamedTuple):
    """One file: its table, its time, and its path beneath the address of the archives."""

    symbol: str
    kind: str
    period: Period
    path: str

    @property
    def what(self) -> str:
        """As a sentence names it."""
        return f"{self.symbol} {self.kind} {self.period}"


def periods(texts: Sequence[str]) -> list[Period]:
    """Days and months as typed, ranges of either as FIRST..LAST, each once, in order. Raises UsageError."""
    found: list[Period] = []
    for text in texts:
        first, _, last = text.partition("..")
        period, end = _period(text, first), _period(text, last or first)
        if period.is_month != end.is_month or end.day < period.day:
            raise UsageError(f"{text}: give two days or two months, the first one first, e.g. 2021-05-17..2021-05-20")
        while period.day <= end.day:
            found.append(period)
            period = period.next()
    return sorted(dict.fromkeys(found))


def _period(typed: str, text: str) -> Period:
    match = _PERIOD.fullmatch(text)
    try:
        if match:
            return Period(date(int(match[1]), int(match[2]), int(match[3] or 1)), is_month=match[3] is None)
    except ValueError:
        pass
    raise UsageError(f"{typed}: give a day as 2021-05-19, a month as 2021-05, or a range as 2021-05-17..2021-05-20")


def archives(
    market: str, symbol: str, kinds: Sequence[str], times: Sequence[Period], interval: str = "1m"
) -> list[Archive]:
    """The files that hold these tables of these times, each once: where a table has no months its days, where it has
    no days its months. Raises UsageError.
    """
    name = symbol.upper()
    if market not in MARKETS:
        raise UsageError(f"--market {market}: give {_listed(MARKETS)}")
    if not _SYMBOL.fullmatch(name):
        raise UsageError(f"{symbol}: give a symbol as the venue writes it: BTCUSDT, or BTCUSD_PERP with --market cm")
    if interval not in INTERVALS:
        raise UsageError(f"--interval {interval}: give {_listed(INTERVALS)}")
    found: list[Archive] = []
    for kind in kinds:
        table = _table(market, kind)
        for time in times:
            fitting = _fitting(table, time)
            found += [Archive(name, kind, one, _path(market, name, kind, one, interval)) for one in fitting]
    return list(dict.fromkeys(found))


def _table(market: str, kind: str) -> Kind:
    known = {name: table for name, table in KINDS.items() if table.spot or market != "spot"}
    if kind not in known:
        raise UsageError(f"--kind {kind}: of {market} there are {_listed(known)}")
    return known[kind]


def _fitting(table: Kind, time: Period) -> Sequence[Period]:
    if time.is_month and not table.monthly:
        return tuple(time.days)
    return (time,) if time.is_month or table.daily else (time.month,)


def _path(market: str, symbol: str, kind: str, period: Period, interval: str) -> str:
    """Index prices of COIN-M are those of the pair, which all its contracts share."""
    name = symbol.partition("_")[0] if market == "cm" and kind == "indexPriceKlines" else symbol
    folder = f"{MARKETS[market]}/{'monthly' if period.is_month else 'daily'}/{kind}/{name}"
    if KINDS[kind].bars:
        return f"{folder}/{interval}/{name}-{interval}-{period}.zip"
    return f"{folder}/{name}-{kind}-{period}.zip"


def _listed(names: Sequence[str] | dict[str, object] | dict[str, str] | dict[str, Kind]) -> str:
    *more, last = names
    return f"{', '.join(more)} and {last}"
