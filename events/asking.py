"""What may be asked: the closed union of commands, and of which types the fields of each are."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from events import commands as c
from events.guards import Breaker, PriceGuards
from events.latency import Latency
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


def _types_of(hint: Any) -> tuple[type, ...]:
    """The types that a value of this hint has: those below NewTypes, of a union all of them."""
    parts = (hint,) if get_origin(hint) is tuple else get_args(hint) or (hint,)
    return tuple(getattr(part, "__supertype__", get_origin(part) or part) for part in parts)


_HINTS: dict[type, dict[str, Any]] = {
    kind: get_type_hints(kind) for kind in (*get_args(AnyCommand), c.SessionOptions, PriceGuards, Breaker, Latency)
}

FIELD_TYPES: dict[type, dict[str, tuple[type, ...]]] = {
    kind: {name: _types_of(hints[name]) for name in kind.__struct_fields__}  # type: ignore[attr-defined]
    for kind, hints in _HINTS.items()
}
"""Command, or struct within one -> of which types each field is, exactly: no float is an int, no text an enum."""

ITEM_TYPES: dict[type, dict[str, tuple[type, ...]]] = {
    kind: {name: _types_of(get_args(hint)[0]) for name, hint in hints.items() if get_origin(hint) is tuple}
    for kind, hints in _HINTS.items()
}
"""Command, or struct within one -> of which types the items of its tuples are."""


SHAPES = 4096
"""So many ways in which commands are filled in are remembered."""


@lru_cache(maxsize=SHAPES)
def texts_of(kind: type, given: tuple[type, ...]) -> tuple[int, ...] | str:
    """Of structs of a kind whose fields have these types: the places of their texts, or the first odd field's name."""
    fields = zip(FIELD_TYPES[kind].items(), given, strict=True)
    odd = next((name for (name, types), one in fields if one not in types), "")
    return odd or tuple(place for place, one in enumerate(given) if one is str)


values_of = msgspec.structs.astuple
"""The fields of a struct, in their order."""
