"""Orders, fills and income as clients read them: of the blotter's rows, in decimal texts and shown time."""

from __future__ import annotations

from typing import Any

from events.instruments import Instrument
from events.triggers import PriceSource
from events.units import decimal_text
from gateway.native.desk import Client


def order_of(client: Client, number: int) -> dict[str, Any] | None:
    """One order of the account, None where it is not known any more."""
    row = client.desk.blotter.order(client.account, number)
    return None if row is None else _order(client, row)


def orders_of(client: Client, instrument: str, is_open: bool) -> list[dict[str, Any]]:
    """Orders of the account, oldest first."""
    blotter = client.desk.blotter
    rows = (blotter.open_orders if is_open else blotter.orders)(client.account, instrument or None)
    return [_order(client, row) for row in rows]


def _order(client: Client, row: Any) -> dict[str, Any]:
    terms, shown = _terms(client, row.instrument), client.desk.venue.calendar.shown
    average = row.value * terms.lot and _average(terms, row.executed, row.value)
    found = {
        "number": row.number,
        "client": row.client,
        "instrument": row.instrument,
        "side": row.side.value,
        "status": row.status.value,
        "size": terms.size_text(row.lots),
        "executed": terms.size_text(row.executed),
        "average_price": average or None,
        "price": None if row.price is None else terms.price_text(row.price),
        "time_in_force": row.time_in_force.value,
        "reduce_only": row.reduce_only,
        "leg": row.leg.value,
        "placed_at": shown(row.placed_at),
        "updated_at": shown(row.updated_at),
        "record": row.record,
        "ended_by": None if row.why is None else row.why.value,
    }
    return found if row.kind is None else found | _waiting(client, row, terms)


def _waiting(client: Client, row: Any, terms: Instrument) -> dict[str, Any]:
    """What a conditional order has beside."""
    return {
        "trigger_kind": row.kind.value,
        "trigger": None if row.trigger is None else terms.price_text(row.trigger),
        "source": PriceSource(row.source).value,
        "callback": decimal_text(row.callback),
        "closes": row.closes,
        "fired_at": client.desk.venue.calendar.shown(row.fired_at) if row.fired_at else None,
    }


def _average(terms: Instrument, lots: int, value: int) -> str:
    """The average price of what traded, rounded down to 10^-8: linear value / size, inverse size / value."""
    if not lots:
        return ""
    face = getattr(terms, "contract_value", 0)
    size = lots * terms.lot
    return decimal_text(size * face // value if face else value * 10**8 // size)


def fills_of(client: Client, instrument: str, limit: int, after: int) -> list[dict[str, Any]]:
    """Fills of the account after a record, oldest first."""
    rows = [row for row in client.desk.blotter.fills(client.account, instrument or None) if row.id > after]
    return [_fill(client, row) for row in (rows[:limit] if after else rows[-limit:])]


def _fill(client: Client, row: Any) -> dict[str, Any]:
    terms = _terms(client, row.instrument)
    return {
        "record": row.id,
        "at": client.desk.venue.calendar.shown(row.at),
        "order": row.number,
        "instrument": row.instrument,
        "side": row.side.value,
        "price": terms.price_text(row.price),
        "size": terms.size_text(row.lots),
        "value": decimal_text(row.value),
        "fee": decimal_text(row.fee),
        "realized_pnl": decimal_text(row.realized),
        "asset": terms.settle,
        "is_maker": row.is_maker,
        "leg": row.leg.value,
    }


def income_of(client: Client, instrument: str, limit: int, after: int) -> list[dict[str, Any]]:
    """What wallets gained and lost after a record, oldest first."""
    rows = [row for row in client.desk.blotter.income(client.account, instrument or None) if row.id > after]
    shown = client.desk.venue.calendar.shown
    return [
        {
            "record": row.id, "at": shown(row.at), "kind": row.kind.value, "asset": row.asset,
            "amount": decimal_text(row.amount), "instrument": row.instrument or None, "fill": row.fill or None,
        }
        for row in (rows[:limit] if after else rows[-limit:])
    ]  # fmt: skip


def _terms(client: Client, instrument: str) -> Instrument:
    return client.desk.venue.state.contracts[instrument].terms  # type: ignore[index]
