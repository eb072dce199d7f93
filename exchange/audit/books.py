"""What the auditor knows: accounts with wallets, positions and open orders, instruments, and the venue's own money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from events import facts as f
from events.commands import INSURANCE, MARKET, ChunkId, Command, FundingSource, SessionOptions, Side
from events.guards import NO_BREAKER, Hold, PriceGuards
from events.instructions import SelfTrade
from events.instruments import Collateral, Instrument, Leg, RulePack, SpotPair
from events.observations import Observations
from events.rules import Funds, Layer
from events.units import UNIT, decimal_text
from exchange.audit.contract import Contract
from exchange.audit.links import Groups
from exchange.audit.waiting import Waiters, Waiting

SIGN = {Side.BUY: 1, Side.SELL: -1}
MULTI = "multi"
"""The pool of all wallets of an account in multi-asset mode."""

BATCH_FACTS = 4096
"""So many facts make a batch full, unless its Proceed says fewer; who is due and was not named in it is named in a
later one.
"""

LEAST_FACTS = 3
"""Fewer facts do not make a batch full, whatever its Proceed says."""


class AuditError(Exception):
    """A record that does not add up; the message names its number and the figures that differ.

    account and pool (or instrument) are those of the record, empty where it names none.
    """

    def __init__(self, record: int, what: str, expected: str, found: str, account: str = "", pool: str = "") -> None:
        super().__init__(f"record {record}: {what}: expected {expected}, found {found}")
        self.record, self.what, self.expected, self.found = record, what, expected, found
        self.account, self.pool = account, pool


class Margin(NamedTuple):
    """A pool, or a position in it, at the present marks; fractions of an atom."""

    equity: Fraction
    initial: Fraction
    maintenance: Fraction


@dataclass(slots=True)
class Report:
    """What was audited: numbers of batches and records, facts by kind, liquidations by outcome; atoms by asset.

    deficits is what positions closed at bankruptcy were short of their worth at the mark, and what was covered.
    """

    batches: int = 0
    records: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    liquidations: Counter[str] = field(default_factory=Counter)
    entered: Counter[str] = field(default_factory=Counter)
    fees: Counter[str] = field(default_factory=Counter)
    interest: Counter[str] = field(default_factory=Counter)
    remainders: Counter[str] = field(default_factory=Counter)
    deficits: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Order:
    """What is open of an order, forced ones too.

    loss is the open loss of one lot, and fee what one lot holds back for fees, both fixed when it was placed; a fee of
    None is the instrument's taker fee. lots are open of its whole size, total. since is the
    record since which it stands in its queue. Of an iceberg, visible are the lots of a part of it, shown what it shows
    of the present one.
    """

    side: Side
    lots: int
    price: int | None
    reduce_only: bool
    loss: Fraction = Fraction()
    fee: Fraction | None = None
    client: str = ""
    self_trade: SelfTrade = SelfTrade.NONE
    until: int = 0
    total: int = 0
    amendments: int = 0
    post_only: bool = False
    rests: bool = False
    since: int = 0
    visible: int = 0
    shown: int = 0


@dataclass(slots=True)
class Setting:
    """What an account chose for an instrument, for both of its legs."""

    leverage: int
    is_isolated: bool = False
    auto_add: bool = False


@dataclass(slots=True, eq=False)
class Account:
    """An account: its modes, and what it traded by day, quote asset.

    is_exempt says that it is one of the participants of the house: no fees, never due.
    """

    name: str
    is_exempt: bool = False
    hedges: bool = False
    multi: bool = False
    cooldown: int = 0
    volumes: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True, eq=False)
class Position:
    """A leg of an account in an instrument: signed lots, exact entry value, open orders by number, of these the
    reduce-only ones that rest, and those that wait.

    entry has the sign of what the position gains by, as its worth has.
    """

    owner: Account
    contract: Contract
    setting: Setting
    leg: Leg
    lots: int = 0
    entry: int = 0
    orders: dict[int, Order] = field(default_factory=dict)
    reducing: dict[int, Order] = field(default_factory=dict)
    waiting: dict[int, Waiting] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.owner.name

    @property
    def terms(self) -> Instrument:
        """The terms of its instrument."""
        return self.contract.terms

    @property
    def leverage(self) -> int:
        """What its owner chose."""
        return self.setting.leverage

    @property
    def is_isolated(self) -> bool:
        """Whether it has a wallet of its own."""
        return self.setting.is_isolated

    @property
    def name(self) -> str:
        """Its instrument, with the leg in hedge mode: the name of its pool and wallet where it is isolated."""
        return self.terms.id if self.leg is Leg.NET else f"{self.terms.id}:{self.leg.value}"

    @property
    def wallet(self) -> str:
        """The wallet that pays for it."""
        return self.name if self.is_isolated else self.terms.settle

    @property
    def pool(self) -> str:
        """The pool that answers for it."""
        if self.is_isolated:
            return self.name
        return MULTI if self.owner.multi else self.terms.settle


class Books:
    """Everything that the records so far add up to.

    A wallet is named by its asset or, where it is isolated, by its position; a pool likewise, or `multi`. queue holds
    the pools that are due, warned those whose owners got a margin call, exchanging the accounts whose debts are, owed
    what each position has to be paid of funding that fell due, settling at what price it ends, settled the lots that
    did, interest which debts have to pay. changed are the pools that the last record may have changed, touched those of
    the batch so far; row is the last one of history in the batch so far, bounded what was just said of a price that did
    not move yet; began is the first record of the batch, room how many facts make it full, late those of whom the last
    one had no room to say it; put_off says which pools of the queue wait for which instrument, and why; lacking are
    those below zero that the batch put off; sliced that the liquidation under way closed a part of something large,
    cools that its cooldown was said, capped that the cap of an instrument left something of what it holds. auctions
    says which step left a pool due and when the next one comes; step is that of the auction under way, none where it
    came to its end, stepped that it left its pool due. placed says which position an open order is for, clients the
    number that a client id stands for. layers are those of the pack's last resort whose turn with the forced order
    under way is still to come; hands_over says that the fund takes everything at once; shares are what winners have to
    pay of the loss that was just left. good_till says until when orders live that expire by time; taking is the order
    that was accepted last in the batch; waiters are the conditional orders, columns what is shown of history.
    countdowns says when what an account has open in an instrument ends, running_out is a heap of them, and of some that
    were set anew; those up to run_out_by were said; item is the one of a batch that is decided, items are to come.
    unmeasured are the positions that changed, or whose reduce-only orders did, since these were compared.
    """

    def __init__(self, columns: Mapping[ChunkId, Observations] | None = None) -> None:
        self.report = Report()
        self.columns = {} if columns is None else columns
        self.waiters = Waiters()
        self.now = 0
        self.command: Command | None = None
        self.fact: f.Fact | None = None
        self.row: int | None = None
        self.pack: RulePack | None = None
        self.options = SessionOptions()
        self.house: tuple[str, ...] = (MARKET, INSURANCE)
        self.contracts: dict[str, Contract] = {}
        self.collateral: dict[str, Collateral] = {}
        self.pairs: dict[str, SpotPair] = {}
        self.indices: dict[str, int] = {}
        self.accounts: dict[str, Account] = {}
        self.wallets: dict[str, Counter[str]] = {}
        self.positions: dict[str, dict[str, Position]] = {}
        self.placed: dict[tuple[str, int], Position] = {}
        self.clients: dict[tuple[str, str], int] = {}
        self.good_till: dict[tuple[str, int], int] = {}
        self.countdowns: dict[tuple[str, str], int] = {}
        self.running_out: list[tuple[int, str, str]] = []
        self.run_out_by = 0
        self.items: Iterator[Command] = iter(())
        self.groups = Groups()
        self.item = -1
        self.taking: tuple[Position, int, Order] | None = None
        self.timers: dict[tuple[str, str], int] = {}
        self.queue: dict[tuple[str, str], None] = {}
        self.warned: dict[tuple[str, str], None] = {}
        self.exchanging: dict[str, None] = {}
        self.owed: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.settling: dict[tuple[str, str], int] = {}
        self.settled: Counter[str] = Counter()
        self.interest: Counter[tuple[str, str]] = Counter()
        self.running: f.LiquidationStarted | None = None
        self.closed: Counter[Position] = Counter()
        self.sliced = False
        self.cools = False
        self.capped = False
        self.auctions: dict[tuple[str, str], tuple[int, int]] = {}
        self.step: int | None = None
        self.stepped = False
        self.layers: list[Layer] = []
        self.hands_over = False
        self.shares: list[tuple[Position, int]] = []
        self.offering = ""
        self.put_off: dict[tuple[str, str], tuple[str, Hold]] = {}
        self.lacking: list[tuple[str, str]] = []
        self.bounded: f.PriceBounded | None = None
        self.changed: dict[tuple[str, str], None] = {}
        self.touched: dict[tuple[str, str], None] = {}
        self.late: dict[tuple[str, str], None] = {}
        self.unmeasured: dict[Position, None] = {}
        self.began = 0
        self.room = BATCH_FACTS
        self.figures: dict[tuple[str, str], Margin] = {}
        self.ranks: dict[tuple[str, str], dict[str, int]] = {}

    @property
    def rules(self) -> RulePack:
        """The rule pack of the session."""
        self.hold("the session is open", self.pack is not None, self.fact)
        assert self.pack is not None
        return self.pack

    @property
    def guards(self) -> PriceGuards:
        """What bounds and halts prices: each rule as the session states it, or else its pack."""
        both = [(getattr(self.options.guards, n), getattr(self.rules.guards, n)) for n in PriceGuards.__struct_fields__]
        return PriceGuards(*(packs if stated in (0, NO_BREAKER) else stated for stated, packs in both))

    def fund(self, instrument: str) -> str:
        """The insurance fund of an instrument: its own, where the venue has such, or that of all."""
        own = self.rules.liquidation.funds is Funds.PER_INSTRUMENT
        return f"{INSURANCE}:{instrument}" if own else INSURANCE

    @property
    def fund_assets(self) -> list[str]:
        """What the insurance fund may have something of."""
        return list(dict.fromkeys([*(c.terms.settle for c in self.contracts.values()), *self.collateral]))

    @property
    def computes_funding(self) -> bool:
        """Whether funding rates follow from the premium."""
        return self.options.funding is FundingSource.PREMIUM

    def check(self, what: str, expected: object, found: object, unit: str = "") -> None:
        """Raise AuditError where two figures differ; atoms are told in their unit."""
        if expected != found:
            name = str(getattr(self.fact, "account", ""))
            pool = str(getattr(self.fact, "pool", getattr(self.fact, "instrument", "")))
            raise AuditError(self.report.records, what, _text(expected, unit), _text(found, unit), name, pool)

    def hold(self, what: str, holds: bool, found: object) -> None:
        """Raise AuditError where a rule does not hold."""
        self.check(what, "this to hold", "this to hold" if holds else found)

    def position(self, account: str, instrument: str, leg: Leg = Leg.NET) -> Position:
        """A position by account, instrument and leg."""
        return self.positions[account][instrument if leg is Leg.NET else f"{instrument}:{leg.value}"]

    def legs(self, account: str, instrument: str) -> list[Position]:
        """All positions of an account in an instrument."""
        return [self.position(account, instrument, leg) for leg in Leg]

    def held(self, account: str, asset: str) -> Iterator[Position]:
        """The open cross positions that are settled in an asset."""
        for p in self.positions[account].values():
            if p.lots and p.terms.settle == asset and not p.is_isolated:
                yield p

    def add_account(self, name: str) -> None:
        """An account comes to be, with nothing in it."""
        self.hold("the name is free", name not in self.accounts, name)
        owner = self.accounts[name] = Account(name, name in self.house)
        self.wallets[name] = Counter()
        mine = self.positions[name] = {}
        for contract in self.contracts.values():
            most = contract.terms.brackets[0].max_leverage
            setting = Setting(min(self.rules.default_leverage, most))
            for leg in Leg:
                p = Position(owner, contract, setting, leg)
                mine[p.name] = p

    def pay(self, account: str, wallet: str, amount: int) -> None:
        """A wallet gains or loses."""
        self.wallets[account][wallet] += amount
        self.touch(account, wallet)

    def touch(self, account: str, wallet: str) -> None:
        """What stands in a wallet or in a position of it changed: its pool is to be looked at."""
        keys = [(account, wallet)]
        if self.accounts[account].multi and wallet in self.collateral:
            keys.append((account, MULTI))
        for key in keys:
            self.changed[key] = self.touched[key] = None
            self.figures.pop(key, None)
            self.ranks.pop(key, None)

    def touch_all(self, positions: Iterable[Position]) -> None:
        """The pools of these positions are to be looked at, those of the other position mode left aside."""
        for p in positions:
            if p.owner.hedges == (p.leg is not Leg.NET):
                self.touch(p.account, p.wallet)

    def answers(self, account: str, pool: str) -> bool:
        """Whether there is such a pool, as the account's modes are now."""
        p = self.positions[account].get(pool)
        if p is not None:
            return p.is_isolated
        return self.accounts[account].multi == (pool == MULTI)

    def forget_warnings(self, account: str) -> None:
        """A margin call ends with its pool, where the account's modes changed."""
        for key in [key for key in self.warned if key[0] == account and not self.answers(*key)]:
            del self.warned[key]

    def asset_of(self, account: str, wallet: str) -> str:
        """The asset that a wallet or a pool holds; the valuation asset for all wallets together."""
        if wallet == MULTI:
            return self.rules.valuation
        p = self.positions[account].get(wallet)
        return p.terms.settle if p is not None else wallet

    def fee_rates(self, p: Position) -> tuple[int, int]:
        """Maker and taker fee: the instrument's, or from the second tier on those that 30 days of volume earned."""
        day = self.now // DAY
        volume = sum(traded for at, traded in p.owner.volumes.items() if day - 30 <= at < day)
        reached = [tier for tier in self.rules.fee_tiers[1:] if tier.volume <= volume]
        return (reached[-1].maker, reached[-1].taker) if reached else (p.terms.maker_fee, p.terms.taker_fee)


DAY = 86_400 * 10**9


def _text(figure: object, unit: str) -> str:
    if unit and isinstance(figure, int):
        return f"{decimal_text(figure)} {unit}"
    if unit and isinstance(figure, Fraction):
        return f"{exact_text(figure)} {unit}"
    return str(figure)


def exact_text(atoms: Fraction) -> str:
    """An amount to the grain, as decimal text."""
    grains = round(atoms * UNIT)
    sign, whole = "-" if grains < 0 else "", abs(grains)
    return f"{sign}{whole // UNIT**2}.{whole % UNIT**2:016d}".rstrip("0").rstrip(".")
