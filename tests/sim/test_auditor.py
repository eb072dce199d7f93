"""The auditor believes no figure that it can compute itself: a session with one of them changed does not pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest

from events import facts as f
from events.commands import INSURANCE, Side
from events.guards import Hold
from events.record import Batch, Record
from exchange.audit import AuditError, audit
from tests.full_batches import batches_of
from tests.sim.session import run
from tests.sim.world import World

SEEDS = range(80)


@cache
def session(seed: int) -> World:
    return run(seed)


def changed(batches: list[Batch], kind: type[f.Fact], change: Callable[[Any], Any]) -> tuple[int, list[Batch]] | None:
    """The log with the first fact of the kind, for which that is a change, changed; and the number of its record."""
    for position, batch in enumerate(batches):
        for at, record in enumerate(batch.records):
            if type(record.message) is kind and (other := change(record.message)) not in (None, record.message):
                records = [*batch.records]
                records[at] = Record(record.seq, record.cause, other)
                return record.seq, [
                    *batches[:position],
                    Batch(batch.number, batch.at, records),
                    *batches[position + 1 :],
                ]
    return None


def plus(field: str, by: int = 1) -> Callable[[Any], Any]:
    return lambda fact: msgspec.structs.replace(fact, **{field: getattr(fact, field) + by})


def without(fact: Any) -> Any:
    return f.TimeAdvanced()


def traders_fee(field: str) -> Callable[[Any], Any]:
    return lambda fact: plus(field)(fact) if getattr(fact, field) else None


def other_side(fact: Any) -> Any:
    return msgspec.structs.replace(fact, side=Side.SELL if fact.side is Side.BUY else Side.BUY)


def other_hold(fact: Any) -> Any:
    return msgspec.structs.replace(fact, why=Hold.HALTED if fact.why is Hold.STALE_MARK else Hold.STALE_MARK)


def other_fund(fact: Any) -> Any:
    return msgspec.structs.replace(fact, fund=f"{INSURANCE}:BTCUSDT") if fact.fund == INSURANCE else None


def opposite(field: str) -> Callable[[Any], Any]:
    return lambda fact: msgspec.structs.replace(fact, **{field: not getattr(fact, field)})


CHANGES = {
    "a trade's value is price x lots": (f.Traded, plus("value")),
    "a trade's price is its maker's": (f.Traded, lambda t: plus("price")(t) if t.maker_order else None),
    "a trade's lots are open": (f.Traded, plus("lots", 10**40)),
    "a trade's side is its taker's": (f.Traded, other_side),
    "maker fees are the pack's, rounded up": (f.Traded, traders_fee("maker_fee")),
    "taker fees are the pack's, rounded up": (f.Traded, traders_fee("taker_fee")),
    "the end of a window": (f.LiquidationWindowEnded, without),
    "a slice has its cooldown": (f.CooldownStarted, without),
    "the end of a cooldown": (f.CooldownStarted, plus("until")),
    "who is warned is told": (f.MarginCalled, without),
    "equity at a margin call": (f.MarginCalled, plus("equity")),
    "maintenance at a margin call": (f.MarginCalled, plus("maintenance")),
    "who recovered is told": (f.MarginRecovered, without),
    "no one else recovered": (f.TimeAdvanced, lambda _: f.MarginRecovered("ANA", "USDT")),
    "what a forced trade closes is a pool that is due": (f.LiquidationStarted, without),
    "who is due is named": (f.LiquidationDue, without),
    "no one else is named": (f.TimeAdvanced, lambda _: f.LiquidationDue("ANA", "USDT")),
    "equity at the start": (f.LiquidationStarted, plus("equity")),
    "maintenance at the start": (f.LiquidationStarted, plus("maintenance")),
    "bankruptcy price": (f.LiquidationOrderPlaced, plus("bankruptcy")),
    "limit of the forced order": (f.LiquidationOrderPlaced, plus("limit")),
    "size of the forced order": (f.LiquidationOrderPlaced, plus("lots")),
    "value taken over": (f.TakenOver, plus("value")),
    "lots taken over": (f.TakenOver, plus("lots", -1)),
    "what is taken over": (f.TakenOver, without),
    "who is deleveraged": (f.Deleveraged, without),
    "who shares a loss": (f.LossShared, without),
    "a winner's part of a loss": (f.LossShared, plus("amount", -1)),
    "liquidation fee": (f.LiquidationFeeCharged, plus("amount", -1)),
    "a liquidation fee that is due": (f.LiquidationFeeCharged, without),
    "deficit": (f.DeficitCovered, plus("amount")),
    "equity at the end": (f.LiquidationEnded, plus("equity")),
    "a liquidation ends": (f.LiquidationEnded, without),
    "funding paid": (f.FundingPaid, plus("amount")),
    "funding of the mark": (f.FundingDue, plus("mark")),
    "funding of the rate": (f.FundingDue, plus("rate", 10**8)),
    "what is open of a resting order": (f.OrderRested, plus("lots")),
    "what is open of an expired order": (f.OrderExpired, plus("lots")),
    "what is open of a cancelled order": (f.OrderCancelled, plus("lots")),
    "an order that margin carries": (f.OrderAccepted, lambda o: None if o.reduce_only else plus("lots", 10**40)(o)),
    "a withdrawal that is free": (f.Withdrawn, plus("amount", 10**40)),
    "margin moved that is free": (f.MarginMoved, plus("amount", 10**40)),
    "a transfer that is free": (f.Transferred, plus("amount", 10**40)),
    "what an exchange brings": (f.Exchanged, plus("received")),
    "what an exchange costs": (f.Exchanged, plus("fee")),
    "whose debts are beyond a limit is named": (f.ExchangeDue, without),
    "interest on a debt": (f.InterestPaid, plus("amount")),
    "interest that fell due": (f.InterestDue, without),
    "the price of a settlement": (f.SettlementDue, plus("price")),
    "a settlement that fell due": (f.SettlementDue, without),
    "PnL at settlement": (f.PositionSettled, plus("amount")),
    "the fee of a settlement": (f.PositionSettled, plus("fee")),
    "leverage on offer": (f.LeverageSet, plus("leverage", 10**6)),
    "a position mode that was asked for": (f.PositionModeSet, opposite("hedges")),
    "a collateral mode that was asked for": (f.CollateralModeSet, opposite("multi")),
    "whether margin is added": (f.AutoAddMarginSet, opposite("on")),
    "an index price that was asked for": (f.IndexPriceMoved, plus("index")),
    "a price bounded where it has to be": (f.PriceBounded, plus("allowed")),
    "a price that is bounded moves": (f.MarkPriceMoved, plus("mark")),
    "a breaker trips on what leapt": (f.BreakerTripped, plus("reference")),
    "a halt is as long as the pack says": (f.BreakerTripped, plus("until")),
    "a breaker that has to trip": (f.BreakerTripped, without),
    "a halt that is over": (f.BreakerReset, without),
    "a phase has the end that was asked for": (f.TradingPhaseSet, plus("until")),
    "an auction has the best price": (f.AuctionUncrossed, plus("price")),
    "an auction has the most volume": (f.AuctionUncrossed, plus("lots")),
    "an auction has the least surplus": (f.AuctionUncrossed, plus("surplus")),
    "an auction is near to the last price": (f.AuctionUncrossed, plus("reference")),
    "what crosses trades at one price": (f.AuctionUncrossed, without),
    "why a liquidation is put off": (f.LiquidationPutOff, other_hold),
    "the fund that a fee goes to": (f.LiquidationFeeCharged, other_fund),
    "the fund that covers a deficit": (f.DeficitCovered, other_fund),
    "a deficit that closes the gate": (f.WithdrawalsClosed, plus("deficit")),
    "how long the gate is closed": (f.WithdrawalsClosed, plus("until")),
    "a gate that has to close": (f.WithdrawalsClosed, without),
    "a gate whose time is over": (f.WithdrawalsOpened, lambda _: f.WithdrawalsClosed("ANA", "USDT", 1, 10**19)),
    "an account opened once": (f.AccountOpened, lambda a: msgspec.structs.replace(a, account="MARKET")),
}


@pytest.mark.parametrize("rule", CHANGES)
def test_a_changed_figure_is_noticed(rule: str) -> None:
    kind, change = CHANGES[rule]
    for seed in SEEDS:
        if found := changed(session(seed).batches, kind, change):
            seq, batches = found
            with batches_of(session(seed).batch_facts), pytest.raises(AuditError) as error:
                audit(batches)
            assert int(str(error.value).removeprefix("record ").partition(":")[0]) >= seq
            return
    pytest.fail("no session has such a fact")


def test_a_refusal_stands_alone() -> None:
    batches = session(SEEDS[0]).batches
    refused = next(batch for batch in batches if isinstance(batch.records[-1].message, f.Refused))
    last = refused.records[-1]
    longer = Batch(refused.number, refused.at, [*refused.records, Record(last.seq + 1, last.seq, f.TimeAdvanced())])
    with pytest.raises(AuditError, match=f"record {last.seq + 1}: a refusal stands alone"):
        audit([*batches[: refused.number - 1], longer])


def test_the_report_says_what_was_audited() -> None:
    batches = session(SEEDS[0]).batches
    report = audit(batches)
    assert report.batches == len(batches)
    assert report.records == batches[-1].last_seq
    assert report.facts["SessionOpened"] == 1
    assert sum(report.facts.values()) == report.records - report.batches
    assert sum(report.liquidations.values()) == report.facts["LiquidationEnded"]


def test_a_record_that_is_missing_is_noticed() -> None:
    batches = session(SEEDS[0]).batches
    deposit = next(r for b in batches for r in b.records if isinstance(r.message, f.Deposited))
    with pytest.raises(AuditError, match="number of the record"):
        audit([Batch(b.number, b.at, [r for r in b.records if r is not deposit]) for b in batches])
