"""What the auditor found wrong in the core once, each as the shortest session that shows it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events.commands import INSURANCE
from events.facts import LiquidationEnded, LiquidationOutcome
from events.instruments import Liquidation
from events.rules import ExitFee, Layer, MaintenanceBasis, MarginModel
from events.units import SECOND, UNIT, Nanos
from exchange.audit import audit
from exchange.core.margin.model import bankrupt_worth, requirement
from tests.scenario import scenario
from tests.spec.words import BUY, PERCENT, TIN, account, deposit, mark, pack, position, proceed

LEVERAGED = {"margin_model": MarginModel.LEVERAGED}


@pytest.mark.parametrize(
    ("flags", "maintenance"),
    [
        ({}, 2_000 * 5 // 10),
        ({"maintenance_basis": MaintenanceBasis.ENTRY}, 2_000 * 5 // 10),
        ({"exit_fee": ExitFee.AT_MARK}, 2_000 * 5 // 10 + 2_000),
        ({"exit_fee": ExitFee.AT_MARK, "maintenance_basis": MaintenanceBasis.ENTRY}, 2_000 * 5 // 10 + 2_000),
    ],
)
def test_under_the_leveraged_model_a_basis_at_entry_counts_by_leverage_and_the_exit_fee_counts(
    flags: dict[str, Any], maintenance: int
) -> None:
    # 20 lots at 100 are worth 2,000: 5 % of 2,000 / 10, and 1 % of 2,000 for closing; in hundredths of an atom.
    rules = replace(pack(initial_margin=10 * PERCENT, taker_fee=PERCENT), **LEVERAGED, **flags)
    session = scenario(rules).given(account("ann", 5_000), *position(1, BUY, price=100, lots=20, by="ann"))
    found = requirement(session.state.accounts["ann"].wallets["USD"])
    assert found.maintenance * 100 == maintenance * UNIT


@pytest.mark.parametrize(
    ("entry", "backing", "worth"),
    [(100, 40, 75), (100, 120, 0), (-100, 20, -100), (-100, -100, 0), (-100, -150, 0)],
)
def test_a_position_whose_backing_never_runs_out_at_any_price_has_no_fee_for_closing_there(
    entry: int, backing: int, worth: int
) -> None:
    # Closing at a worth of 75 costs 15: 60 are left of 100, which is what a backing of 40 bears.
    assert bankrupt_worth(entry * UNIT, backing * UNIT, UNIT // 5) == worth * UNIT


def test_what_caps_leave_may_stay_below_zero_although_another_position_was_closed_whole() -> None:
    """Found by simulation (seed 16): no order was placed for what had no room at all, so the auditor saw no cap."""
    rules = replace(
        pack(liquidation_cap=6), liquidation=Liquidation(last_resort=(Layer.FUND,), window=Nanos(10 * SECOND))
    )
    told = scenario(rules).given(deposit(INSURANCE, 10_000))
    for number, name in ((1, "ann"), (3, "bob")):
        told.given(account(name, 150), *position(number, BUY, price=100, lots=10, by=name))
    told.given(*position(5, BUY, price=100, lots=2, by="bob", on=TIN))
    told.given(mark(50), proceed(1), proceed(1))
    assert [fact.outcome for fact in told.batches[-1].facts if isinstance(fact, LiquidationEnded)] == [
        LiquidationOutcome.REDUCED
    ]
    told.holds("bob", lots=10).holds("bob", TIN, lots=0)
    audit(told.batches)
