"""History made up, told once more order by order: the same prices, trades and times, but of each order by itself."""

from __future__ import annotations

from random import Random

from events.observations import Action, Kind, Observations
from tests.sim.history import History

BID, ASK = 1, -1


class ByOrder:
    """Chunks of a history in which levels are told as orders that come, change, shrink and leave; some that nobody has
    heard of among them, some levels by their size only.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.last = 0
        self.known: dict[int, dict[int, dict[int, int]]] = {BID: {}, ASK: {}}

    def chunk(self, dice: Random, at: int, rows: int) -> Observations:
        """The next rows."""
        told = self.history.chunk(dice, at, rows)
        columns = Observations(told.instrument, at=told.at, transacted=told.transacted)
        for name in ("print_price", "print_lots", "print_side", "mark", "mark_index", "mark_rate", "mark_next_funding"):
            setattr(columns, name, getattr(told, name))
        for name in ("ticker_id", "ticker_bid", "ticker_bid_lots", "ticker_ask", "ticker_ask_lots"):
            setattr(columns, name, getattr(told, name))
        columns.kind, columns.index = list(told.kind), list(told.index)
        for row, (kind, i) in enumerate(zip(told.kind, told.index, strict=True)):
            if kind == Kind.PRINT:
                columns.print_order.append(self._maker(dice, -told.print_side[i], told.print_price[i]))
            elif kind in (Kind.DIFF, Kind.SNAPSHOT):
                columns.kind[row], columns.index[row] = int(Kind.ORDERS), len(columns.orders_end)
                self._event(columns, dice, told, i, anew=kind == Kind.SNAPSHOT)
        columns.check()
        return columns

    def _event(self, columns: Observations, dice: Random, told: Observations, i: int, anew: bool) -> None:
        if anew or not self.last:
            self.known = {BID: {}, ASK: {}}
            self._say(columns, Action.CLEAR, 0, 0, 0, 0)
        start, middle, end = told.asks_end[i - 1] if i else 0, told.bids_end[i], told.asks_end[i]
        for k in range(start, end):
            self._level(columns, dice, BID if k < middle else ASK, told.level_price[k], told.level_lots[k])
        if dice.random() < 0.1:
            self._say(columns, dice.choice((Action.REDUCE, Action.DELETE)), 10**9, BID, self.history.price, 1)
        columns.orders_end.append(len(columns.order_id))

    def _level(self, columns: Observations, dice: Random, side: int, price: int, lots: int) -> None:
        """Messages that lead to so many lots at a price."""
        queue = self.known[side].setdefault(price, {})
        if dice.random() < 0.1:
            self.known[side][price] = {}
            self._say(columns, Action.LEVEL, 0, side, price, lots)
            return
        while (more := sum(queue.values()) - lots) > 0:
            order = dice.choice(list(queue))
            part = min(more, queue[order])
            how = dice.choice((Action.REDUCE, Action.CHANGE) if part < queue[order] else (Action.REDUCE, Action.DELETE))
            queue[order] -= part
            self._say(columns, how, order, side, price, queue[order] if how is Action.CHANGE else part)
            if not queue[order]:
                del queue[order]
        if more < 0:
            order = dice.choice(list(queue)) if queue and dice.random() < 0.2 else 0
            self.last += not order
            changed = order or self.last
            queue[changed] = queue.pop(changed, 0) - more
            self._say(columns, Action.CHANGE if order else Action.ADD, changed, side, price, queue[changed])

    def _maker(self, dice: Random, side: int, price: int) -> int:
        """The order that traded; now and then one that was not displayed, or that nobody has heard of."""
        queue = self.known[side].get(price)
        if not queue or dice.random() < 0.2:
            return dice.choice((0, 0, 10**9))
        return next(iter(queue)) if dice.random() < 0.8 else dice.choice(list(queue))

    def _say(self, columns: Observations, action: Action, order: int, side: int, price: int, lots: int) -> None:
        columns.order_action.append(int(action))
        columns.order_id.append(order)
        columns.order_side.append(side)
        columns.order_price.append(price)
        columns.order_lots.append(lots)
