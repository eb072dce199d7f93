"""`ringfence pack import`: a rule pack from a Binance venue's own exchangeInfo and leverageBracket.

USD-M brackets are in notional (`notionalFloor`), COIN-M brackets in the coin (`qtylFloor`, as the venue spells it, or
`qtyFloor`); a symbol with a `contractSize` is inverse. A symbol that no pack can hold is left out, with the reason.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from events.instruments import PackError, read_pack
from gateway.console import complain
from gateway.errors import UsageError

GZIP = b"\x1f\x8b"
FUNDING_HOURS = 8
SETTLEMENT_MINUTES = 60
PACK = {"market_buy_slippage": "0.0005", "max_orders": 200, "default_leverage": 20}
"""What neither file says: how market orders reserve, the first leverage; the order limit where no symbol has one."""

Table = Mapping[str, Any]


class Unusable(ValueError):
    """Why a symbol cannot become an instrument."""


class Fees(NamedTuple):
    """Fee rates in decimal text: the venue states them elsewhere."""

    maker: str
    taker: str


def run(exchange_info: Path, brackets: Path, out: Path | None, name: str, fees: Fees, symbols: Sequence[str]) -> int:
    """Write or print the pack, and tell what was left out. Returns 0."""
    info, table = _exchange_info(exchange_info), _brackets(brackets)
    entries = [entry for entry in info["symbols"] if not symbols or entry.get("symbol") in symbols]
    if missing := [symbol for symbol in symbols if symbol not in {entry.get("symbol") for entry in entries}]:
        raise UsageError(f"{exchange_info}: has no {', '.join(missing)}")
    for option, rate in (("--maker", fees.maker), ("--taker", fees.taker)):
        try:
            Decimal(rate)
        except ArithmeticError as error:
            raise UsageError(f"{option} {rate!r}: is no rate; write 0.0002 for 0.02 %") from error
    source = _ascii(f"{exchange_info.name} and {brackets.name}; fees as given to the import")
    pack = {
        "id": name,
        "version": _date(info),
        "source": source,
        **PACK,
        "max_orders": _least(entries, "MAX_NUM_ORDERS", PACK["max_orders"]),
    }
    pack["max_triggers"] = _least(entries, "MAX_NUM_ALGO_ORDERS", 0)
    instruments, left_out = [], Counter[str]()
    for entry in entries:
        try:
            instrument = _instrument(entry, table, fees)
            _check({**pack, "instruments": [instrument]})
            instruments.append(instrument)
        except Unusable as reason:
            left_out[str(reason)] += 1
    told = "; ".join(f"{count} {reason}" for reason, count in left_out.most_common())
    if not instruments:
        raise UsageError(f"{exchange_info}: none of its symbols can be imported: {told or 'it has none'}")
    text = json.dumps({**pack, "instruments": instruments}, indent=1) + "\n"
    read_pack(text.encode(), name)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
    if left_out:
        complain(f"{len(instruments)} of {len(entries)} symbols imported; left out: {told}")
    return 0


def _read(path: Path) -> Any:
    """The JSON in a file, plain or gzip; numbers with a point as Decimal, as they are written."""
    data = path.read_bytes()
    try:
        text = gzip.decompress(data) if data.startswith(GZIP) else data
        return json.loads(text, parse_float=Decimal)
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile, RecursionError) as error:
        raise UsageError(f"{path}: is neither JSON nor JSON in gzip ({error})") from error


def _exchange_info(path: Path) -> dict[str, Any]:
    info = _read(path)
    symbols = info.get("symbols") if isinstance(info, dict) else None
    if not isinstance(symbols, list) or not all(isinstance(entry, dict) for entry in symbols):
        raise UsageError(f"{path}: is no exchangeInfo, it has no list of symbols")
    return {**info}


def _brackets(path: Path) -> Table:
    """Symbol -> its brackets. A venue that was asked for one symbol gives it without a list around it."""
    found = _read(path)
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "brackets" in row for row in rows):
        raise UsageError(f"{path}: is no leverageBracket, it has no list of symbols with brackets")
    return {str(row.get("symbol")): row["brackets"] for row in rows}


def _instrument(entry: Mapping[str, Any], table: Table, fees: Fees) -> dict[str, Any]:
    """The instrument as a pack's file has it. Raises Unusable."""
    kind = str(entry.get("contractType"))
    if kind != "PERPETUAL" and not kind.endswith("_QUARTER"):
        raise Unusable("neither perpetual nor quarterly")
    symbol = str(entry.get("symbol"))
    if symbol not in table:
        raise Unusable("without brackets")
    rows = table[symbol]
    if not isinstance(rows, list):
        raise Unusable("with brackets that are no list")
    filters = {str(row.get("filterType")): row for row in entry.get("filters") or () if isinstance(row, dict)}
    lot = filters.get("LOT_SIZE", {})
    instrument = {
        "id": symbol,
        "base": entry.get("baseAsset"),
        "quote": entry.get("quoteAsset"),
        "settle": entry.get("marginAsset"),
        "tick": _decimal(filters.get("PRICE_FILTER", {}), "tickSize"),
        "lot": _decimal(lot, "stepSize"),
        "min_size": _decimal(lot, "minQty"),
        "max_size": _decimal(lot, "maxQty"),
        "min_notional": _decimal(filters.get("MIN_NOTIONAL", {"notional": "0"}), "notional"),
        "maker_fee": fees.maker,
        "taker_fee": fees.taker,
        "liquidation_fee": _decimal(entry, "liquidationFee"),
        "brackets": [_bracket(row) for row in rows],
    }
    instrument |= {"funding_interval_hours": FUNDING_HOURS} if kind == "PERPETUAL" else _dated(entry)
    stated = {
        "contract_value": "contractSize",
        "trigger_protect": "triggerProtect",
        "market_take_bound": "marketTakeBound",
    }
    instrument |= {name: _decimal(entry, field) for name, field in stated.items() if field in entry}
    return instrument | _bounds(filters, _decimal(lot, "maxQty"))


def _bounds(filters: Mapping[str, Mapping[str, Any]], max_size: str) -> dict[str, str]:
    """What bounds prices and market orders; a market size beyond the largest size is that one."""
    bounds: dict[str, str] = {}
    if band := filters.get("PERCENT_PRICE"):
        bounds |= {"price_up": _decimal(band, "multiplierUp"), "price_down": _decimal(band, "multiplierDown")}
    if market := filters.get("MARKET_LOT_SIZE"):
        bounds["market_max_size"] = min(_decimal(market, "maxQty"), max_size, key=Decimal)
    return bounds


def _dated(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Until when a quarterly contract trades; the venue settles it at the average of its index over the last hour."""
    ms = entry.get("deliveryDate")
    if not isinstance(ms, int):
        raise Unusable("without a deliveryDate")
    try:
        expiry = datetime.fromtimestamp(ms // 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unusable("with a deliveryDate that is no date") from error
    return {"expiry": f"{expiry:%Y-%m-%dT%H:%M:%SZ}", "settlement_window_minutes": SETTLEMENT_MINUTES}


def _bracket(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise Unusable("with brackets that are no objects")
    return {
        "floor": _decimal(row, "notionalFloor", "qtyFloor", "qtylFloor"),
        "cap": _decimal(row, "notionalCap", "qtyCap"),
        "max_leverage": row.get("initialLeverage"),
        "mmr": _decimal(row, "maintMarginRatio"),
        "cum": _decimal(row, "cum"),
    }


def _decimal(row: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that there is, as plain decimal text. Raises Unusable."""
    for name in names:
        if name in row:
            try:
                text = f"{Decimal(str(row[name])):f}"
            except ArithmeticError:
                break
            return text.rstrip("0").rstrip(".") if "." in text else text
    raise Unusable(f"without a number as {names[0]}")


def _check(pack: dict[str, Any]) -> None:
    try:
        read_pack(json.dumps(pack).encode(), "")
    except PackError as error:
        raise Unusable(f"refused ({str(error).removeprefix(': ')})") from error


def _least(entries: Sequence[Mapping[str, Any]], name: str, otherwise: Any) -> int:
    """The smallest limit of this kind that a symbol has: of open orders, or of conditional ones."""
    rows = [row for entry in entries for row in entry.get("filters") or () if isinstance(row, dict)]
    limits = [row.get("limit") for row in rows if row.get("filterType") == name]
    return min((limit for limit in limits if isinstance(limit, int)), default=int(otherwise))


def _date(info: Mapping[str, Any]) -> str:
    """The day of the exchangeInfo, by the venue's own clock."""
    ms = info.get("serverTime")
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%d}" if isinstance(ms, int) else "undated"


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
