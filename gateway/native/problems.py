"""Why a request was not done, in the words of the native API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from exchange.failures import NotAcknowledged, Stopped, Unfit
from gateway.native.messages import Problem
from gateway.serving.venue import Overloaded


class Asked(Exception):
    """A request that was not done; `status` is that of HTTP."""

    def __init__(self, code: str, message: str, status: int = 400, record: int = 0) -> None:
        super().__init__(message)
        self.code, self.status, self.record = code, status, record

    def told(self) -> Problem:
        """What the client reads."""
        return Problem(code=self.code, message=str(self), record=self.record)


@contextmanager
def refused() -> Iterator[None]:
    """What is wrong with given values, as a problem of the request."""
    try:
        yield
    except LookupError as error:
        raise Asked("unknown_instrument", str(error.args[0] if error.args else error), 404) from error
    except (ValueError, ArithmeticError) as error:
        raise Asked("bad_request", str(error)) from error


def problem_of(error: Exception) -> Asked | None:
    """What to say of an error of the host; None where nobody reckoned with it."""
    if isinstance(error, Asked):
        return error
    if isinstance(error, Overloaded):
        return Asked("overloaded", str(error), 503)
    if isinstance(error, NotAcknowledged):
        return Asked("not_acknowledged", str(error), 503)
    if isinstance(error, Stopped):
        return Asked("stopped", str(error), 503)
    if isinstance(error, Unfit):
        return Asked("bad_request", str(error))
    return None
