"""What simulations and property tests found wrong in margin once, each as the shortest session that shows it."""

from __future__ import annotations

from events.refusals import Reason
from events.rules import ModeSwitch
from exchange.core import snapshot
from exchange.core.step import step
from tests.scenario import scenario
from tests.spec.contracts import (
    COIN,
    EXPIRY,
    LONG,
    OUNCE,
    dated,
    hedge,
    join,
    later,
    pack_of,
    price,
    several_assets,
)
from tests.spec.words import (
    BUY,
    CROSS,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    account,
    deposit,
    funding,
    instrument,
    margin_moved,
    mark,
    mode_set,
    place,
    position,
    refused,
    resting,
    set_mode,
)


class TestMultiAssetModeIsCross:
    """Simulation, seed 14: a flat instrument that was isolated stayed so, and its next position with it."""

    SESSION = (account("ann", 1_000), price(2), set_mode("ann", ISOLATED))

    def test_an_account_with_an_isolated_instrument_does_not_join(self) -> None:
        session = scenario(several_assets()).given(*self.SESSION)
        session.when(join("ann")).then(refused(Reason.MULTI_ASSET_IS_CROSS))
        session.given(set_mode("ann", CROSS), join("ann"))

    def test_what_is_left_of_the_other_position_mode_takes_the_margin_mode_along(self) -> None:
        session = scenario(several_assets()).given(*self.SESSION, hedge("ann"), set_mode("ann", CROSS), join("ann"))
        session.given(hedge("ann", False), resting(1, SELL, price=100, lots=1))
        session.given(place(2, BUY, price=100, lots=1, by="ann"))
        assert not session.position("ann").is_isolated


def test_an_order_in_multi_asset_mode_needs_the_index_price_of_its_settle_asset() -> None:
    # Simulation, seed 167: a position whose settle asset was worth nothing yet needed no margin either.
    session = scenario(several_assets()).given(account("ann", 1_000), join("ann"))
    session.given(resting(1, SELL, price=100, lots=1, on=COIN))
    session.when(place(2, BUY, price=100, lots=1, by="ann", on=COIN)).then(refused(Reason.NO_INDEX_PRICE))
    session.given(price(2), place(3, BUY, price=100, lots=1, by="ann", on=COIN))


def test_a_position_that_turns_cross_is_not_looked_at_as_an_isolated_one() -> None:
    # Simulation, seed 68: its wallet had moved, so that by itself it was due, and it was liquidated as isolated.
    rules = pack_of(instrument(GOLD), mode_switch=ModeSwitch.WHEN_OPEN)
    session = scenario(rules).given(
        account("ann", 1_000, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann")
    )
    session.when(set_mode("ann", CROSS)).then(margin_moved("ann", -100), mode_set("ann", CROSS)).waits()


def test_a_snapshot_knows_an_instrument_with_a_colon_in_its_name() -> None:
    # Simulation, seed 221: hyperliquid's xyz:GOOGL was taken for a leg of xyz.
    colon = pack_of(instrument("xyz:GOLD"))  # type: ignore[arg-type]
    session = scenario(colon).given(
        account("ann", 1_000), hedge("ann"), resting(1, SELL, price=100, lots=1, on="xyz:GOLD")
    )
    session.given(place(3, BUY, price=100, lots=1, by="ann", on="xyz:GOLD", leg=LONG))
    assert snapshot.decode(snapshot.encode(session.state)).accounts["ann"].positions["xyz:GOLD:long"].lots == 1  # type: ignore[index]


def test_money_of_an_asset_without_a_price_is_no_collateral() -> None:
    session = scenario(several_assets()).given(account("ann"), deposit("ann", 10, asset=OUNCE))
    session.when(join("ann")).then(refused(Reason.NO_INDEX_PRICE))


def test_positions_settle_in_the_same_order_after_a_restart() -> None:
    # Simulation, seed 1033: the order was that in which positions came to be, which a snapshot does not keep.
    session = scenario(pack_of(dated())).given(account("ann", 1_000), account("ben", 1_000))
    session.given(resting(1, BUY, price=100, lots=3, by="ben"), resting(2, BUY, price=90, lots=1, by="ann"))
    session.given(place(3, SELL, price=100, lots=3, by="taker"))
    restored = snapshot.decode(snapshot.encode(session.state))
    for state in (session.state, restored):
        step(state, later(EXPIRY))
    assert snapshot.encode(restored) == snapshot.encode(session.state)
    assert [p.account for due in restored.due.values() for p in due.owing] == ["ben", "taker", "ann"]


def test_interest_is_paid_in_the_same_order_after_a_restart() -> None:
    # As above: by the order in which accounts had joined multi-asset mode.
    rules = several_assets(interest=PERCENT, debt_limit=100, interest_interval=1_000)
    session = scenario(rules).given(price(2), account("ann"), account("ben"))
    session.given(deposit("ann", 500, asset=OUNCE), deposit("ben", 500, asset=OUNCE), join("ben"), join("ann"))
    session.given(*(resting(n, SELL, price=100, lots=1) for n in (1, 2)))
    session.given(place(3, BUY, price=100, lots=1, by="ann"), place(4, BUY, price=100, lots=1, by="ben"), mark(90))
    session.given(resting(5, BUY, price=90, lots=2))
    session.given(place(6, SELL, price=90, lots=1, by="ann"), place(7, SELL, price=90, lots=1, by="ben"))
    restored = snapshot.decode(snapshot.encode(session.state))
    for state in (session.state, restored):
        step(state, later(2_000))
    assert snapshot.encode(restored) == snapshot.encode(session.state)
    assert [w.account for due in restored.due.values() for w in due.owing] == 2 * ["ann", "ben"]


def test_a_wallet_that_joins_is_not_looked_at_by_itself() -> None:
    # Portfolios: funding settled in the batch of the switch had touched the wallet, which was due by itself.
    rules = several_assets()
    session = scenario(rules).given(price(2), account("ann", 100), deposit("ann", 500, asset=OUNCE))
    session.given(resting(1, SELL, price=100, lots=10), place(2, BUY, price=100, lots=10, by="ann"))
    session.given(funding(6 * PERCENT), join("ann")).waits((GOLD, ""))
