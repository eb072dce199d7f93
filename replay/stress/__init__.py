"""The cascade laboratory: a market full of accounts, a shock, and what liquidations make of it."""

from __future__ import annotations

from replay.stress.population import Crowd
from replay.stress.scenario import Liquidity, Scenario
from replay.stress.shocks import Shock, ShockError

__all__ = ["Crowd", "Liquidity", "Scenario", "Shock", "ShockError"]
