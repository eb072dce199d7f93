"""Changes by facts of the session as a whole: its opening, market, marks, and what fell due."""

from __future__ import annotations

from events import facts as f
from events.commands import FundingSource
from exchange.core.changes.phases import offer, stop
from exchange.core.changes.queue import owe
from exchange.core.changes.triggers import mark_moved, note
from exchange.core.contract import Average, Contract
from exchange.core.due import DueKind
from exchange.core.funding import premium, restart, sample
from exchange.core.liquidation import watch
from exchange.core.liquidation.guard import release
from exchange.core.liquidation.pools import close, pool_of
from exchange.core.liquidation.watch import index_moved
from exchange.core.state import Due, State
from exchange.core.timers import set_first, took_effect


def on_session_opened(state: State, fact: f.SessionOpened) -> None:
    """Instruments, assets, timers and the two participants of the house come to be."""
    state.open(fact.pack, fact.options)
    set_first(state)


def on_nothing(_state: State, _fact: f.Fact) -> None:
    """Some facts only say something."""


def on_market_advanced(state: State, fact: f.MarketAdvanced) -> None:
    """History's rows go into MARKET's book."""
    contract = state.contracts[fact.instrument]
    contract.feed.advance(state.columns[fact.chunk], fact.first_row, fact.last_row)
    note(state, contract)


def on_mark_price_moved(state: State, fact: f.MarkPriceMoved) -> None:
    """The mark moves; the watch sees whose trigger it reached."""
    contract = state.contracts[fact.instrument]
    if contract.swing is not None and contract.mark and not contract.closed:
        contract.swing.add(state.now, contract.mark)
    contract.set_mark(fact.mark)
    state.rankings.clear()
    contract.marked_at = state.now
    if not contract.closed:
        release(state, contract.id)
    if contract.index:
        _count(state, contract)
    if not contract.closed:
        offer(state, contract)
    watch.mark_moved(state, contract)
    mark_moved(state, contract)


def on_withdrawals_closed(state: State, fact: f.WithdrawalsClosed) -> None:
    """No money leaves until then."""
    if state.gated_until:
        took_effect(state, DueKind.GATE)
    state.gated_until = fact.until
    state.set_timer(fact.until, DueKind.GATE)


def on_withdrawals_opened(state: State, _fact: f.WithdrawalsOpened) -> None:
    """Money may leave."""
    took_effect(state, DueKind.GATE)
    state.gated_until = 0


def _count(state: State, contract: Contract) -> None:
    """Let a new premium count, or near the expiry of a dated contract a new index."""
    terms = contract.terms
    if not terms.expiry:
        if state.options.funding is FundingSource.PREMIUM:
            sample(contract.average, premium(contract), state.now)
    elif terms.settlement_window:
        if state.now <= (start := terms.expiry - terms.settlement_window):
            contract.average = Average(contract.index, 0, start, start)
        else:
            sample(contract.average, contract.index, state.now)


def on_index_price_moved(state: State, fact: f.IndexPriceMoved) -> None:
    """The index moves; the premium is counted, and the watch sees whose box it left."""
    contract = state.contracts.get(fact.instrument)
    if contract is not None:
        contract.index = fact.index
        if contract.mark or contract.terms.expiry:
            _count(state, contract)
    for asset in state.assets.values():
        if asset.pair is not None and asset.pair.id == fact.instrument:
            asset.index = fact.index
            state.rankings.clear()
            index_moved(state, asset)


def on_funding_due(state: State, fact: f.FundingDue) -> None:
    """Every holder of the instrument owes, or is owed."""
    contract = state.contracts[fact.instrument]
    restart(contract.average, took_effect(state, DueKind.FUNDING, fact.instrument))
    if fact.mark:
        due = Due(state.seq, fact.rate, fact.mark, dict(contract.holders), fact.over)  # type: ignore[arg-type]
        owe(state, DueKind.FUNDING, fact.instrument, due)


def on_settlement_due(state: State, fact: f.SettlementDue) -> None:
    """The contract trades no more; whoever holds it waits to be settled, then, by name, who only has an order in it."""
    took_effect(state, DueKind.SETTLEMENT, fact.instrument)
    contract = state.contracts[fact.instrument]
    contract.expired = True
    stop(state, contract)
    release(state, contract.id)
    ordered = sorted(
        (p for p in contract.positions if (p.open_orders or p.open_triggers) and not p.lots), key=lambda p: p.id
    )
    owing = {**contract.holders, **dict.fromkeys(ordered)}
    owe(state, DueKind.SETTLEMENT, fact.instrument, Due(state.seq, 0, fact.price, owing))  # type: ignore[arg-type]


def on_interest_due(state: State, _fact: f.InterestDue) -> None:
    """Every debt that costs interest waits to pay it."""
    owing = {
        wallet: None
        for _, pool in sorted(state.multis.items())
        for asset, wallet in pool.wallets.items()
        if wallet.balance < 0 and pool.assets[asset].interest
    }
    took_effect(state, DueKind.INTEREST, makes_up=bool(owing))
    owe(state, DueKind.INTEREST, "", Due(state.seq, owing=owing))  # type: ignore[arg-type]


def on_exchange_due(state: State, fact: f.ExchangeDue) -> None:
    """The account's debts wait to be exchanged."""
    key = (state.now, int(DueKind.EXCHANGE), fact.account, "", state.seq)
    state.multis[fact.account].exchange = key
    state.due[key] = Due(state.seq)


def on_liquidation_due(state: State, fact: f.LiquidationDue) -> None:
    """The pool enters the queue and is closed to its owner."""
    key = (state.now, int(DueKind.LIQUIDATION), fact.account, fact.pool, state.seq)
    pool = pool_of(state.accounts[fact.account], fact.pool)
    close(pool, key)
    state.stepped.pop(pool, None)
    for ranking in state.rankings.values():
        ranking.again[pool] = None
    state.due[key] = Due(state.seq)
