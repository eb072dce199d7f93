"""The state of a session: what the facts add up to. Only `apply` changes it.

State
├── accounts    name -> Account -> wallets by asset, positions by instrument, open orders by number, outcomes
├── contracts   instrument -> Contract: terms, mark, book, holders, triggers
├── ledger      asset -> Books: what entered, fees, remainders
└── due         (at, kind, account or instrument, pool, record) -> Due: work that waits for a Proceed
"""

from __future__ import annotations

from enum import IntEnum

import msgspec
from sortedcontainers import SortedDict

from events.commands import INSURANCE, MARKET, AccountId, ChunkId, OrderNumber, RequestId, SessionOptions
from events.instruments import AssetId, Instrument, InstrumentId, MarginMode, RulePack
from events.observations import Observations
from events.refusals import Reason
from events.units import Nanos
from exchange.core.book import Book, Order
from exchange.core.ledger import Books
from exchange.core.margin.brackets import BracketTable
from exchange.core.matching.market import MarketFeed

RULES_VERSION = 1
"""The version of the rules that this core decides by; recorded when a session opens."""

OUTCOMES_KEPT = 1024
"""How many outcomes of an account's commands are remembered."""

NEVER = -1
"""A trigger that no mark reaches."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How a trader's command was decided: the number of its record, and the rule it broke, if any."""

    seq: int
    reason: Reason | None


class DueKind(IntEnum):
    """Kinds of due work, in the order in which they are done at one time."""

    FUNDING = 0
    LIQUIDATION = 1


class Due(msgspec.Struct):
    """Due work: the number of the record that brought it, and for funding what each position is charged by.

    owing holds the accounts not settled yet, in the order in which they came to hold a position.
    """

    seq: int
    rate: int = 0
    mark: int = 0
    owing: dict[AccountId, None] = {}


DueKey = tuple[int, int, str, str, int]
"""When (ns), which `DueKind`, the account (funding: the instrument), the pool (funding: nothing), which record."""


class Wallet:
    """The wallet of an account in one asset, and the cross pool that it carries.

    balance is atoms. positions lists the account's positions settled in the asset, isolated ones too, since their
    orders are paid for from here.
    """

    __slots__ = ("account", "asset", "balance", "books", "due", "exempt", "positions")

    def __init__(self, account: AccountId, books: Books) -> None:
        self.account = account
        self.asset = books.asset
        self.books = books
        self.exempt = account in (MARKET, INSURANCE)
        self.balance = 0
        self.positions: list[Position] = []
        self.due: DueKey | None = None

    @property
    def id(self) -> tuple[AccountId, str]:
        """Account and pool, as facts name them."""
        return self.account, self.asset


class Position:
    """What an account holds, and has on order, in one instrument.

    lots is signed; entry_value, atoms, has the same sign: the exact sum of the values of the trades still open.
    isolated is the isolated wallet, atoms. bids, asks (notional) and extra (open loss and fee) are the sums over open
    orders, grains. low and high are the marks at which the watch looks again: at or below, at or above.
    """

    __slots__ = (
        "account", "asks", "bids", "contract", "due", "entry_value", "exempt", "extra", "high", "is_isolated",
        "isolated", "leverage", "lots", "low", "max_notional", "open_orders", "serial", "wallet",
    )  # fmt: skip

    def __init__(self, wallet: Wallet, contract: Contract) -> None:
        self.account = wallet.account
        self.wallet = wallet
        self.contract = contract
        self.exempt = wallet.exempt
        self.is_isolated = False
        self.set_leverage(contract.default_leverage)
        self.lots = 0
        self.entry_value = 0
        self.isolated = 0
        self.bids = 0
        self.asks = 0
        self.extra = 0
        self.open_orders = 0
        self.low = NEVER
        self.high = NEVER
        self.due: DueKey | None = None
        self.serial = NEVER

    @property
    def id(self) -> tuple[AccountId, str]:
        """Account and pool, as facts name them."""
        return self.account, self.contract.id

    @property
    def mode(self) -> MarginMode:
        """Which wallet carries the position."""
        return MarginMode.ISOLATED if self.is_isolated else MarginMode.CROSS

    @property
    def pool(self) -> Pool:
        """What answers for the position: itself when isolated, else the cross pool."""
        return self if self.is_isolated else self.wallet

    def set_leverage(self, leverage: int) -> None:
        """Take a leverage, and with it the largest notional allowed."""
        self.leverage = leverage
        self.max_notional = self.contract.brackets.max_notional(leverage)


Pool = Wallet | Position


class Account:
    """An account: wallets, positions, open orders, and the last outcomes of its commands."""

    __slots__ = ("is_reserved", "last_number", "name", "orders", "outcomes", "positions", "wallets")

    def __init__(self, name: AccountId) -> None:
        self.name = name
        self.is_reserved = name in (MARKET, INSURANCE)
        self.wallets: dict[AssetId, Wallet] = {}
        self.positions: dict[InstrumentId, Position] = {}
        self.orders: dict[OrderNumber, Order] = {}
        self.last_number = OrderNumber(0)
        self.outcomes: dict[RequestId, Outcome] = {}


class Contract:
    """An instrument at work: its terms, its mark, its book, who holds it, and the triggers of the watch.

    per_tick_lot is the value of one lot at one tick in atoms, notional_per_tick_lot the same in grains, lot the
    grains by which a lot's notional grows per mark unit; marked is the record that moved the mark last. lows and
    highs are heaps of (-low, serial) and (high, serial); an entry counts only while the position still bears that
    trigger.
    """

    __slots__ = (
        "book", "brackets", "clearing", "default_leverage", "feed", "held_by", "highs", "holders", "id", "lot",
        "lows", "mark", "marked", "notional_per_tick_lot", "per_tick_lot", "positions", "settle", "terms", "tick",
    )  # fmt: skip

    def __init__(self, terms: Instrument, default_leverage: int, options: SessionOptions) -> None:
        self.terms = terms
        self.id = terms.id
        self.settle = terms.settle
        self.tick: int = terms.tick
        self.lot = terms.lot
        self.per_tick_lot = terms.atoms_per_tick_lot
        self.notional_per_tick_lot = terms.tick * terms.lot
        self.brackets = BracketTable(terms.brackets)
        self.default_leverage = min(default_leverage, self.brackets.max_leverage)
        self.book = Book(options)
        self.feed = MarketFeed(self.book, options, self.fillable)
        self.mark = 0
        self.marked = 0
        self.clearing = 0
        self.positions: list[Position] = []
        self.held_by: dict[AccountId, Position] = {}
        self.holders: dict[AccountId, None] = {}
        self.lows: list[tuple[int, int]] = []
        self.highs: list[tuple[int, int]] = []

    def fillable(self, order: Order) -> int:
        """How many lots an order in the book may trade: a reduce-only one not more than there is to reduce."""
        if not order.reduce_only:
            return order.lots
        held = self.held_by[order.account].lots
        return min(order.lots, abs(held)) if held * order.sign < 0 else 0


class State:
    """Everything that the facts so far add up to. A fresh one is a session that was not opened yet.

    seq and batch number the last record and batch, now is the latest time seen. dirty maps the pools that the watch
    has to look at before the batch ends to the record that touched them, funding_due the part of due that is funding;
    cause is the record that the next fact follows from. columns is lent by the host: the chunks that an AdvanceMarket
    may name.
    """

    __slots__ = (
        "accounts", "batch", "cause", "columns", "contracts", "dirty", "due", "funding_due", "keeps_impact", "ledger",
        "now", "options", "pack", "seq",
    )  # fmt: skip

    def __init__(self) -> None:
        self.seq = 0
        self.batch = 0
        self.cause = 0
        self.now = Nanos(0)
        self.pack: RulePack | None = None
        self.options = SessionOptions()
        self.keeps_impact = True
        self.accounts: dict[AccountId, Account] = {}
        self.contracts: dict[InstrumentId, Contract] = {}
        self.ledger: dict[AssetId, Books] = {}
        self.due: SortedDict[DueKey, Due] = SortedDict()
        self.funding_due: SortedDict[DueKey, Due] = SortedDict()
        self.dirty: dict[Pool, int] = {}
        self.columns: dict[ChunkId, Observations] = {}

    def wallet(self, account: Account, asset: AssetId) -> Wallet:
        """The account's wallet; one that is not kept yet where it has none."""
        return account.wallets.get(asset) or Wallet(account.name, self.ledger[asset])

    def position(self, account: Account, contract: Contract) -> Position:
        """The account's position; one that is not kept yet where it has none."""
        return account.positions.get(contract.id) or Position(self.wallet(account, contract.settle), contract)

    def keep_wallet(self, account: Account, asset: AssetId) -> Wallet:
        """The account's wallet, kept from now on. For `apply` only."""
        wallet = account.wallets.get(asset)
        if wallet is None:
            wallet = account.wallets[asset] = Wallet(account.name, self.ledger[asset])
        return wallet

    def keep_position(self, account: Account, contract: Contract) -> Position:
        """The account's position, kept from now on. For `apply` only."""
        position = account.positions.get(contract.id)
        if position is None:
            wallet = self.keep_wallet(account, contract.settle)
            position = account.positions[contract.id] = Position(wallet, contract)
            position.serial = len(contract.positions)
            contract.positions.append(position)
            contract.held_by[account.name] = position
            wallet.positions.append(position)
        return position
