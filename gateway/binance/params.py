"""The parameters of a request, read by hand from its query and its body as they came, and what of them was signed.

Clients put them into the query, a form body, or both, whatever the method; batches come as JSON, raw or
percent-encoded. What was signed is the query followed by the body, byte by byte, without the signature. Source: the
requests of six clients as recorded; Binance USD-M, "Signed Endpoint Examples", for the query that goes before the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import unquote, unquote_plus, unquote_to_bytes

from gateway.binance.errors import bad_characters, empty, illegal, invalid, missing

SIGNATURE = "signature"
PARAMETERS_MAX = 200
"""A request has so many parameters at most."""

_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_SIGNED = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_TRUE, _FALSE = ("true", "1"), ("false", "0")

Choice = TypeVar("Choice", bound=Enum)


class Params:
    """Parameters by name, as text. Of one that is sent twice the first counts, the query before the body."""

    __slots__ = ("signature", "signed", "values")

    def __init__(self, values: Mapping[str, str], signed: bytes = b"", signature: str | None = None) -> None:
        self.values = values
        self.signed = signed
        self.signature = signature

    @classmethod
    def read(cls, query: bytes, body: bytes) -> Params:
        """The parameters of a request as it came. Raises BinanceError."""
        values: dict[str, str] = {}
        try:
            signed_query, first = _taken(query.decode("utf-8"), values)
            signed_body, second = _taken(body.decode("utf-8"), values)
        except UnicodeDecodeError:
            raise bad_characters() from None
        return cls(values, (signed_query + signed_body).encode(), second if first is None else first)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Params:
        """The parameters of a JSON object: numbers as they were written, booleans as `true` and `false`."""
        return cls({name: _text(value) for name, value in values.items() if value is not None})

    def payloads(self) -> tuple[bytes, ...]:
        """What may have been signed: the bytes as they came, or what they say without percent signs, which some
        clients' transports put in after signing.
        """
        plain = unquote_to_bytes(self.signed)
        return (self.signed,) if plain == self.signed else (self.signed, plain)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, *others: str) -> str | None:
        """The parameter, by whichever of its names it was sent, None where it was not. Raises BinanceError."""
        for known in (name, *others):
            if (value := self.values.get(known)) is not None:
                if not value:
                    raise empty(known)
                return value
        return None

    def need(self, name: str) -> str:
        """A parameter that must be there. Raises BinanceError."""
        if not (value := self.values.get(name)):
            raise missing(name)
        return value

    def number(self, name: str, *others: str, below_0: bool = False) -> str | None:
        """A decimal number as its text. Raises BinanceError."""
        value = self.get(name, *others)
        if value is not None and not (_SIGNED if below_0 else _NUMBER).fullmatch(value):
            if _SIGNED.fullmatch(value):
                return value
            raise illegal(name)
        return value

    def whole(self, name: str) -> int | None:
        """A whole number. Raises BinanceError."""
        value = self.get(name)
        if value is None:
            return None
        if not _WHOLE.fullmatch(value):
            raise illegal(name, "^[0-9]{1,18}$")
        return int(value)

    def need_whole(self, name: str) -> int:
        """A whole number that must be there. Raises BinanceError."""
        value = self.values.get(name)
        if not value or not _WHOLE.fullmatch(value):
            raise missing(name)
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean in any of its spellings. Raises BinanceError."""
        value = self.get(name)
        if value is None:
            return default
        if (plain := value.lower()) in _TRUE:
            return True
        if plain in _FALSE:
            return False
        raise invalid(name)

    def need_flag(self, name: str) -> bool:
        """A boolean that must be there. Raises BinanceError."""
        self.need(name)
        return self.flag(name)

    def json(self, name: str, *others: str) -> Any:
        """A JSON value, whose numbers stay texts as they were written. Raises BinanceError."""
        text = self.get(name, *others)
        if text is None:
            raise missing(name)
        try:
            return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError):
            raise invalid(name) from None

    def choice(self, name: str, of: Mapping[str, Choice], default: Choice) -> Choice:
        """One of several values. Raises BinanceError."""
        value = self.get(name)
        if value is None:
            return default
        if (found := of.get(value)) is None:
            raise invalid(name)
        return found


def _taken(text: str, values: dict[str, str]) -> tuple[str, str | None]:
    """Add the pairs of a query or a form; what of it was signed, and the signature."""
    if not text:
        return "", None
    pairs, signature = text.split("&"), None
    if len(pairs) > PARAMETERS_MAX:
        raise bad_characters()
    kept = []
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name == SIGNATURE:
            signature = unquote(value, errors="strict")
            continue
        kept.append(pair)
        if "%" in pair or "+" in pair:
            name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        values.setdefault(name, value)
    return "&".join(kept), signature


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
