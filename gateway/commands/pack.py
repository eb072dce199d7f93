"""`ringfence pack list`, `show` and `check`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec

from events.instruments import Bracket, Collateral, Instrument, Inverse, RulePack, load_pack, pack_names, pack_text
from events.units import SECOND, decimal_text
from gateway.console import OUT, say, say_json
from gateway.errors import UsageError
from gateway.naming import there_are

RULES = (
    *("maintenance_basis", "exit_fee", "due_at", "margin_model", "margin_step", "funding_price", "premium_hours"),
    *("rate_hours", "liquidation_price", "liquidation_pays_taker_fee", "mode_switch", "leverage_change"),
    *("amend_priority", "reduce_only"),
)
"""The flags that venues differ by, in the order in which they are shown."""

_AMOUNTS = {"margin_step"}

_NOT_THERE = ("", 0, "0", "shared")
"""What a rule says that the pack does not have; it is not shown."""

_OPTIONAL = (
    *("open_interest_lower", "open_interest_upper", "skew_scale", "max_funding_velocity"),
    *("interest", "funding_cap", "funding_floor", "settlement_fee", "trigger_protect"),
    *("price_up", "price_down", "market_take_bound"),
)
"""Amounts that are shown where they are not 0."""

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
        raise UsageError(f"{pack.id} has no {symbol!r}; {there_are((i.id for i in pack.instruments), symbol)}")
    if as_json:
        lists = {"fee_tiers": _fee_tiers(pack), "collateral": [_collateral(pack, rule) for rule in pack.collateral]}
        say_json({**_summary(pack), **_rules(pack), **lists, "instruments": [_instrument(terms) for terms in chosen]})
        return 0
    OUT.print(f"{pack.id}, version {pack.version}", markup=False)
    say(pack.source)
    for rule, value in _rules(pack).items():
        if isinstance(value, bool) or value not in _NOT_THERE:
            word = ("no", "yes")[value] if isinstance(value, bool) else value
            OUT.print(f"  {rule.replace('_', ' '):<28} {word}", markup=False)
    if not symbol:
        _show_lists(pack)
    for terms in chosen:
        _show_instrument(terms)
    return 0


def show_file(name: str, symbol: str) -> int:
    """Print the pack's file as it is, once it is found to hold together. Returns 0."""
    if symbol:
        raise UsageError(f"--file and --symbol {symbol}: the file has all instruments; give one of them")
    load_pack(name)
    sys.stdout.write(pack_text(name).decode())
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
        "max_amendments": pack.max_amendments,
        "max_triggers": pack.max_triggers,
        "max_batch": pack.max_batch,
        "max_batch_cancels": pack.max_batch_cancels,
        "max_iceberg_parts": pack.max_iceberg_parts,
        "default_leverage": pack.default_leverage,
        "valuation": pack.valuation,
        "interest_interval_hours": pack.interest_interval // (3600 * SECOND),
        "liquidation_style": pack.liquidation.style.value,
        "liquidation_backstop": decimal_text(pack.liquidation.backstop),
        "liquidation_warning": decimal_text(pack.liquidation.warning),
        "liquidation_recovery": decimal_text(pack.liquidation.recovers_at),
        "liquidation_slice": decimal_text(pack.liquidation.slice),
        "liquidation_slice_above": decimal_text(pack.liquidation.slice_above),
        "liquidation_cooldown_seconds": pack.liquidation.cooldown // SECOND,
        "liquidation_window_seconds": pack.liquidation.window // SECOND,
        "auction_start": decimal_text(pack.liquidation.auction_start),
        "auction_rise": decimal_text(pack.liquidation.auction_rise),
        "auction_steps": pack.liquidation.auction_steps,
        "auction_interval_seconds": pack.liquidation.auction_interval // SECOND,
        "last_resort": ", ".join(layer.value for layer in pack.liquidation.last_resort) or "fund, whatever it has",
        "insurance_funds": pack.liquidation.funds.value,
        "withdrawal_gate_seconds": pack.withdrawal_gate // SECOND,
        "good_till_ahead_seconds": pack.good_till_ahead // SECOND,
        **_guards(pack),
    }


def _guards(pack: RulePack) -> dict[str, Any]:
    """How far prices may move, how old they may be, and what halts trading."""
    shares = {name: decimal_text(getattr(pack.guards, name)) for name in ("mark_band", "mark_step", "index_step")}
    rules = pack.guards.breaker
    breaker = f"{decimal_text(rules.jump)} within {rules.window // SECOND} s: {rules.halt // SECOND} s"
    if rules.auction:
        breaker += f", then an auction of {rules.auction // SECOND} s"
    breaker = breaker if rules.jump else ""
    return {**shares, "mark_age_max_seconds": pack.guards.mark_age_max // SECOND, "breaker": breaker}


def _fee_tiers(pack: RulePack) -> list[dict[str, str]]:
    return [
        {"volume": decimal_text(t.volume), "maker": decimal_text(t.maker), "taker": decimal_text(t.taker)}
        for t in pack.fee_tiers
    ]


def _collateral(pack: RulePack, rule: Collateral) -> dict[str, Any]:
    """What counts of an asset in multi-asset mode, with the fee for exchanging it."""
    fee = next((pair.fee for pair in pack.spot if pair.id == rule.index), 0)
    tiers = [{"haircut": decimal_text(t.haircut), "cap": decimal_text(t.cap) if t.cap else ""} for t in rule.tiers]
    amounts = {"debt_limit": rule.debt_limit, "interest": rule.interest, "fee": fee}
    text = {name: decimal_text(amount) for name, amount in amounts.items()}
    return {"asset": rule.asset, "index": rule.index, "tiers": tiers, **text}


def _show_lists(pack: RulePack) -> None:
    """Fee tiers by volume, and what counts as collateral, as tables."""
    if pack.fee_tiers:
        OUT.print(f"\n  {'30-day volume':>16} {'maker':>10} {'taker':>10}", markup=False)
        for tier in _fee_tiers(pack):
            OUT.print(f"  {tier['volume']:>16} {tier['maker']:>10} {tier['taker']:>10}", markup=False)
    if pack.collateral:
        heads = f"{'collateral':<10} {'index':<10} {'haircut':>9} {'up to':>12}"
        heads += f" {'debt limit':>12} {'interest':>10} {'fee':>7}  valued in {pack.valuation}"
        OUT.print(f"\n  {heads}", markup=False)
    for row in (_collateral(pack, rule) for rule in pack.collateral):
        for n, tier in enumerate(row["tiers"]):
            name, index = (row["asset"], row["index"]) if n == 0 else ("", "")
            last = f"{row['debt_limit']:>12} {row['interest']:>10} {row['fee']:>7}" if n == 0 else ""
            what = f"  {name:<10} {index:<10} {tier['haircut']:>9} {tier['cap'] or 'all':>12} {last}"
            OUT.print(what.rstrip(), markup=False)


def _word(name: str, value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return decimal_text(value) if name in _AMOUNTS else value


def _instrument(terms: Instrument) -> dict[str, Any]:
    """An instrument in decimal text, as a pack's file has it."""
    text: dict[str, Any] = {name: getattr(terms, name) for name in ("id", "base", "quote", "settle")}
    text |= {"kind": "inverse" if isinstance(terms, Inverse) else "linear", "tick": decimal_text(terms.tick)}
    if isinstance(terms, Inverse):
        text["contract_value"] = decimal_text(terms.contract_value)
    text |= {"lot": decimal_text(terms.lot), "min_size": terms.size_text(terms.min_lots)}
    text |= {"max_size": terms.size_text(terms.max_lots), "min_notional": decimal_text(terms.min_notional)}
    text |= {name: decimal_text(getattr(terms, name)) for name in _RATES}
    if terms.funding_interval:
        text["funding_interval_hours"] = terms.funding_interval // (3600 * SECOND)
    if terms.expiry:
        text["expiry"] = f"{datetime.fromtimestamp(terms.expiry // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
        text["settlement_window_minutes"] = terms.settlement_window // (60 * SECOND)
    if terms.market_max_lots:
        text["market_max_size"] = terms.size_text(terms.market_max_lots)
    for name in _OPTIONAL:
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
