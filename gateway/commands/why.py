"""`ringfence why`: each liquidation with its causes, its steps and what was left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from events import facts as f
from events.codec import decode_body
from events.commands import MARKET, AccountId, AdvanceMarket, OpenSession
from events.instruments import Instrument, instrument_of
from events.log import Head, check_chain
from events.record import Record, kind_of
from events.store.sqlite import open_session
from events.units import decimal_text
from exchange.core.state import MULTI
from exchange.projections.explain import Explainer, Liquidation
from gateway.console import OUT, complain, money_text, say_json, time_text
from gateway.errors import about
from gateway.wording import CHUNK_DIGITS

FILLS_SHOWN = 3
"""More fills in a row are told in one line."""


def run(session: Path, account: str, as_json: bool) -> int:
    """Print the causal chain of each liquidation. Returns 0, also where nobody was liquidated."""
    with about(session):
        explainer, instruments, accounts = asyncio.run(_explain(session, account))
    if account and account not in accounts:
        complain(f"{session}: no account {account!r}; it has {', '.join(sorted(accounts)) or 'none'}")
        return 2
    if as_json:
        say_json([_as_object(liquidation) for liquidation in explainer.liquidations])
        return 0
    if not explainer.liquidations:
        OUT.print(f"no liquidation{f' of {account}' if account else ''} in {session}")
    for number, liquidation in enumerate(explainer.liquidations, 1):
        _show(number, liquidation, instruments)
    return 0


async def _explain(session: Path, account: str) -> tuple[Explainer, dict[str, Instrument], set[str]]:
    log = await open_session(session, read_only=True)
    explainer = Explainer(AccountId(account) if account else None)
    instruments: dict[str, Instrument] = {}
    accounts: set[str] = set()
    try:
        head = Head()
        async for stored in log.read():
            head = check_chain(head, stored)
            batch = decode_body(stored.number, stored.body)
            if isinstance(batch.command, OpenSession):
                instruments = {terms.id: terms for terms in batch.command.pack.instruments}
            accounts.update(fact.account for fact in batch.facts if isinstance(fact, f.AccountOpened))
            explainer.observe(batch)
    finally:
        await log.close()
    return explainer, instruments, accounts


def _as_object(liquidation: Liquidation) -> dict[str, Any]:
    return {
        "account": liquidation.account,
        "pool": liquidation.pool,
        "due_at": liquidation.due_at,
        "ended_at": liquidation.ended_at,
        "marks": liquidation.marks,
        "chain": [_record(record) for record in liquidation.chain],
        "steps": [_record(record) for record in liquidation.steps],
    }


def _record(record: Record) -> dict[str, Any]:
    return {"seq": record.seq, "cause": record.cause, **msgspec.to_builtins(record.message)}


def _show(number: int, liquidation: Liquidation, instruments: dict[str, Instrument]) -> None:
    pool = liquidation.pool
    name = f"isolated {pool}" if instrument_of(pool) in instruments else f"cross pool in {pool}"
    name = "all wallets together" if pool == MULTI else name
    OUT.print(f"liquidation {number}: account {liquidation.account}, {name}", markup=False)
    OUT.print(f"  due at {time_text(liquidation.due_at)} UTC", markup=False)
    for traded, group in groupby([*liquidation.chain, *liquidation.steps], lambda r: isinstance(r.message, f.Traded)):
        records = list(group)
        if traded and len(records) > FILLS_SHOWN:
            first, last = records[0].seq, records[-1].seq
            OUT.print(
                f"  {first:>9}  {_fills([r.message for r in records], instruments)}, to record {last}", markup=False
            )
            continue
        for record in records:
            OUT.print(f"  {record.seq:>9}  {_line(record.message, instruments)}", markup=False)
    OUT.print()


def _fills(trades: list[Any], instruments: dict[str, Instrument]) -> str:
    """Many fills in one line."""
    terms = instruments[trades[0].instrument]
    prices = sorted({trade.price for trade in trades})
    lots, value = sum(trade.lots for trade in trades), sum(trade.value for trade in trades)
    return (
        f"traded {terms.size_text(lots)} in {len(trades)} fills from {terms.price_text(prices[0])} to "
        f"{terms.price_text(prices[-1])}, value {money_text(value)}"
    )


def _line(message: Any, instruments: dict[str, Instrument]) -> str:
    teller = TELL.get(type(message))
    if teller is None:
        return f"command {kind_of(message)}"
    return teller(message, instruments)


def _advanced(command: AdvanceMarket, _: dict[str, Instrument]) -> str:
    rows = (
        f"{command.first_row} to {command.last_row}" if command.first_row < command.last_row else f"{command.last_row}"
    )
    return f"history of {command.instrument} went on: row {rows} of chunk {command.chunk[:CHUNK_DIGITS]}"


def _mark(fact: f.MarkPriceMoved, _: dict[str, Instrument]) -> str:
    return f"the mark of {fact.instrument} moved to {decimal_text(fact.mark)}"


def _due(_fact: f.LiquidationDue, _: dict[str, Instrument]) -> str:
    return "equity fell to the maintenance margin: the pool is due, its owner can only cancel, deposit and add margin"


def _funding_due(fact: f.FundingDue, _: dict[str, Instrument]) -> str:
    rate = decimal_text(fact.rate * 100) + (f" / {fact.over}" if fact.over > 1 else "")
    return f"a funding time of {fact.instrument} passed: {rate} % of the notional at mark {decimal_text(fact.mark)}"


def _funding(fact: f.FundingPaid, _: dict[str, Instrument]) -> str:
    return f"funding of {money_text(fact.amount)} on {fact.instrument}"


def _index(fact: f.IndexPriceMoved, _: dict[str, Instrument]) -> str:
    return f"the index of {fact.instrument} moved to {decimal_text(fact.index)}"


def _interest(fact: f.InterestPaid, _: dict[str, Instrument]) -> str:
    return f"interest of {money_text(fact.amount)} {fact.asset} on a debt"


def _settled(fact: f.PositionSettled, _: dict[str, Instrument]) -> str:
    return f"{fact.instrument} settled at {decimal_text(fact.price)}: {money_text(fact.amount)}"


def _margin(fact: f.MarginMoved, _: dict[str, Instrument]) -> str:
    return f"margin of {money_text(fact.amount)} added to {fact.instrument}"


def _exchanged(fact: f.Exchanged, _: dict[str, Instrument]) -> str:
    given, taken = f"{money_text(fact.amount)} {fact.asset}", f"{money_text(fact.received)} {fact.into}"
    return f"exchanged {given} for {taken}, fee {money_text(fact.fee)} {fact.into}"


def _started(fact: f.LiquidationStarted, _: dict[str, Instrument]) -> str:
    ratio = f"{fact.maintenance / fact.equity * 100:,.1f} %" if fact.equity > 0 else "over 100 %, nothing left"
    equity, needed = money_text(fact.equity), money_text(fact.maintenance)
    return f"liquidation starts: equity {equity}, maintenance margin {needed}, margin ratio {ratio}"


def _expired(fact: f.OrderExpired, _: dict[str, Instrument]) -> str:
    return f"order {fact.number} expired"


def _placed(fact: f.LiquidationOrderPlaced, instruments: dict[str, Instrument]) -> str:
    terms = instruments[fact.instrument]
    order = (
        f"{fact.side.value} {terms.size_text(fact.lots)} {fact.instrument} at {terms.price_text(fact.limit)} or better"
    )
    return f"forced {order}; mark {decimal_text(fact.mark)}, bankruptcy price {decimal_text(fact.bankruptcy)}"


def _traded(fact: f.Traded, instruments: dict[str, Instrument]) -> str:
    terms = instruments[fact.instrument]
    who = "the market" if fact.maker == MARKET else fact.maker
    what = f"{terms.size_text(fact.lots)} at {terms.price_text(fact.price)}"
    return f"traded {what} with {who}, value {money_text(fact.value)}"


def _taken_over(fact: f.TakenOver, instruments: dict[str, Instrument]) -> str:
    terms = instruments[fact.instrument]
    return (
        f"the insurance fund took over {terms.size_text(fact.lots)} {fact.instrument} at the bankruptcy price "
        f"{decimal_text(fact.bankruptcy)}, value {money_text(fact.value)}"
    )


def _deleveraged(fact: f.Deleveraged, instruments: dict[str, Instrument]) -> str:
    terms = instruments[fact.instrument]
    who = "the market, as nobody else was left" if fact.against == MARKET else f"{fact.against}, the first in the queue"
    return (
        f"closed {terms.size_text(fact.lots)} {fact.instrument} against {who}, at the bankruptcy price "
        f"{decimal_text(fact.bankruptcy)}, value {money_text(fact.value)}"
    )


def _netted(fact: f.LegsNetted, instruments: dict[str, Instrument]) -> str:
    size = instruments[fact.instrument].size_text(fact.lots)
    return f"long and short {size} {fact.instrument} closed each other at the mark, value {money_text(fact.value)}"


def _shared(fact: f.LossShared, _: dict[str, Instrument]) -> str:
    return f"{fact.account} bore {money_text(fact.amount)} of the loss out of its profit in {fact.instrument}"


def _fee(fact: f.LiquidationFeeCharged, _: dict[str, Instrument]) -> str:
    return f"liquidation fee {money_text(fact.amount)} to the insurance fund"


def _covered(fact: f.DeficitCovered, _: dict[str, Instrument]) -> str:
    return f"the insurance fund covered a deficit of {money_text(fact.amount)}"


def _ended(fact: f.LiquidationEnded, _: dict[str, Instrument]) -> str:
    if fact.outcome is f.LiquidationOutcome.REDUCED:
        return f"liquidation ended: the pool is no longer due, equity {money_text(fact.equity)}"
    if fact.outcome is f.LiquidationOutcome.CURED:
        return f"the pool had recovered: nothing was closed, equity {money_text(fact.equity)}"
    return f"liquidation ended: everything closed, {money_text(fact.equity)} left in the pool"


TELL: dict[type, Callable[[Any, dict[str, Instrument]], str]] = {
    AdvanceMarket: _advanced,
    f.MarkPriceMoved: _mark,
    f.LiquidationDue: _due,
    f.FundingDue: _funding_due,
    f.FundingPaid: _funding,
    f.IndexPriceMoved: _index,
    f.InterestPaid: _interest,
    f.PositionSettled: _settled,
    f.MarginMoved: _margin,
    f.Exchanged: _exchanged,
    f.LiquidationStarted: _started,
    f.OrderExpired: _expired,
    f.LiquidationOrderPlaced: _placed,
    f.Traded: _traded,
    f.TakenOver: _taken_over,
    f.Deleveraged: _deleveraged,
    f.LegsNetted: _netted,
    f.LossShared: _shared,
    f.LiquidationFeeCharged: _fee,
    f.DeficitCovered: _covered,
    f.LiquidationEnded: _ended,
}
