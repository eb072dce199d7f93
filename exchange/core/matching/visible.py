"""How much of itself an order may show."""

from __future__ import annotations

from events.commands import PlaceOrder, TimeInForce
from events.refusals import Reason
from exchange.core.contract import Contract

TAKES_ONLY = TimeInForce.IOC, TimeInForce.FOK


def visible_refusal(contract: Contract, command: PlaceOrder) -> Reason | None:
    """The rule that an iceberg, whose lots may be ordered, breaks by what it shows, or None.

    Source: Binance Spot, "Filters", ICEBERG_PARTS: CEIL(qty / icebergQty) parts at most, and "New Order": GTC only;
    Kraken, "Iceberg Orders": no part is smaller than the smallest order.
    """
    visible, lots = command.visible, int(command.lots)
    if command.price is None or command.time_in_force in TAKES_ONLY:
        return Reason.ICEBERG_CANNOT_REST
    if isinstance(visible, str):
        return Reason.VISIBLE_OFF_LOT
    if visible < contract.terms.min_lots:
        return Reason.VISIBLE_BELOW_MINIMUM
    if visible > lots:
        return Reason.VISIBLE_ABOVE_SIZE
    return Reason.TOO_MANY_PARTS if -(-lots // visible) > contract.max_parts else None
