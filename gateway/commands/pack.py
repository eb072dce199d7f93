"""`ringfence pack list`, `show` and `check`."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from events.instruments import Bracket, Instrument, InversePerp, RulePack, load_pack, pack_names
from events.units import SECOND, decimal_text
from gateway.console import OUT, say_json
from gateway.errors import UsageError

RULES = (
    *("maintenance_basis", "exit_fee", "due_at", "margin_model", "margin_step", "funding_price", "premium_hours"),
    *("liquidation_price", "liquidation_pays_taker_fee"),
)
"""The flags that venues differ by, in the order in which they are shown."""

_AMOUNTS = {"margin_step"}

_RATES = ("maker_fee", "taker_fee", "liquidation_fee", "initial_margin", "maintenance_fraction")


def list_packs(as_json: bool) -> int:
    """Print the packs, one a line. Returns 0."""
    packs = [load_pack(name) for name in pack_names()]
    if as_json:
        say_json([_summary(pack) for pack in packs])
        return 0
    for pack in packs:
        symbols = ", ".join(terms.id for terms in pack.instruments[:4]) + (", ..." if len(pack.instruments) > 4 else "")
        OUT.print(f"{pack.id:<18} {pack.version}  {len(pack.instruments):>3}  {symbols}", markup=False)
    return 0


def show_pack(name: str, symbol: str, as_json: bool) -> int:
    """Print a pack. Returns 0."""
    pack = load_pack(name)
    chosen = [terms for terms in pack.instruments if symbol in ("", terms.id)]
    if not chosen:
        raise UsageError(f"{pack.id} has no {symbol!r}; it has {', '.join(i.id for i in pack.instruments)}")
    if as_json:
        say_json({**_summary(pack), **_rules(pack), "instruments": [_instrument(terms) for terms in chosen]})
        return 0
    OUT.print(f"{pack.id}, version {pack.version}", markup=False)
    OUT.print(pack.source, markup=False)
    for rule, value in _rules(pack).items():
        word = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        OUT.print(f"  {rule.replace('_', ' '):<28} {word}", markup=False)
    for terms in chosen:
        _show_instrument(terms)
    return 0


def check_pack(file: str, as_json: bool) -> int:
    """Say that the pack holds together. Returns 0; one that does not raises PackError."""
    pack = load_pack(file)
    beyond = pack.beyond_sessions()
    if as_json:
        say_json({**_summary(pack), "ok": True, "opens_sessions": not beyond, "beyond_sessions": beyond})
        return 0
    brackets = sum(len(terms.brackets) for terms in pack.instruments)
    OUT.print(f"{pack.id}: {len(pack.instruments)} instruments, {brackets} brackets: all hold together", markup=False)
    if beyond:
        OUT.print(f"for the calculator; sessions do not know yet: {', '.join(beyond)}", markup=False)
    return 0


def _summary(pack: RulePack) -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "source": pack.source,
        "symbols": [terms.id for terms in pack.instruments],
    }


def _rules(pack: RulePack) -> dict[str, Any]:
    """The flags as words."""
    return {name: _word(name, getattr(pack, name)) for name in RULES} | {
        "market_buy_slippage": decimal_text(pack.market_buy_slippage),
        "max_orders": pack.max_orders,
        "default_leverage": pack.default_leverage,
    }


def _word(name: str, value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return decimal_text(value) if name in _AMOUNTS else value


def _instrument(terms: Instrument) -> dict[str, Any]:
    """An instrument in decimal text, as a pack's file has it."""
    text: dict[str, Any] = {name: getattr(terms, name) for name in ("id", "base", "quote", "settle")}
    text |= {"kind": "inverse" if isinstance(terms, InversePerp) else "linear", "tick": decimal_text(terms.tick)}
    if isinstance(terms, InversePerp):
        text["contract_value"] = decimal_text(terms.contract_value)
    text |= {"lot": decimal_text(terms.lot), "min_size": terms.size_text(terms.min_lots)}
    text |= {"max_size": terms.size_text(terms.max_lots), "min_notional": decimal_text(terms.min_notional)}
    text |= {name: decimal_text(getattr(terms, name)) for name in _RATES}
    text["funding_interval_hours"] = terms.funding_interval // (3600 * SECOND)
    for name in ("open_interest_lower", "open_interest_upper", "skew_scale", "max_funding_velocity"):
        if getattr(terms, name):
            text[name] = decimal_text(getattr(terms, name))
    return text | {"brackets": [_bracket(bracket) for bracket in terms.brackets]}


def _bracket(bracket: Bracket) -> dict[str, Any]:
    values = msgspec.structs.asdict(bracket)
    return {name: value if name == "max_leverage" else decimal_text(value) for name, value in values.items()}


def _show_instrument(terms: Instrument) -> None:
    text = _instrument(terms)
    brackets = text.pop("brackets")
    OUT.print()
    OUT.print(f"{text.pop('id')}", markup=False)
    for name, value in text.items():
        if value not in ("0", ""):
            OUT.print(f"  {name.replace('_', ' '):<28} {value}", markup=False)
    OUT.print(f"  {'floor':>16} {'cap':>16} {'leverage':>9} {'mmr':>10} {'cum':>16}  {terms.settle}", markup=False)
    for row in brackets:
        figures = f"  {row['floor']:>16} {row['cap']:>16} {row['max_leverage']:>8}x {row['mmr']:>10} {row['cum']:>16}"
        OUT.print(figures, markup=False)
