"""The core and the naive exchange side by side: the same commands, answers, orders and queues.

Everybody owns more than any margin asks for, so that rules about orders alone decide.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import Side, TimeInForce
from events.instructions import PriceMatch, SelfTrade
from events.instruments import Bracket, RulePack
from events.phases import TradingPhase
from events.record import Batch
from events.rules import ReduceOnly
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT, Atoms, Lots, Nanos, Rate
from exchange.core.invariants import check, check_end_of_batch
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import step
from tests.contract.linking import bracket, pair
from tests.contract.naive_exchange import NaiveExchange, Saying
from tests.contract.naive_orders import parts
from tests.contract.naive_rules import NaiveRules
from tests.contract.naive_triggers import NaiveTrigger
from tests.spec.words import GOLD, PERCENT, TICK, USD, pack

ACCOUNTS = tuple(c.AccountId(name) for name in ("ann", "ben", "cat", "dan"))
MAX_ORDERS, MAX_TRIGGERS, MAX_AMENDMENTS = 8, 5, 3
MAX_BATCH, MAX_PARTS = 5, 4
MIDDLE = 100
AMPLE = Atoms(10**15)
PROCEED_FACTS = 4096

PROTECT = Rate(3 * PERCENT)
BAND, TAKE_BOUND, MARKET_MAX = Rate(4 * PERCENT), Rate(4 * PERCENT), Lots(15)

RULES: RulePack = replace(
    pack(
        max_orders=MAX_ORDERS, trigger_protect=PROTECT, price_up=Rate(UNIT + BAND),
        price_down=Rate(UNIT - BAND), market_take_bound=TAKE_BOUND, market_max_lots=MARKET_MAX,
        brackets=(Bracket(Atoms(0), Atoms(10**12), 10, Rate(5 * PERCENT), Atoms(0)),),
    ),
    max_triggers=MAX_TRIGGERS, max_amendments=MAX_AMENDMENTS, max_iceberg_parts=MAX_PARTS,
)  # fmt: skip


def naive_exchange(shrinks: bool = False) -> NaiveExchange:
    """A naive exchange by the same rules, with the same first mark."""
    rules = NaiveRules(
        MAX_ORDERS, MAX_TRIGGERS, MAX_AMENDMENTS, TICK, PROTECT, BAND, TAKE_BOUND, MARKET_MAX, MAX_PARTS, shrinks
    )  # fmt: skip
    return NaiveExchange(rules, MIDDLE * TICK)


WORDS: dict[type[f.Fact], tuple[str, ...]] = {
    f.Refused: ("refused", "reason"),
    f.OrderAccepted: ("accepted", "account", "number"),
    f.OrderRested: ("rested", "account", "number", "lots"),
    f.OrderCancelled: ("cancelled", "account", "number", "lots"),
    f.OrderShrunk: ("shrunk", "account", "number", "lots", "left"),
    f.OrderAmended: ("amended", "account", "number", "price", "lots", "left", "keeps_priority"),
    f.Traded: ("traded", "price", "lots", "maker", "maker_order", "taker", "taker_order"),
    f.TriggerPlaced: ("placed", "account", "number"),
    f.TriggerAmended: (
        *("trigger amended", "account", "number", "lots", "trigger", "price", "callback", "keeps_priority"),
    ),
    f.TriggerArmed: ("armed", "account", "number", "lots"),
    f.TriggersReached: ("reached", "orders"),
    f.OrderTriggered: ("triggered", "account", "number", "lots"),
    f.AllCancelled: ("all cancelled", "account", "left"),
    f.ItemRefused: ("item refused", "account", "item", "reason"),
    f.TradingPhaseSet: ("phase", "phase", "until"),
    f.AuctionUncrossed: ("uncrossed", "price", "lots", "surplus", "reference"),
    f.CountdownSet: ("countdown", "account", "until"),
    f.CountdownEnded: ("ran down", "account"),
}
"""Fact -> how the naive exchange begins to say it, and the fields that follow."""


def saying(fact: f.Fact) -> Saying | None:
    """A fact as the naive exchange says it; None where it says nothing of the kind."""
    if isinstance(fact, f.OrderExpired):
        reason = () if fact.reason is None else (fact.reason,)
        return "expired", fact.account, fact.number, fact.lots, fact.why, *reason
    if (words := WORDS.get(type(fact))) is None:
        return None
    return words[0], *(getattr(fact, name) for name in words[1:])


class Core:
    """The real one, asked as the naive one is."""

    def __init__(self, shrinks: bool = False) -> None:
        self.state = State()
        self.batches: list[Batch] = []
        rules = replace(RULES, reduce_only=ReduceOnly.SHRINK if shrinks else ReduceOnly.CAP)
        self._run(c.OpenSession(Nanos(1), RULES_VERSION, rules, c.SessionOptions()))
        for name in ACCOUNTS:
            self._run(c.OpenAccount(Nanos(1), name, c.RequestId("open")))
            self._run(c.Deposit(Nanos(1), name, c.RequestId("fund"), USD, AMPLE))
        self._run(c.SetMarkPrice(Nanos(1), GOLD, MIDDLE * TICK))  # type: ignore[arg-type]

    def ask(self, command: c.Command) -> list[Saying]:
        """What is said to a command, and to the due work that it brings."""
        said = self._run(command)
        while self.state.has_work:
            said += self._run(c.Proceed(self.state.now, PROCEED_FACTS))
        return said

    def _run(self, command: c.Command) -> list[Saying]:
        batch = step(self.state, command)
        assert isinstance(batch, Batch), f"{command} was decided before"
        self.batches.append(batch)
        return [said for fact in batch.facts if (said := saying(fact)) is not None]

    def queue(self, sign: int) -> list[tuple[int, str, int, int]]:
        """The orders of a side as a taker meets them, an iceberg part after part: price, name, lots."""
        book = self.state.contracts[GOLD].book
        walk = book.walk(book.bids if sign > 0 else book.asks, None)
        return [(price, order.account, order.number, lots) for price, order, lots in walk if order is not None]

    def open_lots(self, account: c.AccountId) -> dict[int, tuple[int, int]]:
        """What is open of the account's orders by number, and what the book shows of them where it is not all."""
        return {order.number: (order.lots, order.shown) for order in self.state.accounts[account].orders.values()}

    def held(self, account: c.AccountId) -> int:
        """The signed lots of an account."""
        position = self.state.accounts[account].positions.get(GOLD)
        return position.lots if position else 0


class Exchanges:
    """Both of them."""

    def __init__(self, shrinks: bool = False) -> None:
        self.core = Core(shrinks)
        self.naive = naive_exchange(shrinks)

    def ask(self, command: c.Command) -> list[Saying]:
        """Both say the same to a command."""
        expected = self.naive.ask(command)
        said = self.core.ask(command)
        assert said == expected, f"{command}\nthe core says     {said}\nthe naive one says {expected}"
        return said

    def agree(self) -> None:
        """Both have the same orders in the same order, and the same positions."""
        check(self.core.state)
        check_end_of_batch(self.core.state)
        for sign in (1, -1):
            queue = [(order.price, *order.name, lots) for order, lots in parts(self.naive.queue(sign))]
            assert self.core.queue(sign) == queue
        for account in ACCOUNTS:
            assert self.core.held(account) == self.naive.held.get(account, 0)
            assert not self.naive.rules.shrinks or closes_what_there_is(self.naive, account)
            orders = {order.number: (order.lots, order.shown) for order in self.naive.open_of(account)}
            assert self.core.open_lots(account) == orders
            waiting = [t.placed.number for t in (*self.naive.triggers, *self.naive.reached) if t.name[0] == account]
            assert sorted(self.core.state.accounts[account].triggers) == sorted(waiting)


def closes_what_there_is(naive: NaiveExchange, account: str) -> bool:
    """Whether the account's resting reduce-only orders close no more than its position."""
    resting = [order for order in naive.open_of(account) if order.reduces]
    lots = {sign: sum(order.lots for order in resting if order.sign == sign) for sign in (1, -1)}
    return all(lots[sign] <= naive.reducible(account, sign) for sign in lots)


class Desk:
    """Commands by chance, near the middle, of a few accounts; some of what they name is not so."""

    def __init__(self, seed: int, naive: NaiveExchange) -> None:
        self.random = Random(seed)
        self.naive = naive
        self.requests = 0
        self.at = Nanos(1)

    def next(self) -> c.Command:
        """The next command."""
        self.at = Nanos(self.at + self.random.randrange(3))
        (habit,) = self.random.choices(list(HABITS), list(HABITS.values()))
        return habit(self)

    def place(self) -> c.PlaceOrder:
        """Any order: limit or market, of any time in force, now and then reduce-only or a number that is used."""
        random, account = self.random, self.random.choice(ACCOUNTS)
        number = self.naive.used.get(account, 0) + (random.random() < 0.98)
        price = None if random.random() < 0.1 else MIDDLE + random.randint(-5, 5)
        force = random.choices(list(FORCES), list(FORCES.values()))[0]
        match = self.price_match()
        if match is not PriceMatch.NONE and random.random() < 0.95:
            price = None
        lots = self.lots()
        return c.PlaceOrder(
            self.at, account, self.request(), c.OrderNumber(number), GOLD, random.choice(list(Side)),
            lots, price, force, random.random() < 0.15, client=self.client(), self_trade=self.self_trade(),
            good_till=self.good_till(force), price_match=match, visible=self.visible(lots, force),
        )  # type: ignore[arg-type]  # fmt: skip

    def trigger(self) -> c.PlaceTrigger:
        """Any conditional order; most are as they may be."""
        random, account = self.random, self.random.choice(ACCOUNTS)
        number, kind = self.naive.used.get(account, 0) + 1, random.choice(list(TriggerKind))
        trails, closes = kind is TriggerKind.TRAILING_STOP, random.random() < 0.2
        near = MIDDLE + random.randint(-7, 7)
        trigger = None if random.random() < (0.5 if trails else 0.03) else near
        price = near + random.randint(-2, 2) if random.random() < (0.03 if trails or closes else 0.5) else None
        match = self.price_match() if price is None and not closes else PriceMatch.NONE
        force = random.choices(list(FORCES), list(FORCES.values()))[0]
        callback = random.choice((UNIT // 1000, 2 * PERCENT, 4 * PERCENT)) if trails != (random.random() < 0.03) else 0
        return c.PlaceTrigger(
            self.at, account, self.request(), c.OrderNumber(number), GOLD, random.choice(list(Side)), kind,
            0 if closes else self.lots(), trigger, price, force,
            random.choice(list(PriceSource)), not closes and random.random() < 0.3, callback, closes and not trails,
            random.random() < (0.03 if trails else 0.3), client=self.client(), self_trade=self.self_trade(),
            good_till=self.good_till(force), price_match=match, with_position=random.random() < 0.3,
        )  # type: ignore[arg-type]  # fmt: skip

    def bound(self) -> c.Command:
        """A stop, or a profit to take, that ends with the position of somebody who has one; now and then he closes it
        at once.
        """
        held = [account for account in ACCOUNTS if self.naive.held.get(account)]
        if not held:
            return self.place()
        random, account = self.random, self.random.choice(held)
        lots, number = self.naive.held[account], c.OrderNumber(self.naive.used.get(account, 0) + 1)
        side = Side.SELL if lots > 0 else Side.BUY
        if random.random() < 0.4:
            return c.PlaceOrder(self.at, account, self.request(), number, GOLD, side, Lots(min(abs(lots), MARKET_MAX)))
        made = replace(self.trigger(), account=account, number=number, side=side, with_position=True)
        return made if made.closes else replace(made, reduce_only=True)

    def mark(self) -> c.SetMarkPrice:
        """The mark moves, by ticks and parts of one."""
        steps = self.random.randint(-14, 14)
        return c.SetMarkPrice(self.at, GOLD, MIDDLE * TICK + steps * TICK // 2)  # type: ignore[arg-type]

    def cancel(self) -> c.CancelOrder:
        """An open order, by number or client id, now and then one that is not there."""
        order = self.some_order()
        if order is not None and order.client and self.random.random() < 0.5:
            account, client = c.AccountId(order.name[0]), c.ClientId(order.client)
            return c.CancelOrder(self.at, account, self.request(), c.OrderNumber(0), client)
        if order is None or self.random.random() < 0.05:
            return c.CancelOrder(self.at, self.random.choice(ACCOUNTS), self.request(), c.OrderNumber(10**9))
        account, number = order.name
        return c.CancelOrder(self.at, c.AccountId(account), self.request(), c.OrderNumber(number))

    def amend(self) -> c.AmendOrder:
        """Another price or size for an open order, now and then for one that is not there or none at all."""
        order, random = self.some_order(), self.random
        account, number = order.name if order else (random.choice(ACCOUNTS), 10**9)
        waits = isinstance(order, NaiveTrigger) != (random.random() < 0.05)
        price = MIDDLE + random.randint(-5, 5) if random.random() < (0.3 if waits else 0.5) else None
        lots = max(0, self.lots() + random.randint(-3, 3)) if random.random() < (0.4 if waits else 0.6) else None
        trails = isinstance(order, NaiveTrigger) and order.trails
        trigger = MIDDLE + random.randint(-7, 7) if waits and random.random() < (0.3 if trails else 0.9) else None
        callback = random.choice((0, UNIT // 1000, 2 * PERCENT)) if waits and trails else 0
        return c.AmendOrder(
            self.at, c.AccountId(account), self.request(), c.OrderNumber(number), price, lots, trigger=trigger,
            callback=callback,
        )  # type: ignore[arg-type]  # fmt: skip

    def cancel_all(self) -> c.CancelAll:
        """All that somebody has open."""
        return c.CancelAll(self.at, self.random.choice(ACCOUNTS), self.request(), GOLD)

    def countdown(self) -> c.SetCountdown:
        """A short countdown, now and then none any more."""
        after = Nanos(self.random.choice((0, 5, 20, 60)))
        return c.SetCountdown(self.at, self.random.choice(ACCOUNTS), self.request(), GOLD, after)

    def phase(self) -> c.SetTradingPhase:
        """A phase, at times until soon or until before; mostly trading goes on where it does not."""
        random = self.random
        closed = self.naive.phase is not TradingPhase.CONTINUOUS
        asked = TradingPhase.CONTINUOUS if closed and random.random() < 0.7 else random.choices(*PHASES)[0]
        ends = random.random() < (0.05 if asked is TradingPhase.CONTINUOUS else 0.5)
        return c.SetTradingPhase(
            self.at, GOLD, asked, Nanos(self.at + random.choice((0, 10, 30))) if ends else Nanos(0)
        )

    def batch(self) -> c.SubmitBatch:
        """A few orders of one account together: each is named as if the others were not there."""
        account, items = self.random.choice(ACCOUNTS), list[Any]()
        while len(items) < self.random.randint(1, MAX_BATCH):
            item = self.random.choice((self.place, self.trigger, self.cancel, self.amend))()
            items.append(replace(item, account=account))
        return c.SubmitBatch(self.at, account, self.request(), tuple(items))

    def some_order(self) -> Any:
        """An order that is open or waits, None where there is none."""
        everything = [*self.naive.orders, *self.naive.triggers]
        return self.random.choice(everything) if everything else None

    def client(self) -> c.ClientId:
        """Mostly no name, else one of a few, now and then one that is none."""
        named = self.random.random() < 0.2
        return c.ClientId(self.random.choice(("x", "y", "z", "no name")) if named else "")

    def self_trade(self) -> SelfTrade:
        """Mostly nothing prevents a trade with oneself."""
        return self.random.choice(list(SelfTrade)) if self.random.random() < 0.3 else SelfTrade.NONE

    def good_till(self, force: TimeInForce) -> int:
        """A time soon ahead for an order that lives until then, now and then none, or one that is over."""
        stated = (force is TimeInForce.GTD) != (self.random.random() < 0.03)
        return max(1, self.at + self.random.randint(-1, 60)) if stated else 0

    def price_match(self) -> PriceMatch:
        """Mostly none, else the best or the fifth best price of a side."""
        few = (PriceMatch.OPPONENT, PriceMatch.QUEUE, PriceMatch.OPPONENT_5, PriceMatch.QUEUE_5)
        return self.random.choice(few) if self.random.random() < 0.1 else PriceMatch.NONE

    def lots(self) -> int:
        """A size: mostly small."""
        return self.random.choice((1, 2, 3, 5, 8, 20))

    def visible(self, lots: int, force: TimeInForce) -> int:
        """Mostly all of it, else a part, now and then too small a one, none, or of what cannot rest."""
        rests = force not in (TimeInForce.IOC, TimeInForce.FOK)
        if self.random.random() > (0.25 if rests else 0.03):
            return 0
        return self.random.choice(
            (-(-lots // MAX_PARTS), -(-lots // 3), -(-lots // 2), lots, self.random.randint(-1, 9))
        )

    def request(self) -> c.RequestId:
        """A request that was never made."""
        self.requests += 1
        return c.RequestId(f"r{self.requests}")


HABITS: dict[Callable[[Desk], c.Command], int] = {
    Desk.place: 12,
    Desk.cancel: 5,
    Desk.trigger: 4,
    Desk.bound: 3,
    pair: 2,
    bracket: 2,
    Desk.amend: 3,
    Desk.batch: 2,
    Desk.mark: 2,
    Desk.countdown: 1,
    Desk.phase: 1,
    Desk.cancel_all: 1,
}
"""What is asked how often."""

PHASES = (list(TradingPhase), [{TradingPhase.AUCTION: 4}.get(phase, 1) for phase in TradingPhase])
"""Trading phases, and how often."""

FORCES = {TimeInForce.GTC: 6, TimeInForce.IOC: 2, TimeInForce.FOK: 1, TimeInForce.POST_ONLY: 2, TimeInForce.GTD: 2}
"""Times in force, and how often."""


def by_chance(seed: int, commands: int, every: int) -> Exchanges:
    """So many commands to both, whose orders are compared after every so many of them, and at the end.

    Where the seed is odd, reduce-only orders shrink with their position.
    """
    both = Exchanges(shrinks=seed % 2 == 1)
    desk = Desk(seed, both.naive)
    for n in range(commands):
        both.ask(desk.next())
        if n % every == 0:
            both.agree()
    both.agree()
    return both
