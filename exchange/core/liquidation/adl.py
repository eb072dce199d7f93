"""Auto-deleveraging: which positions a liquidation is closed against where neither the book nor the fund takes it.

Ranked are the traders' positions of the opposite side, by profit and leverage: PnL % x effective leverage where it is a
profit, PnL % / effective leverage where it is a loss, highest first, ties by account. PnL % is unrealised PnL / entry
value; effective leverage is notional / equity of the pool. Source: `docs/margin.md`; Binance, "What is
auto-deleveraging"; ZUBR, "Auto-deleveraging".
"""

from __future__ import annotations

from exchange.core.contract import Contract
from exchange.core.margin.model import multi_equity, notional, requirement, unrealised
from exchange.core.state import MultiPool, Position

SCALE = 1 << 64
"""Ranks are compared as whole numbers of 1 / SCALE, rounded down."""


def rank(position: Position) -> int:
    """The position's place in the queue as a number: the higher, the sooner it is deleveraged."""
    pool = position.pool
    equity = multi_equity(pool) if isinstance(pool, MultiPool) else requirement(pool).equity
    profit, size, entry = unrealised(position), notional(position), abs(position.entry_value)
    if equity <= 0 or not entry or not size:
        return -SCALE * SCALE
    if profit > 0:
        return profit * size * SCALE // (entry * equity)
    return profit * equity * SCALE // (entry * size)


def queue(contract: Contract, sign: int, account: str) -> list[Position]:
    """What a close of an account on this side (+1: it buys) can be set against, the first to be taken last."""
    others = [p for p in contract.holders if p.lots * sign > 0 and not p.exempt and p.account != account]
    found = [p for p in others if not p.pool.due]
    return sorted(found, key=lambda p: (-rank(p), p.account, p.name), reverse=True)


def quantile(contract: Contract, position: Position, of: int = 5) -> int:
    """In which part of the queue the position stands, `of` for the first to be deleveraged, 1 for the last."""
    sign = 1 if position.lots > 0 else -1
    ranked = [p for p in contract.holders if p.lots * sign > 0 and not p.exempt]
    behind = sum(rank(p) < rank(position) for p in ranked)
    return 1 + behind * of // len(ranked)
