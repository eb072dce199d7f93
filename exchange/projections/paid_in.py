"""What came into an account that it did not earn: deposits, withdrawals, transfers, and what its exchanges moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from events import facts as f
from events.commands import AccountId
from events.instruments import AssetId
from events.record import Batch

KINDS = (f.Deposited, f.Withdrawn, f.Transferred, f.Exchanged)


@dataclass(slots=True)
class PaidIn:
    """What was paid in of each asset, less what was taken out, atoms.

    outside came from outside or from other accounts; exchanged is what the account's own exchanges brought to an asset,
    their fees counted as brought.
    """

    outside: Counter[AssetId] = field(default_factory=Counter)
    exchanged: Counter[AssetId] = field(default_factory=Counter)

    def observe(self, account: AccountId, batch: Batch) -> None:
        """Fold what a batch moved for the account."""
        for record in batch.records:
            fact = record.message
            if not isinstance(fact, KINDS):
                continue
            for asset, amount in _moved(account, fact):
                (self.exchanged if isinstance(fact, f.Exchanged) else self.outside)[asset] += amount

    def beyond(self, other: PaidIn) -> PaidIn:
        """How much more this is than another."""
        outside, exchanged = Counter(self.outside), Counter(self.exchanged)
        outside.subtract(other.outside)
        exchanged.subtract(other.exchanged)
        return PaidIn(outside, exchanged)


def _moved(account: AccountId, fact: Any) -> Iterator[tuple[AssetId, int]]:
    """The assets and amounts that a fact moved into the account, below 0 out of it."""
    if isinstance(fact, f.Transferred) and account == fact.to:
        yield fact.asset, fact.amount
    if account == fact.account:
        yield fact.asset, fact.amount if isinstance(fact, f.Deposited) else -fact.amount
        if isinstance(fact, f.Exchanged):
            yield fact.into, fact.received + fact.fee
