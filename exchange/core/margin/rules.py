"""The margin rules of one instrument under its pack: which schedule, which initial margin, which fee for closing.

MM = the schedule of the notional at the mark + what is fixed until the position changes. By default all of it is the
schedule's: brackets at the mark. Source of the variants: the table of flags in `docs/rule-packs.md`.
"""

from __future__ import annotations

from events.instruments import Instrument, RulePack
from events.rules import DueAt, ExitFee, MaintenanceBasis, MarginModel
from events.units import UNIT
from exchange.core.margin.brackets import BracketTable, FlatRate, Schedule, SteppedRate
from exchange.core.margin.warning import WarningLine

PPM = 10**6
"""Open interest scales initial margin in parts per million, rounded down. Source: dYdX v4, liquidity_tier.go."""


class MarginRules:
    """Tables and flags; amounts are grains, rates are Rates.

    by_entry says that MM is a part of the entry value. exit_fee is the taker fee where closing at the bankruptcy price
    is part of MM, forced_fee where liquidation fills pay it, else 0. has_fixed says that a part of MM does not move
    with the mark. strict is 1 where a pool is due only below MM, else 0. step is what margins are rounded up to.
    is_plain says that initial margin is notional / leverage and nothing else. warning is the MM / equity, a Rate, at
    which a margin call is made, 0 for none; recovery the one below which a warned pool recovered.
    """

    __slots__ = (
        "_at_mark", "_lines", "_model", "_schedule", "base", "brackets", "by_entry", "exit_fee", "forced_fee",
        "has_fixed", "is_plain", "lower", "recovery", "scales", "step", "strict", "terms", "upper", "warning",
    )  # fmt: skip

    def __init__(self, terms: Instrument, pack: RulePack) -> None:
        self.terms = terms
        self._model = pack.margin_model
        self.by_entry = pack.maintenance_basis is MaintenanceBasis.ENTRY
        self.exit_fee = terms.taker_fee if pack.exit_fee is ExitFee.AT_BANKRUPTCY else 0
        self.forced_fee = terms.taker_fee if pack.liquidation_pays_taker_fee else 0
        self.has_fixed = self.by_entry or self.exit_fee > 0
        self.warning: int = pack.liquidation.warning
        self.recovery: int = pack.liquidation.recovers_at
        self.strict = int(pack.due_at is DueAt.BELOW_MAINTENANCE)
        self.step = pack.margin_step * UNIT
        self.is_plain = self._model is MarginModel.LEVERAGE and not self.step
        self.base = terms.initial_margin * PPM // UNIT
        self.lower, self.upper = terms.open_interest_lower * UNIT, terms.open_interest_upper * UNIT
        self.scales = self.upper > 0
        self._at_mark = at_mark = terms.taker_fee if pack.exit_fee is ExitFee.AT_MARK else 0
        self.brackets = BracketTable(terms.brackets, 0 if self.by_entry else at_mark)
        self._schedule: Schedule = self.brackets
        if self.by_entry:
            self._schedule = FlatRate(at_mark)
        elif self.step:
            fraction = terms.maintenance_fraction or UNIT
            rate = terms.initial_margin if terms.maintenance_fraction else terms.brackets[0].mmr
            self._schedule = SteppedRate(rate, fraction, self.step)
        self._lines = self._lines_of(self._schedule)

    def schedule(self, leverage: int) -> Schedule:
        """What MM is of the notional at the mark, for a position at this leverage."""
        if self._model is MarginModel.LEVERAGED and not self.by_entry:
            return BracketTable(self.terms.brackets, self._at_mark, leverage)
        return self._schedule

    def warning_lines(self, schedule: Schedule) -> tuple[WarningLine | None, WarningLine | None]:
        """What MM / warning and MM / recovery are of the notional, where the schedule is that of MM; None where nobody
        is warned.
        """
        return self._lines if schedule is self._schedule else self._lines_of(schedule)

    def _lines_of(self, schedule: Schedule) -> tuple[WarningLine | None, WarningLine | None]:
        if not self.warning:
            return None, None
        line = WarningLine(schedule, self.warning)
        return line, line if self.recovery == self.warning else WarningLine(schedule, self.recovery)

    def on_entry(self, leverage: int) -> BracketTable:
        """What MM is of the entry value, for a position at this leverage."""
        if self._model is MarginModel.LEVERAGED:
            return BracketTable(self.terms.brackets, 0, leverage)
        return self.brackets

    def initial_share(self, leverage: int) -> tuple[int, int]:
        """Initial margin as a part of notional: so many of so many."""
        rate = self.terms.initial_margin
        if self._model is MarginModel.STANDARD:
            return rate, UNIT
        if self._model is MarginModel.LEVERAGED:
            return rate, UNIT * leverage
        return 1, leverage

    def scaled_share(self, open_notional: int) -> int:
        """Initial margin at an open interest (grains of notional), ppm: the base up to the lower cap, then rising to 1.

        Source: dYdX v4, x/perpetuals/types/liquidity_tier.go.
        """
        if open_notional <= self.lower:
            return self.base
        if open_notional >= self.upper:
            return PPM
        return self.base + (PPM - self.base) * (open_notional - self.lower) // (self.upper - self.lower)
