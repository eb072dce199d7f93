"""Facts of an account: opening, money in and out, margin, modes, leverage, funding."""

from __future__ import annotations

from events.commands import AccountId
from events.facts.base import Fact
from events.instruments import AssetId, InstrumentId, Leg, MarginMode
from events.units import Atoms


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
