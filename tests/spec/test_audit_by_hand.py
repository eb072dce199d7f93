"""What the auditor makes of small sessions, against figures computed by hand.

A lot of GOLD at a price of 100 is worth 100 atoms of USD, a lot of COIN 10,000 / price atoms of OUNCE. The first
bracket asks for 5 %, the leverage is 10 unless a session says otherwise.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from events.instruments import RulePack
from events.rules import DueAt, ExitFee, MaintenanceBasis
from exchange.audit import Auditor
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    COIN,
    LONG,
    OUNCE,
    SHORT,
    dated,
    hedge,
    index,
    inverse,
    join,
    later,
    pack_of,
    price,
    several_assets,
)
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    account,
    deposit,
    mark,
    pack,
    place,
    position,
    proceed,
    resting,
)


def audited(session: Scenario) -> Auditor:
    auditor = Auditor()
    for batch in session.batches:
        auditor.observe(batch)
    return auditor


def given(rules: RulePack, *asked: Any) -> Auditor:
    return audited(scenario(rules).given(*asked))


def test_an_inverse_position_gains_as_its_value_in_coin_falls() -> None:
    rich = [deposit(name, 10_000, asset=OUNCE) for name in ("maker", "ann")]
    session = (account("ann"), rich, mark(100, on=COIN), resting(1, SELL, price=100, lots=4, on=COIN))
    auditor = given(pack_of(inverse()), *session, place(2, BUY, price=100, lots=4, by="ann", on=COIN))
    assert auditor.positions["ann"][COIN].entry == -400
    assert auditor.margin("ann", OUNCE) == (10_000, 40, 20)
    auditor = given(
        pack_of(inverse()), *session, place(2, BUY, price=100, lots=4, by="ann", on=COIN), mark(80, on=COIN)
    )
    # 4 lots are worth 500 now: the long lost 100; 500 / 10; 5 % of 500.
    assert auditor.margin("ann", OUNCE) == (9_900, 50, 25)


def test_a_value_in_coin_is_rounded_down_and_so_is_the_notional() -> None:
    rich = [deposit(name, 10_000, asset=OUNCE) for name in ("maker", "ann")]
    session = (account("ann"), rich, mark(300, on=COIN), resting(1, SELL, price=300, lots=1, on=COIN))
    auditor = given(pack_of(inverse()), *session, place(2, BUY, price=300, lots=1, by="ann", on=COIN))
    # 10,000 / 300 is 33.3..: a trade of 33 atoms; a worth of -33.33333334, its size the notional.
    assert auditor.positions["ann"][COIN].entry == -33
    size = Fraction("33.33333334")
    assert auditor.margin("ann", OUNCE) == (10_000 + 33 - size, Fraction("3.33333334"), Fraction("1.66666667"))


def test_a_dated_contract_ends_at_its_index_less_the_fee() -> None:
    session = (account("ann", 1_000), *position(1, BUY, price=100, lots=10, by="ann"), index(110), later(1_000))
    auditor = given(pack_of(dated(settlement_fee=PERCENT)), *session, proceed())
    # 10 x 110 less 10 x 100, and 1 % of 1,100.
    assert auditor.wallets["ann"]["USD"] == 1_000 + 100 - 11
    assert auditor.margin("ann", "USD") == (1_089, 0, 0)
    assert auditor.positions["ann"][GOLD].lots == 0


def test_wallets_together_count_by_slices_and_index() -> None:
    money = (account("ann", 500), deposit("ann", 1_500, asset=OUNCE), price(2), join("ann"))
    auditor = given(several_assets(), *money, *position(1, BUY, price=100, lots=10, by="ann"), mark(110))
    # 90 % of 1,000 and 50 % of 500 ounces at 2, 500 in USD, a profit of 100; 1,100 / 10 and 5 % of it.
    assert auditor.margin("ann", "multi") == (2 * (900 + 250) + 500 + 100, 110, 55)


def test_legs_are_margined_each_for_itself() -> None:
    session = (account("ann", 5_000), hedge("ann"), resting(1, SELL, price=100, lots=10), mark(100))
    more = (place(2, BUY, price=100, lots=10, by="ann", leg=LONG), resting(3, BUY, price=100, lots=4))
    auditor = given(pack(), *session, *more, place(4, SELL, price=100, lots=4, by="ann", leg=SHORT), mark(120))
    # 200 gained, 80 lost; 1,200 and 480 at 120.
    assert auditor.margin("ann", "USD") == (5_000 + 200 - 80, 120 + 48, 60 + 24)


def test_margin_on_the_entry_value_stays_as_the_mark_moves() -> None:
    rules = replace(pack(), maintenance_basis=MaintenanceBasis.ENTRY)
    auditor = given(rules, account("ann", 5_000), *position(1, BUY, price=100, lots=20, by="ann"), mark(150))
    assert auditor.margin("ann", "USD") == (5_000 + 1_000, 300, 100)


def test_the_fee_for_closing_at_the_mark_is_a_part_of_the_notional() -> None:
    rules = replace(pack(taker_fee=PERCENT), exit_fee=ExitFee.AT_MARK)
    auditor = given(rules, account("ann", 5_000), *position(1, BUY, price=100, lots=10, by="ann"))
    assert auditor.margin("ann", "USD") == (5_000 - 10, 100, 50 + 10)


def test_the_fee_for_closing_at_the_bankruptcy_price_depends_on_the_wallet() -> None:
    rules = replace(pack(taker_fee=PERCENT), exit_fee=ExitFee.AT_BANKRUPTCY)
    ann = account("ann", 5_000, mode=ISOLATED, leverage=5)
    auditor = given(rules, ann, *position(1, BUY, price=100, lots=10, by="ann"))
    # 1,000 / 5, and 1 % of 800 put aside, less 10 for opening. Closing at 802 / 0.99 leaves nothing of 198.
    assert auditor.wallets["ann"][GOLD] == 200 + 8 - 10
    assert auditor.margin("ann", GOLD) == (198, 200, 50 + Fraction("8.10101011"))


def test_a_position_that_its_wallet_pays_in_full_has_no_price_of_bankruptcy() -> None:
    rules = replace(pack(taker_fee=PERCENT), exit_fee=ExitFee.AT_BANKRUPTCY)
    auditor = given(rules, account("ann", 5_000), *position(1, BUY, price=100, lots=10, by="ann"))
    assert auditor.margin("ann", "USD") == (4_990, 100, 50)


@pytest.mark.parametrize(("due_at", "is_due"), [(DueAt.AT_MAINTENANCE, True), (DueAt.BELOW_MAINTENANCE, False)])
def test_due_is_at_maintenance_margin_or_below_as_the_venue_rules(due_at: DueAt, is_due: bool) -> None:
    session = (account("ann", 145), *position(1, BUY, price=100, lots=10, by="ann"))
    auditor = given(replace(pack(), due_at=due_at), *session, mark(90))
    # 100 lost of 145, and 5 % of 900.
    assert auditor.margin("ann", "USD") == (45, 90, 45)
    assert (("ann", "USD") in auditor.queue) is auditor.is_due("ann", "USD") is is_due
