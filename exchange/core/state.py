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

from sortedcontainers import SortedDict, SortedList

from events.commands import INSURANCE, MARKET, AccountId, ChunkId, Impact, OrderNumber, SessionOptions, funds_of
from events.guards import UNGUARDED, either
from events.instruments import AssetId, FeeTier, InstrumentId, Leg, RulePack, position_name
from events.observations import Observations
from events.units import Nanos
from exchange.core.contract import Contract
from exchange.core.due import DueKind, Wait
from exchange.core.holdings import MULTI, NEVER, Account, Due, DueKey, MultiPool, Outcome, Pool, Position, Wallet
from exchange.core.ledger import Books
from exchange.core.links import Link, LinkKey
from exchange.core.margin.collateral import Asset, assets_of

if TYPE_CHECKING:
    from exchange.core.book import Order
    from exchange.core.liquidation.adl import Ranking
    from exchange.core.triggers.trigger import Trigger

__all__ = [
    "BATCH_FACTS",
    "FAR",
    "MULTI",
    "NEVER",
    "RULES_VERSION",
    "Account",
    "Due",
    "DueKey",
    "MultiPool",
    "Outcome",
    "Pool",
    "Position",
    "State",
    "TimerKey",
    "Wallet",
]

RULES_VERSION = 1
"""The version of the rules that this core decides by; recorded when a session opens."""

BATCH_FACTS = 4096
"""A batch holds so many facts at most, but for one order's own walk through the book."""

TimerKey = tuple[int, int, str]
"""When (ns), which `DueKind` falls due, of which instrument (interest: of none)."""

FAR = 1 << 100
"""A time that never comes."""


class State:
    """Everything that the facts so far add up to. A fresh one is a session that was not opened yet.

    seq and batch number the last record and batch, now is the latest time seen. dirty maps the pools that the watch has
    to look at before the batch ends to the record that touched them; left, those of whom there is, or may be, something
    to say that the last batch had no room for; full is the number of the record after which the batch has none. owed is
    the part of due that waits for single positions or wallets; put_off holds by instrument the liquidations that left
    due and wait for it; stepped are the pools that an auction's step left due, until they are named again; funds names
    each instrument's insurance fund; guards are those of the session, or else of the pack; gated_until is until when no
    money leaves, 0 where it may; next_timer is when the first of the timers fires, or of good_till, orders that expire
    by their time, or of the countdowns, (until, account, instrument), of which run_out are the entries of the queue for
    those whose time came; multis are the accounts in multi-asset mode; cause is the record that the next fact follows
    from. rankings are the queues of deleveraging, by instrument and side, as long as no mark moves; reached the
    instruments whose prices reached triggers in this batch, with the record that did first; exceeding the
    positions that are less than their reduce-only orders close, with the record since which they are; orphans the
    conditional orders that end with a position, which the record closed, until that is said. links are those of linked
    orders; pending is what follows for whom from what happened to another: the record, and for how many lots it is to
    be armed, 0 where it is to end. columns is lent by the host: the chunks that an AdvanceMarket may name.
    """

    __slots__ = (
        "accounts", "assets", "batch", "cause", "columns", "contracts", "countdowns", "dirty", "due", "exceeding",
        "fee_tiers", "full", "funds", "gated_until", "good_till", "guards", "keeps_impact", "ledger", "left", "links",
        "multis", "next_timer", "now", "options", "orphans", "owed", "pack", "pending", "put_off", "rankings",
        "reached", "run_out", "seq", "stepped", "timers",
    )  # fmt: skip

    def __init__(self) -> None:
        self.seq = 0
        self.batch = 0
        self.cause = 0
        self.now = Nanos(0)
        self.pack: RulePack | None = None
        self.options = SessionOptions()
        self.keeps_impact = True
        self.guards = UNGUARDED
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
        self.good_till: SortedList[tuple[int, AccountId, OrderNumber]] = SortedList()
        self.countdowns: SortedDict[tuple[int, AccountId, InstrumentId], None] = SortedDict()
        self.run_out: list[DueKey] = []
        self.gated_until = 0
        self.funds: dict[InstrumentId, AccountId] = {}
        self.dirty: dict[Pool, int] = {}
        self.left: SortedDict[tuple[AccountId, str], tuple[Pool, int]] = SortedDict()
        self.full = 0
        self.rankings: dict[tuple[InstrumentId, int], Ranking] = {}
        self.reached: dict[InstrumentId, int] = {}
        self.exceeding: dict[Position, int] = {}
        self.orphans: dict[Trigger, int] = {}
        self.links: dict[LinkKey, Link] = {}
        self.pending: dict[LinkKey, tuple[int, int]] = {}
        self.columns: dict[ChunkId, Observations] = {}

    @property
    def has_work(self) -> bool:
        """Whether a Proceed has something to do."""
        if self.due or self.left or self.exceeding or self.orphans or self.pending:
            return True
        return bool(self.good_till) and self.good_till[0][0] <= self.now

    def open(self, pack: RulePack, options: SessionOptions) -> None:
        """Take the rules: instruments, assets, and the participants of the house come to be. For `apply` only."""
        self.pack, self.options = pack, options
        self.keeps_impact = options.impact is Impact.CONSUME
        self.guards = either(options.guards, pack.guards)
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
        if self.rankings:
            for ranking in self.rankings.values():
                ranking.again[pool] = None

    def set_timer(self, at: int, kind: DueKind, instrument: str = "") -> None:
        """Let this fall due at that time. For `apply` only."""
        insort(self.timers, (at, int(kind), instrument))
        self.rewind()

    def rewind(self) -> None:
        """Find anew when something falls due by time. For `apply` only."""
        first = self.timers[0][0] if self.timers else FAR
        if self.good_till:
            first = min(first, self.good_till[0][0])
        self.next_timer = min(first, self.next_countdown()) if self.countdowns else first

    def next_countdown(self) -> int:
        """When the first countdown ends whose time is still to come."""
        after = self.run_out[-1][0] + 1 if self.run_out else 0
        return next((key[0] for key in self.countdowns.irange((after,))), FAR)

    def keep_good_till(self, order: Order | Trigger) -> None:
        """An order is open that expires at its time. For `apply` only."""
        self.good_till.add((order.until, order.account, order.number))
        self.rewind()

    def drop_good_till(self, order: Order | Trigger) -> None:
        """Such an order is gone. For `apply` only."""
        self.good_till.remove((order.until, order.account, order.number))
        self.rewind()

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
