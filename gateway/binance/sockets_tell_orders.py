"""What is told of orders: each fact of their lives, of conditional ones before and after they fired, and of forced
closes.

Source for the latter: Binance USD-M, "Event: Order Update": client ids `autoclose-` and `adl_autoclose`, execution type
CALCULATED for what met no order.
"""

from __future__ import annotations

from events import facts as f
from events.commands import AccountId, TimeInForce
from events.instruments import InstrumentId, position_name
from gateway.binance.shapes import algo_status_of, became_order, is_algo, is_order, status_of
from gateway.binance.sockets_orders import FILLED, FINISHED, NEW, PARTLY, by_rule
from gateway.binance.sockets_tale import Tale
from gateway.serving.blotter_rows import FORCED, Fill, OrderRow


def accepted(tale: Tale, _seq: int, fact: f.OrderAccepted) -> None:
    """An order is new, or a conditional one became one; of what was rejected at once nothing is told."""
    if (row := tale.row(fact.account, fact.number)) is not None and is_order(row):
        if is_algo(row):
            tale.algo(fact.account, row, "TRIGGERED", is_placed=True)
        tale.order(fact.account, row, "NEW", NEW, 0, 0)


def amended(tale: Tale, seq: int, fact: f.OrderAmended | f.OrderShrunk) -> None:
    """Another price or size; what it traded in this batch afterwards is not counted yet."""
    account = fact.account
    if (row := tale.row(account, fact.number)) is not None:
        later = [fill for fill in tale.fills(account) if fill.number == row.number and fill.id > seq]
        executed = row.executed - sum(fill.lots for fill in later)
        value = row.value - sum(fill.value for fill in later)
        tale.order(account, row, "AMENDMENT", PARTLY if executed else NEW, executed, value)


def cancelled(tale: Tale, _seq: int, fact: f.OrderCancelled) -> None:
    """Taken back."""
    if (row := tale.row(fact.account, fact.number)) is not None:
        _ended(tale, fact.account, row, "CANCELED")


def expired(tale: Tale, _seq: int, fact: f.OrderExpired) -> None:
    """Ended by rule."""
    if (row := tale.row(fact.account, fact.number)) is not None:
        _ended(tale, fact.account, row, "EXPIRED")


def _ended(tale: Tale, account: AccountId, row: OrderRow, execution: str) -> None:
    if is_order(row):
        tale.order(account, row, execution, status_of(row), row.executed, row.value)
    if is_algo(row):
        is_placed = became_order(row)
        status = algo_status_of(row) if row.fired_at else execution
        tale.algo(account, row, status, is_placed, by_rule(row))


def waits(tale: Tale, _seq: int, fact: f.TriggerPlaced | f.TriggerAmended | f.TriggerArmed) -> None:
    """A conditional order waits, or waits for something else; one placed as an ordinary order is told as such."""
    if (row := tale.row(fact.account, fact.number)) is None:
        return
    if is_algo(row):
        tale.algo(fact.account, row, "NEW", is_placed=False)
    else:
        tale.order(fact.account, row, "AMENDMENT" if type(fact) is f.TriggerAmended else "NEW", NEW, 0, 0)


def fired(tale: Tale, _seq: int, fact: f.OrderTriggered) -> None:
    """A conditional order fired."""
    if (row := tale.row(fact.account, fact.number)) is not None and is_algo(row):
        tale.algo(fact.account, row, "TRIGGERING", is_placed=False)


def forced(tale: Tale, seq: int, fact: f.LiquidationOrderPlaced) -> None:
    """A liquidation's order meets the book."""
    if (row := tale.row(fact.account, FORCED + seq)) is not None:
        tale.order(fact.account, row, "NEW", NEW, 0, 0)


def traded(tale: Tale, seq: int, fact: f.Traded) -> None:
    """Both sides of a trade, the maker's first."""
    for account in dict.fromkeys((fact.maker, fact.taker)):
        _filled(tale, account, seq, "TRADE")


def taken_over(tale: Tale, seq: int, fact: f.TakenOver) -> None:
    """The fund took what the book did not."""
    _filled(tale, fact.account, seq, "CALCULATED")


def deleveraged(tale: Tale, seq: int, fact: f.Deleveraged) -> None:
    """A winner's position closed the one that was liquidated."""
    _filled(tale, fact.account, seq, "CALCULATED")
    _filled(tale, fact.against, seq, "CALCULATED", "adl_autoclose")


def netted(tale: Tale, seq: int, fact: f.LegsNetted) -> None:
    """Both legs closed each other."""
    _filled(tale, fact.account, seq, "CALCULATED")


def _filled(tale: Tale, account: AccountId, seq: int, execution: str, client: str = "") -> None:
    """Tell the fills of that record: the positions first, then each with its order."""
    if not tale.hears(account):
        return
    for fill in tale.fills(account):
        if fill.id != seq:
            continue
        tale.realise(account, fill)
        update = tale.update(account, "ORDER")
        update.gain(tale.asset(fill.instrument))
        update.positions[position_name(InstrumentId(fill.instrument), fill.leg)] = None
        row = tale.row(account, fill.number) if fill.number else None
        if row is None:
            _closed(tale, account, fill, execution, client or f"autoclose-{seq}")
        else:
            _trade(tale, account, row, fill, execution)


def _trade(tale: Tale, account: AccountId, row: OrderRow, fill: Fill, execution: str) -> None:
    is_whole = fill.executed >= row.lots
    tale.order(account, row, execution, FILLED if is_whole else PARTLY, fill.executed, fill.total, fill)
    if is_whole and is_algo(row):
        tale.algo(account, row, FINISHED, is_placed=True)


def _closed(tale: Tale, account: AccountId, fill: Fill, execution: str, client: str) -> None:
    """The venue closed a position without an order in the book: it is told as one that was filled whole."""
    row = OrderRow(
        FORCED + fill.id, fill.instrument, fill.side, fill.lots, fill.price, TimeInForce.IOC, True, tale.at, tale.at,
        fill.id, leg=fill.leg, client=client,
    )  # fmt: skip
    tale.order(account, row, "NEW", NEW, 0, 0)
    tale.order(account, row, execution, FILLED, fill.lots, fill.value, fill)
