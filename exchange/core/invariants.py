"""What must hold after every record of every session; simulations call `check` after each of them.

Source: `docs/margin.md`, section "Invariants".
"""

from __future__ import annotations

from events.facts import TriggerPlaced
from events.instruments import Leg
from events.phases import TradingPhase
from events.triggers import PriceSource
from exchange.core.book import Order
from exchange.core.changes.links import links_of
from exchange.core.changes.triggers import index_of, is_laid, price_of
from exchange.core.contract import Contract
from exchange.core.due import OWED, DueKind
from exchange.core.liquidation import guard, watch
from exchange.core.state import FAR, Account, Position, State
from exchange.core.triggers.index import PriceIndex
from exchange.core.triggers.trigger import Trigger


def check(state: State) -> None:
    """Assert that money, sizes, reserves, queues and triggers agree."""
    check_money(state)
    settling = {key[2] for key in state.owed if key[1] == DueKind.SETTLEMENT}
    for contract in state.contracts.values():
        check_contract(contract, contract.id in settling)
    for account in state.accounts.values():
        check_account(state, account)
    check_orders(state)
    check_exceeding(state)
    check_triggers(state)
    for key, due in state.due.items():
        assert due.owing or key[1] not in OWED, "due work waits for nobody"
        assert due.firing or key[1] != DueKind.TRIGGER, "due work waits for no order"
    assert list(state.owed.values()) == [due for key, due in state.due.items() if key[1] in OWED]
    assert state.timers == sorted(state.timers)
    guard.check(state)
    check_phases(state)
    accounts = state.accounts.values()
    open_ones: list[Order | Trigger] = [one for account in accounts for one in account.orders.values()]
    open_ones += [one for account in accounts for one in account.triggers.values()]
    assert list(state.good_till) == sorted((one.until, one.account, one.number) for one in open_ones if one.until)
    check_countdowns(state)


def check_countdowns(state: State) -> None:
    """Accounts know their countdowns; those whose time came wait in the queue, and the first of the others is next."""
    known = [(at, a.name, name) for a in state.accounts.values() for name, at in a.countdowns.items()]
    assert list(state.countdowns) == sorted(known)
    assert state.run_out == [key for key in state.due if key[1] == DueKind.COUNTDOWN]
    reached = state.run_out[-1][0] if state.run_out else 0
    assert all(any(at <= key[0] for at, _, _ in known) for key in state.run_out)
    timers = [*(timer[0] for timer in state.timers), *(until[0] for until in state.good_till)]
    times = [*timers, *(at for at, _, _ in known if at > reached), FAR]
    assert state.next_timer == min(times)


def check_end_of_batch(state: State) -> None:
    """`check`, and that the watch has seen everybody who is due."""
    check(state)
    assert not state.dirty
    assert all(state.contracts[name].closed for name in state.reached)
    watch.check(state)
    check_links(state)


def check_links(state: State) -> None:
    """Links are those of what is open and waits; what is pending is open, and only what is attached is to be armed."""
    assert state.links == links_of(state)
    for (name, number), (_, lots) in state.pending.items():
        account = state.accounts[name]
        assert number in account.triggers or (number in account.orders and not lots)
        assert not lots or account.triggers[number].placed.entry


def check_phases(state: State) -> None:
    """Whatever crosses trades by its entry of the queue; only a phase has an end, or a halt."""
    crossing = {key[2]: key for key in state.due if key[1] == DueKind.UNCROSSING}
    assert crossing == {name: c.uncrossing[1] for name, c in state.contracts.items() if c.uncrossing is not None}
    for _, kind, name in state.timers:
        if kind == DueKind.PHASE:
            contract = state.contracts[name]  # type: ignore[index]
            assert contract.closed
            assert contract.uncrossing is None
            assert not contract.expired


def check_money(state: State) -> None:
    """Per asset: what entered = wallets + isolated wallets + fees + interest + remainders + clearing accounts."""
    for asset, books in state.ledger.items():
        wallets = [a.wallets[asset] for a in state.accounts.values() if asset in a.wallets]
        held = sum(w.balance + sum(p.isolated for p in w.positions) for w in wallets)
        clearing = sum(c.clearing for c in state.contracts.values() if c.settle == asset)
        assert books.entered == held + books.fees + books.interest + books.remainders + clearing, (
            f"{asset} does not add up"
        )


def check_contract(contract: Contract, settling: bool) -> None:
    """Sizes add up to nothing but while they settle one by one, the clearing account mirrors the entry values, the book
    holds together.
    """
    assert settling or sum(p.lots for p in contract.positions) == 0, f"{contract.id}: sizes do not add up to 0"
    assert contract.clearing == -sum(p.entry_value for p in contract.positions)
    assert set(contract.holders) == {p for p in contract.positions if p.lots}
    assert contract.open_interest == sum(p.lots for p in contract.positions if p.lots > 0)
    contract.book.check(may_cross=contract.closed)
    assert contract.book.shut == (contract.closed and not contract.halted)
    assert contract.closed == (contract.phase is not TradingPhase.CONTINUOUS)
    assert not contract.halted or contract.phase is TradingPhase.HALTED
    if contract.swing is not None:
        contract.swing.check()


def check_account(state: State, account: Account) -> None:
    """Every position agrees with the account's orders."""
    for position in account.positions.values():
        check_position(account, position)
        check_bound(state, account, position)
    open_ones: list[Order | TriggerPlaced] = [*account.orders.values(), *(t.placed for t in account.triggers.values())]
    assert account.clients == {one.client: one.number for one in open_ones if one.client}


def check_reducing(position: Position, resting: list[Order]) -> None:
    """The position knows its resting reduce-only orders where they shrink with it, and only there."""
    assert (position.reducing is not None) == (position.contract.shrinks and bool(resting))
    if position.reducing is not None:
        position.reducing.check(resting)


def check_exceeding(state: State) -> None:
    """It is known of which positions reduce-only orders would close more than there is, and of no others."""
    positions = [position for account in state.accounts.values() for position in account.positions.values()]
    for position in positions:
        orders, held = position.reducing, position.lots
        is_within = orders is None or all(orders.lots[sign] <= max(0, -sign * held) for sign in orders.lots)
        assert is_within == (position not in state.exceeding)


def check_orders(state: State) -> None:
    """As many orders stand in the books as accounts have resting."""
    sides = [side for contract in state.contracts.values() for side in (contract.book.bids, contract.book.asks)]
    standing = sum(level.orders for side in sides for level in side.levels.values())
    assert standing == sum(order.rests for account in state.accounts.values() for order in account.orders.values())


def check_triggers(state: State) -> None:
    """Every conditional order waits where it belongs: in the index of its price, or reached, or in the queue."""
    waiting: dict[PriceIndex, list[Trigger]] = {}
    for account in state.accounts.values():
        for number, trigger in account.triggers.items():
            assert (trigger.placed.account, trigger.placed.number) == (account.name, number)
            contract = trigger.holder.contract
            if trigger.due is not None:
                assert trigger in state.due[trigger.due].firing
            elif is_laid(state, trigger):
                waiting.setdefault(index_of(contract, trigger.placed.source), []).append(trigger)
    firing = sum(len(due.firing) for due in state.due.values())
    assert firing == sum(t.due is not None for account in state.accounts.values() for t in account.triggers.values())
    for contract in state.contracts.values():
        assert (contract.id in state.reached) == bool(contract.triggers.reached)
        for source in PriceSource:
            index, price = index_of(contract, source), price_of(contract, source)
            index.check(waiting.get(index, []))
            assert not price or index.low < price < index.high, "a price reached an order that waits"


def check_bound(state: State, account: Account, position: Position) -> None:
    """A position that ends conditional orders with it is there, and knows them and those that close it."""
    own = [trigger for trigger in account.triggers.values() if trigger.holder is position]
    waiting = [trigger for trigger in own if trigger not in state.orphans]
    assert position.closing == sum(trigger.closing for trigger in waiting)
    bound = {trigger.number: trigger for trigger in waiting if trigger.placed.with_position}
    assert list((position.bound or {}).items()) == list(bound.items())
    assert all(position.lots * trigger.sign < 0 for trigger in bound.values()), "what ends with a position outlived it"


def check_position(account: Account, position: Position) -> None:
    """One position against the account's orders and its own sign."""
    orders = [o for o in account.orders.values() if o.holder is position]
    assert position.open_orders == len(orders)
    waiting = [trigger for trigger in account.triggers.values() if trigger.holder is position]
    assert position.open_triggers == len(waiting)
    resting = [o for o in orders if o.rests]
    check_reducing(position, [o for o in resting if o.reduce_only])
    assert position.bids == sum(o.notional * o.lots for o in resting if o.sign > 0)
    assert position.asks == sum(o.notional * o.lots for o in resting if o.sign < 0)
    assert position.extra == sum(o.extra * o.lots for o in resting)
    assert position.lots * position.entry_value * position.contract.gain >= 0
    assert bool(position.lots) or not position.entry_value
    assert position.lots * position.leg.sign >= 0
    assert (
        account.is_reserved
        or account.hedges == (position.leg is not Leg.NET)
        or not (position.lots or orders or position.open_triggers)
    )
    assert position.is_isolated or not position.isolated
