"""What the door answers where it does not do what was asked: code, text and HTTP status of the venue.

Source of codes and texts: Binance USD-M Futures, "Error Codes".
"""

from __future__ import annotations

import msgspec


class BinanceError(Exception):
    """An answer of the form `{"code", "msg"}`. wait_s, where it is not 0, is told as Retry-After."""

    def __init__(self, code: int, msg: str, status: int = 400, wait_s: int = 0) -> None:
        super().__init__(code, msg)
        self.code = code
        self.msg = msg
        self.status = status
        self.wait_s = wait_s

    def answer(self) -> dict[str, object]:
        """As it is answered, alone or as the element of a batch."""
        return {"code": self.code, "msg": self.msg}

    def body(self) -> bytes:
        """As it is sent."""
        return msgspec.json.encode(self.answer())


LEGAL_NUMBER = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"


def missing(name: str) -> BinanceError:
    """A mandatory parameter is missing, or makes no sense at all."""
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def empty(name: str) -> BinanceError:
    """A parameter is there and says nothing."""
    return BinanceError(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> BinanceError:
    """A parameter that does not go with the others."""
    return BinanceError(-1106, f"Parameter '{name}' sent when not required.")


def illegal(name: str, legal: str = LEGAL_NUMBER) -> BinanceError:
    """A parameter of other characters than it may have."""
    return BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def invalid(name: str) -> BinanceError:
    """A parameter whose value is none of those there are."""
    return BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_characters() -> BinanceError:
    """A request that is no text."""
    return BinanceError(-1100, "Illegal characters found in a parameter.")


def key_malformed() -> BinanceError:
    """No API key, or none that could be one."""
    return BinanceError(-2014, "API-key format invalid.", 401)


def key_unknown() -> BinanceError:
    """An API key that is not known, or may not do this."""
    return BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def signature_wrong() -> BinanceError:
    """Not signed by the owner of the key."""
    return BinanceError(-1022, "Signature for this request is not valid.")


def too_late() -> BinanceError:
    """A timestamp of too long ago."""
    return BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")


def too_early() -> BinanceError:
    """A timestamp of the future."""
    return BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_symbol() -> BinanceError:
    """No such symbol."""
    return BinanceError(-1121, "Invalid symbol.")


def no_order() -> BinanceError:
    """No such order to be shown."""
    return BinanceError(-2013, "Order does not exist.")


def unknown_order() -> BinanceError:
    """No such order to be cancelled."""
    return BinanceError(-2011, "Unknown order sent.")


def no_listen_key() -> BinanceError:
    """No such stream of a user."""
    return BinanceError(-1125, "This listenKey does not exist.")


def no_path(method: str, path: str) -> BinanceError:
    """Nothing is served there."""
    return BinanceError(-5000, f"Path {path}, Method {method} is invalid", 404)


def too_large() -> BinanceError:
    """A body beyond what a request may have."""
    return BinanceError(-1101, "Too many parameters; the body of a request is too large.", 413)


def overloaded() -> BinanceError:
    """More is asked than can be decided."""
    text = "Server is currently overloaded with other requests. Please try again in a few minutes."
    return BinanceError(-1008, text, 503, 1)


def outcome_unknown() -> BinanceError:
    """Nobody knows whether it was done."""
    text = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
    return BinanceError(-1007, text, 503)


def shutting_down() -> BinanceError:
    """The session takes nothing any more."""
    return BinanceError(-1016, "This service is no longer available.", 503)


def broken() -> BinanceError:
    """A bug of ours."""
    return BinanceError(-1000, "An unknown error occured while processing the request.", 500)


def too_many_requests(limit: int, wait_s: int) -> BinanceError:
    """More weight than an address has in a minute."""
    text = f"Too many requests; current limit is {limit} requests per minute. Please use the websocket for live updates"
    return BinanceError(-1003, f"{text} to avoid polling the API.", 429, wait_s)


def banned(until: int, wait_s: int) -> BinanceError:
    """An address that did not stop."""
    text = f"Way too many requests; IP banned until {until}. Please use the websocket for live updates to avoid bans."
    return BinanceError(-1003, text, 418, wait_s)


def too_many_orders(wait_s: int) -> BinanceError:
    """More orders than an account may place."""
    return BinanceError(-1015, "Too many new orders.", 429, wait_s)
