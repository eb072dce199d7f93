"""Who trades in a made-up session: the dice of its seed, its rules and prices, and what a move has to know.

Moves are functions from the traders to a command: `orders`, `accounts`, `prices`, `clock` and `nonsense` have them, and
`habits` says how often each is made.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from events import commands as c
from events.commands import AccountId, Command, OrderNumber, RequestId, Side, TimeInForce, TradeFills
from events.instruments import AssetId, Instrument, Inverse, Leg
from events.latency import NO_LATENCY, Latency
from events.units import SECOND, UNIT, Nanos
from exchange.core.book import Order
from exchange.core.margin.model import available_atoms
from exchange.core.state import Account
from tests.sim.chance import worth_of
from tests.sim.history import History
from tests.sim.instructions import instructed
from tests.sim.rules import START, rules
from tests.sim.world import World

NAMES = [AccountId(name) for name in ("ANA", "BEN", "CAT", "DAN", "EVA", "FAY")]
PAUSES = (0, 1, SECOND // 1000, SECOND, 60 * SECOND)


class Traders:
    """What moves are made of: dice, rules, prices, and the state of the session so far.

    `at` is the time of the next command; `planned` are the moves that come next, whatever the dice say; `batches`
    those that were submitted.
    """

    def __init__(self, seed: int, world: World) -> None:
        self.seed = seed
        self.dice = Random(seed)
        self.whims = Random(f"{seed} whims")
        fills = (TradeFills.BOOK,) * 14 + (TradeFills.THROUGH, TradeFills.TOUCH)
        self.trade_fills = Random(f"{seed} trade fills").choice(fills)
        self.latency = Latency(Nanos(5)) if self.trade_fills is TradeFills.TOUCH else NO_LATENCY
        self.queue_weights = Random(f"{seed} queue weights").choice(((),) * 8 + ((1, 0, 3), (5, 1)))
        self.opening_auction = Nanos(Random(f"{seed} opening").choice((0,) * 9 + (20 * SECOND,)))
        self.world = world
        self.at = START
        self.requests = 0
        self.given: list[Command] = []
        self.planned: list[Move] = []
        self.batches: list[c.SubmitBatch] = []
        self.rich = self.dice.choice((1_000, 100_000, 10_000_000, 10**15))
        self.rules = rules(seed, self.rich)
        self.pack = self.rules.pack
        self.prices = dict(self.rules.prices)
        self.indices = dict(self.rules.prices)
        bare = self.trade_fills is not TradeFills.BOOK
        self.histories = {t.id: History(t, self.ticks(t), self._many(t), bare) for t in self.pack.instruments}
        self.rows: list[c.AdvanceMarket] = []

    def let_time_pass(self) -> None:
        """Some time goes by, or none."""
        self.at += self.dice.choice(PAUSES)

    def account(self) -> AccountId:
        """An account that is open."""
        return self.dice.choice([account.name for account in self.accounts()] or NAMES)

    def accounts(self) -> list[Account]:
        """The accounts that are open."""
        return [account for account in self.world.state.accounts.values() if not account.is_reserved]

    def terms(self) -> Instrument:
        """An instrument, seldom one that expired."""
        terms = self.dice.choice(self.pack.instruments)
        expired = 0 < terms.expiry <= self.world.state.now and self.dice.random() < 0.8
        return self.dice.choice(self.pack.instruments) if expired else terms

    def asset(self) -> AssetId:
        """An asset that somebody may own."""
        return self.dice.choice(self.assets())

    def leg(self) -> Leg:
        """A leg, or the only position."""
        return Leg.NET if self.rules.is_plain else self.dice.choice(list(Leg))

    def request(self) -> RequestId:
        """A request id of its own."""
        self.requests += 1
        return RequestId(f"r{self.requests}")

    def gift(self, account: AccountId, asset: AssetId) -> Command:
        """Money from outside."""
        whole = self.whole(asset)
        return c.Deposit(self.at, account, self.request(), asset, self.dice.randint(whole // 20, whole))

    def ticks(self, terms: Instrument) -> int:
        """Where prices are now."""
        return max(1, self.prices[terms.id] // terms.tick)

    def free(self, name: AccountId, asset: str) -> int:
        """What is available, atoms."""
        account = self.world.state.accounts.get(name)
        wallet = account.wallets.get(AssetId(asset)) if account else None
        return available_atoms(wallet) if wallet else 0

    def place(
        self, account: AccountId, terms: Instrument, side: Side, lots: int, price: int | None,
        time_in_force: TimeInForce, reduce_only: bool, leg: Leg | None = None,
    ) -> c.PlaceOrder:  # fmt: skip
        """An order with the account's next number, for the leg that it goes with."""
        known = self.world.state.accounts.get(account)
        number = OrderNumber((known.last_number if known else 0) + self.dice.choice((1, 1, 1, 3)))
        if leg is None:
            leg = self._leg_of(side, reduce_only) if known and known.hedges else Leg.NET
        plain = c.PlaceOrder(
            self.at, account, self.request(), number, terms.id, side, lots, price, time_in_force, reduce_only, leg
        )
        return instructed(self, plain)

    def _leg_of(self, side: Side, reduce_only: bool) -> Leg:
        opens = not reduce_only and self.dice.random() < 0.8
        return Leg.LONG if (side is Side.BUY) == opens else Leg.SHORT

    def whole(self, asset: str) -> int:
        """What somebody rich has of an asset, atoms."""
        return self.rich * UNIT // worth_of(asset)

    def assets(self) -> list[AssetId]:
        """What somebody may own."""
        settle = [terms.settle for terms in self.pack.instruments]
        return list(dict.fromkeys([*settle, *(rule.asset for rule in self.pack.collateral)]))

    def open_orders(self) -> list[Order]:
        """Every order of a trader that is open."""
        return [order for account in self.accounts() for order in account.orders.values()]

    def _lot_value(self, terms: Instrument) -> int:
        """Grains of the settle asset."""
        price = self.prices[terms.id]
        if isinstance(terms, Inverse):
            return max(1, terms.contract_value * terms.lot * UNIT // price)
        return price * terms.lot

    def _many(self, terms: Instrument) -> int:
        return max(2, self.whole(terms.settle) * UNIT // self._lot_value(terms))

    def held(self, name: AccountId, terms: Instrument) -> int:
        """How many lots an account has of an instrument, both legs together."""
        account = self.world.state.accounts.get(name)
        return sum(position.lots for position in account.legs(terms.id)) if account else 0

    def lots(self, name: AccountId, terms: Instrument) -> int:
        """A size that the account's margin carries, or just does not."""
        account = self.world.state.accounts.get(name)
        legs = account.legs(terms.id) if account else []
        leverage = legs[-1].leverage if legs else self.pack.default_leverage
        value = self._lot_value(terms)
        most = self.free(name, terms.settle) * leverage * UNIT // value
        share = self.dice.choice((1, 5, 20, 40, 50, 60, 70, 80, 90, 95, 100, 110))
        least = max(terms.min_lots, terms.min_notional * UNIT // value + 1)
        return max(least, min(most * share // 100, terms.max_lots))


Move = Callable[[Traders], Command]
"""What somebody does next."""
