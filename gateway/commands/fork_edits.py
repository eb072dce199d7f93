"""What `ringfence fork --set` understands."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from events import commands as c
from events.instruments import MarginMode, RulePack, load_pack
from events.units import UNIT, Atoms, Nanos
from exchange.core.state import State
from gateway.commands.fork_orders import FIELDS, order_edit
from gateway.errors import UsageError
from replay.editing import Edit

T = TypeVar("T")

ATOMS_MAX = 10**15 * UNIT
"""No amount is as large."""

FORMS = """NAME:leverage:INSTRUMENT=N
NAME:mode:INSTRUMENT=isolated or cross
NAME:collateral=multi or single
NAME:deposit:ASSET=AMOUNT
NAME:margin:INSTRUMENT=AMOUNT
NAME:order:N=none
NAME:order:N:size=SIZE
NAME:order:N:price=PRICE
NAME:order:N:trigger=PRICE
pack=NAME or FILE"""


def edit_of(text: str) -> Edit:
    """The edit that a user asks for. Raises UsageError, PackError."""
    what, equals, value = text.partition("=")
    parts = what.split(":")
    if not equals or not value:
        raise _unknown(text)
    if parts == ["pack"]:
        return _pack(text, load_pack(value))
    if len(parts) == 2 and parts[1] == "collateral":
        return _collateral(text, c.AccountId(parts[0]), _choice(text, value, {"multi": True, "single": False}))
    if len(parts) == 3 and parts[1] in _OF_INSTRUMENT:
        return _OF_INSTRUMENT[parts[1]](text, c.AccountId(parts[0]), parts[2], value)
    if len(parts) in (3, 4) and parts[1] == "order" and parts[2].isdecimal():
        return _order(text, c.AccountId(parts[0]), int(parts[2]), parts[3] if len(parts) == 4 else "", value)
    raise _unknown(text)


def _unknown(text: str) -> UsageError:
    return UsageError(f"--set {text!r}: not understood; write {', '.join(FORMS.splitlines())}")


def _pack(text: str, pack: RulePack) -> Edit:
    """Another rule pack, which a session takes with its first record only."""

    def change(_: State, command: c.Command) -> c.Command:
        return command.__replace__(pack=pack) if isinstance(command, c.OpenSession) else command

    return Edit(text, change, pack=pack)


def _collateral(text: str, account: c.AccountId, multi: bool) -> Edit:
    return _setting(text, c.SetCollateralMode, {"account": account}, multi=multi)


def _leverage(text: str, account: c.AccountId, instrument: str, value: str) -> Edit:
    if not value.isdecimal():
        raise UsageError(f"--set {text!r}: a leverage is a whole number")
    return _setting(text, c.SetLeverage, {"account": account, "instrument": instrument}, leverage=int(value))


def _mode(text: str, account: c.AccountId, instrument: str, value: str) -> Edit:
    mode = _choice(text, value, {mode.value: mode for mode in MarginMode})
    return _setting(text, c.SetMarginMode, {"account": account, "instrument": instrument}, mode=mode)


def _setting(text: str, kind: type[c.TradersCommand], of: dict[str, Any], **setting: Any) -> Edit:
    """Set it when the account is there, and whenever a recorded command sets it otherwise."""

    def change(_: State, command: c.Command) -> c.Command:
        is_meant = isinstance(command, kind) and all(getattr(command, name) == value for name, value in of.items())
        return command.__replace__(**setting) if is_meant else command

    def insert(_: State, at: Nanos, request: c.RequestId) -> c.Command:
        return kind(at, request=request, **of, **setting)

    return Edit(text, change, insert, of["account"])


def _deposit(text: str, account: c.AccountId, asset: str, value: str) -> Edit:
    return _movement(text, c.Deposit, account, asset=asset, amount=_atoms(text, value))


def _margin(text: str, account: c.AccountId, instrument: str, value: str) -> Edit:
    return _movement(text, c.AddMargin, account, instrument=instrument, amount=_atoms(text, value))


def _movement(text: str, kind: type[c.TradersCommand], account: c.AccountId, **what: Any) -> Edit:
    """Move money once, as soon as the account is there."""

    def insert(_: State, at: Nanos, request: c.RequestId) -> c.Command:
        return kind(at, account, request, **what)

    return Edit(text, insert=insert, account=account)


def _atoms(text: str, value: str) -> Atoms:
    atoms = _number(text, value) * UNIT
    if abs(atoms) >= ATOMS_MAX or atoms != int(atoms):
        raise UsageError(f"--set {text!r}: an amount is below 10^15 and has 8 decimals at most")
    return Atoms(int(atoms))


def _order(text: str, account: c.AccountId, number: int, field: str, value: str) -> Edit:
    """One order left out, or placed with another size, price or price to wait for."""
    if (field, value) != ("", "none") and field not in FIELDS:
        raise _unknown(text)
    return order_edit(text, account, number, field, _number(text, value) if field else None, value)


def _choice(text: str, value: str, choices: dict[str, T]) -> T:
    if value not in choices:
        raise UsageError(f"--set {text!r}: write {' or '.join(choices)}")
    return choices[value]


def _number(text: str, value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise UsageError(f"--set {text!r}: {value!r} is not a number")
    return number


_OF_INSTRUMENT: dict[str, Callable[[str, c.AccountId, str, str], Edit]] = {
    "leverage": _leverage,
    "mode": _mode,
    "deposit": _deposit,
    "margin": _margin,
}
