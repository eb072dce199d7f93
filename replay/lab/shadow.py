"""A session's accounts as they would stand under one margin mode: the recorded facts, applied once more by the core.

History is given: orders, fills, fees, funding, forced trades. Only which wallet carries a position is another question
here, so the facts of modes, of due pools and of what liquidations paid are translated, and all others are applied as
they stand. No margin arithmetic is written anew: `APPLY`, `requirement`, `is_due` and the order checks are the core's.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from events import facts as f
from events.commands import LIQUIDATION_ORDER, AccountId, OrderNumber, SetMarginMode, Side
from events.instruments import MarginMode, RulePack
from events.record import Batch
from events.refusals import Reason
from exchange.core.apply import APPLY
from exchange.core.book import Order
from exchange.core.fees import fee_rates
from exchange.core.margin.pretrade import carries_fill, order_refusal
from exchange.core.posting import end_isolated
from exchange.core.state import MULTI, Account, Pool, Position, State


class Mode(Enum):
    """A margin mode to fold a history under; `recorded` is whatever mode each position really had."""

    ISOLATED = "isolated"
    CROSS = "cross"
    MULTI = "multi"
    RECORDED = "recorded"


def pools_under(mode: Mode, account: Account) -> list[Pool]:
    """The pools of an account under a mode, those without a position too.

    isolated: each position, and the wallets that pay for them. cross: one pool a settle asset. multi: one pool over
    all assets, valued as the rule pack says; where it has no collateral, or nobody stated a price yet, the cross pool
    of the only asset, valued one to one (`obstacle` and `Shadow.joined` say no to several). recorded: what answers for
    each position.
    """
    pools: list[Pool] = [account.multi] if account.multi else list(account.wallets.values())
    if mode in (Mode.ISOLATED, Mode.RECORDED):
        pools += [p for p in account.positions.values() if p.is_isolated]
    return pools


def obstacle(mode: Mode, pack: RulePack) -> str | None:
    """Why the mode cannot be had under the pack, None where it can."""
    assets = sorted({str(terms.settle) for terms in pack.instruments})
    if mode is Mode.MULTI and len(assets) > 1 and not pack.collateral:
        return (
            f"rule pack {pack.id} settles in {' and '.join(assets)} and has no collateral that says what each is worth"
        )
    return None


def is_cross(mode: Mode, pack: RulePack) -> bool:
    """Whether the mode comes to the same as cross under the pack: all answers for all, of one asset, at face value."""
    return mode is Mode.CROSS or (mode is Mode.MULTI and not pack.collateral)


class NoBook:
    """The book of a shadow, where nothing rests: history's trades are made already. It stands for both sides too."""

    def __init__(self) -> None:
        self.bids = self.asks = self

    def rest(self, _order: Order) -> None:
        """Nobody will meet the order here."""

    def fill(self, order: Order, lots: int) -> None:
        """The order loses lots."""
        order.lots -= lots

    def take_market(self, *_: object) -> None:
        """MARKET has nothing that could be taken."""


class Shadow:
    """The state under one mode. refused holds, by account, the orders that margin would not have carried.

    switching says that the facts at hand follow from a change of mode.
    """

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.state = State()
        self.switching = False
        self.refused: dict[AccountId, set[OrderNumber]] = {}
        self._table = APPLY | {kind: self._bound(change) for kind, change in TRANSLATED[mode].items()}

    def _bound(self, change: Callable[[Shadow, Any], None]) -> Callable[[State, Any], None]:
        return lambda _state, fact: change(self, fact)

    def begin(self, batch: Batch) -> None:
        """The facts that follow are those of this batch."""
        self.state.now = batch.at
        self.switching = isinstance(batch.records[0].message, SetMarginMode)

    def apply(self, seq: int, fact: f.Fact) -> None:
        """Apply a recorded fact."""
        self.state.seq = seq
        self._table[type(fact)](self.state, fact)

    def joined(self, account: Account) -> tuple[bool, str]:
        """Under multi let the wallets answer together as soon as the prices of all that they hold are known.

        Returns whether the account can be measured, and an asset whose price nobody stated yet: where an account holds
        only that one, it is valued one to one.
        """
        assets = self.state.assets
        if self.mode is not Mode.MULTI or not assets:
            return True, ""
        held = [wallet.asset for wallet in account.wallets.values() if wallet.balance or wallet.positions]
        missing = next((str(asset) for asset in held if asset in assets and not assets[asset].index), "")
        if not missing and account.multi is None:
            APPLY[f.CollateralModeSet](self.state, f.CollateralModeSet(account.name, True))
        return not missing or len(held) == 1, missing

    def position(self, account: str, instrument: str, leg: Any) -> Position:
        """The account's position."""
        state = self.state
        return state.position(state.accounts[account], state.contracts[instrument], leg)  # type: ignore[index]

    def adopt(self, account: str, instrument: str) -> None:
        """Give what the account is about to hold in the instrument its mode, once."""
        if self.mode is Mode.ISOLATED and not self.state.accounts[account].legs(instrument):  # type: ignore[index]
            said = f.MarginModeSet(account, instrument, MarginMode.ISOLATED)  # type: ignore[arg-type]
            APPLY[f.MarginModeSet](self.state, said)


def _nothing(_shadow: Shadow, _fact: f.Fact) -> None:
    """What history says of its own modes and queues is no part of a shadow."""


def _on_session_opened(shadow: Shadow, fact: f.SessionOpened) -> None:
    APPLY[f.SessionOpened](shadow.state, fact)
    for contract in shadow.state.contracts.values():
        contract.book = NoBook()  # type: ignore[assignment]


def _on_instrument_set(shadow: Shadow, fact: f.LeverageSet | f.AutoAddMarginSet) -> None:
    shadow.adopt(fact.account, fact.instrument)
    APPLY[type(fact)](shadow.state, fact)


def _on_margin_moved(shadow: Shadow, fact: f.MarginMoved) -> None:
    """Margin moves only where positions have wallets of their own, and not because history changed its mode."""
    if shadow.mode is Mode.ISOLATED and not shadow.switching:
        APPLY[f.MarginMoved](shadow.state, fact)


def _on_interest_paid(shadow: Shadow, fact: f.InterestPaid) -> None:
    """What history paid for its debts is gone; no queue waits for it here."""
    APPLY[f.Withdrawn](shadow.state, f.Withdrawn(fact.account, fact.asset, fact.amount))


def _on_order_accepted(shadow: Shadow, fact: f.OrderAccepted) -> None:
    """Note whether margin carries a limit order; a market order reserves by a book that is not here."""
    state = shadow.state
    shadow.adopt(fact.account, fact.instrument)
    if fact.price is not None and not fact.reduce_only:
        position = shadow.position(fact.account, fact.instrument, fact.leg)
        sign = 1 if fact.side is Side.BUY else -1
        price, fee = fact.price * position.contract.tick, fee_rates(state, position)[1]
        if order_refusal(position, sign, fact.lots, price, fee) is Reason.INSUFFICIENT_MARGIN:
            shadow.refused.setdefault(fact.account, set()).add(fact.number)
    APPLY[f.OrderAccepted](state, fact)


def _on_order_amended(shadow: Shadow, fact: f.OrderAmended) -> None:
    """Note whether margin carries what an order was amended to, where that is not just less."""
    order = shadow.state.accounts[fact.account].orders[fact.number]
    if not (fact.keeps_priority or order.reduce_only):
        position = order.holder
        price, fee = fact.price * position.contract.tick, fee_rates(shadow.state, position)[1]
        if order_refusal(position, order.sign, fact.left, price, fee, order) is Reason.INSUFFICIENT_MARGIN:
            shadow.refused.setdefault(fact.account, set()).add(fact.number)
    APPLY[f.OrderAmended](shadow.state, fact)


def _on_traded(shadow: Shadow, fact: f.Traded) -> None:
    """Note whether margin carries a taker's fill; makers are never stopped, as in a session."""
    if fact.taker_order != LIQUIDATION_ORDER:
        position = shadow.position(fact.taker, fact.instrument, fact.leg)
        sign = 1 if fact.side is Side.BUY else -1
        if not carries_fill(position, sign, fact.lots, fact.value, fact.taker_fee):
            shadow.refused.setdefault(fact.taker, set()).add(fact.taker_order)
    APPLY[f.Traded](shadow.state, fact)


def _on_paid(shadow: Shadow, fact: f.LiquidationFeeCharged | f.DeficitCovered) -> None:
    """The fund and the pool that carries the position under this mode exchange the amount."""
    position = shadow.state.accounts[fact.account].positions.get(fact.pool)
    if position is not None and not position.is_isolated:
        fact = fact.__replace__(pool=position.wallet.asset)
    APPLY[type(fact)](shadow.state, fact)


def _on_liquidation_ended(shadow: Shadow, fact: f.LiquidationEnded) -> None:
    """What is left of isolated wallets whose positions the liquidation closed goes back to the cross wallet."""
    for position in shadow.state.accounts[fact.account].positions.values():
        if position.is_isolated and not position.lots and fact.pool in (position.name, position.wallet.asset, MULTI):
            end_isolated(position)
            shadow.state.dirty[position] = shadow.state.dirty[position.wallet] = shadow.state.seq


_RECORDED: dict[type[f.Fact], Callable[[Shadow, Any], None]] = {
    f.SessionOpened: _on_session_opened,
    f.MarketAdvanced: _nothing,
    f.TriggersReached: _nothing,
}

_OTHER = _RECORDED | {
    f.MarginModeSet: _nothing,
    f.CollateralModeSet: _nothing,
    f.LeverageSet: _on_instrument_set,
    f.AutoAddMarginSet: _on_instrument_set,
    f.InterestDue: _nothing,
    f.InterestPaid: _on_interest_paid,
    f.ExchangeDue: _nothing,
    f.DebtsExchanged: _nothing,
    f.MarginMoved: _on_margin_moved,
    f.OrderAccepted: _on_order_accepted,
    f.OrderAmended: _on_order_amended,
    f.Traded: _on_traded,
    f.LiquidationDue: _nothing,
    f.LiquidationPutOff: _nothing,
    f.LiquidationWindowEnded: _nothing,
    f.AuctionStepped: _nothing,
    f.AuctionStepReached: _nothing,
    f.LiquidationFeeCharged: _on_paid,
    f.DeficitCovered: _on_paid,
    f.LiquidationEnded: _on_liquidation_ended,
}

TRANSLATED = {mode: _RECORDED if mode is Mode.RECORDED else _OTHER for mode in Mode}
"""Mode -> the facts that are not applied as they stand -> what they change instead."""
