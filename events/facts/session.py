"""Facts of the session as a whole: its opening, the passing of time and market, what was refused, what fell due."""

from __future__ import annotations

from events.commands import AccountId, ChunkId, SessionOptions
from events.facts.base import Fact
from events.guards import Bound, PriceKind
from events.instruments import InstrumentId, RulePack
from events.phases import TradingPhase
from events.refusals import Reason
from events.units import Atoms, Lots, MarkUnits, Nanos, Rate, Ticks


class SessionOpened(Fact, tag="session_opened.1"):
    """The session began under these rules. Always the first fact."""

    rules_version: int
    pack: RulePack
    options: SessionOptions


class Refused(Fact, tag="refused.1"):
    """The command broke a rule and changed nothing."""

    reason: Reason


class TimeAdvanced(Fact, tag="time_advanced.1"):
    """Time passed; the batch says until when."""


class MarketAdvanced(Fact, tag="market_advanced.1"):
    """History's rows first_row to last_row (both included) were applied to MARKET's book."""

    instrument: InstrumentId
    chunk: ChunkId
    first_row: int
    last_row: int


class MarkPriceMoved(Fact, tag="mark_price_moved.1"):
    """The mark price of an instrument is now this."""

    instrument: InstrumentId
    mark: MarkUnits


class IndexPriceMoved(Fact, tag="index_price_moved.1"):
    """The index price of an instrument or a spot pair is now this."""

    instrument: InstrumentId
    index: MarkUnits


class PriceBounded(Fact, tag="price_bounded.1"):
    """A price was stated that lies further away than the pack allows: `allowed` is taken in its place, in mark units.

    by is the rule that it went beyond last.
    """

    instrument: InstrumentId
    price: PriceKind
    stated: MarkUnits
    allowed: MarkUnits
    by: Bound


class BreakerTripped(Fact, tag="breaker_tripped.1"):
    """A mark leapt too far from `reference`, one within the window: trading in the instrument is halted until then."""

    instrument: InstrumentId
    mark: MarkUnits
    reference: MarkUnits
    until: Nanos


class BreakerReset(Fact, tag="breaker_reset.1"):
    """The halt is over: the instrument trades, and what was put off by it waits in the queue again."""

    instrument: InstrumentId


class TradingPhaseSet(Fact, tag="trading_phase_set.1"):
    """A phase of trading begins: as the operator says, as the pack wants it after a halt, or continuous trading because
    the time of the one before it is over, or all that crossed in an auction has traded.

    until is when it ends by itself, 0 where it does not.
    """

    instrument: InstrumentId
    phase: TradingPhase
    until: Nanos = Nanos(0)


class AuctionUncrossed(Fact, tag="auction_uncrossed.1"):
    """What crosses in the book trades at this one price: the one at which most trades, of these the one with the least
    surplus, of these the one nearest to `reference`, of these the lowest.

    lots is what trades; surplus what more is bought (above 0) or sold (below 0) at that price; reference is the last
    price, in mark units, or the mark where nothing traded yet. The trades follow one by one, as due work.
    """

    instrument: InstrumentId
    price: Ticks
    lots: Lots
    surplus: Lots
    reference: MarkUnits


class WithdrawalsClosed(Fact, tag="withdrawals_closed.1"):
    """A deficit was seen that nobody covers: no money leaves until then, neither out nor to other accounts.

    account and pool are whose equity is `deficit` atoms below zero: the insurance fund's, or that of a liquidation
    which is put off.
    """

    account: AccountId
    pool: str
    deficit: Atoms
    until: Nanos


class WithdrawalsOpened(Fact, tag="withdrawals_opened.1"):
    """The time of the gate is over, and no deficit is seen."""


class SettlementDue(Fact, tag="settlement_due.1"):
    """A dated contract expired: its orders end, and every position settles in cash at `price`."""

    instrument: InstrumentId
    price: MarkUnits


class InterestDue(Fact, tag="interest_due.1"):
    """A time of interest passed: accounts in multi-asset mode pay for what they owe."""


class ExchangeDue(Fact, tag="exchange_due.1"):
    """An account in multi-asset mode owes more of an asset than its limit: it will be exchanged for others."""

    account: AccountId


class FundingDue(Fact, tag="funding_due.1"):
    """A funding time passed: every position open now pays `rate` of its notional at `mark`, or receives it.

    over divides the rate where the venue pays a premium off over so many intervals: the share of one need not be a
    whole Rate.
    """

    instrument: InstrumentId
    rate: Rate
    mark: MarkUnits
    over: int = 1


class LiquidationDue(Fact, tag="liquidation_due.1"):
    """A pool's equity fell to its maintenance margin, or a pool without a position below zero: it is in the queue.

    pool is the settle asset for the cross pool of the account, the instrument for an isolated position.
    """

    account: AccountId
    pool: str
