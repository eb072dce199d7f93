"""What traders ask for beside side, size and price: each instruction now and then, by dice of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from events import commands as c
from events.commands import TimeInForce
from events.instructions import PriceMatch, SelfTrade
from events.units import SECOND, Lots, Nanos

if TYPE_CHECKING:
    from tests.sim.traders import Traders


def instructed(traders: Traders, order: c.PlaceOrder) -> c.PlaceOrder:
    """The order, now and then with an instruction or several."""
    asked: dict[str, Any] = {}
    for rarity, instruction in INSTRUCTIONS:
        if traders.whims.random() < rarity:
            asked |= instruction(traders, order)
    return replace(order, **asked) if asked else order


def _self_trade(traders: Traders, _order: c.PlaceOrder) -> dict[str, Any]:
    return {"self_trade": traders.whims.choice(list(SelfTrade))}


def _time(traders: Traders, order: c.PlaceOrder) -> dict[str, Any]:
    """A time that is soon over, seldom one that no order may have."""
    ahead = traders.whims.choice((-1, 1, SECOND, 10 * SECOND, 60 * SECOND, 700 * SECOND))
    if order.price is None or traders.whims.random() < 0.1:
        return {"good_till": Nanos(order.at + ahead)}
    if traders.whims.random() < 0.2:
        return {"time_in_force": TimeInForce.DAY}
    return {"time_in_force": TimeInForce.GTD, "good_till": Nanos(order.at + ahead)}


def _price_match(traders: Traders, order: c.PlaceOrder) -> dict[str, Any]:
    """A price of the book, seldom beside one that is stated."""
    price = order.price if traders.whims.random() < 0.1 else None
    return {"price": price, "price_match": traders.whims.choice(list(PriceMatch)[1:])}


def _visible(traders: Traders, order: c.PlaceOrder) -> dict[str, Any]:
    """A part of the order, seldom too small or too large a one; of a market order seldom, as it cannot rest."""
    if (order.price is None and traders.whims.random() < 0.9) or isinstance(order.lots, str):
        return {}
    part = Lots(-(-order.lots // traders.whims.choice((1, 2, 2, 3, 3, 5, 9, 11))))
    if traders.whims.random() < 0.05:
        return {"visible": traders.whims.choice((Lots(0), Lots(-1), Lots(1), Lots(order.lots + 1), "0.5"))}
    return {"visible": part}


INSTRUCTIONS = [(0.3, _self_trade), (0.1, _time), (0.08, _price_match), (0.15, _visible)]
"""How often -> what is asked for then."""
