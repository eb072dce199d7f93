"""What an order would do: the order is decided on a copy of the state, by the core itself, and the copy thrown away."""

from __future__ import annotations

import asyncio
from typing import Any

from events.commands import AccountId, OrderNumber, TradersCommand
from events.facts import Traded
from events.instruments import Leg
from events.record import Batch
from events.units import decimal_text
from exchange.core.snapshot import decode, encode
from exchange.core.state import State
from exchange.core.step import step
from gateway.native.desk import Client, concerns
from gateway.native.messages import Preview, Standing
from gateway.native.standing import standing_of
from replay.fork import refusal_of


async def preview(client: Client, command: TradersCommand, instrument: str) -> Preview:
    """Decide a command on a copy, beside the session, and compare the account before and after."""
    venue = client.desk.venue
    await venue.settled()
    command = command.__replace__(at=venue.now)
    return await asyncio.to_thread(_decided, encode(venue.state), command, instrument)


def _decided(data: bytes, command: TradersCommand, instrument: str) -> Preview:
    state = decode(data)
    account, leg = command.account, getattr(command, "leg", Leg.NET)
    before = standing_of(state, account, instrument, leg)
    batch = step(state, command)
    assert isinstance(batch, Batch), "a preview has a request of its own"
    return _told(state, batch, account, before, standing_of(state, account, instrument, leg))


def _told(state: State, batch: Batch, account: AccountId, before: Standing, after: Standing) -> Preview:
    reason = refusal_of(batch)
    trades = [fact for fact in batch.facts if isinstance(fact, Traded) and concerns(fact, account)]
    lots = sum(trade.lots for trade in trades)
    fee = sum(trade.taker_fee if trade.taker == account else trade.maker_fee for trade in trades)
    number = getattr(batch.command, "number", 0)
    open_order: Any = state.accounts[account].orders.get(OrderNumber(number))
    terms = state.contracts[batch.command.instrument].terms  # type: ignore[attr-defined]
    value = sum(trade.price * trade.lots for trade in trades)
    return Preview(
        accepted=reason is None,
        refused=None if reason is None else reason.value,
        filled=terms.size_text(lots),
        average_price=decimal_text(value * terms.tick // lots) if lots else None,
        fee=decimal_text(fee),
        resting=terms.size_text(open_order.lots if open_order else 0),
        before=before,
        after=after,
    )
