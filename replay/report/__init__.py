"""How the accounts of a session fared: money, risk, fills, orders and liquidations, folded in one pass over its log."""

from __future__ import annotations

from replay.report.accounts import AccountReport, Dot, InstrumentReport
from replay.report.drawdown import Decline
from replay.report.fills import HORIZONS, FillFigures, Role, Slip
from replay.report.fold import SAMPLED, Report
from replay.report.money import Parts
from replay.report.samples import Samples
from replay.report.spread import Spread, Thinned
from replay.report.standing import TOGETHER, Standing
from replay.report.trips import Trips

__all__ = [
    "HORIZONS",
    "SAMPLED",
    "TOGETHER",
    "AccountReport",
    "Decline",
    "Dot",
    "FillFigures",
    "InstrumentReport",
    "Parts",
    "Report",
    "Role",
    "Samples",
    "Slip",
    "Spread",
    "Standing",
    "Thinned",
    "Trips",
]
