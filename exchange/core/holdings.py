"""What accounts hold: wallets, positions, the pools that answer for them, open orders; and what waits for them.

Only `apply` changes any of it.
"""

from __future__ import annotations

import msgspec

from events.commands import AccountId, ClientId, OrderNumber, RequestId
from events.instruments import AssetId, InstrumentId, Leg, MarginMode, position_name
from events.refusals import Reason
from exchange.core.book import Order
from exchange.core.contract import Contract
from exchange.core.ledger import Books
from exchange.core.margin.brackets import Schedule
from exchange.core.margin.collateral import Asset
from exchange.core.reduce_only import ReduceOnlyOrders
from exchange.core.triggers.trigger import Trigger

NEVER = -1
"""A trigger that no mark reaches."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How a trader's command was decided: the number of its record, and the rule it broke, if any."""

    seq: int
    reason: Reason | None


class Due(msgspec.Struct):
    """Due work: the number of the record that brought it, and what each position is charged or settled by.

    owing holds the positions (interest: the wallets) not settled yet, in the order in which they were opened; firing
    the conditional orders that have not fired yet, in the order in which they do.
    """

    seq: int
    rate: int = 0
    mark: int = 0
    owing: dict[Position | Wallet, None] = {}
    over: int = 1
    firing: dict[Trigger, None] = {}


DueKey = tuple[int, int, str, str, int]
"""When (ns), which `DueKind`, the account or instrument, the pool (but for liquidations: nothing), which record."""

MULTI = "multi"
"""The name of the pool of an account in multi-asset mode."""


class Wallet:
    """The wallet of an account in one asset, and the cross pool that it carries.

    balance is atoms. positions lists the account's positions settled in the asset, isolated ones too, since their
    orders are paid for from here.
    """

    __slots__ = (
        "account", "asset", "auction", "balance", "books", "due", "exempt", "multi", "positions", "reserve", "warned",
    )  # fmt: skip

    def __init__(self, account: AccountId, books: Books, exempt: bool = False) -> None:
        self.account = account
        self.asset = books.asset
        self.books = books
        self.exempt = exempt
        self.balance = 0
        self.reserve = 0
        self.positions: list[Position] = []
        self.due: DueKey | None = None
        self.warned = False
        self.auction: tuple[int, int, int] | None = None
        self.multi: MultiPool | None = None

    @property
    def id(self) -> tuple[AccountId, str]:
        """Account and pool, as facts name them."""
        return self.account, self.asset

    def twin(self, multi: MultiPool | None = None) -> Wallet:
        """A copy with copies of its positions, to ask what would be; by itself, or one of a pool's twins."""
        twin = Wallet(self.account, self.books, self.exempt)
        twin.balance, twin.multi = self.balance, multi
        twin.positions = [position.twin(twin) for position in self.positions]
        return twin

    @property
    def pool(self) -> Wallet | MultiPool:
        """What answers for the cross positions settled in the asset."""
        return self.multi or self


class MultiPool:
    """All wallets of an account in multi-asset mode, which answer together for all of its cross positions.

    assets is what counts as collateral; exchange is the entry of the queue that waits to exchange the pool's debts.
    """

    __slots__ = ("account", "assets", "auction", "due", "exchange", "exempt", "wallets", "warned")

    def __init__(self, account: AccountId, wallets: dict[AssetId, Wallet], assets: dict[AssetId, Asset]) -> None:
        self.account = account
        self.assets = assets
        self.wallets = wallets
        self.exempt = False
        self.due: DueKey | None = None
        self.warned = False
        self.auction: tuple[int, int, int] | None = None
        self.exchange: DueKey | None = None

    def twin(self) -> MultiPool:
        """A copy with copies of its wallets, to ask what would be."""
        twin = MultiPool(self.account, {}, self.assets)
        twin.wallets.update((asset, wallet.twin(twin)) for asset, wallet in self.wallets.items())
        return twin

    @property
    def id(self) -> tuple[AccountId, str]:
        """Account and pool, as facts name them."""
        return self.account, MULTI


class Position:
    """What an account holds, and has on order, in one instrument, or in one leg of it.

    lots is signed. entry_value, atoms, is the exact sum of the values of the trades still open, with the sign of what
    the position gains by: a linear long and an inverse short gain as their value rises, so theirs is positive.
    isolated is the isolated wallet, atoms. bids, asks (notional) and extra (open loss and fees) are the sums over
    open orders, grains. Initial margin is notional x share / whole. low and high are the marks at which the watch
    looks again: at or below, at or above; closing has a bit for each way in which a conditional order closes it, bound
    are those that end with it, reducing are its resting reduce-only orders where it has some that shrink with it. Any
    pool is `due` while its entry waits in the queue, and `warned` from its margin call on until it recovered;
    `auction`: the step that left it due, when the next is (ns), its record.
    """

    __slots__ = (
        "account", "asks", "auction", "auto_add", "band", "bids", "bound", "closing", "contract", "due", "entry_value",
        "exempt", "extra", "floor", "high", "is_isolated", "isolated", "leg", "leverage", "lots", "low", "max_notional",
        "name", "open_orders", "open_triggers", "recovery_line", "reducing", "schedule", "serial", "share", "wallet",
        "warned",
        "warning_line", "whole",
    )  # fmt: skip

    def __init__(self, wallet: Wallet, contract: Contract, leg: Leg = Leg.NET) -> None:
        self.account = wallet.account
        self.wallet = wallet
        self.contract = contract
        self.leg = leg
        self.name = position_name(contract.id, leg)
        self.exempt = wallet.exempt
        self.is_isolated = False
        self.auto_add = False
        self.set_leverage(contract.default_leverage)
        self.lots = 0
        self.entry_value = 0
        self.isolated = 0
        self.bids = 0
        self.asks = 0
        self.extra = 0
        self.open_orders = 0
        self.open_triggers = 0
        self.reducing: ReduceOnlyOrders | None = None
        self.closing = 0
        self.bound: dict[OrderNumber, Trigger] | None = None
        self.floor = 0
        self.low = NEVER
        self.high = NEVER
        self.due: DueKey | None = None
        self.warned = False
        self.auction: tuple[int, int, int] | None = None
        self.serial = NEVER

    @property
    def id(self) -> tuple[AccountId, str]:
        """Account and pool, as facts name them."""
        return self.account, self.name

    @property
    def mode(self) -> MarginMode:
        """Which wallet carries the position."""
        return MarginMode.ISOLATED if self.is_isolated else MarginMode.CROSS

    @property
    def pool(self) -> Pool:
        """What answers for the position: itself when isolated, else the cross pool."""
        return self if self.is_isolated else self.wallet.multi or self.wallet

    def twin(self, wallet: Wallet) -> Position:
        """A copy in another wallet, to ask what would be."""
        twin = Position(wallet, self.contract, self.leg)
        twin.set_leverage(self.leverage)
        twin.is_isolated, twin.isolated = self.is_isolated, self.isolated
        twin.lots, twin.entry_value = self.lots, self.entry_value
        twin.bids, twin.asks, twin.extra, twin.open_orders = self.bids, self.asks, self.extra, self.open_orders
        return twin

    def set_leverage(self, leverage: int) -> None:
        """Take a leverage, and with it the largest notional allowed."""
        rules = self.contract.rules
        self.leverage = leverage
        self.max_notional = rules.brackets.max_notional(leverage)
        self.share, self.whole = rules.initial_share(leverage)
        self.schedule = rules.schedule(leverage)
        self.warning_line, self.recovery_line = rules.warning_lines(self.schedule)
        self.band: Schedule = self.warning_line or self.schedule


Pool = Wallet | Position | MultiPool


class Account:
    """An account: wallets, positions by name, open and conditional orders, and the last outcomes.

    hedges says that it holds a long and a short leg in each instrument; multi is its pool in multi-asset mode; volumes
    is what it traded by day, quote asset; cooldown is until when, ns, it is liquidated in whole positions, not slices.
    clients maps the client ids of what is open, whatever it is, to numbers; countdowns says when what is open in an
    instrument ends, ns.
    """

    __slots__ = (
        "clients", "cooldown", "countdowns", "hedges", "is_reserved", "last_number", "multi", "name", "orders",
        "outcomes", "positions", "triggers", "volumes", "wallets",
    )  # fmt: skip

    def __init__(self, name: AccountId, is_reserved: bool = False) -> None:
        self.name = name
        self.is_reserved = is_reserved
        self.hedges = False
        self.multi: MultiPool | None = None
        self.wallets: dict[AssetId, Wallet] = {}
        self.positions: dict[str, Position] = {}
        self.orders: dict[OrderNumber, Order] = {}
        self.triggers: dict[OrderNumber, Trigger] = {}
        self.clients: dict[ClientId, OrderNumber] = {}
        self.countdowns: dict[InstrumentId, int] = {}
        self.last_number = OrderNumber(0)
        self.outcomes: dict[RequestId, Outcome] = {}
        self.volumes: dict[int, int] = {}
        self.cooldown = 0

    def legs(self, instrument: str) -> list[Position]:
        """The positions in an instrument that the account has kept."""
        names = [position_name(instrument, leg) for leg in Leg]
        return [self.positions[name] for name in names if name in self.positions]
