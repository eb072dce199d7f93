"""Who trades in a made-up session, and what they place and cancel; all of it from one seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

from events import commands as c
from events.commands import AccountId, Command, FundingSource, OrderNumber, RequestId, Side, TimeInForce
from events.instruments import AssetId, Instrument, InstrumentId, Inverse, Leg, MarginMode
from events.units import SECOND, UNIT
from exchange.core.book import Order
from exchange.core.margin.model import available_atoms
from exchange.core.state import RULES_VERSION, Account
from tests.sim.chance import worth_of
from tests.sim.history import History
from tests.sim.rules import START, rules
from tests.sim.world import World

NAMES = [AccountId(name) for name in ("ANA", "BEN", "CAT", "DAN", "EVA", "FAY")]
PAUSES = (0, 1, SECOND // 1000, SECOND, 60 * SECOND)


class Traders:
    """The source of commands: what to do next depends on the dice and on the state."""

    def __init__(self, seed: int, world: World) -> None:
        self.dice = Random(seed)
        self.world = world
        self.at = START
        self.requests = 0
        self.given: list[Command] = []
        self.planned: list[Callable[[Traders], Command]] = []
        self.rich = self.dice.choice((1_000, 100_000, 10_000_000, 10**15))
        self.rules = rules(seed, self.rich)
        self.pack = self.rules.pack
        self.prices = dict(self.rules.prices)
        self.indices = dict(self.rules.prices)
        self.histories = {t.id: History(t, self.ticks(t), self._many(t)) for t in self.pack.instruments}
        self.rows: list[c.AdvanceMarket] = []

    def opening(self) -> list[Command]:
        """Commands to a session that is not open yet, then its opening, prices, accounts and what they start with."""
        dice = self.dice
        options = c.SessionOptions(
            dice.choices(list(c.MarkSource), (8, 1, 1))[0],
            dice.choice(list(c.QueueModel)),
            dice.choice(list(c.Impact)),
            FundingSource.FED if self.rules.is_plain else dice.choice(list(FundingSource)),
        )
        bad = msgspec.structs.replace(self.pack, max_orders=0)
        early: list[Command] = [
            c.OpenAccount(self.at, NAMES[0], RequestId("early")),
            c.OpenSession(self.at, RULES_VERSION, bad, options),
            c.OpenSession(self.at, RULES_VERSION + 1, self.pack, options),
        ]
        names = NAMES[: dice.randint(3, len(NAMES))]
        owned = 0.8 if self.rules.is_plain else 0.55
        return [
            *(command for command in early if dice.random() < 0.3),
            c.OpenSession(self.at, RULES_VERSION, self.pack, options),
            *(c.SetMarkPrice(self.at, t.id, self.prices[t.id]) for t in self._instruments() if dice.random() < 0.95),
            *([] if self.rules.is_plain else self._first_indices()),
            *(self.gift(c.INSURANCE, asset) for asset in self._assets() if dice.random() < 0.7),
            *self._own_funds(),
            *(c.OpenAccount(self.at, name, self.request()) for name in names),
            *(self.gift(name, asset) for name in names for asset in self._assets() if dice.random() < owned),
            *([] if self.rules.is_plain else [command for name in names for command in self._modes(name)]),
            *(command for name in names for terms in self._instruments() for command in self._settings(name, terms)),
        ]

    def _first_indices(self) -> list[Command]:
        return [
            c.SetIndexPrice(self.at, InstrumentId(name), price)
            for name, price in self.indices.items()
            if self.dice.random() < 0.95
        ]

    def _modes(self, name: AccountId) -> list[Command]:
        hedges = c.SetPositionMode(self.at, name, self.request(), True)
        multi = c.SetCollateralMode(self.at, name, self.request(), True)
        return [command for command in (hedges, multi) if self.dice.random() < 0.5]

    def _settings(self, name: AccountId, terms: Instrument) -> list[Command]:
        leverage = c.SetLeverage(self.at, name, self.request(), terms.id, self.dice.choice((1, 5, 20, 50, 100)))
        mode = c.SetMarginMode(self.at, name, self.request(), terms.id, MarginMode.ISOLATED)
        return [command for command in (leverage, mode) if self.dice.random() < 0.5]

    def let_time_pass(self) -> None:
        """Some time goes by, or none."""
        self.at += self.dice.choice(PAUSES)

    def order(self) -> Command:
        """An order of a size that margin just carries or just does not, near the mark or through it."""
        dice, terms, account = self.dice, self.terms(), self.account()
        if self.free(account, terms.settle) < self._whole(terms.settle) // 100 and dice.random() < 0.7:
            return self.gift(account, terms.settle)
        side, tick, reduce_only = dice.choice(list(Side)), self.ticks(terms), False
        spread = dice.choice((0, 0, 1, 2, 5, 20, tick // 50, tick // 5))
        price = max(1, tick + dice.randint(-spread, spread)) if dice.random() < 0.85 else None
        if held := self._held(account, terms):
            reduce_only = dice.random() < 0.2
            side = dice.choice((side, Side.SELL if held > 0 else Side.BUY))
        time_in_force = dice.choices(list(TimeInForce), (12, 3, 2, 3))[0]
        return self._place(account, terms, side, self._lots(account, terms), price, time_in_force, reduce_only)

    def close(self) -> Command:
        """An order against a position: a part of it, all of it, or through zero; at times far worse than the mark."""
        held = [p for account in self.accounts() for p in account.positions.values() if p.lots]
        if not held:
            return self.order()
        dice, position = self.dice, self.dice.choice(held)
        terms = position.contract.terms
        lots = max(1, abs(position.lots) * dice.choice((1, 2, 3, 4, 4, 8)) // 4)
        side = Side.SELL if position.lots > 0 else Side.BUY
        tick = self.ticks(terms)
        worse = -tick // 20 if position.lots > 0 else tick // 20
        price = dice.choice((None, tick, max(1, tick + dice.choice((-3, 3))), max(1, tick + worse)))
        time_in_force = dice.choice((TimeInForce.GTC, TimeInForce.IOC))
        reduce_only = dice.random() < 0.5
        return self._place(position.account, terms, side, lots, price, time_in_force, reduce_only, position.leg)

    def ruin(self) -> Command:
        """A resting order that gives a position away far below its worth, soon taken: a loss greater than its pool."""
        held = [p for account in self.accounts() for p in account.positions.values() if p.lots and not p.pool.due]
        position = self.dice.choice(held) if held else None
        if position is None:
            return self.order()
        contract, book = position.contract, position.contract.book
        side, resting, share = (Side.SELL, book.bids, 60) if position.lots > 0 else (Side.BUY, book.asks, 140)
        price = max(1, contract.mark * share // (100 * contract.tick))
        if book.front(resting, price) is not None:
            return self.close()
        self.planned = [Traders.hit, Traders.proceed]
        gtc, lots = TimeInForce.GTC, abs(position.lots)
        return self._place(position.account, contract.terms, side, lots, price, gtc, True, position.leg)

    def hit(self) -> Command:
        """An order that meets the resting order of somebody, of one who is due or gives away if there is such a one."""
        open_orders = self._open_orders()
        in_need = [order for order in open_orders if order.reduce_only or order.holder.pool.due]
        if not open_orders:
            return self.order()
        maker = self.dice.choice(in_need or open_orders)
        takers = [a.name for a in self.accounts() if a.name != maker.account] or [maker.account]
        side = Side.SELL if maker.sign > 0 else Side.BUY
        terms = maker.holder.contract.terms
        return self._place(self.dice.choice(takers), terms, side, maker.lots, maker.price, TimeInForce.IOC, False)

    def borrow(self) -> Command:
        """An order in multi-asset mode of somebody who has nothing of the settle asset: what it costs is a debt."""
        poor = [
            (account, terms)
            for account in self.accounts()
            for terms in self._instruments()
            if account.multi and ((wallet := account.wallets.get(terms.settle)) is None or wallet.balance <= 0)
        ]
        if not poor:
            return self.order()
        account, terms = self.dice.choice(poor)
        self.planned = [Traders.hit]
        side, lots = self.dice.choice(list(Side)), max(terms.min_lots, self._lots(account.name, terms) // 4)
        price = self.dice.choice((None, self.ticks(terms)))
        return self._place(account.name, terms, side, lots, price, TimeInForce.GTC, False)

    def hedge(self) -> Command:
        """An order for the other leg of a position, in hedge mode: both may be liquidated at once."""
        held = [p for a in self.accounts() if a.hedges for p in a.positions.values() if p.lots and not p.is_isolated]
        if not held:
            return self.order()
        position = self.dice.choice(held)
        side, leg = (Side.BUY, Leg.LONG) if position.lots < 0 else (Side.SELL, Leg.SHORT)
        self.planned = [Traders.hit]
        terms, lots = position.contract.terms, max(1, abs(position.lots) // self.dice.choice((1, 2, 4)))
        return self._place(position.account, terms, side, lots, self.ticks(terms), TimeInForce.GTC, False, leg)

    def join(self) -> Command:
        """An order behind history's volume, where others of the traders may stand too."""
        terms, account, side = self.terms(), self.account(), self.dice.choice(list(Side))
        book = self.world.state.contracts[terms.id].book
        stated = sorted((book.bids if side is Side.BUY else book.asks).history.stated)
        if not stated:
            return self.order()
        price = self.dice.choice(stated[-3:] if side is Side.BUY else stated[:3])
        lots = max(terms.min_lots, self._lots(account, terms) // 8)
        return self._place(account, terms, side, lots, price, TimeInForce.POST_ONLY, False)

    def cancel(self) -> Command:
        """A cancel of an open order."""
        open_orders = self._open_orders()
        if not open_orders:
            return self.order()
        order = self.dice.choice(open_orders)
        return c.CancelOrder(self.at, order.account, self.request(), order.number)

    def _own_funds(self) -> list[Command]:
        """Deposits into the funds of single instruments, where there are such."""
        funds = c.funds_of(self.pack)
        own = [terms for terms in self.pack.instruments if funds[terms.id] != c.INSURANCE]
        return [self.gift(funds[terms.id], terms.settle) for terms in own if self.dice.random() < 0.7]

    def proceed(self) -> Command:
        """Due work, whether there is some or not, in small steps or large ones."""
        return c.Proceed(self.at, self.dice.choice((0, 1, 1, 2, 5, 50, 4096)))

    def repeat(self) -> Command:
        """A request that was given before, as a client does that heard no answer."""
        given = [command for command in self.given if isinstance(command, c.TradersCommand)]
        return msgspec.structs.replace(self.dice.choice(given), at=self.at) if given else c.AdvanceTime(self.at)

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
        return self.dice.choice(self._assets())

    def leg(self) -> Leg:
        """A leg, or the only position."""
        return Leg.NET if self.rules.is_plain else self.dice.choice(list(Leg))

    def request(self) -> RequestId:
        """A request id of its own."""
        self.requests += 1
        return RequestId(f"r{self.requests}")

    def gift(self, account: AccountId, asset: AssetId) -> Command:
        """Money from outside."""
        whole = self._whole(asset)
        return c.Deposit(self.at, account, self.request(), asset, self.dice.randint(whole // 20, whole))

    def ticks(self, terms: Instrument) -> int:
        """Where prices are now."""
        return max(1, self.prices[terms.id] // terms.tick)

    def free(self, name: AccountId, asset: str) -> int:
        """What is available, atoms."""
        account = self.world.state.accounts.get(name)
        wallet = account.wallets.get(AssetId(asset)) if account else None
        return available_atoms(wallet) if wallet else 0

    def _place(
        self, account: AccountId, terms: Instrument, side: Side, lots: int, price: int | None,
        time_in_force: TimeInForce, reduce_only: bool, leg: Leg | None = None,
    ) -> Command:  # fmt: skip
        known = self.world.state.accounts.get(account)
        number = OrderNumber((known.last_number if known else 0) + self.dice.choice((1, 1, 1, 3)))
        if leg is None:
            leg = self._leg_of(side, reduce_only) if known and known.hedges else Leg.NET
        return c.PlaceOrder(
            self.at, account, self.request(), number, terms.id, side, lots, price, time_in_force, reduce_only, leg
        )

    def _leg_of(self, side: Side, reduce_only: bool) -> Leg:
        opens = not reduce_only and self.dice.random() < 0.8
        return Leg.LONG if (side is Side.BUY) == opens else Leg.SHORT

    def _whole(self, asset: str) -> int:
        """What somebody rich has of an asset, atoms."""
        return self.rich * UNIT // worth_of(asset)

    def _instruments(self) -> tuple[Instrument, ...]:
        return self.pack.instruments

    def _assets(self) -> list[AssetId]:
        settle = [terms.settle for terms in self._instruments()]
        return list(dict.fromkeys([*settle, *(rule.asset for rule in self.pack.collateral)]))

    def _open_orders(self) -> list[Order]:
        return [order for account in self.accounts() for order in account.orders.values()]

    def _lot_value(self, terms: Instrument) -> int:
        """Grains of the settle asset."""
        price = self.prices[terms.id]
        if isinstance(terms, Inverse):
            return max(1, terms.contract_value * terms.lot * UNIT // price)
        return price * terms.lot

    def _many(self, terms: Instrument) -> int:
        return max(2, self._whole(terms.settle) * UNIT // self._lot_value(terms))

    def _held(self, name: AccountId, terms: Instrument) -> int:
        account = self.world.state.accounts.get(name)
        return sum(position.lots for position in account.legs(terms.id)) if account else 0

    def _lots(self, name: AccountId, terms: Instrument) -> int:
        account = self.world.state.accounts.get(name)
        legs = account.legs(terms.id) if account else []
        leverage = legs[-1].leverage if legs else self.pack.default_leverage
        value = self._lot_value(terms)
        most = self.free(name, terms.settle) * leverage * UNIT // value
        share = self.dice.choice((1, 5, 20, 40, 50, 60, 70, 80, 90, 95, 100, 110))
        least = max(terms.min_lots, terms.min_notional * UNIT // value + 1)
        return max(least, min(most * share // 100, terms.max_lots))
