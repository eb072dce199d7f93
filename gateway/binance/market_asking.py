"""What requests for market data have in common: the instrument, ranges of time, how much of it.

Source of codes and texts: Binance USD-M Futures, "Error Codes"; of limits, the page of each endpoint.
"""

from __future__ import annotations

from typing import NamedTuple

from events.instruments import InstrumentId
from gateway.binance.desk import Desk, Request
from gateway.binance.errors import BinanceError, bad_symbol, invalid
from gateway.binance.params import Params
from gateway.binance.texts import Digits
from gateway.serving.tape.instrument import InstrumentTape, Price
from gateway.serving.tape.tape import Tape


class Asked(NamedTuple):
    """The instrument that is asked for, its tape, and how its numbers are written."""

    symbol: InstrumentId
    tape: InstrumentTape
    digits: Digits


def of_symbol(desk: Desk, symbol: str) -> Asked:
    """The instrument of that symbol. Raises BinanceError."""
    name = InstrumentId(symbol)
    tape: InstrumentTape | None = desk.tape.instruments.get(name)
    if tape is None:
        raise bad_symbol()
    return Asked(name, tape, desk.texts[symbol])


def asked(desk: Desk, request: Request, name: str = "symbol") -> Asked:
    """The instrument that must be named. Raises BinanceError."""
    return of_symbol(desk, request.params.need(name))


def one_or_all(desk: Desk, request: Request) -> tuple[Asked | None, list[Asked]]:
    """The instrument that is named, and those that are asked for: all that are traded where none is named. Raises
    BinanceError.
    """
    symbol = request.params.get("symbol")
    if symbol is None:
        return None, [of_symbol(desk, name) for name in traded(desk)]
    one = of_symbol(desk, symbol)
    return one, [one]


def traded(desk: Desk) -> list[InstrumentId]:
    """The instruments of which anything is known, in the order of the pack."""
    return known(desk.tape)


def known(tape: Tape) -> list[InstrumentId]:
    """The same, asked of the tape itself."""
    tapes: dict[InstrumentId, InstrumentTape] = tape.instruments
    return [name for name, tape in tapes.items() if tape.quotes.mark or not tape.ladders[Price.LAST].is_empty]


def limited(params: Params, default: int, most: int) -> int:
    """How many are asked for. Raises BinanceError."""
    limit = params.whole("limit")
    if limit is None:
        return default
    if not 1 <= limit <= most:
        raise invalid("limit")
    return limit


def ranged(params: Params) -> tuple[int | None, int | None]:
    """From when to when, ms. Raises BinanceError."""
    start, end = params.whole("startTime"), params.whole("endTime")
    for name, at in (("startTime", start), ("endTime", end)):
        if at is not None and at < 0:
            raise invalid(name)
    if start is not None and end is not None and start > end:
        raise BinanceError(-1023, "Start time is greater than end time.")
    return start, end


def at_most(params: Params, small: int, *steps: tuple[int, int], default: int = 500) -> int:
    """What a request weighs: `small`, or that of the last step (limit, weight) that its limit is at or beyond."""
    text = params.values.get("limit", "")
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else default
    return next((weight for begin, weight in reversed(steps) if limit >= begin), small)


def of_pair(desk: Desk, request: Request) -> Asked:
    """The perpetual, or the contract of the type that is named, on a pair. Raises BinanceError."""
    pair = request.params.need("pair")
    if of_pairs(desk, pair) is None:
        raise BinanceError(-4144, "Invalid pair.")
    kind = request.params.need("contractType")
    for name in desk.tape.instruments:
        if of_pairs(desk, pair, kind) == name:
            return of_symbol(desk, name)
    raise invalid("contractType")


def of_pairs(desk: Desk, pair: str, kind: str = "PERPETUAL") -> InstrumentId | None:
    """The instrument on a pair of that type, None where there is none."""
    for terms in desk.venue.pack.instruments:
        if terms.base + terms.quote == pair and contract_types(desk)[terms.id] == kind:
            return terms.id
    return None


def contract_types(desk: Desk) -> dict[InstrumentId, str]:
    """What the venue calls the contracts: perpetual, or by which quarter they end."""
    found: dict[InstrumentId, str] = {}
    dated: dict[str, list[tuple[int, InstrumentId]]] = {}
    for terms in desk.venue.pack.instruments:
        if terms.expiry:
            dated.setdefault(terms.base + terms.quote, []).append((terms.expiry, terms.id))
        else:
            found[terms.id] = "PERPETUAL"
    for of_pair_ in dated.values():
        for n, (_, name) in enumerate(sorted(of_pair_)):
            found[name] = "NEXT_QUARTER" if n else "CURRENT_QUARTER"
    return found


def need_one_of(params: Params, name: str, of: tuple[str, ...]) -> str:
    """A parameter that must be one of these. Raises BinanceError."""
    value = params.need(name)
    if value not in of:
        raise invalid(name)
    return value
