"""What clients of the native API send and receive. Prices, sizes and money are decimal texts; times are ns, as shown.

An unknown field of a request is refused, so that a misspelt one does no harm.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

SideText = Literal["buy", "sell"]
Modes = Literal["isolated", "cross"]
Legs = Literal["net", "long", "short"]
Sources = Literal["mark", "last"]


class Asked(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Something that a client asks for."""


class Said(msgspec.Struct, kw_only=True, omit_defaults=False):
    """Something that a client is told."""


# Orders


class NewOrder(Asked):
    """An order: without a price a market order; with a `trigger` or a `callback` one that waits for its price."""

    instrument: str
    side: SideText
    size: str = ""
    price: str | None = None
    time_in_force: Literal["gtc", "ioc", "fok", "gtx", "gtd", "day"] = "gtc"
    reduce_only: bool = False
    leg: Legs = "net"
    client: str = ""
    self_trade: str = "none"
    good_till: int = 0
    price_match: str = "none"
    visible: str | None = None
    trigger_kind: Literal["", "stop", "take_profit", "trailing_stop"] = ""
    trigger: str | None = None
    source: Sources = "last"
    callback: str = "0"
    closes: bool = False
    protects: bool = False
    with_position: bool = False


class Amendment(Asked):
    """Another price, another size of the whole order, or both; of one that waits also another trigger or callback."""

    price: str | None = None
    size: str | None = None
    trigger: str | None = None
    callback: str = "0"


class NewOrders(Asked):
    """Several orders; one that is refused leaves the others as they are."""

    orders: list[NewOrder]


class Outcome(Said):
    """What came of a request: the record that holds it, and what happened to the account in the same batch.

    facts are records as the log has them; none where the request had been decided before, under the same key.
    """

    record: int
    number: int = 0
    order: dict[str, Any] | None = None
    repeated: bool = False
    facts: list[dict[str, Any]] = []


class Standing(Said):
    """An account in one instrument, or in all: what it has and needs. Money in the settle asset."""

    position: str
    entry_price: str
    equity: str
    initial_margin: str
    maintenance_margin: str
    available: str
    margin_ratio: float | None
    liquidation_price: str | None


class Preview(Said):
    """What an order would do at this moment: to whom it would trade, its fee, and the account before and after."""

    accepted: bool
    refused: str | None
    filled: str
    average_price: str | None
    fee: str
    resting: str
    before: Standing
    after: Standing


# Accounts


class Wallet(Said):
    """Money of one asset. balance is what was paid in, and gained or lost for good; isolated wallets apart."""

    asset: str
    balance: str
    equity: str
    available: str
    withdrawable: str


class Position(Said):
    """A position, or a leg of one. pool_equity and pool_maintenance are those of the pool that answers for it."""

    name: str
    instrument: str
    leg: str
    size: str
    entry_price: str
    mark: str
    liquidation_price: str | None
    notional: str
    unrealised_pnl: str
    mode: str
    leverage: int
    isolated_margin: str
    pool_equity: str
    pool_maintenance: str
    adl_light: int | None


class Account(Said):
    """An account as it stands at a record."""

    account: str
    record: int
    at: int
    margin_ratio: float | None
    hedges: bool
    multi_asset: bool
    wallets: list[Wallet]
    positions: list[Position]
    orders: list[dict[str, Any]]
    triggers: list[dict[str, Any]]


class Money(Asked):
    """An amount of an asset; below zero it goes the other way, where that is possible."""

    asset: str
    amount: str
    to: str = ""


class MarginChange(Asked):
    """Money moved to the isolated wallet of a position, or back where the amount is below zero."""

    instrument: str
    amount: str
    leg: Legs = "net"


class Setting(Asked):
    """Settings of an account, in an instrument or as a whole; what is not given stays."""

    instrument: str = ""
    leverage: int | None = None
    mode: Modes | None = None
    auto_add_margin: bool | None = None
    hedges: bool | None = None
    multi_asset: bool | None = None


class NewAccount(Asked):
    """An account to be opened, and what is paid in, by asset."""

    name: str
    deposit: dict[str, str] = {}


class NewKey(Asked):
    """A key to be made. kind `bearer` is for this API, the others sign requests of the Binance dialect."""

    account: str
    scopes: list[Literal["read", "trade", "withdraw", "admin"]]
    kind: Literal["bearer", "hmac", "rsa", "ed25519"] = "bearer"
    public_key: str = ""
    label: str = ""


class KeyTold(Said):
    """A key. Its secret, or token, is told once, when it is made."""

    id: str
    account: str
    scopes: list[str]
    kind: str
    label: str
    created: int
    secret: str = ""


# Session and replay


class Session(Said):
    """The session that is served. `on_time` says that what is shown as now is the wall's now."""

    name: str
    version: str
    pack: str
    rules_version: int
    opened: int
    now: int
    record: int
    batch: int
    digest: str
    playing: bool
    speed: str
    on_time: bool
    at_end: bool


class Speed(Asked):
    """Session time for each second of wall time: "1", "0.5", "max"."""

    speed: str


class Seek(Asked):
    """A time ahead, ns as shown: the market goes there at once."""

    at: int


class NewFork(Asked):
    """A fork of the session at a record: another session, in a file beside it, with things set differently.

    settings are written as for `ringfence fork --set`.
    """

    name: str
    record: int
    settings: list[str] = []


class Forked(Said):
    """A fork that was made."""

    file: str
    record: int
    batches: int
    digest: str


class LogRecord(Said):
    """A record of the log: its number, its batch, its time (ns, session time), its cause, what it says."""

    seq: int
    batch: int
    at: int
    cause: int
    message: dict[str, Any]


class LogPage(Said):
    """Records in order; ask for what comes after `next` to read on. `head` is where the log ends."""

    records: list[LogRecord]
    next: int
    head: int


# The market


class InstrumentTold(Said):
    """The terms of an instrument."""

    id: str
    kind: str
    base: str
    quote: str
    settle: str
    tick: str
    lot: str
    min_size: str
    max_size: str
    min_notional: str
    maker_fee: str
    taker_fee: str
    max_leverage: int
    brackets: list[dict[str, Any]]


class Depth(Said):
    """A book with sequence number `record`: diffs of the stream whose `previous` is at least that join it."""

    instrument: str
    record: int
    at: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class Candle(Said):
    """What was traded from `start` on for the length of an interval."""

    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    value: str
    trades: int


class Problem(Said):
    """Why a request was not done: a code that does not change, and one line that says what to do."""

    code: str
    message: str
    record: int = 0
