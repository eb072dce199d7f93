"""What is told of wallets, positions and settings of an account."""

from __future__ import annotations

from events import facts as f
from events.instruments import Leg, position_name
from gateway.binance.sockets_account import assets_mode_update, leverage_update, margin_call
from gateway.binance.sockets_tale import Tale


def deposited(tale: Tale, _seq: int, fact: f.Deposited) -> None:
    """Money came in."""
    tale.gain(fact.account, "DEPOSIT", fact.asset, fact.amount)


def withdrawn(tale: Tale, _seq: int, fact: f.Withdrawn) -> None:
    """Money went out."""
    tale.gain(fact.account, "WITHDRAW", fact.asset, -fact.amount)


def transferred(tale: Tale, _seq: int, fact: f.Transferred) -> None:
    """Money changed its owner."""
    tale.gain(fact.account, "ASSET_TRANSFER", fact.asset, -fact.amount)
    tale.gain(fact.to, "ASSET_TRANSFER", fact.asset, fact.amount)


def exchanged(tale: Tale, _seq: int, fact: f.Exchanged) -> None:
    """One asset for another."""
    tale.gain(fact.account, "AUTO_EXCHANGE", fact.asset, -fact.amount)
    tale.gain(fact.account, "AUTO_EXCHANGE", fact.into, fact.received)


def interest(tale: Tale, _seq: int, fact: f.InterestPaid) -> None:
    """A debt's interest."""
    tale.gain(fact.account, "ADJUSTMENT", fact.asset, -fact.amount)


def funding(tale: Tale, _seq: int, fact: f.FundingPaid) -> None:
    """A position's funding: of one in cross mode the balance alone is told."""
    if not tale.hears(fact.account):
        return
    name, held = position_name(fact.instrument, fact.leg), tale.held(fact.account)
    update = tale.update(fact.account, "FUNDING_FEE", fact.instrument)
    update.gain(tale.asset(fact.instrument), fact.amount)
    if held is not None and name in held.positions and held.positions[name].is_isolated:
        update.positions[name] = None


def margin_moved(tale: Tale, _seq: int, fact: f.MarginMoved) -> None:
    """Margin moved between the wallets."""
    if tale.hears(fact.account):
        update = tale.update(fact.account, "MARGIN_TRANSFER")
        update.gain(tale.asset(fact.instrument))
        update.positions[position_name(fact.instrument, fact.leg)] = None


def mode_set(tale: Tale, _seq: int, fact: f.MarginModeSet) -> None:
    """Another margin mode: of the position, or of both legs."""
    if tale.hears(fact.account):
        update = tale.update(fact.account, "MARGIN_TYPE_CHANGE")
        update.positions.update((position_name(fact.instrument, leg), None) for leg in Leg)


def settled(tale: Tale, _seq: int, fact: f.PositionSettled) -> None:
    """A dated contract ended."""
    if tale.hears(fact.account):
        update = tale.update(fact.account, "ORDER")
        update.gain(tale.asset(fact.instrument))
        update.positions[position_name(fact.instrument, fact.leg)] = None


def loss_shared(tale: Tale, _seq: int, fact: f.LossShared) -> None:
    """A winner paid his part of a loss: his entry price is another one."""
    if tale.hears(fact.account):
        tale.update(fact.account, "ADJUSTMENT").positions[position_name(fact.instrument, fact.leg)] = None


def fee_charged(tale: Tale, _seq: int, fact: f.LiquidationFeeCharged) -> None:
    """A liquidation's fee."""
    tale.gain(fact.account, "INSURANCE_CLEAR", tale.asset(fact.pool), -fact.amount)


def deficit_covered(tale: Tale, _seq: int, fact: f.DeficitCovered) -> None:
    """The fund covered a deficit."""
    tale.gain(fact.account, "INSURANCE_CLEAR", tale.asset(fact.pool), fact.amount)


def leverage_set(tale: Tale, _seq: int, fact: f.LeverageSet) -> None:
    """Another leverage."""
    if tale.hears(fact.account):
        tale.tell(fact.account, leverage_update(fact.instrument, fact.leverage, tale.at_ms))


def collateral_mode_set(tale: Tale, _seq: int, fact: f.CollateralModeSet) -> None:
    """Multi-assets mode, or not."""
    if tale.hears(fact.account):
        tale.tell(fact.account, assets_mode_update(fact.multi, tale.at_ms))


def margin_called(tale: Tale, _seq: int, fact: f.MarginCalled) -> None:
    """A margin call."""
    if tale.hears(fact.account) and (held := tale.held(fact.account)) is not None:
        tale.tell(fact.account, margin_call(fact.pool, held, tale.texts, tale.at_ms))
