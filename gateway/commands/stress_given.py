"""What was typed for `ringfence stress`, as numbers: rates, times, sizes, tables. Each mistake is told in one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from events.instruments import Instrument, InversePerp, LinearPerp, RulePack
from events.units import SECOND, UNIT
from gateway.errors import UsageError

UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)", re.ASCII)


def number(option: str, text: str, low: Decimal | int = 0) -> Decimal:
    """A number from low on, with at most 8 decimals."""
    try:
        value = Decimal(text)
        if value.is_finite() and value >= low and value * UNIT == int(value * UNIT):
            return value
    except InvalidOperation:
        pass
    raise UsageError(f"{option} {text}: give a number from {low} on, with at most 8 decimals")


def rate(option: str, text: str, low: int = 0, high: int = 100) -> int:
    """A share in per cent, as a Rate; high 0 stands for no bound."""
    bounds = f"from {low}% to {high}%" if high else f"from {low}% on"
    try:
        value = Decimal(text.removesuffix("%"))
        if text.endswith("%") and value.is_finite() and low <= value and (not high or value <= high):
            return int(value * UNIT // 100)
    except InvalidOperation:
        pass
    raise UsageError(f"{option} {text}: give per cent {bounds}, e.g. {max(low, 0) or 30}%")


def is_percent(option: str, texts: Sequence[str]) -> bool:
    """Whether a shock in per cent was given, and not files of candles."""
    for text in texts:
        if _NUMBER.fullmatch(text) and not Path(text).exists():
            raise UsageError(
                f"{option} {text}: give per cent, e.g. -{text.lstrip('+-')}% for a fall, or files of candles"
            )
    percent = [text for text in texts if text.endswith("%")]
    if percent and len(texts) > 1:
        raise UsageError(f"{option} {percent[0]}: give one shock in per cent, or files of candles")
    return bool(percent)


def time(option: str, text: str, low: int = 0) -> int:
    """A time such as 90s, 10m or 1.5h, ns."""
    match = _TIME.fullmatch(text)
    value = int(Decimal(match[1]) * UNITS[match[2]]) if match else -1
    if value < low:
        least = f" of at least {low // UNITS['ms']}ms" if low else ""
        raise UsageError(f"{option} {text}: give a time{least} with its unit, ms, s, m, h or d, e.g. 10m")
    return value


def moment(option: str, text: str) -> int:
    """A time of the calendar, UTC, ns since the epoch; 0 where nothing was typed."""
    if not text:
        return 0
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND
    except ValueError:
        raise UsageError(f"{option} {text}: give a time (UTC) such as 2021-05-19T12:00") from None


def share_or_amount(option: str, text: str, of: int) -> int:
    """An amount, 10^-8, or a share of one, as per cent."""
    if text.endswith("%"):
        return of * rate(option, text, 0, 0) // UNIT
    return int(number(option, text) * UNIT)


def size(option: str, text: str) -> tuple[int, int, Decimal]:
    """SMALLEST:LARGEST:TAIL."""
    parts = text.split(":")
    if len(parts) != 3:
        raise UsageError(f"{option} {text}: give SMALLEST:LARGEST:TAIL, e.g. 1000:1000000:1.5")
    low, high, tail = (number(option, part) for part in parts)
    if not 0 < low < high or not Decimal("0.1") <= tail <= 10:
        raise UsageError(f"{option} {text}: needs 0 < SMALLEST < LARGEST and a tail exponent from 0.1 to 10")
    return int(low * UNIT), int(high * UNIT), tail


def leverages(option: str, text: str) -> tuple[tuple[int, int], ...]:
    """LEVERAGE:WEIGHT,..."""
    table = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,4}):(\d{1,4})", part.strip(), re.ASCII)
        if not match or not int(match[1]):
            raise UsageError(f"{option} {text}: give LEVERAGE:WEIGHT, with commas, e.g. 5:30,20:50,100:20")
        table.append((int(match[1]), int(match[2])))
    if not sum(weight for _, weight in table):
        raise UsageError(f"{option} {text}: some weight has to be above 0")
    return tuple(table)


def instrument(option: str, pack: RulePack, symbol: str) -> Instrument:
    """A perpetual of the pack: the one named, else the first."""
    perpetuals = {str(terms.id): terms for terms in pack.instruments if isinstance(terms, LinearPerp | InversePerp)}
    if not symbol and perpetuals:
        return next(iter(perpetuals.values()))
    if symbol not in perpetuals:
        names = ", ".join(list(perpetuals)[:20]) or "none"
        raise UsageError(f"{option} {symbol}: no perpetual of rule pack {pack.id}; it has {names}")
    return perpetuals[symbol]
