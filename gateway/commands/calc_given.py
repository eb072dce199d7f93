"""What was given to a question, as exact numbers. What is missing or makes no sense is told by its option."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from events.instruments import Instrument, Inverse, Linear, RulePack, load_pack
from events.units import UNIT
from exchange.calculator import LONG, SHORT, Holding, Rules, Tier, rules_of, with_cum
from gateway.errors import UsageError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([,_ ]\d{3})+(\.\d*)?", re.ASCII)
_SIDES = {"long": LONG, "buy": LONG, "short": SHORT, "sell": SHORT}

_OF_POSITION = (
    *("size", "entry", "leverage", "wallet", "extra_margin", "order_margin"),
    *("other_mm", "other_upnl", "mmr", "cum", "taker", "contract"),
)
"""The numbers that describe a position to any question."""


def number_of(text: str, what: str) -> Fraction:
    """Decimal text as a number. Raises UsageError."""
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{what}: {text!r} is not a decimal number{_hint(text)}")
    return Fraction(text)


def whole_of(text: str, what: str) -> int:
    """As `number_of`, a whole number."""
    number = number_of(text, what)
    if number.denominator != 1:
        raise UsageError(f"{what} must be a whole number")
    return number.numerator


def _hint(text: str) -> str:
    """What to write in place of what is nearly a number."""
    if text.endswith("%"):
        return ": rates are plain numbers, 0.5 % is 0.005"
    plain = re.sub(r"[,_ ]", "", text) if _GROUPED.fullmatch(text) else text.rstrip("xX")
    return f": write {plain}" if _NUMBER.fullmatch(plain) else ""


class Given:
    """The options of a question. An option that was left out is None, or empty where it may be repeated."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def __contains__(self, name: str) -> bool:
        return self._options.get(name) not in (None, [], "")

    def check(self) -> None:
        """Refuse a position that is no numbers, even where the question leaves them aside."""
        for name in _OF_POSITION:
            self.maybe(name)
        if "leverage" in self:
            self.leverage()
        _ = self.mode

    def text(self, name: str) -> str:
        """The option as it was typed, empty where it was left out."""
        return self._options.get(name) or ""

    def flag(self, name: str) -> bool:
        """Whether the switch was set."""
        return bool(self._options.get(name))

    def choice(self, name: str) -> bool | None:
        """Which way a switch that has two was set, None where it was left alone."""
        chosen: bool | None = self._options.get(name)
        return chosen

    def maybe(self, name: str) -> Fraction | None:
        """The number, or None where it was left out."""
        return number_of(self.text(name), _flag(name)) if name in self else None

    def number(self, name: str, default: int | Fraction = 0) -> Fraction:
        """The number, or the default where it was left out."""
        return Fraction(default) if (number := self.maybe(name)) is None else number

    def need(self, *names: str) -> Fraction:
        """The first of these numbers that was given. Raises UsageError where none was."""
        for name in names:
            if (number := self.maybe(name)) is not None:
                return number
        raise UsageError(f"{' or '.join(map(_flag, names))} is missing")

    def positive(self, *names: str) -> Fraction:
        """As `need`, above 0."""
        number = self.need(*names)
        if number <= 0:
            raise UsageError(f"{_flag(next(n for n in names if n in self))} must be above 0")
        return number

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        if default is not None and name not in self:
            return default
        self.need(name)
        return whole_of(self.text(name), _flag(name))

    def parts(self, name: str, form: str) -> list[list[str]]:
        """The values of an option that may be repeated, split at colons; `form` names the parts, those in [] optional.

        Raises UsageError where there are too few or too many.
        """
        least, most = form.partition("[")[0].count(":") + 1, form.count(":") + 1
        found = [value.split(":") for value in self._options.get(name) or []]
        for value in found:
            if not least <= len(value) <= most:
                raise UsageError(f"{_flag(name)}: {':'.join(value)!r} is not {form}")
        return found

    def tuples(self, name: str, form: str) -> list[list[Fraction]]:
        """As `parts`, all of them numbers."""
        return [[number_of(part, _flag(name)) for part in value] for value in self.parts(name, form)]

    @cached_property
    def pack(self) -> RulePack:
        """The rule pack."""
        return load_pack(self.text("pack"))

    @cached_property
    def terms(self) -> Instrument | None:
        """The instrument, or None where the pack does not have it."""
        return next((terms for terms in self.pack.instruments if terms.id == self.text("symbol")), None)

    @cached_property
    def is_inverse(self) -> bool:
        """Whether the position is inverse: as its instrument, or as it was said, or as all of the pack."""
        said = self.choice("inverse")
        if self.terms is not None:
            inverse, kinds = isinstance(self.terms, Inverse), ("linear", "inverse")
            if said is not None and said != inverse:
                raise UsageError(f"--{kinds[said]}: {self.terms.id} of {self.pack.id} is {kinds[inverse]}")
            return inverse
        if said is not None:
            return said
        linear = any(isinstance(terms, Linear) for terms in self.pack.instruments)
        inverse = any(isinstance(terms, Inverse) for terms in self.pack.instruments)
        if linear and inverse:
            raise UsageError(f"{self.pack.id} has linear and inverse instruments: add --linear or --inverse")
        return inverse

    @cached_property
    def contract(self) -> Fraction:
        """What one contract is."""
        if "contract" in self:
            return self.positive("contract")
        return Fraction(self.terms.contract_value, UNIT) if isinstance(self.terms, Inverse) else Fraction(1)

    @cached_property
    def mode(self) -> str:
        """What answers for the position: isolated or cross."""
        mode = self.text("mode").lower() or "isolated"
        if mode not in ("isolated", "cross"):
            raise UsageError(f"--mode: {self.text('mode')!r} is neither isolated nor cross")
        return mode

    def sign(self) -> int:
        """+1 for a long, -1 for a short; without a side, that of the size."""
        if "side" in self:
            if self.text("side").lower() not in _SIDES:
                raise UsageError(f"--side: {self.text('side')!r} is neither long nor short")
            return _SIDES[self.text("side").lower()]
        if self.number("size", 1) < 0:
            return SHORT
        if "size" in self:
            return LONG
        raise UsageError("--side is missing")

    def size(self, default: int | None = None) -> Fraction:
        """The size without a sign; below 0 it is a short, which --side may not contradict."""
        size = self.need("size") if default is None else self.number("size", default)
        if size < 0 and self.sign() == SHORT:
            return -size
        if size <= 0:
            raise UsageError("--size must be above 0")
        return size

    def holding(self, *price: str, default_size: int | None = None) -> Holding:
        """The position, entered at the first of these prices that was given."""
        return Holding(self.sign(), self.size(default_size), self.positive(*price), self.contract, self.is_inverse)

    def leverage(self) -> Fraction:
        """The leverage, one that the instrument can have unless margins of one's own were given."""
        leverage, terms = self.positive("leverage"), self.terms
        if terms is None or any(name in self for name in ("mmr", "imr", "bracket", "max_leverage")):
            return leverage
        most = _most_leverage(terms)
        if leverage < 1 or (most is not None and leverage > most):
            bounds = "from 1 on" if most is None else f"from 1 to {most}"
            raise UsageError(f"--leverage {self.text('leverage')}: {terms.id} of {self.pack.id} has leverages {bounds}")
        return leverage

    def taker_fee(self) -> Fraction:
        """The taker fee rate: as given, else that of the instrument, else none."""
        return self.number("taker", Fraction(self.terms.taker_fee, UNIT) if self.terms else 0)

    def tick(self) -> Fraction | None:
        """The tick size: as given, else that of the instrument."""
        if "tick" in self:
            return self.positive("tick")
        return Fraction(self.terms.tick, UNIT) if self.terms else None

    def schedule(self) -> tuple[Tier, ...]:
        """The brackets that were given, each with its maintenance amount."""
        rows = self.tuples("bracket", "FLOOR:MMR[:CUM]")
        if any(len(row) == 3 for row in rows[1:]):
            raise UsageError("--bracket: only the first one may state its CUM, the others follow from it")
        return with_cum([(row[0], row[1]) for row in rows], Fraction(*rows[0][2:]) if rows else Fraction(0))

    def rules(self) -> Rules:
        """The rules of the pack, with what was given in place of what the instrument states."""
        mmr = self.maybe("mmr")
        if mmr is None and "max_leverage" in self:
            mmr = self._fraction() / self.positive("max_leverage")
        if mmr is None and self.terms is None and "bracket" not in self:
            symbols = ", ".join(terms.id for terms in self.pack.instruments)
            asked = f"{self.pack.id} has no {self.text('symbol')!r}" if "symbol" in self else "--symbol is missing"
            ways = "--max-leverage, or --mmr and --cum" if len(self._fractions()) == 1 else "--mmr and --cum"
            raise UsageError(f"{asked}: give {ways}, or one of {symbols}")
        if mmr is None and "cum" in self:
            raise UsageError("--cum goes with --mmr")
        if "bracket" in self:
            mmr = Fraction(0)
        rules = rules_of(
            self.pack, self.terms, mmr=mmr, cum=self.number("cum"), taker_fee=self.taker_fee(), tick=self.tick()
        )
        return replace(rules, schedule=self.schedule()) if "bracket" in self else rules

    def _fraction(self) -> Fraction:
        """The fraction of the initial margin that the pack's maintenance margins are."""
        if len(fractions := self._fractions()) != 1:
            raise UsageError(
                f"--max-leverage: maintenance margin of {self.pack.id} does not follow from it; give --mmr"
            )
        return Fraction(fractions.pop(), UNIT)

    def _fractions(self) -> set[int]:
        """The fractions that its instruments state, none where one does not."""
        fractions = {int(terms.maintenance_fraction) for terms in self.pack.instruments}
        return set() if 0 in fractions else fractions


def _most_leverage(terms: Instrument) -> int | None:
    """The highest leverage of an instrument, None where it states neither brackets nor an initial margin."""
    if terms.brackets:
        return max(bracket.max_leverage for bracket in terms.brackets)
    return UNIT // terms.initial_margin if terms.initial_margin else None


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
