"""The answers as they are printed: decimal strings at full precision as JSON, or an aligned table with units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from gateway.commands.calc_given import Given
from gateway.console import OUT, say_json

Answer = Mapping[str, Fraction | int | Sequence[Fraction] | None]
"""Field -> figure. None where there is none, such as a liquidation price that no mark reaches."""

DIGITS = 40
"""So many significant digits of a fraction that no decimal number is."""

PLACES = 8
"""So many decimal places in the table; JSON has all of them."""

_PRICES = {
    *("liquidation_price", "liquidation_price_exact", "liquidation_trigger"),
    *("bankruptcy_price", "bankruptcy_price_on_tick", "price", "fillable_price"),
}
_SIZES = {"max_size"}
_PLAIN = {
    *("mmr", "margin_ratio", "premium", "rate", "initial_margin_rate", "weight", "funding_index_delta"),
    *("mmr_at_liquidation", "adl_rank", "adl_order", "portfolio_array_pnl", "scanning_risk"),
}


def decimal_string(value: Fraction | int) -> str:
    """The number as decimal text: exact where it is a decimal number, else to 40 significant digits, half to even."""
    value = Fraction(value)
    denominator, places = value.denominator, 0
    while denominator % 10 == 0:
        denominator //= 10
        places += 1
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
            places += 1
    if denominator != 1:
        whole = abs(value.numerator) // value.denominator
        zeros = 0 if whole else len(str(value.denominator // abs(value.numerator))) - 1
        places = DIGITS - len(str(whole)) if whole else DIGITS + zeros
    return fixed(value, places)


def fixed(value: Fraction, places: int) -> str:
    """The number to so many decimal places, half to even, without trailing zeros."""
    scaled = round(value * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    text = f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".") if places else str(whole)
    return f"-{text}" if scaled < 0 else text


def show(answer: Answer, given: Given, note: str = "") -> None:
    """Print the answer as it was asked for. The note is for people."""
    if given.flag("json"):
        say_json({name: _json(value) for name, value in answer.items()})
        return
    rows = [(name.replace("_", " "), _text(value), unit_of(name, given)) for name, value in answer.items()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for label, text, unit in rows:
        OUT.print(f"{label:<{widths[0]}}  {text:>{widths[1]}}  {unit}".rstrip(), markup=False)
    if note:
        OUT.print(note, markup=False)


def unit_of(name: str, given: Given) -> str:
    """What a figure is measured in; empty for rates and for what names its unit itself."""
    if name in _PLAIN or name.endswith(("_ppm", "_quantums", "_quantum", "_subticks")):
        return ""
    terms = given.terms
    base, quote = (str(terms.base), str(terms.quote)) if terms else ("base asset", "quote asset")
    if name in _PRICES:
        return f"{quote} per {base}"
    if name in _SIZES:
        return "contracts" if given.is_inverse or "contract" in given else base
    if name.endswith("_in_quote") or given.flag("in_quote"):
        return quote
    return str(terms.settle) if terms else base if given.is_inverse else quote


def _json(value: Fraction | int | Sequence[Fraction] | None) -> str | list[str] | None:
    if value is None or isinstance(value, (Fraction, int)):
        return None if value is None else decimal_string(value)
    return [decimal_string(one) for one in value]


def _text(value: Fraction | int | Sequence[Fraction] | None) -> str:
    if value is None:
        return "none"
    if isinstance(value, (Fraction, int)):
        return fixed(Fraction(value), PLACES)
    return ", ".join(fixed(one, PLACES) for one in value)
