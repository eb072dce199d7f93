"""The state of a session: what the facts add up to. Only `apply` changes it.

State
├── accounts    name -> Account -> wallets by asset, positions by name, open orders by number, outcomes
├── contracts   instrument -> Contract: terms, mark, book, holders, triggers
├── assets      asset -> Asset: what counts of it as collateral, its index price
├── ledger      asset -> Books: what entered, fees, remainders
├── timers      (at, kind, instrument): what falls due by the passing of time
├── put_off     instrument -> (key of due) -> Wait: liquidations that wait for it, and for what
└── due         (at, kind, account or instrument, pool, record) -> Due: work that waits for a Proceed
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

import msgspec
from sortedcontainers import SortedDict

from events.commands import (
    INSURANCE,
    MARKET,
    AccountId,
    ChunkId,
    Impact,
    OrderNumber,
    RequestId,
    SessionOptions,
    funds_of,
)
from events.instruments import AssetId, FeeTier, InstrumentId, Leg, MarginMode, RulePack, position_name
from events.observations import Observations
from events.refusals import Reason
from events.units import Nanos
from exchange.core.book import Order
from exchange.core.contract import Contract
from exchange.core.due import DueKind, Wait
from exchange.core.ledger import Books
from exchange.core.margin.brackets import Schedule
from exchange.core.margin.collateral import Asset, assets_of

if TYPE_CHECKING:
    from exchange.core.liquidation.adl import Ranking

RULES_VERSION = 1
"""The version of the rules that this core decides by; recorded when a session opens."""

BATCH_FACTS = 4096
"""A batch holds so many facts at most, but for one order's own walk through the book."""

NEVER = -1
"""A trigger that no mark reaches."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How a trader's command was decided: the number of its record, and the rule it broke, if any."""

    seq: int
    reason: Reason | None


class Due(msgspec.Struct):
    """Due work: the number of the record that brought it, and what each position is charged or settled by.

    owing holds the positions (interest: the wallets) not settled yet, in the order in which they were opened.
    """

    seq: int
    rate: int = 0
    mark: int = 0
    owing: dict[Position | Wallet, None] = {}
    over: int = 1


DueKey = tuple[int, int, str, str, int]
"""When (ns), which `DueKind`, the account or instrument, the pool (but for liquidations: nothing), which record."""

TimerKey = tuple[int, int, str]
"""When (ns), which `DueKind` falls due, of which instrument (interest: of none)."""

FAR = 1 << 100
"""A time that never comes."""

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
    isolated is the isolated wallet, atoms. bids, asks (notional) and extra (open loss and fees) are the sums over open
    orders, grains. Initial margin is notional x share / whole. low and high are the marks at which the watch looks
    again: at or below, at or above. Any pool is `due` while its entry waits in the queue, and `warned` from its margin
    call on until it recovered; `auction`: the step that left it due, when the next is (ns), its record.
    """

    __slots__ = (
        "account", "asks", "auction", "auto_add", "band", "bids", "contract", "due", "entry_value", "exempt", "extra",
        "floor", "high", "is_isolated", "isolated", "leg", "leverage", "lots", "low", "max_notional", "name",
        "open_orders", "schedule", "serial", "share", "wallet", "warned", "warning_line", "whole",
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
        self.warning_line = rules.warning_line(self.schedule)
        self.band: Schedule = self.warning_line or self.schedule


Pool = Wallet | Position | MultiPool


class Account:
    """An account: wallets, positions by name, open orders, and the last outcomes of its commands.

    hedges says that it holds a long and a short leg in each instrument; multi is its pool in multi-asset mode; volumes
    is what it traded by day, quote asset; cooldown is until when, ns, it is liquidated in whole positions, not slices.
    """

    __slots__ = (
        "cooldown", "hedges", "is_reserved", "last_number", "multi", "name", "orders", "outcomes", "positions",
        "volumes", "wallets",
    )  # fmt: skip

    def __init__(self, name: AccountId, is_reserved: bool = False) -> None:
        self.name = name
        self.is_reserved = is_reserved
        self.hedges = False
        self.multi: MultiPool | None = None
        self.wallets: dict[AssetId, Wallet] = {}
        self.positions: dict[str, Position] = {}
        self.orders: dict[OrderNumber, Order] = {}
        self.last_number = OrderNumber(0)
        self.outcomes: dict[RequestId, Outcome] = {}
        self.volumes: dict[int, int] = {}
        self.cooldown = 0

    def legs(self, instrument: str) -> list[Position]:
        """The positions in an instrument that the account has kept."""
        names = [position_name(instrument, leg) for leg in Leg]
        return [self.positions[name] for name in names if name in self.positions]


class State:
    """Everything that the facts so far add up to. A fresh one is a session that was not opened yet.

    seq and batch number the last record and batch, now is the latest time seen. dirty maps the pools that the watch has
    to look at before the batch ends to the record that touched them; left, those of whom there is, or may be, something
    to say that the last batch had no room for; full is the number of the record after which the batch has none. owed is
    the part of due that waits for single positions or wallets; put_off holds by instrument the liquidations that left
    due and wait for it; stepped are the pools that an auction's step left due, until they are named again; funds names
    each instrument's insurance fund; gated_until is until when no money leaves, 0 where it may; next_timer is when the
    first of the timers fires; multis are the accounts in multi-asset mode; cause is the record that the next fact
    follows from. rankings are the queues of deleveraging, by instrument and side, as long as no mark moves. columns is
    lent by the host: the chunks that an AdvanceMarket may name.
    """

    __slots__ = (
        "accounts", "assets", "batch", "cause", "columns", "contracts", "dirty", "due", "fee_tiers", "full",
        "funds", "gated_until", "keeps_impact", "ledger", "left", "multis", "next_timer", "now", "options", "owed",
        "pack", "put_off", "rankings", "seq", "stepped", "timers",
    )  # fmt: skip

    def __init__(self) -> None:
        self.seq = 0
        self.batch = 0
        self.cause = 0
        self.now = Nanos(0)
        self.pack: RulePack | None = None
        self.options = SessionOptions()
        self.keeps_impact = True
        self.fee_tiers: tuple[FeeTier, ...] = ()
        self.accounts: dict[AccountId, Account] = {}
        self.contracts: dict[InstrumentId, Contract] = {}
        self.assets: dict[AssetId, Asset] = {}
        self.multis: dict[AccountId, MultiPool] = {}
        self.ledger: dict[AssetId, Books] = {}
        self.due: SortedDict[DueKey, Due] = SortedDict()
        self.owed: SortedDict[DueKey, Due] = SortedDict()
        self.put_off: dict[InstrumentId, dict[DueKey, Wait]] = {}
        self.stepped: dict[Pool, None] = {}
        self.timers: list[TimerKey] = []
        self.next_timer = FAR
        self.gated_until = 0
        self.funds: dict[InstrumentId, AccountId] = {}
        self.dirty: dict[Pool, int] = {}
        self.left: SortedDict[tuple[AccountId, str], tuple[Pool, int]] = SortedDict()
        self.full = 0
        self.rankings: dict[tuple[InstrumentId, int], Ranking] = {}
        self.columns: dict[ChunkId, Observations] = {}

    @property
    def has_work(self) -> bool:
        """Whether a Proceed has something to do."""
        return bool(self.due or self.left)

    def open(self, pack: RulePack, options: SessionOptions) -> None:
        """Take the rules: instruments, assets, and the participants of the house come to be. For `apply` only."""
        self.pack, self.options = pack, options
        self.keeps_impact = options.impact is Impact.CONSUME
        self.fee_tiers = pack.fee_tiers
        self.assets = assets_of(pack.collateral, pack.spot)
        for terms in pack.instruments:
            self.contracts[terms.id] = Contract(terms, pack, options)
            self.ledger.setdefault(terms.settle, Books(terms.settle))
        for asset in self.assets:
            self.ledger.setdefault(asset, Books(asset))
        self.funds = funds_of(pack)
        for name in self.house():
            self.accounts[name] = Account(name, is_reserved=True)

    def house(self) -> list[AccountId]:
        """The participants of the house: MARKET and the insurance funds, the general one first."""
        return list(dict.fromkeys((MARKET, INSURANCE, *self.funds.values())))

    def fund(self, contract: Contract) -> Account:
        """The insurance fund that bears the liquidations of a contract."""
        return self.accounts[self.funds[contract.id]]

    def touch(self, pool: Pool) -> None:
        """The pool changed. For `apply` only."""
        self.dirty[pool] = self.seq
        for ranking in self.rankings.values():
            ranking.again[pool] = None

    def set_timer(self, at: int, kind: DueKind, instrument: str = "") -> None:
        """Let this fall due at that time. For `apply` only."""
        insort(self.timers, (at, int(kind), instrument))
        self.next_timer = self.timers[0][0]

    def wallet(self, account: Account, asset: AssetId) -> Wallet:
        """The account's wallet; one that is not kept yet where it has none."""
        return account.wallets.get(asset) or self._new_wallet(account, asset)

    def _new_wallet(self, account: Account, asset: AssetId) -> Wallet:
        wallet = Wallet(account.name, self.ledger[asset], account.is_reserved)
        if account.multi:
            wallet.multi, wallet.due = account.multi, account.multi.due
        return wallet

    def position(self, account: Account, contract: Contract, leg: Leg = Leg.NET) -> Position:
        """The account's position; one that is not kept yet where it has none."""
        name = position_name(contract.id, leg)
        return account.positions.get(name) or self._made(account, self.wallet(account, contract.settle), contract, leg)

    def _made(self, account: Account, wallet: Wallet, contract: Contract, leg: Leg) -> Position:
        """A new position, with the mode and leverage that the account has in the instrument."""
        position = Position(wallet, contract, leg)
        for known in account.legs(contract.id):
            position.is_isolated, position.auto_add = known.is_isolated, known.auto_add
            position.set_leverage(known.leverage)
            break
        return position

    def keep_wallet(self, account: Account, asset: AssetId) -> Wallet:
        """The account's wallet, kept from now on. For `apply` only."""
        wallet = account.wallets.get(asset)
        if wallet is None:
            wallet = account.wallets[asset] = self._new_wallet(account, asset)
        return wallet

    def keep_position(self, account: Account, contract: Contract, leg: Leg = Leg.NET) -> Position:
        """The account's position, kept from now on. For `apply` only."""
        name = position_name(contract.id, leg)
        position = account.positions.get(name)
        if position is None:
            wallet = self.keep_wallet(account, contract.settle)
            position = account.positions[name] = self._made(account, wallet, contract, leg)
            position.serial = len(contract.positions)
            contract.positions.append(position)
            wallet.positions.append(position)
        return position
