"""Moments of interest: which batches a step counts, and finding the next or the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from events import facts as f
from events.commands import AccountId, Command
from events.facts import AnyFact
from events.record import Batch, kind_of

Counts = Callable[[Batch], bool]
"""Whether a batch is one of those that are looked for."""

LIQUIDATION = (
    f.LiquidationDue, f.LiquidationStarted, f.LiquidationEnded, f.TakenOver, f.Deleveraged, f.LossShared,
    f.LiquidationPutOff,
)  # fmt: skip

ORDER = (
    f.OrderAccepted, f.OrderAmended, f.OrderShrunk, f.OrderCancelled, f.OrderExpired, f.OrderTriggered,
    f.TriggerPlaced, f.TriggerAmended,
)  # fmt: skip

KINDS: dict[str, tuple[type, ...]] = {
    "fill": (f.Traded,),
    "mark": (f.MarkPriceMoved,),
    "order": ORDER,
    "funding": (f.FundingPaid,),
    "margin": (f.MarginCalled, f.MarginRecovered),
    "liquidation": LIQUIDATION,
    "refusal": (f.Refused, f.ItemRefused),
}
"""What may be stepped to by name; the name of any kind of fact, as `traded`, does as well."""

_BY_KIND: dict[str, type] = {kind_of(kind).partition(".")[0]: kind for kind in get_args(AnyFact)}


class NoSuchKind(ValueError):
    """There is nothing of that name to look for; the message says what there is."""


def is_any(_: Batch) -> bool:
    """Every batch counts."""
    return True


def moments(name: str = "batch", account: AccountId | None = None) -> Counts:
    """The batches with something of that name in them, of that account where one is given; `batch` is any of them.

    Raises NoSuchKind.
    """
    if name == "batch":
        return is_any
    kinds = KINDS.get(name) or ((_BY_KIND[name],) if name in _BY_KIND else None)
    if kinds is None:
        raise NoSuchKind(f"{name!r}; give batch, {', '.join(KINDS)}, or the kind of a fact, such as traded")

    def counts(batch: Batch) -> bool:
        command = batch.command
        found = (fact for fact in batch.facts if isinstance(fact, kinds))
        return any(account is None or account in concerned(command, fact, account) for fact in found)

    return counts


def concerned(command: Command, fact: AnyFact, asker: AccountId) -> tuple[AccountId, ...]:
    """The accounts of which the fact says something: of a refusal, who asked; of a mark, everybody, the asker too."""
    if isinstance(fact, f.Traded):
        return fact.maker, fact.taker
    if isinstance(fact, f.Refused | f.ItemRefused):
        return (getattr(command, "account", asker),)
    return (getattr(fact, "account", asker),)
