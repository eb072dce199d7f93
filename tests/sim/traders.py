"""What everybody does in a made-up session: traders, marks, funding, history; all of it from one seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

from events import commands as c
from events.commands import AccountId, Command, OrderNumber, RequestId, Side, TimeInForce
from events.instruments import AssetId, Bracket, Instrument, MarginMode, RulePack, load_pack
from events.units import SECOND, UNIT
from exchange.core.book import Order
from exchange.core.margin.model import available
from exchange.core.state import RULES_VERSION, Account, Position
from tests.sim.history import History
from tests.sim.world import World

NAMES = [AccountId(name) for name in ("ANA", "BEN", "CAT", "DAN", "EVA", "FAY")]
PRICES = {"BTCUSDT": 60_000 * UNIT, "ETHUSDT": 3_000 * UNIT, "DOGEUSDT": UNIT // 8}
START = 1_700_000_000 * SECOND
PAUSES = (0, 1, SECOND // 1000, SECOND, 60 * SECOND)
SHOCKS = (1, 50, 70, 80, 90, 95, 98, 100, 102, 105, 110, 120, 150, 200, 1000)


def pack(dice: Random, rich: int) -> RulePack:
    """Two or three instruments of the default pack, some terms changed: settle asset, rebate, sizes for the rich."""
    whole = load_pack("binance-usdm")
    scale = max(1, rich // dice.choice((100_000, 10_000_000)))
    chosen = []
    for terms in whole.instruments:
        if terms.id in PRICES and (terms.id != "ETHUSDT" or dice.random() < 0.6):
            settle = AssetId("USDC") if terms.id == "DOGEUSDT" and dice.random() < 0.3 else terms.settle
            chosen.append(
                msgspec.structs.replace(
                    terms,
                    settle=settle,
                    quote=settle,
                    maker_fee=dice.choice((terms.maker_fee, terms.maker_fee, 0, -5_000)),
                    min_lots=dice.choice((1, 1, 2)),
                    max_lots=terms.max_lots * scale,
                    brackets=tuple(scaled(bracket, scale) for bracket in terms.brackets),
                )
            )
    return msgspec.structs.replace(whole, instruments=tuple(chosen), max_orders=dice.choice((3, 8, 200))).check()


def scaled(bracket: Bracket, by: int) -> Bracket:
    """A bracket with all its amounts multiplied."""
    return msgspec.structs.replace(bracket, floor=bracket.floor * by, cap=bracket.cap * by, cum=bracket.cum * by)


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
        self.pack = pack(self.dice, self.rich)
        self.prices = {terms.id: PRICES[terms.id] for terms in self.pack.instruments}
        self.histories = {terms.id: History(terms, self._ticks(terms), self._many(terms)) for terms in self._terms()}
        self.rows: list[c.AdvanceMarket] = []

    def opening(self) -> list[Command]:
        """Commands to a session that is not open yet, then its opening, accounts, money, mostly some for the fund."""
        dice = self.dice
        options = c.SessionOptions(
            dice.choices(list(c.MarkSource), (8, 1, 1))[0], dice.choice(list(c.QueueModel)), dice.choice(list(c.Impact))
        )
        bad = msgspec.structs.replace(self.pack, max_orders=0)
        early: list[Command] = [
            c.OpenAccount(self.at, NAMES[0], RequestId("early")),
            c.OpenSession(self.at, RULES_VERSION, bad, options),
            c.OpenSession(self.at, RULES_VERSION + 1, self.pack, options),
        ]
        names = NAMES[: dice.randint(3, len(NAMES))]
        return [
            *(command for command in early if dice.random() < 0.3),
            c.OpenSession(self.at, RULES_VERSION, self.pack, options),
            *(c.SetMarkPrice(self.at, t.id, self.prices[t.id]) for t in self._terms() if dice.random() < 0.95),
            *(self._gift(c.INSURANCE, asset) for asset in self._assets() if dice.random() < 0.7),
            *(c.OpenAccount(self.at, name, self.request()) for name in names),
            *(self._gift(name, asset) for name in names for asset in self._assets() if dice.random() < 0.8),
            *(command for name in names for terms in self._terms() for command in self._settings(name, terms)),
        ]

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
        if self._free(account, terms.settle) < self.rich * UNIT // 100 and dice.random() < 0.7:
            return self._gift(account, terms.settle)
        side, tick, reduce_only = dice.choice(list(Side)), self._ticks(terms), False
        spread = dice.choice((0, 0, 1, 2, 5, 20, tick // 50, tick // 5))
        price = max(1, tick + dice.randint(-spread, spread)) if dice.random() < 0.85 else None
        if held := self._held(account, terms):
            reduce_only = dice.random() < 0.2
            side = dice.choice((side, Side.SELL if held > 0 else Side.BUY))
        time_in_force = dice.choices(list(TimeInForce), (12, 3, 2, 3))[0]
        return self._place(account, terms, side, self._lots(account, terms), price, time_in_force, reduce_only)

    def close(self) -> Command:
        """An order against a position: a part of it, all of it, or through zero; at times far worse than the mark."""
        held = [p for account in self._accounts() for p in account.positions.values() if p.lots]
        if not held:
            return self.order()
        dice, position = self.dice, self.dice.choice(held)
        terms = position.contract.terms
        lots = max(1, abs(position.lots) * dice.choice((1, 2, 3, 4, 4, 8)) // 4)
        side = Side.SELL if position.lots > 0 else Side.BUY
        tick = self._ticks(terms)
        worse = -tick // 20 if position.lots > 0 else tick // 20
        price = dice.choice((None, tick, max(1, tick + dice.choice((-3, 3))), max(1, tick + worse)))
        time_in_force = dice.choice((TimeInForce.GTC, TimeInForce.IOC))
        return self._place(position.account, terms, side, lots, price, time_in_force, dice.random() < 0.5)

    def ruin(self) -> Command:
        """A resting order that gives a position away far below its worth, soon taken: a loss greater than its pool."""
        held = [p for account in self._accounts() for p in account.positions.values() if p.lots and not p.pool.due]
        position = self.dice.choice(held) if held else None
        if position is None:
            return self.order()
        contract, book = position.contract, position.contract.book
        side, resting, share = (Side.SELL, book.bids, 60) if position.lots > 0 else (Side.BUY, book.asks, 140)
        price = max(1, contract.mark * share // (100 * contract.tick))
        if book.front(resting, price) is not None:
            return self.close()
        self.planned = [Traders.hit, Traders.proceed]
        return self._place(position.account, contract.terms, side, abs(position.lots), price, TimeInForce.GTC, True)

    def hit(self) -> Command:
        """An order that meets the resting order of somebody, of one who is due or gives away if there is such a one."""
        open_orders = self._open_orders()
        in_need = [order for order in open_orders if order.reduce_only or self._position(order).pool.due]
        if not open_orders:
            return self.order()
        maker = self.dice.choice(in_need or open_orders)
        takers = [a.name for a in self._accounts() if a.name != maker.account] or [maker.account]
        side = Side.SELL if maker.sign > 0 else Side.BUY
        terms = self._position(maker).contract.terms
        return self._place(self.dice.choice(takers), terms, side, maker.lots, maker.price, TimeInForce.IOC, False)

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

    def deposit(self) -> Command:
        """Money comes in."""
        return self._gift(self.dice.choices((self.account(), c.INSURANCE), (9, 1))[0], self.terms().settle)

    def withdraw(self) -> Command:
        """Money goes out: some, all that is free, or more than that."""
        account, asset = self.account(), self.terms().settle
        amount = self._free(account, asset) * self.dice.choice((1, 2, 2, 3)) // 2 + self.dice.randint(-1, 1)
        return c.Withdraw(self.at, account, self.request(), asset, amount)

    def leverage(self) -> Command:
        """Another leverage."""
        leverage = self.dice.choice((0, 1, 2, 3, 10, 20, 50, 75, 100, 125, 126))
        return c.SetLeverage(self.at, self.account(), self.request(), self.terms().id, leverage)

    def mode(self) -> Command:
        """Another margin mode."""
        mode = self.dice.choice((MarginMode.ISOLATED, MarginMode.ISOLATED, MarginMode.CROSS))
        return c.SetMarginMode(self.at, self.account(), self.request(), self.terms().id, mode)

    def margin(self) -> Command:
        """Margin moves to or from an isolated position."""
        account, terms = self.account(), self.terms()
        isolated = [p for a in self._accounts() for p in a.positions.values() if p.is_isolated and p.lots]
        if isolated and self.dice.random() < 0.9:
            position = self.dice.choice(isolated)
            account, terms = position.account, position.contract.terms
        most = max(1, self._free(account, terms.settle) // self.dice.choice((1, 3, 50)))
        amount = self.dice.choice((1, most, self.dice.randint(0, most)))
        return self.dice.choice((c.AddMargin, c.RemoveMargin))(self.at, account, self.request(), terms.id, amount)

    def mark(self) -> Command:
        """The mark moves a little."""
        terms = self.terms()
        price = self.prices[terms.id]
        price += price * self.dice.randint(-100, 100) // 10_000 + self.dice.randint(-1, 1)
        self.prices[terms.id] = max(1, price)
        return c.SetMarkPrice(self.at, terms.id, self.prices[terms.id])

    def shock(self) -> Command:
        """The mark jumps: by some per cent, near to nothing, far up. Prices follow it or not; at times funding does."""
        terms = self.terms()
        mark = max(1, PRICES[terms.id] * self.dice.choice(SHOCKS) // 100)
        if self.dice.random() < 0.3:
            self.planned = [Traders.funding]
        self.prices[terms.id] = self.dice.choice((mark, PRICES[terms.id]))
        return c.SetMarkPrice(self.at, terms.id, mark)

    def funding(self) -> Command:
        """Funding, at times several at one moment."""
        rate = self.dice.choice((0, 1, -1, 10_000, -10_000, 750_000, -750_000, 30_000_000, -30_000_000))
        return c.ApplyFunding(self.at, self.terms().id, rate)

    def history(self) -> Command:
        """The next rows of a chunk, or the first ones of a new one."""
        if self.rows:
            rows = self.rows.pop()
            return msgspec.structs.replace(rows, at=max(self.at, rows.at))
        terms = self.terms()
        history = self.histories[terms.id]
        history.price = self.dice.choice((history.price, self._ticks(terms)))
        columns = history.chunk(self.dice, self.at, self.dice.randint(1, 12))
        chunk = c.ChunkId(f"chunk-{len(self.world.columns)}")
        self.world.columns[chunk] = columns
        last = len(columns) - 1
        middle = self.dice.randint(0, last)
        if middle < last:
            self.rows.append(c.AdvanceMarket(columns.at[last], terms.id, chunk, middle + 1, last))
        return c.AdvanceMarket(columns.at[middle], terms.id, chunk, 0, middle)

    def time(self) -> Command:
        """Time passes."""
        return c.AdvanceTime(self.at + self.dice.choice((0, SECOND, 3600 * SECOND)))

    def proceed(self) -> Command:
        """Due work, whether there is some or not, in small steps or large ones."""
        return c.Proceed(self.at, self.dice.choice((0, 1, 1, 2, 5, 50, 4096)))

    def repeat(self) -> Command:
        """A request that was given before, as a client does that heard no answer."""
        given = [command for command in self.given if isinstance(command, c.TradersCommand)]
        return msgspec.structs.replace(self.dice.choice(given), at=self.at) if given else self.time()

    def account(self) -> AccountId:
        """An account that is open."""
        return self.dice.choice([account.name for account in self._accounts()] or NAMES)

    def terms(self) -> Instrument:
        """An instrument."""
        return self.dice.choice(self.pack.instruments)

    def request(self) -> RequestId:
        """A request id of its own."""
        self.requests += 1
        return RequestId(f"r{self.requests}")

    def _place(
        self, account: AccountId, terms: Instrument, side: Side, lots: int, price: int | None,
        time_in_force: TimeInForce, reduce_only: bool,
    ) -> Command:  # fmt: skip
        known = self.world.state.accounts.get(account)
        number = OrderNumber((known.last_number if known else 0) + self.dice.choice((1, 1, 1, 3)))
        return c.PlaceOrder(
            self.at, account, self.request(), number, terms.id, side, lots, price, time_in_force, reduce_only
        )

    def _gift(self, account: AccountId, asset: AssetId) -> Command:
        amount = self.dice.randint(self.rich * UNIT // 20, self.rich * UNIT)
        return c.Deposit(self.at, account, self.request(), asset, amount)

    def _terms(self) -> tuple[Instrument, ...]:
        return self.pack.instruments

    def _assets(self) -> list[AssetId]:
        return list(dict.fromkeys(terms.settle for terms in self._terms()))

    def _accounts(self) -> list[Account]:
        return [account for account in self.world.state.accounts.values() if not account.is_reserved]

    def _open_orders(self) -> list[Order]:
        return [order for account in self._accounts() for order in account.orders.values()]

    def _position(self, order: Order) -> Position:
        return self.world.state.accounts[order.account].positions[order.instrument]

    def _ticks(self, terms: Instrument) -> int:
        return max(1, self.prices[terms.id] // terms.tick)

    def _many(self, terms: Instrument) -> int:
        return max(2, self.rich * UNIT * UNIT // (PRICES[terms.id] * terms.lot))

    def _held(self, name: AccountId, terms: Instrument) -> int:
        account = self.world.state.accounts.get(name)
        position = account.positions.get(terms.id) if account else None
        return position.lots if position else 0

    def _free(self, name: AccountId, asset: str) -> int:
        account = self.world.state.accounts.get(name)
        wallet = account.wallets.get(asset) if account else None
        return max(0, available(wallet) // UNIT) if wallet else 0

    def _lots(self, name: AccountId, terms: Instrument) -> int:
        account = self.world.state.accounts.get(name)
        position = account.positions.get(terms.id) if account else None
        leverage = position.leverage if position else self.pack.default_leverage
        lot_value = self.prices[terms.id] * terms.lot
        most = self._free(name, terms.settle) * leverage * UNIT // lot_value
        share = self.dice.choice((1, 5, 20, 40, 50, 60, 70, 80, 90, 95, 100, 110))
        least = max(terms.min_lots, terms.min_notional * UNIT // lot_value + 1)
        return max(least, min(most * share // 100, terms.max_lots))
