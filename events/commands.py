"""What may be asked of the exchange. Every command carries `at`, the time it was given; the log keeps them all.

Commands of a trader carry (account, request): a request that was already decided gets its first outcome again.
"""

from __future__ import annotations

from enum import Enum
from typing import NewType

import msgspec

from events.instructions import PriceMatch, SelfTrade
from events.instruments import AssetId, InstrumentId, Leg, MarginMode, RulePack
from events.options import FundingSource as FundingSource  # named here too, beside the command that they are given with
from events.options import Impact as Impact
from events.options import MarkSource as MarkSource
from events.options import QueueModel as QueueModel
from events.options import SessionOptions as SessionOptions
from events.options import TradeFills as TradeFills
from events.phases import TradingPhase
from events.rules import Funds
from events.triggers import PriceSource, TriggerKind
from events.units import Atoms, Lots, MarkUnits, Nanos, Rate, Ticks

AccountId = NewType("AccountId", str)
RequestId = NewType("RequestId", str)
OrderNumber = NewType("OrderNumber", int)
ClientId = NewType("ClientId", str)
ChunkId = NewType("ChunkId", str)

MARKET = AccountId("MARKET")
"""The participant that stands for history: no margin, no fees, never liquidated."""

INSURANCE = AccountId("INSURANCE")
"""The participant that owns the insurance fund and the positions that it took over."""


def funds_of(pack: RulePack) -> dict[InstrumentId, AccountId]:
    """The participant whose insurance fund bears the liquidations of each instrument.

    Where each has one of its own, INSURANCE is the general one, which covers cross pools that are below zero.
    """
    if pack.liquidation.funds is Funds.SHARED:
        return {terms.id: INSURANCE for terms in pack.instruments}
    return {terms.id: AccountId(f"{INSURANCE}:{terms.id}") for terms in pack.instruments}


LIQUIDATION_ORDER = OrderNumber(0)
"""The order number of a forced order; traders count from 1."""

CLIENT_ID_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:/_-"
"""What a client order id is made of, CLIENT_ID_LENGTH of them at most.

Source: Binance USD-M, "New Order", newClientOrderId.
"""

CLIENT_ID_LENGTH = 36


class Side(Enum):
    """The side of an order."""

    BUY = "buy"
    SELL = "sell"


class TimeInForce(Enum):
    """How long an order lives: till cancelled, immediate or cancel, fill or kill, post-only (GTX), till its good_till
    (GTD), or till the end of the day, UTC, where the contract is a dated one.
    """

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "gtx"
    GTD = "gtd"
    DAY = "day"


class Command(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="kind"):
    """Something asked. Recorded before the facts that it leads to; what is left at its default is not written."""

    at: Nanos


class TradersCommand(Command):
    """A command of a trader. A (account, request) that was decided before gets its first outcome again."""

    account: AccountId
    request: RequestId


class OpenSession(Command, tag="open_session.1"):
    """Start the session under a rule pack."""

    rules_version: int
    pack: RulePack
    options: SessionOptions


class OpenAccount(TradersCommand, tag="open_account.1"):
    """Open an account; it holds nothing yet and trades in cross mode until told otherwise."""


class Deposit(TradersCommand, tag="deposit.1"):
    """Bring money from outside into an account's wallet, or into the insurance fund."""

    asset: AssetId
    amount: Atoms


class Withdraw(TradersCommand, tag="withdraw.1"):
    """Take money that no position and no order needs out of a wallet."""

    asset: AssetId
    amount: Atoms


class Transfer(TradersCommand, tag="transfer.1"):
    """Move money that no position and no order needs to the wallet of another account."""

    asset: AssetId
    amount: Atoms
    to: AccountId


class ExchangeAsset(TradersCommand, tag="exchange_asset.1"):
    """Exchange so much of an asset for another one, at their index prices less the fees of their spot pairs."""

    asset: AssetId
    amount: Atoms
    into: AssetId


class PlaceOrder(TradersCommand, tag="place_order.1"):
    """Place an order named (account, number). No price means a market order.

    price is whole ticks and lots whole lots. Where a client's text was not a whole number of them the edge passes the
    text on as it stands, so that the refusal is recorded with what was asked. In hedge mode leg names the position; an
    order that closes its leg is reduce-only. client is a name of the trader's own: of his open orders one at most has
    it, and once that ended it may be used again. self_trade says what happens where it would trade with its own
    account. good_till, ns, is until when a GTD order lives.
    price_match, in the place of a price, is the price of the book that it takes. visible are the lots that the book
    shows of it at a time, 0 for all of them.
    """

    number: OrderNumber
    instrument: InstrumentId
    side: Side
    lots: Lots | str
    price: Ticks | str | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    leg: Leg = Leg.NET
    client: ClientId = ClientId("")
    self_trade: SelfTrade = SelfTrade.NONE
    good_till: Nanos = Nanos(0)
    price_match: PriceMatch = PriceMatch.NONE
    visible: Lots | str = Lots(0)


class PlaceTrigger(TradersCommand, tag="place_trigger.1"):
    """Place a conditional order named (account, number): it becomes an order once the price comes to `trigger`.

    source is whose price. No limit price makes a market order of it then. A trailing stop follows its price from
    `trigger` on (without one, at once) and fires where that turns back by `callback`. One that `closes` is for the
    whole position and states no lots. One that `protects` expires where mark and last price are further apart than the
    instrument allows when it fires. good_till, ns, is until when a GTD one lives, fired or not. price_match is the
    price of the book that it takes when it fires. One with_position, which only reduces, ends with its position.
    """

    number: OrderNumber
    instrument: InstrumentId
    side: Side
    trigger_kind: TriggerKind
    lots: Lots | str = Lots(0)
    trigger: Ticks | str | None = None
    price: Ticks | str | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    source: PriceSource = PriceSource.LAST
    reduce_only: bool = False
    callback: Rate = Rate(0)
    closes: bool = False
    protects: bool = False
    leg: Leg = Leg.NET
    client: ClientId = ClientId("")
    self_trade: SelfTrade = SelfTrade.NONE
    good_till: Nanos = Nanos(0)
    price_match: PriceMatch = PriceMatch.NONE
    with_position: bool = False


class CancelOrder(TradersCommand, tag="cancel_order.1"):
    """Cancel what is open of an order, or a conditional one that has not fired; where its number is 0, of the one with
    that client id.
    """

    number: OrderNumber
    client: ClientId = ClientId("")


class AmendOrder(TradersCommand, tag="amend_order.1"):
    """Give a resting order another price, another size, or both; where its number is 0, the one with that client id.

    lots is the new size of the whole order, what is executed of it included. Where either is left out it stays; both
    may be text as in `PlaceOrder`. An order whose new size is executed already, or a post-only one that would take at
    its new price, is cancelled. Source: Binance USD-M, "Modify Order". With a trigger price, which activates a trailing
    stop, or a callback, the same or another, it is for a conditional order whose price has not come.
    """

    number: OrderNumber
    price: Ticks | str | None = None
    lots: Lots | str | None = None
    client: ClientId = ClientId("")
    trigger: Ticks | str | None = None
    callback: Rate = Rate(0)


class CancelAll(TradersCommand, tag="cancel_all.1"):
    """Cancel everything that is open in an instrument, conditional orders too."""

    instrument: InstrumentId


class SubmitBatch(TradersCommand, tag="submit_batch.1"):
    """Place, amend and cancel several orders one after the other; one that is refused leaves the others as they are.

    Items have the account and the time of the batch, and each a request id of its own, under which its outcome is kept:
    sent again, in a batch or by itself, it changes nothing. Source: Binance USD-M, "Place Multiple Orders".
    """

    items: tuple[PlaceOrder | PlaceTrigger | AmendOrder | CancelOrder, ...]


class SetCountdown(TradersCommand, tag="set_countdown.1"):
    """Let all that is open in an instrument end after so long, ns, unless this is asked again before; 0: let it stand.

    Source: Binance USD-M, "Auto-Cancel All Open Orders", countdownTime.
    """

    instrument: InstrumentId
    after: Nanos


class SetLeverage(TradersCommand, tag="set_leverage.1"):
    """Set the leverage of an account in one instrument."""

    instrument: InstrumentId
    leverage: int


class SetMarginMode(TradersCommand, tag="set_margin_mode.1"):
    """Set the margin mode of an account in one instrument, which must have no open order.

    With a position open, only where the rule pack lets modes switch then: its margin moves along.
    """

    instrument: InstrumentId
    mode: MarginMode


class SetPositionMode(TradersCommand, tag="set_position_mode.1"):
    """Hold one position an instrument, or in hedge mode a long and a short leg; nothing may be open."""

    hedges: bool


class SetCollateralMode(TradersCommand, tag="set_collateral_mode.1"):
    """Let every wallet answer for its own asset's positions, or in multi-asset mode all wallets for all of them."""

    multi: bool


class SetAutoAddMargin(TradersCommand, tag="set_auto_add_margin.1"):
    """Say whether an isolated position that falls due gets more margin out of the available balance."""

    instrument: InstrumentId
    on: bool


class AddMargin(TradersCommand, tag="add_margin.1"):
    """Move money from the cross wallet to the isolated wallet of a position."""

    instrument: InstrumentId
    amount: Atoms
    leg: Leg = Leg.NET


class RemoveMargin(TradersCommand, tag="remove_margin.1"):
    """Move money from the isolated wallet of a position back to the cross wallet."""

    instrument: InstrumentId
    amount: Atoms
    leg: Leg = Leg.NET


class SetMarkPrice(Command, tag="set_mark_price.1"):
    """State the mark price of an instrument."""

    instrument: InstrumentId
    mark: MarkUnits


class SetIndexPrice(Command, tag="set_index_price.1"):
    """State the index price of an instrument, or of a spot pair."""

    instrument: InstrumentId
    index: MarkUnits


class ApplyFunding(Command, tag="apply_funding.1"):
    """Make every open position of an instrument pay or receive funding at the present mark, or index where so ruled."""

    instrument: InstrumentId
    rate: Rate


class SetTradingPhase(Command, tag="set_trading_phase.1"):
    """Say what may be done in an instrument, until the next such command, or until trading is continuous at `until`."""

    instrument: InstrumentId
    phase: TradingPhase
    until: Nanos = Nanos(0)


class AdvanceMarket(Command, tag="advance_market.1"):
    """Let history go on: apply the rows first_row to last_row (both included) of a chunk of observations."""

    instrument: InstrumentId
    chunk: ChunkId
    first_row: int
    last_row: int


class AdvanceTime(Command, tag="advance_time.1"):
    """Let time pass; what became due by it enters the queue."""


class Proceed(Command, tag="proceed.1"):
    """Do due work, the earliest first, in at most `limit` facts.

    The batch has room for `room` facts, who is due or warned by them included; 0: for as many as any other, 4,096.
    """

    limit: int
    room: int = 0
