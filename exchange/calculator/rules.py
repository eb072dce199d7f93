"""The rules of a venue as the calculator needs them, taken from a rule pack or given one by one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from events.instruments import Instrument, RulePack
from events.rules import DueAt, ExitFee, MaintenanceBasis, PriceShown
from events.units import UNIT
from exchange.calculator.amounts import CalculatorError
from exchange.calculator.schedule import Schedule, flat, schedule_of
from exchange.calculator.steps import Steps


@dataclass(frozen=True)
class Rules:
    """What a position must hold, and when it is due.

    `tick` is that of a venue that shows liquidation prices by it, `steps` how a venue rounds margins up.
    """

    schedule: Schedule
    basis: MaintenanceBasis = MaintenanceBasis.MARK
    exit_fee: ExitFee = ExitFee.NONE
    taker_fee: Fraction = Fraction(0)
    due_at: DueAt = DueAt.AT_MAINTENANCE
    tick: Fraction | None = None
    steps: Steps | None = None

    def __post_init__(self) -> None:
        fee = self.taker_fee if self.exit_fee is not ExitFee.NONE else 0
        if not -1 < self.taker_fee < 1 or any(not 0 <= tier.mmr + fee < 1 for tier in self.schedule):
            raise CalculatorError("maintenance margin rate and taker fee must be below 1, and so must their sum")

    @property
    def fee_at_mark(self) -> Fraction:
        """The rate of the value at the mark that closing there would cost, where that is part of maintenance margin."""
        return self.taker_fee if self.exit_fee is ExitFee.AT_MARK else Fraction(0)


def rules_of(
    pack: RulePack,
    terms: Instrument | None = None,
    *,
    mmr: Fraction | None = None,
    cum: Fraction = Fraction(0),
    taker_fee: Fraction | None = None,
    tick: Fraction | None = None,
) -> Rules:
    """The rules of a pack for one of its instruments, or for a position of which mmr and cum are known.

    What is given replaces what the instrument states. Raises CalculatorError where neither says the mmr.
    """
    if mmr is not None:
        schedule = flat(mmr, cum)
    elif terms is not None:
        schedule = schedule_of(terms)
    else:
        raise CalculatorError("without an instrument of the pack the maintenance margin rate (mmr) must be given")
    if taker_fee is None:
        taker_fee = Fraction(terms.taker_fee, UNIT) if terms else Fraction(0)
    if tick is None and terms is not None:
        tick = Fraction(terms.tick, UNIT)
    shown = tick if pack.liquidation_price is PriceShown.TICK else None
    steps = _steps(pack, None if mmr is not None else terms, schedule)
    return Rules(schedule, pack.maintenance_basis, pack.exit_fee, taker_fee, pack.due_at, shown, steps)


def _steps(pack: RulePack, terms: Instrument | None, schedule: Schedule) -> Steps | None:
    if not pack.margin_step:
        return None
    step = Fraction(pack.margin_step, UNIT)
    if terms is None or not terms.maintenance_fraction:
        return Steps(step, schedule[0].mmr)
    return Steps(step, Fraction(terms.initial_margin, UNIT), Fraction(terms.maintenance_fraction, UNIT))
