"""The agents of the generated market: a maker, a follower of trends, a crowd, and gamblers who lose their stakes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from events.commands import AccountId, Side, TimeInForce
from events.instruments import InstrumentId, MarginMode
from gateway.live.agent import Agent, Habit, Turn, mid_of, pay_in, size_of
from replay.strategy import Context
from replay.traders import Trader

BPS = Decimal(10_000)

SETTLE = "USDT"


class Maker:
    """Quotes both sides of one instrument after the other, and leans against what it holds."""

    VALUE, HELD, LEVERAGE, DEPOSIT = 20_000, 400_000, 10, 1_000_000

    def act(self, context: Context, turn: Turn) -> None:
        """Put a bid and an ask in the place of the ones before."""
        instrument = context.instruments[turn.number % len(context.instruments)]
        pay_in(context, SETTLE, self.DEPOSIT // 5, self.DEPOSIT)
        mark, size = context.mark(instrument), size_of(context, instrument, self.VALUE)
        if mark is None or not size:
            return
        held = context.position(instrument) * mark / self.HELD
        away = Decimal(2 + turn.chance.below(6)) / BPS
        lean = max(Decimal(-1), min(Decimal(1), held)) * 5 / BPS
        bid, ask = (context.whole_ticks(instrument, mark * (1 - lean + side * away)) for side in (-1, 1))
        if context.open_orders(instrument):
            context.cancel_all(instrument)
        with context.batch():
            if held < 1:
                context.buy(instrument, size, bid, time_in_force=TimeInForce.POST_ONLY)
            if held > -1:
                context.sell(instrument, size, ask, time_in_force=TimeInForce.POST_ONLY)


class Trend:
    """Goes where the price runs ahead of its mark, and out when it does not."""

    VALUE, HELD, LEVERAGE, DEPOSIT = 5_000, 60_000, 5, 100_000
    SIGNAL = Decimal(1) / BPS

    def act(self, context: Context, turn: Turn) -> None:
        """Add to a position, or end it."""
        instrument = context.instruments[turn.number % len(context.instruments)]
        pay_in(context, SETTLE, self.DEPOSIT // 5, self.DEPOSIT)
        mark, mid = context.mark(instrument), mid_of(context, instrument)
        if mark is None or mid is None:
            return
        held, signal = context.position(instrument), mid / mark - 1
        if abs(signal) > self.SIGNAL:
            side = Side.BUY if signal > 0 else Side.SELL
            size = size_of(context, instrument, self.VALUE)
            if size and (abs(held) * mark < self.HELD or held * signal < 0):
                _market(context, instrument, side, size)
        elif held and turn.chance.below(4) == 0:
            _market(context, instrument, Side.SELL if held > 0 else Side.BUY, abs(held), reduce_only=True)


class Crowd:
    """Many small traders: now one buys, now one sells."""

    VALUE, HELD, LEVERAGE, DEPOSIT = 3_000, 40_000, 5, 100_000

    def act(self, context: Context, turn: Turn) -> None:
        """Trade a little at the market, rather towards nothing held."""
        chance = turn.chance
        instrument = context.instruments[chance.below(len(context.instruments))]
        pay_in(context, SETTLE, self.DEPOSIT // 5, self.DEPOSIT)
        size = size_of(context, instrument, 1 + chance.below(self.VALUE))
        mid = mid_of(context, instrument)
        if mid is None or not size:
            return
        held = context.position(instrument) * mid / self.HELD
        side = Side.BUY if chance.below(1000) > 500 + int(held * 500) else Side.SELL
        _market(context, instrument, side, size)


class Gambler:
    """Stakes all that it has on one move at the highest leverage, and comes back when it is lost."""

    STAKE, LEAVES = 1_000, 40

    def __init__(self, leverage: int) -> None:
        self.leverage = leverage

    def act(self, context: Context, turn: Turn) -> None:
        """Bet, wait, seldom take what was won."""
        chance = turn.chance
        held = [name for name in context.instruments if context.position(name)]
        if held:
            if chance.below(self.LEAVES) == 0:
                size = context.position(held[0])
                _market(context, held[0], Side.SELL if size > 0 else Side.BUY, abs(size), reduce_only=True)
            return
        instrument = context.instruments[chance.below(len(context.instruments))]
        if pay_in(context, SETTLE, self.STAKE // 10, self.STAKE) or mid_of(context, instrument) is None:
            return
        side = (Side.BUY, Side.SELL)[chance.below(2)]
        stake = min(int(context.available(SETTLE)), 20 * self.STAKE)
        size = size_of(context, instrument, stake * self.leverage * 8 // 10)
        if size:
            _market(context, instrument, side, size)


def _market(context: Context, instrument: InstrumentId, side: Side, size: Decimal, reduce_only: bool = False) -> None:
    trade = context.buy if side is Side.BUY else context.sell
    trade(instrument, size, reduce_only=reduce_only)


def agents(seed: int) -> Sequence[Trader]:
    """All of them, each awake at times of its own."""
    return [
        _trader("agent.maker", seed, Maker(), 1_500, 13, MarginMode.CROSS, Maker.LEVERAGE, Maker.DEPOSIT),
        _trader("agent.trend", seed, Trend(), 1_300, 331, MarginMode.CROSS, Trend.LEVERAGE, Trend.DEPOSIT),
        _trader("agent.crowd", seed, Crowd(), 1_700, 577, MarginMode.CROSS, Crowd.LEVERAGE, Crowd.DEPOSIT),
        _trader("agent.gambler", seed, Gambler(75), 15_000, 7_091, MarginMode.ISOLATED, 75, Gambler.STAKE),
        _trader("agent.plunger", seed, Gambler(40), 40_000, 11_419, MarginMode.CROSS, 40, Gambler.STAKE),
    ]


def _trader(
    name: str, seed: int, habit: Habit, period: int, phase: int, mode: MarginMode, leverage: int, deposit: int
) -> Trader:
    agent = Agent(name, seed, habit, period, phase)
    return Trader(AccountId(name), mode, leverage, Decimal(deposit), agent)
