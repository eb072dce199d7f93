"""The auditor knows what has to happen in a liquidation: logs without it, otherwise consistent, do not pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import AccountId
from events.instruments import Liquidation
from events.record import Batch, Record
from events.rules import Layer, LiquidationStyle
from events.units import UNIT, Atoms
from exchange.audit import AuditError, audit
from tests.scenario import scenario
from tests.spec.words import BUY, GOLD, SELL, TIN, account, deposit, mark, pack, position, proceed, resting

Change = Callable[[Any], list[Any]]


def told(rules: Liquidation, *asked: Any, **terms: Any) -> list[Batch]:
    """A session in which ann, long of 10 at 100, comes to be liquidated; the auditor has nothing to say against it."""
    long = position(1, BUY, price=100, lots=10, by="ann", against="bob")
    session = scenario(replace(pack(**terms), liquidation=rules)).given(account("bob", 5_000), *asked[:1], *long)
    for each in asked[1:]:
        session.given(each)
    audit(session.batches)
    return session.batches


def falsified(batches: list[Batch], change: Change) -> list[Batch]:
    """The log with each message changed, its records numbered anew."""
    seq, out = 0, []
    for batch in batches:
        records = []
        for record in batch.records:
            for message in change(record.message):
                seq += 1
                records.append(Record(seq, min(record.cause, seq - 1), message))
        out.append(Batch(batch.number, batch.at, records))
    return out


def under(rules: Liquidation) -> Change:
    """As if the session had been opened with other rules of liquidation."""

    def change(message: Any) -> list[Any]:
        if isinstance(message, c.OpenSession | f.SessionOpened):
            return [replace(message, pack=replace(message.pack, liquidation=rules))]
        return [message]

    return change


def noticed(what: str, batches: list[Batch], change: Change) -> None:
    with pytest.raises(AuditError, match=what):
        audit(falsified(batches, change))


def fees(change: Callable[[f.LiquidationFeeCharged], list[Any]], left: int) -> Change:
    """Liquidation fees changed, and the equity at the end by what is left then."""

    def changed(message: Any) -> list[Any]:
        if isinstance(message, f.LiquidationFeeCharged):
            return change(message)
        if isinstance(message, f.LiquidationEnded):
            return [replace(message, equity=message.equity + left)]
        return [message]

    return changed


FEE = UNIT // 100
FILLED = account("ann", 100), [resting(50, BUY, price=95, lots=10), mark(93)], proceed()


def test_a_fee_that_is_due_is_charged() -> None:
    batches = told(Liquidation(), *FILLED, liquidation_fee=FEE)
    charged = next(fact for fact in batches[-1].facts if isinstance(fact, f.LiquidationFeeCharged))
    noticed("liquidation fee that was not charged", batches, fees(lambda _: [], charged.amount))


def test_a_fee_is_charged_once() -> None:
    batches = told(Liquidation(), *FILLED, liquidation_fee=FEE)
    charged = next(fact for fact in batches[-1].facts if isinstance(fact, f.LiquidationFeeCharged))
    noticed("fee or deficit: expected 0", batches, fees(lambda fee: [fee, fee], -charged.amount))


def both(last: int) -> tuple[Any, ...]:
    """A second position; the book takes TIN at 98, GOLD at 84; the first falls to a mark."""
    second = [*position(3, BUY, price=100, lots=10, by="ann", against="bob", on=TIN), mark(98, on=TIN)]
    bids = resting(50, BUY, price=84, lots=10), resting(51, BUY, price=98, lots=10, on=TIN)
    return account("ann", 200), second, [*bids, mark(last, on=GOLD)], proceed()


def test_steps_end_when_the_pool_is_no_longer_due() -> None:
    steps = under(Liquidation(LiquidationStyle.STEPS))
    noticed("its pool is still due", told(Liquidation(), *both(89)), steps)


def test_a_fee_is_charged_before_the_next_step() -> None:
    batches = told(Liquidation(LiquidationStyle.STEPS), *both(86), liquidation_fee=UNIT // 1000)
    assert [type(fact) for fact in batches[-1].facts].count(f.LiquidationOrderPlaced) == 2
    noticed("liquidation fee that was not charged", batches, fees(lambda _: [], 0))


def last_resort(*layers: Layer) -> Liquidation:
    return Liquidation(last_resort=layers)


BEYOND = mark(88), proceed()
"""Nobody buys, and ann is short of 20."""


def test_nobody_is_deleveraged_where_the_fund_comes_first_and_can_pay() -> None:
    batches = told(last_resort(Layer.ADL, Layer.FUND), [account("ann", 100), deposit("INSURANCE", 10_000)], *BEYOND)
    noticed("deleveraging is next", batches, under(last_resort(Layer.FUND, Layer.ADL)))


def test_the_fund_takes_no_more_than_it_can_bear_where_deleveraging_comes_next() -> None:
    batches = told(last_resort(Layer.FUND), account("ann", 100), *BEYOND)
    noticed("the fund is next", batches, under(last_resort(Layer.FUND, Layer.ADL)))


def test_what_no_layer_took_is_not_left() -> None:
    batches = told(Liquidation(), account("ann", 100), *BEYOND)
    noticed("all of the forced order was closed", batches, lambda m: [] if isinstance(m, f.TakenOver) else [m])


def test_the_book_is_asked_before_the_fund_takes_over() -> None:
    batches = told(Liquidation(), account("ann", 100), *BEYOND)
    noticed("a forced order is left", batches, lambda m: [] if isinstance(m, f.LiquidationOrderPlaced) else [m])


def test_the_book_is_not_asked_below_the_backstop() -> None:
    batches = told(Liquidation(), account("ann", 100), *BEYOND)
    noticed("its pool is being liquidated", batches, under(Liquidation(backstop=UNIT // 2)))


def shared_losses() -> list[Batch]:
    """ann loses 20 more than she has; bob, who sold 10 at 100, and eve, who sold 2, win."""
    people = account("ann", 100), account("cy", 5_000), account("eve", 5_000)
    eve = position(3, SELL, price=100, lots=2, by="eve", against="cy")
    return told(last_resort(Layer.SOCIALISED), [*people, *eve], *BEYOND)


def losses(*amounts: int) -> Change:
    """The shares of the winners are others."""
    left = iter(amounts)

    def changed(message: Any) -> list[Any]:
        if isinstance(message, f.LossShared):
            amount = next(left)
            return [replace(message, amount=amount)] if amount else []
        return [message]

    return changed


def test_a_loss_that_is_left_is_shared() -> None:
    noticed("what was left of a loss is shared", shared_losses(), losses(0, 0))


def test_every_winner_has_its_part_of_a_loss() -> None:
    batches = shared_losses()
    shares = [fact.amount for fact in batches[-1].facts if isinstance(fact, f.LossShared)]
    assert len(shares) == 2
    noticed("which winner pays", batches, losses(0, sum(shares)))
    noticed("its part of the loss", batches, losses(shares[0] - 1, shares[1] + 1))
    noticed("what was left of a loss is shared", batches, losses(shares[0], 0))


def test_no_winner_pays_where_nothing_is_left_of_a_loss() -> None:
    def more(message: Any) -> list[Any]:
        paid = f.LossShared(AccountId("bob"), GOLD, Atoms(1))
        return [message, paid] if isinstance(message, f.TakenOver) else [message]

    batches = told(last_resort(Layer.FUND), [account("ann", 100), deposit("INSURANCE", 10_000)], *BEYOND)
    noticed("a loss is left to be shared", batches, more)
