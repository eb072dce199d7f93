"""The insurance fund: how much of a position it can take over, and how it works off what it took.

It takes over as many lots as leave its equity at the marks, balance plus unrealised PnL, at 0 or above. What it holds
it offers to the book, at the mark or better, whenever the mark has moved: such trades never lessen its equity.
Source: `docs/margin.md`, section "Liquidation".
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import LIQUIDATION_ORDER, MARKET, Side
from events.facts import Fact, FundOffered
from events.units import UNIT, Lots
from exchange.core.contract import Contract
from exchange.core.margin.model import cross_equity
from exchange.core.matching.making import ready_maker, trade
from exchange.core.owed import settle_first
from exchange.core.state import Position, State


def lots_affordable(state: State, position: Position, value: int) -> int:
    """How many lots of a position the fund can take over, all of them at `value` atoms, and stay at 0 or above."""
    contract, size = position.contract, abs(position.lots)
    wallet = state.wallet(state.fund(contract), contract.settle)
    sign = 1 if position.entry_value > 0 else -1
    gain = position.lots * contract.num // contract.den - sign * value * UNIT
    equity = cross_equity(wallet)
    if gain >= 0:
        return size if equity + gain >= 0 else 0
    return max(0, min(size, equity * size // -gain))


def work_off(state: State, contract: Contract) -> Iterator[Fact]:
    """Offer what the fund holds of a contract to the book, at the mark or better."""
    fund = state.fund(contract)
    yield from settle_first(state, fund.name)
    position = fund.positions[contract.id]
    yield FundOffered(contract.id, Lots(position.lots))
    side, sign = (Side.SELL, 1) if position.lots > 0 else (Side.BUY, -1)
    limit = sign * -(-sign * contract.mark // contract.tick)
    resting = contract.book.bids if sign > 0 else contract.book.asks
    while position.lots and (front := contract.book.front(resting, limit)) is not None:
        price, maker, lots = front
        if maker is not None:
            lots = yield from ready_maker(state, maker)
        else:
            yield from settle_first(state, MARKET)
        if lots := min(lots, abs(position.lots)):
            yield trade(state, contract, side, price, lots, maker, fund.name, LIQUIDATION_ORDER, 0)
