"""What a client says on a connection of streams: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, each answered by its id.

Source: Binance USD-M, "Live Subscribing/Unsubscribing to streams", for replies and errors; properties are read and
kept for clients that set them, and change nothing: whether payloads are wrapped is said by the path.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

STREAMS_MAX = 1_024
"""So many streams may be heard on one connection. Source: Binance USD-M, "Websocket Market Streams"."""

NAME_MAX = 256
"""A name has so many characters at most."""

Id = int | str | None

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class Subscriptions(Protocol):
    """The streams of a connection."""

    def names(self) -> list[str]:
        """Of which it hears, in the order in which it asked."""
        ...

    def add(self, name: str) -> None:
        """Hear this one too."""
        ...

    def remove(self, name: str) -> None:
        """Hear this one no more."""
        ...


class Mistake(Exception):
    """What a client said is not understood. code is one of the venue's for streams."""

    def __init__(self, code: int, msg: str, about: Id = None) -> None:
        super().__init__(msg)
        self.code, self.msg, self.about = code, msg, about


def reply(subscriptions: Subscriptions, text: str) -> str:
    """Do what a text says, and what is answered."""
    try:
        about, result = _done(subscriptions, text)
    except Mistake as mistake:
        answer = {"error": {"code": mistake.code, "msg": mistake.msg}}
        return _ENCODE(answer if mistake.about is None else {**answer, "id": mistake.about}).decode()
    return _ENCODE({"result": result, "id": about}).decode()


def _done(subscriptions: Subscriptions, text: str) -> tuple[Id, Any]:
    request = _parsed(text)
    about = _id_of(request)
    method, params = request.get("method"), request.get("params")
    if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
        for name in _names(params, about):
            if method == "UNSUBSCRIBE":
                subscriptions.remove(name)
            elif len(subscriptions.names()) < STREAMS_MAX:
                subscriptions.add(name)
            else:
                raise Mistake(2, "Invalid request: too many subscriptions", about)
        return about, None
    if method == "LIST_SUBSCRIPTIONS":
        return about, subscriptions.names()
    if method == "GET_PROPERTY":
        return about, True
    if method == "SET_PROPERTY":
        return about, None
    if method is None:
        raise Mistake(2, "Invalid request: missing field `method`", about)
    known = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
    raise Mistake(2, f"Invalid request: unknown variant, expected one of {known}", about)


def _parsed(text: str) -> dict[str, Any]:
    try:
        request = _DECODE(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Mistake(3, f"Invalid JSON: {error}") from error
    if not isinstance(request, dict):
        raise Mistake(2, "Invalid request: expected an object")
    return request


def _id_of(request: dict[str, Any]) -> Id:
    about = request.get("id")
    if isinstance(about, bool) or not isinstance(about, int | str | None) or len(str(about)) > NAME_MAX:
        raise Mistake(2, "Invalid request: request ID must be an unsigned integer or a string")
    return about


def _names(params: Any, about: Id) -> list[str]:
    if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
        raise Mistake(2, "Invalid request: params must be a list of stream names", about)
    if len(params) > STREAMS_MAX:
        raise Mistake(2, "Invalid request: too many parameters", about)
    if any(not name or len(name) > NAME_MAX for name in params):
        raise Mistake(2, "Invalid request: invalid stream", about)
    return params
