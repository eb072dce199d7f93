"""Facts of an account: opening, money in and out, margin, modes, leverage, funding."""

from __future__ import annotations

from events.commands import AccountId
from events.facts.base import Fact
from events.instruments import AssetId, InstrumentId, Leg, MarginMode
from events.units import Atoms, MarkUnits


class AccountOpened(Fact, tag="account_opened.1"):
    """An account exists."""

    account: AccountId


class Deposited(Fact, tag="deposited.1"):
    """Money came from outside into the wallet."""

    account: AccountId
    asset: AssetId
    amount: Atoms


class Withdrawn(Fact, tag="withdrawn.1"):
    """Money left the wallet to the outside."""

    account: AccountId
    asset: AssetId
    amount: Atoms


class Transferred(Fact, tag="transferred.1"):
    """Money moved from one account's wallet to another's."""

    account: AccountId
    asset: AssetId
    amount: Atoms
    to: AccountId


class Exchanged(Fact, tag="exchanged.1"):
    """An account gave `amount` of an asset and received `received` of another, its fee already off."""

    account: AccountId
    asset: AssetId
    amount: Atoms
    into: AssetId
    received: Atoms
    fee: Atoms


class DebtsExchanged(Fact, tag="debts_exchanged.1"):
    """The debts that an account had beyond their limits were exchanged, as far as it had something to give for them."""

    account: AccountId


class InterestPaid(Fact, tag="interest_paid.1"):
    """An account paid interest on what it owes of an asset."""

    account: AccountId
    asset: AssetId
    amount: Atoms


class PositionModeSet(Fact, tag="position_mode_set.1"):
    """The account now holds one position an instrument, or in hedge mode two legs."""

    account: AccountId
    hedges: bool


class CollateralModeSet(Fact, tag="collateral_mode_set.1"):
    """The account's wallets now answer each for its own asset's positions, or all for all of them."""

    account: AccountId
    multi: bool


class AutoAddMarginSet(Fact, tag="auto_add_margin_set.1"):
    """An isolated position in this instrument now gets margin added when it falls due, or not."""

    account: AccountId
    instrument: InstrumentId
    on: bool


class LeverageSet(Fact, tag="leverage_set.1"):
    """The leverage of the account in this instrument is now this."""

    account: AccountId
    instrument: InstrumentId
    leverage: int


class MarginModeSet(Fact, tag="margin_mode_set.1"):
    """The margin mode of the account in this instrument is now this."""

    account: AccountId
    instrument: InstrumentId
    mode: MarginMode


class MarginMoved(Fact, tag="margin_moved.1"):
    """Money moved from the cross wallet to an isolated wallet (amount > 0) or back (amount < 0)."""

    account: AccountId
    instrument: InstrumentId
    amount: Atoms
    leg: Leg = Leg.NET


class FundingPaid(Fact, tag="funding_paid.1"):
    """A position's funding was settled: amount > 0 was received, amount < 0 was paid."""

    account: AccountId
    instrument: InstrumentId
    amount: Atoms
    leg: Leg = Leg.NET


class PositionSettled(Fact, tag="position_settled.1"):
    """A position in a dated contract ended at the settlement price: amount > 0 was received, amount < 0 was paid."""

    account: AccountId
    instrument: InstrumentId
    price: MarkUnits
    amount: Atoms
    fee: Atoms
    leg: Leg = Leg.NET
