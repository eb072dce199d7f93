"""Auto-deleveraging: which positions a liquidation is closed against where neither the book nor the fund takes it.

Ranked are the traders' positions of the opposite side, by profit and leverage: PnL % x effective leverage where it is a
profit, PnL % / effective leverage where it is a loss, highest first, ties by account. PnL % is unrealised PnL / entry
value; effective leverage is notional / equity of the pool. Source: `docs/margin.md`; Binance, "What is
auto-deleveraging"; ZUBR, "Auto-deleveraging".

All ranks move with the marks. Between two of these only those of pools move that are touched: so all positions are
ranked once after a mark moved, when the queue is asked for first, and after that only those of touched pools
(`Ranking`). A queue is no part of the state: it follows from it.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from events.units import UNIT
from exchange.core.contract import Contract
from exchange.core.margin.model import cross_equity, multi_equity
from exchange.core.state import MultiPool, Pool, Position, State

SCALE = 1 << 64
"""Ranks are whole numbers of 1 / (SCALE x UNIT), rounded down: entry values are in atoms, the rest is in grains."""


def rank(position: Position) -> int:
    """The position's place in the queue as a number: the higher, the sooner it is deleveraged."""
    contract, wallet = position.contract, position.wallet
    worth = position.lots * contract.num // contract.den
    profit, size, entry = worth - position.entry_value * UNIT, abs(worth), abs(position.entry_value)
    if position.is_isolated:
        equity = position.isolated * UNIT + profit
    else:
        equity = cross_equity(wallet) if wallet.multi is None else multi_equity(wallet.multi)
    if equity <= 0 or not entry or not size:
        return -SCALE * SCALE
    if profit > 0:
        return profit * size * SCALE // (entry * equity)
    return profit * equity * SCALE // (entry * size)


class Ranking:
    """The traders' positions of one side of a contract in the order of their ranks, until a mark moves.

    heap holds (- rank, account, name, serial); an entry counts only while `ranks` says the same of its position. again
    are the pools that were touched, or named as due, since the ranks were looked at.
    """

    __slots__ = ("_contract", "_heap", "_ranks", "_sign", "again")

    def __init__(self, contract: Contract, sign: int) -> None:
        self.again: dict[Pool, None] = {}
        self._contract = contract
        self._sign = sign
        ranked = [p for p in contract.holders if p.lots * sign > 0 and self._is_ranked(p)]
        self._heap = [(-rank(p), p.account, p.name, p.serial) for p in ranked]
        self._ranks = {serial: -turned for turned, _, _, serial in self._heap}
        heapify(self._heap)

    def _is_ranked(self, position: Position) -> bool:
        return position.lots * self._sign > 0 and not position.exempt and not position.pool.due

    def first(self, account: str) -> Position | None:
        """The first in the queue that is not of this account."""
        self._rank_again()
        aside = []
        found = None
        while self._heap and found is None:
            entry = heappop(self._heap)
            if self._ranks.get(entry[3]) != -entry[0]:
                continue
            aside.append(entry)
            if entry[1] != account:
                found = self._contract.positions[entry[3]]
        for entry in aside:
            heappush(self._heap, entry)
        return found

    def _rank_again(self) -> None:
        """Rank the positions of the pools that were touched."""
        for pool in self.again:
            for position in _positions(pool):
                if position.contract is self._contract:
                    self._update(position)
        self.again.clear()

    def _update(self, position: Position) -> None:
        serial = position.serial
        if not self._is_ranked(position):
            self._ranks.pop(serial, None)
            return
        new = rank(position)
        if self._ranks.get(serial) != new:
            self._ranks[serial] = new
            heappush(self._heap, (-new, position.account, position.name, serial))


def _positions(pool: Pool) -> list[Position]:
    """The positions of a pool, those that were closed too."""
    if isinstance(pool, Position):
        return [pool]
    if isinstance(pool, MultiPool):
        return [position for wallet in pool.wallets.values() for position in wallet.positions]
    return pool.positions


def first_in_queue(state: State, contract: Contract, sign: int, account: str) -> Position | None:
    """What a close of an account on this side (+1: it buys) is set against first, None where nobody is ranked."""
    key = contract.id, sign
    ranking = state.rankings.get(key)
    if ranking is None:
        ranking = state.rankings[key] = Ranking(contract, sign)
    return ranking.first(account)


def quantile(contract: Contract, position: Position, of: int = 5) -> int:
    """In which part of the queue the position stands, `of` for the first to be deleveraged, 1 for the last."""
    sign = 1 if position.lots > 0 else -1
    ranked = [p for p in contract.holders if p.lots * sign > 0 and not p.exempt]
    own = rank(position)
    behind = sum(rank(p) < own for p in ranked)
    return 1 + behind * of // len(ranked)
