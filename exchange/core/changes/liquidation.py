"""Changes by facts of a liquidation."""

from __future__ import annotations

from events import facts as f
from events.commands import Side
from events.guards import Hold
from events.instruments import Leg
from exchange.core.changes.queue import kept, touch
from exchange.core.changes.triggers import end_bound
from exchange.core.due import DueKind, Wait
from exchange.core.liquidation.cap import count, window_end
from exchange.core.liquidation.guard import release
from exchange.core.liquidation.pools import close, pool_of
from exchange.core.posting import end_isolated, post_trade
from exchange.core.state import Position, State, Wallet
from exchange.core.timers import has_timer, took_effect

BUY = Side.BUY


def on_liquidation_put_off(state: State, fact: f.LiquidationPutOff) -> None:
    """The pool leaves the queue, stays closed, and waits for the instrument."""
    key = pool_of(state.accounts[fact.account], fact.pool).due
    assert key is not None
    state.put_off.setdefault(fact.instrument, {})[key] = Wait(state.due.pop(key).seq, fact.why)
    if fact.why is Hold.CAPPED and not has_timer(state, DueKind.WINDOW, fact.instrument):
        state.set_timer(window_end(state, state.contracts[fact.instrument]), DueKind.WINDOW, fact.instrument)
    elif fact.why is Hold.AUCTIONED:
        auction = pool_of(state.accounts[fact.account], fact.pool).auction
        assert auction is not None
        if (auction[1], DueKind.AUCTION, fact.instrument) not in state.timers:
            state.set_timer(auction[1], DueKind.AUCTION, fact.instrument)


def on_liquidation_order_placed(state: State, fact: f.LiquidationOrderPlaced) -> None:
    """What the order closes, the book or whoever else takes it, counts for the cap of its instrument."""
    count(state, state.contracts[fact.instrument], fact.lots)


def on_liquidation_window_ended(state: State, fact: f.LiquidationWindowEnded) -> None:
    """Who waited for the window is due again."""
    took_effect(state, DueKind.WINDOW, fact.instrument)
    release(state, fact.instrument)


def on_margin_called(state: State, fact: f.MarginCalled) -> None:
    """The owner is warned."""
    pool_of(state.accounts[fact.account], fact.pool).warned = True


def on_margin_recovered(state: State, fact: f.MarginRecovered) -> None:
    """The owner may be warned again."""
    pool_of(state.accounts[fact.account], fact.pool).warned = False


def on_taken_over(state: State, fact: f.TakenOver) -> None:
    """The account trades with the insurance fund at the bankruptcy value."""
    contract = state.contracts[fact.instrument]
    sign = 1 if fact.side is BUY else -1
    position = kept(state, fact.account, fact.instrument, fact.leg)
    grown = post_trade(state, position, sign, fact.lots, fact.value, fact.fee, forced=True)
    fund = state.keep_position(state.fund(contract), contract)
    contract.open_interest += grown + post_trade(state, fund, -sign, fact.lots, fact.value, 0, forced=False)


def on_legs_netted(state: State, fact: f.LegsNetted) -> None:
    """The legs close each other."""
    for leg, sign in ((Leg.LONG, -1), (Leg.SHORT, 1)):
        position = kept(state, fact.account, fact.instrument, leg)
        grown = post_trade(state, position, sign, fact.lots, fact.value, 0, forced=True)
        position.contract.open_interest += grown


def on_deleveraged(state: State, fact: f.Deleveraged) -> None:
    """Two positions of opposite sides close each other, or MARKET takes the other side."""
    sign = 1 if fact.side is BUY else -1
    position = kept(state, fact.account, fact.instrument, fact.leg)
    other = kept(state, fact.against, fact.instrument, fact.against_leg)
    grown = post_trade(state, position, sign, fact.lots, fact.value, fact.fee, forced=True)
    grown += post_trade(state, other, -sign, fact.lots, fact.value, 0, forced=False)
    position.contract.open_interest += grown
    end_bound(state, other)


def on_loss_shared(state: State, fact: f.LossShared) -> None:
    """A winner's profit shrinks, and the fund has what it lacks: the entry value moves towards the worth."""
    position = kept(state, fact.account, fact.instrument, fact.leg)
    position.entry_value += fact.amount
    position.contract.clearing -= fact.amount
    state.keep_wallet(state.fund(position.contract), position.wallet.asset).balance += fact.amount
    touch(state, position.pool)


def on_fund_offered(state: State, fact: f.FundOffered) -> None:
    """The offer leaves the queue."""
    contract = state.contracts[fact.instrument]
    assert contract.offer is not None
    del state.due[contract.offer]
    contract.offer = None


def on_liquidation_fee_charged(state: State, fact: f.LiquidationFeeCharged) -> None:
    """The pool pays the fund."""
    _pay_fund(state, fact, fact.amount)


def on_deficit_covered(state: State, fact: f.DeficitCovered) -> None:
    """The fund pays the pool."""
    _pay_fund(state, fact, -fact.amount)


def _pay_fund(state: State, fact: f.LiquidationFeeCharged | f.DeficitCovered, amount: int) -> None:
    pool = pool_of(state.accounts[fact.account], fact.pool)
    if isinstance(pool, Wallet):
        pool.balance -= amount
        asset = pool.asset
    else:
        assert isinstance(pool, Position)
        pool.isolated -= amount
        asset = pool.wallet.asset
    state.keep_wallet(state.accounts[fact.fund], asset).balance += amount


def on_auction_stepped(state: State, fact: f.AuctionStepped) -> None:
    """The pool's next step is to come."""
    pool = pool_of(state.accounts[fact.account], fact.pool)
    pool.auction = (fact.step, fact.until, state.seq)
    state.stepped[pool] = None


def on_auction_step_reached(state: State, fact: f.AuctionStepReached) -> None:
    """Whose step it is is due again."""
    took_effect(state, DueKind.AUCTION, fact.instrument)
    release(state, fact.instrument)


def on_cooldown_started(state: State, fact: f.CooldownStarted) -> None:
    """No slices of the account until then."""
    state.accounts[fact.account].cooldown = fact.until


def on_liquidation_ended(state: State, fact: f.LiquidationEnded) -> None:
    """The pool leaves the queue and is its owner's again."""
    pool = pool_of(state.accounts[fact.account], fact.pool)
    assert pool.due is not None
    if pool.auction is not None and pool.auction[2] < pool.due[4]:
        pool.auction = None
    del state.due[pool.due]
    close(pool, None)
    if isinstance(pool, Position):
        if not pool.lots:
            end_isolated(pool)
        touch(state, pool.wallet.pool)
    touch(state, pool)
