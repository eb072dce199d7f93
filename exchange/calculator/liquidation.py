"""Liquidation price: where the equity of a pool is down to its maintenance margin.

equity = wallet + PnL of other positions + PnL of the legs; MM = MM of other positions + MM of the legs. In the value of
a leg both are straight lines within each bracket, so the root is solved bracket by bracket until it lies in the bracket
that it was solved for. For one linear leg that is the formula

    LP = (WB - TMM + UPNL + cum - s x Q x EP) / (Q x MMR - s x Q)

and for one inverse leg `LP = Q x C x (MMR + s) / (WB - TMM + UPNL + cum + s x Q x C / EP)`. Equity - MM is concave in
the value, so what is not due is an interval: it ends at a lower price, at a higher one (shorts), or at both (legs that
hedge each other). Source: Binance, "How to calculate liquidation price of USDⓈ-M Futures"; `docs/margin.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple

from events.rules import DueAt, ExitFee, MaintenanceBasis
from events.units import UNIT
from exchange.calculator.amounts import GRAIN, CalculatorError, ceil_to, floor_to
from exchange.calculator.bankruptcy import bankruptcy_value
from exchange.calculator.holding import Holding
from exchange.calculator.rules import Rules
from exchange.calculator.schedule import maintenance, tier_at


@dataclass(frozen=True)
class Pool:
    """What answers for a position: one leg and its isolated wallet, or a cross wallet with other positions beside it.

    legs are the positions of one symbol, two of them in hedge mode; other_maintenance and other_pnl are the sums over
    positions in other symbols.
    """

    wallet: Fraction
    legs: tuple[Holding, ...]
    rules: Rules
    other_maintenance: Fraction = Fraction(0)
    other_pnl: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not self.legs or len({leg.inverse for leg in self.legs}) > 1:
            raise CalculatorError("a pool needs a position, and the legs of a symbol are all linear or all inverse")
        if self.rules.exit_fee is ExitFee.AT_BANKRUPTCY and len(self.legs) > 1:
            raise CalculatorError("the fee at the bankruptcy price is that of one position, not of two legs")

    @property
    def backing(self) -> Fraction:
        """What the legs can lose before nothing is left, the other positions staying as they are."""
        return self.wallet + self.other_pnl

    def equity(self, mark: Fraction) -> Fraction:
        """Wallet balance and unrealised PnL of all positions."""
        return self.backing + sum(leg.pnl(mark) for leg in self.legs)

    def maintenance(self, mark: Fraction) -> Fraction:
        """Maintenance margin of all positions, with the exit fee where the rules put it inside."""
        return self.other_maintenance + sum(self.leg_maintenance(leg, mark) for leg in self.legs)

    def is_due(self, mark: Fraction) -> bool:
        """Whether the pool is due at this mark. As in the core, linear equity rounds down and MM up to a grain."""
        equity, needed = self.equity(mark), self.maintenance(mark)
        if not self.legs[0].inverse:
            equity, needed = floor_to(equity, GRAIN), ceil_to(needed, GRAIN)
        return equity < needed or (equity == needed and self.rules.due_at is DueAt.AT_MAINTENANCE)

    def leg_maintenance(self, leg: Holding, mark: Fraction) -> Fraction:
        """Maintenance margin of one leg, with its exit fee where the rules put that inside."""
        rules = self.rules
        basis = leg.entry_value if rules.basis is MaintenanceBasis.ENTRY else leg.value(mark)
        if rules.steps is not None:
            return rules.steps.maintenance(basis)
        return maintenance(rules.schedule, basis) + self.fixed_fee(leg) + rules.fee_at_mark * leg.value(mark)

    def fixed_fee(self, leg: Holding) -> Fraction:
        """The fee for closing at the bankruptcy price, where the rules put that into the maintenance margin, else 0."""
        if self.rules.exit_fee is not ExitFee.AT_BANKRUPTCY:
            return Fraction(0)
        return max(Fraction(0), self.rules.taker_fee * bankruptcy_value(leg, self.backing, self.rules.taker_fee))


class Liquidation(NamedTuple):
    """Where a pool becomes due.

    exact is the root of the formula: below 0 where that is no price, None where there is none at all. shown is the
    price as the venue shows it, None where there is no price. trigger is the first mark in units of 10^-8 at which the
    pool is due: the largest one where it falls due as the mark `falls`, else the smallest; None where there is none.
    is_always_due says that no mark is high or low enough. mmr and cum are those of the first leg's bracket at the root.
    """

    exact: Fraction | None
    shown: Fraction | None
    trigger: int | None
    falls: bool
    is_always_due: bool
    mmr: Fraction
    cum: Fraction


def liquidation(pool: Pool) -> Liquidation:
    """The liquidation price of the pool: on the losing side of its net position where it has one there."""
    roots = dict(_roots(pool))
    is_long = sum(leg.sign * leg.quantity for leg in pool.legs) > 0
    sides = [falls for falls in (is_long, not is_long) if falls in roots]
    falls = next((falls for falls in sides if roots[falls] >= 0), sides[0] if sides else is_long)
    exact = roots.get(falls)
    has_price = exact is not None and exact >= 0
    is_always_due = not has_price and pool.is_due(Fraction(1))
    leg, rules = pool.legs[0], pool.rules
    at_root = leg.value(exact) if exact is not None and exact > 0 else Fraction(0)
    tier = tier_at(rules.schedule, leg.entry_value if rules.basis is MaintenanceBasis.ENTRY else at_root)
    if exact is None or exact < 0:
        trigger = 1 if is_always_due and not falls else None
        return Liquidation(exact, None, trigger, falls, is_always_due, tier.mmr, tier.cum)
    shown, trigger = _shown(exact, falls, rules.tick), _trigger(pool, exact, falls)
    return Liquidation(exact, shown, trigger, falls, is_always_due, tier.mmr, tier.cum)


def _shown(price: Fraction, falls: bool, tick: Fraction | None) -> Fraction:
    """The price on the tick that a mark on its way reaches first: up for a fall, down for a rise."""
    if tick is None:
        return price
    return ceil_to(price, tick) if falls else floor_to(price, tick)


class _Line(NamedTuple):
    """Equity - MM as constant + slope x y from y = start on: y is the price, for inverse legs 1 / price."""

    start: Fraction
    constant: Fraction
    slope: Fraction


def _roots(pool: Pool) -> Iterator[tuple[bool, Fraction]]:
    """The prices at which equity is the maintenance margin, each with whether the pool is due below it."""
    inverse = pool.legs[0].inverse
    lines = [*_lines(pool), None]
    for line, following in pairwise(lines):
        assert line is not None
        if not line.slope:
            continue
        y = -line.constant / line.slope
        if (line is not lines[0] and y < line.start) or (following is not None and y >= following.start):
            continue
        if not inverse:
            yield line.slope > 0, y
        elif y:
            yield line.slope < 0, 1 / y


def _lines(pool: Pool) -> list[_Line]:
    """The line of each bracket, or stretch between brackets where there are two legs."""
    rules = pool.rules
    if rules.basis is MaintenanceBasis.ENTRY:
        return [_line(pool, Fraction(0))]
    edges = {tier.floor / leg.quantity for leg in pool.legs for tier in rules.schedule[1:]}
    return [_line(pool, start) for start in sorted({Fraction(0)} | edges)]


def _line(pool: Pool, start: Fraction) -> _Line:
    rules = pool.rules
    constant, slope = pool.backing - pool.other_maintenance, Fraction(0)
    for leg in pool.legs:
        rate = rules.fee_at_mark
        if rules.basis is MaintenanceBasis.ENTRY:
            constant -= maintenance(rules.schedule, leg.entry_value)
        else:
            tier = tier_at(rules.schedule, leg.quantity * start)
            constant += tier.cum
            rate += tier.mmr
        constant -= leg.direction * leg.entry_value + pool.fixed_fee(leg)
        slope += (leg.direction - rate) * leg.quantity
    return _Line(start, constant, slope)


ROUNDING_UNITS = 16
"""Rounding to grains moves a trigger by less than 1 / (1 - mmr) units, and that much only at the smallest sizes."""


def _trigger(pool: Pool, root: Fraction, falls: bool) -> int | None:
    """The first due unit by the exact root, then as much nearer as rounding to grains makes the pool due earlier."""
    units, is_due_there = root * UNIT, pool.rules.due_at is DueAt.AT_MAINTENANCE
    if falls:
        unit = max(0, floor(units) if is_due_there else ceil(units) - 1)
    else:
        unit = max(1, ceil(units) if is_due_there else floor(units) + 1)
    step = 1 if falls else -1
    for _ in range(ROUNDING_UNITS):
        if unit + step < 1 or not pool.is_due(Fraction(unit + step, UNIT)):
            break
        unit += step
    return _first_step(pool, root, falls) or unit or None


def _first_step(pool: Pool, root: Fraction, falls: bool) -> int | None:
    """The first due unit where margins are rounded up to a step: at a jump of MM, or where equity comes down to one."""
    leg, steps = pool.legs[0], pool.rules.steps
    if steps is None or leg.inverse or len(pool.legs) > 1:
        return None
    edges: list[Fraction] = []
    for margin, most in steps.jumps(leg.value(root) if root else Fraction(0)):
        lost = leg.direction * leg.entry_value - pool.backing + pool.other_maintenance + margin
        edges += [most / leg.quantity, leg.direction * lost / leg.quantity]
    units = {floor(edge * UNIT) + near for edge in edges for near in (-1, 0, 1, 2)}
    due = [unit for unit in units if unit > 0 and pool.is_due(Fraction(unit, UNIT))]
    safe = [unit for unit in units if unit > 0 and not pool.is_due(Fraction(unit, UNIT))]
    if not due or not safe:
        return None
    return max(due) if falls else min(due)
