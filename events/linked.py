"""Linked orders: of two one cancels the other, or a take-profit and a stop-loss are attached to an entry."""

from __future__ import annotations

from events.commands import PlaceOrder, PlaceTrigger, TradersCommand
from events.instructions import Arming


class PlaceLinked(TradersCommand, tag="place_linked.1"):
    """Place orders together that end each other; where one of them is refused, all of them are.

    Without an entry: two of the same side and size, a limit order or a take-profit on one side of the price and a stop
    on the other. As soon as one of them trades, fires or ends, the other one ends. With an entry: a take-profit, a stop
    or both, without a size, on the other side of it. They only reduce, begin to wait when `arms` says so, for as much
    as the entry traded, and end each other too. All of them have the account, the time and the request of the command,
    and numbers that rise, the entry's first.
    Source: Binance Spot, New Order List OCO and OTOCO; `docs/decisions/0019-linked-orders.md`.
    """

    linked: tuple[PlaceOrder | PlaceTrigger, ...]
    entry: PlaceOrder | None = None
    arms: Arming = Arming.FIRST_FILL
