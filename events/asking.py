"""What may be asked: the closed union of commands, and what of each is text."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from events import commands as c
from events.linked import PlaceLinked

AnyCommand = (
    c.OpenSession
    | c.OpenAccount
    | c.Deposit
    | c.Withdraw
    | c.Transfer
    | c.ExchangeAsset
    | c.PlaceOrder
    | c.PlaceTrigger
    | PlaceLinked
    | c.CancelOrder
    | c.AmendOrder
    | c.CancelAll
    | c.SubmitBatch
    | c.SetCountdown
    | c.SetLeverage
    | c.SetMarginMode
    | c.SetPositionMode
    | c.SetCollateralMode
    | c.SetAutoAddMargin
    | c.AddMargin
    | c.RemoveMargin
    | c.SetMarkPrice
    | c.SetIndexPrice
    | c.ApplyFunding
    | c.SetTradingPhase
    | c.AdvanceMarket
    | c.AdvanceTime
    | c.Proceed
)


def _may_be_text(hint: Any) -> bool:
    """Whether a field of this type may hold a str: NewTypes of str, and unions with it."""
    return any(getattr(part, "__supertype__", part) is str for part in (get_args(hint) or (hint,)))


TEXTS: dict[type[c.Command], tuple[str, ...]] = {
    kind: tuple(name for name, hint in get_type_hints(kind).items() if _may_be_text(hint))
    for kind in get_args(AnyCommand)
}
"""Command -> the fields that are, or may be, text; those of the items of a batch are not among them."""
