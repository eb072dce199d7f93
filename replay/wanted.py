"""What a test may ask of facts: fields, their values, and what ticks and lots of a record are as decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from events.commands import INSURANCE, MARKET, AccountId, Command, funds_of
from events.facts import AnyFact, OrderAccepted, Refused, SessionOpened, TriggerPlaced
from events.instruments import Instrument, InstrumentId
from events.record import Record
from events.units import UNIT, Atoms, Lots, MarkUnits, Rate, Ticks
from exchange.core.state import State

PARTIES = ("account", "maker", "taker")
"""Fields that say whose fact it is."""


def parties(command: Command, fact: AnyFact) -> tuple[AccountId | None, ...]:
    """Whose fact it is: the parties that it names, and of a refusal whoever gave the command."""
    giver = getattr(command, "account", None) if isinstance(fact, Refused) else None
    return giver, *(getattr(fact, name, None) for name in PARTIES)


def number(value: Any, what: str) -> Decimal:
    """A number as a test states it, a float by its shortest text. Raises ValueError that names what it is for."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{what} {value!r}: give a decimal number") from None
    if not found.is_finite():
        raise ValueError(f"{what} {value!r}: give a decimal number")
    return found


def one_of(what: str, value: object, choices: Iterable[object]) -> None:
    """Raise ValueError where the value is none of the choices."""
    if value not in (names := list(choices)):
        raise ValueError(f"{what} {value!r}: give {listed(names)}")


def listed(names: Iterable[object]) -> str:
    """Names as a sentence lists them."""
    *more, last = [str(name) for name in names] or ["none"]
    return f"{', '.join(more)} or {last}" if more else last


def types_of(kind: Any) -> dict[str, tuple[Any, ...]]:
    """The fields of a kind of message, and what each may be."""
    return _types_of(kind)


@cache
def _types_of(kind: Any) -> dict[str, tuple[Any, ...]]:
    hints = get_type_hints(kind)
    return {name: get_args(hints[name]) or (hints[name],) for name in kind.__struct_fields__}


def fields_of(kind: type[AnyFact]) -> dict[str, tuple[Any, ...]]:
    """What may be asked of facts of a kind: their fields, and the account where that is a party or gave the command."""
    found = types_of(kind)
    has_party = "maker" in found or kind is Refused
    return found | {"account": (AccountId,)} if has_party else found


def check_fields(kind: type[AnyFact], wanted: Mapping[str, Any]) -> None:
    """Raise ValueError where facts of the kind cannot have these fields with these values."""
    known, tag = fields_of(kind), kind.__struct_config__.tag
    for name, value in wanted.items():
        if name not in known:
            raise ValueError(f"{tag} has no field {name!r}: give {listed(known)}")
        _check_value(f"{tag}: {name}", known[name], getattr(value, "value", value))


def _check_value(what: str, types: tuple[Any, ...], value: Any) -> None:
    kinds = [getattr(kind, "__supertype__", kind) for kind in types]
    if value is None and NoneType in kinds:
        return
    enums = [kind for kind in kinds if issubclass(kind, Enum)]
    if enums:
        one_of(what, value, (member.value for kind in enums for member in kind))
    elif bool in kinds:
        one_of(what, value, (True, False))
    elif str in kinds and not isinstance(value, str):
        raise ValueError(f"{what} {value!r}: give text")
    elif int in kinds and not isinstance(value, int):
        if not isinstance(value, Decimal | str):
            raise ValueError(f"{what} {value!r}: give a decimal as text, or a whole number")
        number(value, what)


def check_names(kind: type[AnyFact], wanted: Mapping[str, Any], state: State) -> None:
    """Raise ValueError where an account or an instrument is named that the session does not have."""
    known, tag = fields_of(kind), kind.__struct_config__.tag
    assert state.pack is not None
    accounts = dict.fromkeys([*state.accounts, MARKET, INSURANCE, *funds_of(state.pack).values()])
    instruments = [terms.id for terms in (*state.pack.instruments, *state.pack.spot)]
    for name, value in wanted.items():
        if AccountId in known[name]:
            one_of(f"{tag}: {name}", value, accounts)
        elif InstrumentId in known[name]:
            one_of(f"{tag}: {name}", value, instruments)


class Scale:
    """What the numbers of records are as decimals, by the instruments of the session and of its orders."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._terms: dict[str, Instrument] = {}
        self._orders: dict[tuple[object, object], str] = {}
        for record in records:
            self._note(record.message)

    def _note(self, message: Any) -> None:
        if isinstance(message, SessionOpened):
            self._terms = {terms.id: terms for terms in message.pack.instruments}
        elif isinstance(message, OrderAccepted | TriggerPlaced):
            self._orders[message.account, message.number] = message.instrument

    def unit(self, message: object, name: str) -> int | None:
        """What one of a field is in 10^-8; None where it is a bare number, or the instrument is not known."""
        types = types_of(type(message))[name]
        if any(unit in types for unit in (Atoms, MarkUnits, Rate)):
            return 1
        order = (getattr(message, "account", None), getattr(message, "number", None))
        terms = self._terms.get(getattr(message, "instrument", None) or self._orders.get(order, ""))
        if terms is None:
            return None
        return terms.tick if Ticks in types else terms.lot if Lots in types else None

    def has(self, message: Any, name: str, value: Any) -> bool:
        """Whether a field has this value; a Decimal or text stands for ticks, lots, atoms or mark units."""
        found = getattr(message, name)
        if isinstance(found, int) and isinstance(value, Decimal | str):
            unit = self.unit(message, name) or UNIT
            return Decimal(found * unit) / UNIT == Decimal(value)
        return bool(getattr(found, "value", found) == getattr(value, "value", value))
