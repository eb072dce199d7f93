"""What the exchange says to a command: a table from command to the generator that decides it.

A decision reads the state, refuses or yields facts; each fact is applied before the generator goes on. Every refusal
comes before the first fact that changes something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from events import commands as c
from events.facts import (
    Fact,
    FundingDue,
    ItemRefused,
    ItemRepeated,
    MarketAdvanced,
    Refused,
    SessionOpened,
    TimeAdvanced,
)
from events.instruments import PackError
from events.linked import PlaceLinked
from events.refusals import Reason
from events.rules import FundingPrice
from events.units import MarkUnits, Rate
from exchange.core import accounts
from exchange.core.batches import batch_refusal
from exchange.core.contract import Contract
from exchange.core.countdowns import decide_set_countdown, end_all
from exchange.core.debts import exchange_debts
from exchange.core.due import OWED, DueKind
from exchange.core.links import settle_links
from exchange.core.liquidation.insurance import work_off
from exchange.core.liquidation.waterfall import liquidate
from exchange.core.marks import index_moves, mark_moves
from exchange.core.matching.amending import decide_amend
from exchange.core.matching.cancelling import decide_cancel_all
from exchange.core.matching.good_till import expire_good_till
from exchange.core.matching.limit import decide_cancel, decide_place
from exchange.core.matching.linked import decide_place_linked
from exchange.core.matching.making import crossing_fill, history_fills
from exchange.core.matching.phases import auctions_open, decide_set_trading_phase, resumes
from exchange.core.matching.touching import crossing, next_touch
from exchange.core.matching.uncrossing import uncross
from exchange.core.owed import settle_all, settle_first
from exchange.core.state import RULES_VERSION, DueKey, State
from exchange.core.timers import funding_price
from exchange.core.triggers.closed import end_with_positions
from exchange.core.triggers.fire import fire_all
from exchange.core.triggers.place import decide_place_trigger


def decide_open_session(state: State, command: c.OpenSession) -> Iterator[Fact]:
    """Open the session under a pack that holds together."""
    if state.pack is not None:
        yield Refused(Reason.SESSION_ALREADY_OPEN)
    elif not _is_sound(command):
        yield Refused(Reason.BAD_RULE_PACK)
    elif command.options.defect():
        yield Refused(Reason.BAD_SESSION_OPTIONS)
    elif command.rules_version != RULES_VERSION:
        yield Refused(Reason.RULES_VERSION_UNKNOWN)
    else:
        yield SessionOpened(command.rules_version, command.pack, command.options)
        if command.options.opening_auction:
            yield from auctions_open(state, command.options.opening_auction)


def _is_sound(command: c.OpenSession) -> bool:
    try:
        command.pack.check()
    except PackError:
        return False
    return not command.pack.beyond_sessions()


def decide_set_mark_price(state: State, command: c.SetMarkPrice) -> Iterator[Fact]:
    """Move the mark."""
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif command.mark <= 0:
        yield Refused(Reason.PRICE_NOT_POSITIVE)
    elif contract.expired:
        yield Refused(Reason.INSTRUMENT_EXPIRED)
    else:
        yield from mark_moves(state, contract, command.mark)


def decide_set_index_price(state: State, command: c.SetIndexPrice) -> Iterator[Fact]:
    """Move the index price of an instrument or a spot pair."""
    contract = state.contracts.get(command.instrument)
    pairs = [asset for asset in state.assets.values() if asset.pair is not None and asset.pair.id == command.instrument]
    if contract is None and not pairs:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif command.index <= 0:
        yield Refused(Reason.PRICE_NOT_POSITIVE)
    elif contract is not None and contract.expired:
        yield Refused(Reason.INSTRUMENT_EXPIRED)
    else:
        before = pairs[0].index if contract is None else contract.index
        yield from index_moves(state, command.instrument, before, command.index)


def decide_apply_funding(state: State, command: c.ApplyFunding) -> Iterator[Fact]:
    """Let every open position of the instrument pay or receive funding."""
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif contract.terms.expiry:
        yield Refused(Reason.INSTRUMENT_HAS_NO_FUNDING)
    elif not contract.mark:
        yield Refused(Reason.NO_MARK_PRICE)
    elif not (price := funding_price(state, contract)):
        yield Refused(Reason.NO_INDEX_PRICE)
    else:
        yield FundingDue(contract.id, command.rate, MarkUnits(price))


def decide_advance_market(state: State, command: c.AdvanceMarket) -> Iterator[Fact]:
    """Let history go on, row by row where a row touches a trader, a mark or a timer, in bulk in between."""
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
        return
    if contract.expired:
        yield Refused(Reason.INSTRUMENT_EXPIRED)
        return
    columns = state.columns.get(command.chunk)
    first, last = command.first_row, command.last_row
    if columns is None or columns.instrument != contract.id or not 0 <= first <= last < len(columns):
        yield Refused(Reason.ROWS_OUT_OF_RANGE)
        return
    while first <= last:
        until = next_touch(contract.feed, columns, first, last, state.seq - 1)
        samples = columns.at[until] >= contract.feed.next_sample
        yield MarketAdvanced(contract.id, command.chunk, first, until)
        yield from _consequences(state, contract, samples)
        first = until + 1


def _consequences(state: State, contract: Contract, samples: bool) -> Iterator[Fact]:
    """What follows from the latest rows: fills, funding of the time passed, a new mark."""
    feed, book = contract.feed, contract.book
    if feed.fills:
        yield from history_fills(state, contract, feed.fills)
    for order, lots, price in crossing(book):
        yield from crossing_fill(state, contract, order, lots, price)
    if feed.index > 0 and feed.index != contract.index and _needs_index(state, feed.marked > 0):
        yield from index_moves(state, contract.id, contract.index, feed.index)
    is_fed = state.options.funding is c.FundingSource.FED and not contract.terms.expiry
    if is_fed and feed.funding_rate is not None and (price := funding_price(state, contract)):
        yield FundingDue(contract.id, Rate(feed.funding_rate), MarkUnits(price))
    if feed.mark_source is c.MarkSource.DATA:
        mark = feed.marked
    else:
        ticks = feed.sampled_mark() if samples else None
        mark = 0 if ticks is None else ticks * contract.tick // 2
    if mark:
        yield from mark_moves(state, contract, mark)


def _needs_index(state: State, is_new: bool) -> bool:
    """Whether history's index prices are to be stated: funding is computed from them or paid on them, or marks are
    bounded by them. An index that moves step by step makes one with each row that states it.
    """
    assert state.pack is not None
    if state.guards.index_step and not is_new:
        return False
    by_index = state.pack.funding_price is FundingPrice.INDEX or state.guards.mark_band > 0
    return by_index or state.options.funding is c.FundingSource.PREMIUM


def decide_advance_time(_state: State, _command: c.AdvanceTime) -> Iterator[Fact]:
    """Let time pass."""
    yield TimeAdvanced()


def decide_proceed(state: State, command: c.Proceed) -> Iterator[Fact]:
    """Do due work, the earliest first, until `limit` facts are said, the batch has no more room, or nothing is left."""
    if not state.has_work:
        yield Refused(Reason.NOTHING_DUE)
        return
    start, end = state.seq, min(state.seq + command.limit, state.full - 2)
    yield from expire_good_till(state, end - start)
    yield from end_with_positions(state, end - state.seq)
    yield from settle_links(state)
    while state.due and (room := end - state.seq) > 0:
        key, due = state.due.peekitem(0)
        if state.seq > start and state.full - 2 - state.seq < _about(state, key):
            return
        state.cause = due.seq
        if key[1] in OWED:
            yield from settle_all(state, key, due, room)
        elif key[1] == DueKind.TRIGGER:
            yield from fire_all(state, due, room)
        elif key[1] == DueKind.COUNTDOWN:
            yield from end_all(state, key, room)
        elif key[1] == DueKind.OFFER:
            yield from work_off(state, state.contracts[key[2]])
        elif key[1] == DueKind.UNCROSSING:
            yield from _uncross(state, state.contracts[key[2]], end)
        elif key[1] == DueKind.EXCHANGE:
            yield from settle_first(state, key[2])
            yield from exchange_debts(state.multis[key[2]])
        else:
            yield from liquidate(state, key, due)
        yield from settle_links(state)


def _uncross(state: State, contract: Contract, end: int) -> Iterator[Fact]:
    """Trade on; what still crosses at the end, as reduce-only orders left, trades at a price of its own."""
    if (yield from uncross(state, contract, end)) and state.seq < end:
        yield resumes(contract)


def decide_batch(state: State, command: c.SubmitBatch) -> Iterator[Fact]:
    """Decide item after item; one that was decided before has its first outcome, and does nothing."""
    assert state.pack is not None
    if refusal := batch_refusal(state.pack, command):
        yield Refused(refusal)
        return
    known = state.accounts[command.account].outcomes
    for number, item in enumerate(command.items):
        if (outcome := known.get(item.request)) is not None:
            yield ItemRepeated(command.account, number, outcome.seq, outcome.reason)
        elif not (item.request.isascii() and item.request.isprintable()):
            yield ItemRefused(command.account, number, Reason.TEXT_NOT_PRINTABLE_ASCII)
        else:
            for fact in DECIDE[type(item)](state, item):
                yield ItemRefused(command.account, number, fact.reason) if isinstance(fact, Refused) else fact
            yield from settle_links(state)


def _about(state: State, key: DueKey) -> int:
    """How many facts a piece of work may well come to; where that has no room any more it waits for the next batch."""
    if key[1] != DueKind.LIQUIDATION:
        return 1
    account = state.accounts[key[2]]  # type: ignore[index]
    return 2 + len(account.orders) + len(account.triggers) + 3 * len(account.positions)


DECIDE: dict[type[c.Command], Callable[[State, Any], Iterable[Fact]]] = {
    c.OpenSession: decide_open_session,
    c.OpenAccount: accounts.decide_open_account,
    c.Deposit: accounts.decide_deposit,
    c.Withdraw: accounts.decide_withdraw,
    c.Transfer: accounts.decide_transfer,
    c.ExchangeAsset: accounts.decide_exchange_asset,
    c.PlaceOrder: decide_place,
    c.PlaceTrigger: decide_place_trigger,
    PlaceLinked: decide_place_linked,
    c.CancelOrder: decide_cancel,
    c.AmendOrder: decide_amend,
    c.CancelAll: decide_cancel_all,
    c.SubmitBatch: decide_batch,
    c.SetCountdown: decide_set_countdown,
    c.SetLeverage: accounts.decide_set_leverage,
    c.SetMarginMode: accounts.decide_set_margin_mode,
    c.SetPositionMode: accounts.decide_set_position_mode,
    c.SetCollateralMode: accounts.decide_set_collateral_mode,
    c.SetAutoAddMargin: accounts.decide_set_auto_add_margin,
    c.AddMargin: accounts.decide_add_margin,
    c.RemoveMargin: accounts.decide_remove_margin,
    c.SetMarkPrice: decide_set_mark_price,
    c.SetIndexPrice: decide_set_index_price,
    c.ApplyFunding: decide_apply_funding,
    c.SetTradingPhase: decide_set_trading_phase,
    c.AdvanceMarket: decide_advance_market,
    c.AdvanceTime: decide_advance_time,
    c.Proceed: decide_proceed,
}
"""Command -> who decides it."""
