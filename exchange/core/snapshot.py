"""State <-> bytes. The same state gives the same bytes, whatever road led to it; what can be derived is left out.

Left out: the triggers of the watch, the heaps, dead entries of queues, and what speaks of the latest rows only. Keys
whose order carries no meaning are sorted; queues, holders, orders and outcomes keep theirs.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from events.commands import MARKET, AccountId, SessionOptions, TimeInForce
from events.digest import fingerprint
from events.facts import TriggerPlaced
from events.guards import Hold
from events.instructions import SelfTrade
from events.instruments import Leg, RulePack, position_name
from events.phases import TradingPhase
from exchange.core.book import BookSide, Level, Order
from exchange.core.changes import reducing
from exchange.core.changes.links import links_of
from exchange.core.changes.triggers import bind, index_of, keep
from exchange.core.contract import Average, Contract
from exchange.core.due import OWED, DueKind, Wait
from exchange.core.liquidation.pools import close, pool_of, pools_of
from exchange.core.liquidation.watch import arm_all, unsaid
from exchange.core.matching.market import TICKERS_KEPT, MarketFeed
from exchange.core.state import Account, Due, MultiPool, Outcome, Position, State, Wallet
from exchange.core.triggers.trigger import Trigger

STATE_VERSION = 8
"""Raised whenever the bytes change their meaning; a snapshot of another version is discarded."""

NOT_YET = (0, 0, "", "", 0)
"""In place of an entry of the queue that is restored later."""

_FEED = (
    "last_id", "synced", "stated", "streak", "equal", "different", "prints", "volume", "observations", "gaps",
    "crossed", "tangled", "last_price", "traded", "index", "rate", "next_funding", "next_sample",
)  # fmt: skip
_POSITION = (
    "is_isolated", "leverage", "lots", "entry_value", "isolated", "bids", "asks", "extra", "open_orders", "auto_add",
)  # fmt: skip
_ORDER = (
    "number", "sign", "price", "lots", "reduce_only", "notional", "extra", "client", "time_in_force", "total",
    "amendments", "self_trade", "until", "visible", "shown",
)  # fmt: skip
_BOOKS = ("entered", "fees", "interest", "remainders")


class OtherVersion(ValueError):
    """The bytes are a snapshot of another state version."""


def encode(state: State, *, outcomes: bool = True) -> bytes:
    """The state as bytes; without outcomes, all that a refused command must leave as it was.

    A refused command adds to its account's table of outcomes, to the numbers of records and batches, and moves the
    clock.
    """
    left, orphans = unsaid(state), [[t.account, t.number, seq] for t, seq in state.orphans.items()]
    return msgspec.json.encode(
        {
            **({"left": left} if left else {}),
            **({"orphans": orphans} if orphans else {}),
            **({"exceeding": sorted([*p.id, seq] for p, seq in state.exceeding.items())} if state.exceeding else {}),
            **({"pending": [[*key, *what] for key, what in state.pending.items()]} if state.pending else {}),
            "version": STATE_VERSION,
            "seq": state.seq if outcomes else 0,
            "batch": state.batch if outcomes else 0,
            "now": state.now if outcomes else 0,
            "pack": state.pack,
            "options": state.options,
            "ledger": {asset: [getattr(books, name) for name in _BOOKS] for asset, books in state.ledger.items()},
            "accounts": [_account(account, outcomes) for account in state.accounts.values()],
            "contracts": {name: _contract(contract) for name, contract in state.contracts.items()},
            "assets": {name: asset.index for name, asset in state.assets.items()},
            "timers": state.timers,
            "countdowns": list(state.countdowns),
            "gated_until": state.gated_until,
            "warned": [pool.id for account in state.accounts.values() for pool in pools_of(account) if pool.warned],
            "due": [
                [key, due.seq, due.rate, due.mark, due.over, [p.id for p in due.owing], _names(due.firing)]
                for key, due in state.due.items()
            ],
            "auctions": [
                [*pool.id, pool.auction]
                for account in state.accounts.values()
                for pool in pools_of(account)
                if pool.auction
            ],
            "reached": {
                name: [seq, _names(state.contracts[name].triggers.reached)] for name, seq in state.reached.items()
            },
            "put_off": {
                name: [[key, wait.seq, wait.why] for key, wait in waiting.items()]
                for name, waiting in sorted(state.put_off.items())
            },
        }
    )


def digest(state: State, *, outcomes: bool = True) -> str:
    """sha256 over the bytes, in hex."""
    return fingerprint(encode(state, outcomes=outcomes))


def _names(triggers: dict[Trigger, None]) -> list[tuple[str, int]]:
    """The conditional orders that wait to fire."""
    return [(trigger.placed.account, trigger.placed.number) for trigger in triggers]


def _account(account: Account, outcomes: bool) -> dict[str, Any]:
    return {
        "name": account.name,
        "last_number": account.last_number,
        "hedges": account.hedges,
        "cooldown": account.cooldown,
        "multi": account.multi is not None,
        "volumes": sorted(account.volumes.items()),
        "wallets": {asset: [w.balance, [p.name for p in w.positions]] for asset, w in account.wallets.items()},
        "positions": {name: [getattr(p, field) for field in _POSITION] for name, p in account.positions.items()},
        "orders": [[o.holder.name, *(getattr(o, field) for field in _ORDER)] for o in account.orders.values()],
        "triggers": [[t.serial, t.extreme, t.amendments, t.placed] for t in account.triggers.values()],
        "outcomes": [[request, o.seq, o.reason] for request, o in account.outcomes.items()] if outcomes else [],
    }


def _contract(contract: Contract) -> dict[str, Any]:
    feed = contract.feed
    return {
        "mark": contract.mark,
        "marked_at": contract.marked_at,
        "halted": contract.halted,
        "phase": contract.phase,
        "uncrossing": contract.uncrossing and contract.uncrossing[0],
        "liquidated": [contract.liquidated, contract.liquidated_at],
        "swing": [list(contract.swing.highs), list(contract.swing.lows)] if contract.swing else [],
        "index": contract.index,
        "expired": contract.expired,
        "average": contract.average,
        "clearing": contract.clearing,
        "holders": [p.id for p in contract.holders],
        "stale": contract.book.stale,
        **({"by_trades": True} if contract.book.by_trades else {}),
        "bids": _side(contract.book.bids),
        "asks": _side(contract.book.asks),
        "feed": [getattr(feed, name) for name in _FEED],
        "quote": feed.quote,
        "tickers": list(feed.tickers),
        "credits": sorted(feed.credits.items()),
    }


def _side(side: BookSide) -> dict[str, Any]:
    return {
        "stated": sorted(side.history.stated.items()),
        "taken": sorted(side.history.taken.items()),
        "orders": [[price, list(queue.items())] for price, queue in sorted(side.history.queues.items())],
        "levels": [
            [price, [[e.account, e.number, e.lots] for e in level.queue if e.lots]]
            for price, level in side.levels.items()
        ],
    }


def decode(data: bytes) -> State:
    """The state of these bytes, its triggers set. Raises OtherVersion."""
    raw = msgspec.json.decode(data)
    if raw["version"] != STATE_VERSION:
        raise OtherVersion(f"state version {raw['version']}, this code knows {STATE_VERSION}")
    state = State()
    state.seq, state.batch, state.now = raw["seq"], raw["batch"], raw["now"]
    if raw["pack"] is not None:
        _restore_session(state, raw)
    for account in raw["accounts"]:
        _restore_account(state, account)
    state.multis = {name: account.multi for name, account in state.accounts.items() if account.multi}
    for name, index in raw["assets"].items():
        state.assets[name].index = index
    state.timers = [tuple(timer) for timer in raw["timers"]]
    state.gated_until = raw["gated_until"]
    for name, contract in raw["contracts"].items():
        _restore_contract(state, state.contracts[name], contract)
    for key, seq, rate, mark, over, owing, firing in raw["due"]:
        fires = {state.accounts[name].triggers[number]: None for name, number in firing}
        _restore_due(state, tuple(key), Due(seq, rate, mark, _positions(state, owing), over, fires))
    _restore_reached(state, raw)
    state.orphans = {state.accounts[name].triggers[number]: seq for name, number, seq in raw.get("orphans", ())}
    state.pending = {(name, number): (seq, lots) for name, number, seq, lots in raw.get("pending", ())}
    state.links = links_of(state)
    _restore_countdowns(state, raw["countdowns"])
    for account in raw["accounts"]:
        _lay_triggers(state, account)
    for name, waiting in raw["put_off"].items():
        state.put_off[name] = {tuple(key): Wait(seq, Hold(why)) for key, seq, why in waiting}
        for key in state.put_off[name]:
            close(pool_of(state.accounts[key[2]], key[3]), key)  # type: ignore[index]
    for name, pool_name, auction in raw["auctions"]:
        pool = pool_of(state.accounts[name], pool_name)
        pool.auction = tuple(auction)
        if not pool.due:
            state.stepped[pool] = None
    for name, pool_name in raw["warned"]:
        pool_of(state.accounts[name], pool_name).warned = True
    for name, pool_name, seq in raw.get("left", ()):
        pool = pool_of(state.accounts[name], pool_name)
        state.left[pool.id] = (pool, seq)
    _restore_exceeding(state, raw.get("exceeding", []))
    arm_all(state)
    return state


def _restore_exceeding(state: State, raw: list[tuple[AccountId, str, int]]) -> None:
    state.exceeding = {state.accounts[name].positions[holder]: seq for name, holder, seq in raw}


def _restore_countdowns(state: State, raw: list[list[Any]]) -> None:
    for until, account, instrument in raw:
        state.countdowns[until, account, instrument] = None
        state.accounts[account].countdowns[instrument] = until
    state.rewind()


def _restore_session(state: State, raw: dict[str, Any]) -> None:
    state.open(msgspec.convert(raw["pack"], RulePack), msgspec.convert(raw["options"], SessionOptions))
    state.accounts.clear()
    for asset, amounts in raw["ledger"].items():
        _set(state.ledger[asset], _BOOKS, amounts)


def _set(target: Any, names: tuple[str, ...], values: list[Any]) -> None:
    for name, value in zip(names, values, strict=True):
        setattr(target, name, value)


def _restore_account(state: State, raw: dict[str, Any]) -> None:
    account = state.accounts[raw["name"]] = Account(raw["name"], raw["name"] in state.house())
    account.last_number, account.hedges, account.cooldown = raw["last_number"], raw["hedges"], raw["cooldown"]
    account.multi = MultiPool(account.name, account.wallets, state.assets) if raw["multi"] else None
    account.volumes = dict(map(tuple, raw["volumes"]))
    for asset, (balance, positions) in raw["wallets"].items():
        wallet = state.keep_wallet(account, asset)
        wallet.balance = balance
        for name in positions:
            instrument, _, leg = (name, "", "net") if name in state.contracts else name.rpartition(":")
            state.keep_position(account, state.contracts[instrument], Leg(leg))
    account.positions = {name: account.positions[name] for name in raw["positions"]}
    for name, values in raw["positions"].items():
        position = account.positions[name]
        _set(position, _POSITION, values)
        position.set_leverage(position.leverage)
    for name, *values in raw["orders"]:
        _restore_order(state, account, account.positions[name], dict(zip(_ORDER, values, strict=True)))
    for serial, _, amendments, placed in raw["triggers"]:
        fact = msgspec.convert(placed, TriggerPlaced)
        trigger = Trigger(fact, account.positions[position_name(fact.instrument, fact.leg)], serial)
        trigger.amendments = amendments
        keep(state, account, trigger)
    for request, seq, reason in raw["outcomes"]:
        account.outcomes[request] = msgspec.convert({"seq": seq, "reason": reason}, Outcome)


def _restore_order(state: State, account: Account, holder: Position, values: dict[str, Any]) -> None:
    values["time_in_force"] = TimeInForce(values["time_in_force"])
    values["self_trade"] = SelfTrade(values["self_trade"])
    order = Order(account=account.name, instrument=holder.contract.id, rests=True, holder=holder, **values)
    account.orders[order.number] = order
    if order.reduce_only and holder.contract.shrinks:
        reducing.rests(state, order)
    if order.until:
        state.keep_good_till(order)
    if order.client:
        account.clients[order.client] = order.number


def _restore_contract(state: State, contract: Contract, raw: dict[str, Any]) -> None:
    if raw["mark"]:
        contract.set_mark(raw["mark"])
    contract.marked_at = raw["marked_at"]
    contract.set_phase(TradingPhase(raw["phase"]), raw["halted"])
    if raw["uncrossing"] is not None:
        contract.uncrossing = (raw["uncrossing"], NOT_YET)
    contract.liquidated, contract.liquidated_at = raw["liquidated"]
    if contract.swing is not None:
        contract.swing.highs.extend(map(tuple, raw["swing"][0]))
        contract.swing.lows.extend(map(tuple, raw["swing"][1]))
    contract.index, contract.expired, contract.clearing = raw["index"], raw["expired"], raw["clearing"]
    contract.average = msgspec.convert(raw["average"], Average)
    contract.holders = _positions(state, raw["holders"])  # type: ignore[assignment]
    contract.open_interest = sum(p.lots for p in contract.positions if p.lots > 0)
    _restore_side(state, contract.book.bids, raw["bids"])
    _restore_side(state, contract.book.asks, raw["asks"])
    contract.book.stale = raw["stale"]
    contract.book.by_trades = raw.get("by_trades", False)
    _restore_feed(contract.feed, raw)


def _positions(state: State, ids: list[list[str]]) -> dict[Position | Wallet, None]:
    """The positions, or wallets, of these (account, name)."""
    found: dict[Position | Wallet, None] = {}
    for name, holder in ids:
        account = state.accounts[name]  # type: ignore[index]
        found[account.positions.get(holder) or account.wallets[holder]] = None  # type: ignore[index]
    return found


def _restore_side(state: State, side: BookSide, raw: dict[str, Any]) -> None:
    side.history.state_all(dict(map(tuple, raw["stated"])))
    side.history.taken = dict(map(tuple, raw["taken"]))
    for price, orders in raw["orders"]:
        side.history.queues[price] = dict(map(tuple, orders))
        side.history.orders |= {number: price for number, _ in orders}
    for price, entries in raw["levels"]:
        level = side.levels[price] = Level()
        for account, number, lots in entries:
            if account == MARKET:
                segment = level.append_market(price, side.sign, lots, number)
                if number:
                    side.history.segments[number] = segment
            else:
                level.queue.append(state.accounts[account].orders[number])
                level.orders += 1
    prices = side.levels.keys()
    side.best = prices[-1 if side.sign > 0 else 0] if prices else None


def _restore_feed(feed: MarketFeed, raw: dict[str, Any]) -> None:
    _set(feed, _FEED, raw["feed"])
    feed.quote = tuple(raw["quote"])
    feed.tickers = deque(map(tuple, raw["tickers"]), TICKERS_KEPT)
    feed.credits = dict(raw["credits"])


def _restore_reached(state: State, raw: dict[str, Any]) -> None:
    """What prices reached while trading was not continuous."""
    for name, (seq, reached) in raw["reached"].items():
        contract = state.contracts[name]
        state.reached[contract.id] = seq
        for account, number in reached:
            contract.triggers.reached[state.accounts[account].triggers[number]] = None


def _lay_triggers(state: State, raw: dict[str, Any]) -> None:
    """Put an account's conditional orders that no price has reached where they wait."""
    for trigger, (_, extreme, _, _) in zip(state.accounts[raw["name"]].triggers.values(), raw["triggers"], strict=True):
        if trigger in state.orphans:
            continue
        bind(trigger)
        if trigger.due is None and not trigger.sleeps and trigger not in trigger.holder.contract.triggers.reached:
            index_of(trigger.holder.contract, trigger.placed.source).restore(trigger, extreme)


def _restore_due(state: State, key: Any, due: Due) -> None:
    state.due[key] = due
    for trigger in due.firing:
        trigger.due = key
    if key[1] in OWED:
        state.owed[key] = due
    elif key[1] == DueKind.TRIGGER:
        return
    elif key[1] == DueKind.COUNTDOWN:
        state.run_out.append(key)
    elif key[1] == DueKind.OFFER:
        state.contracts[key[2]].offer = key
    elif key[1] == DueKind.UNCROSSING:
        contract = state.contracts[key[2]]
        assert contract.uncrossing is not None
        contract.uncrossing = (contract.uncrossing[0], key)
    elif key[1] == DueKind.EXCHANGE:
        state.multis[key[2]].exchange = key
    else:
        close(pool_of(state.accounts[key[2]], key[3]), key)
