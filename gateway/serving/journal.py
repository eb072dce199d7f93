"""The log of a server: a JSON object on a line for each request and for each command, joined by the request's id.

Of a request it holds the method, the path and how it ended; never a query, a header or a body, where secrets are.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Any, TextIO

import structlog

from events.commands import TradersCommand
from exchange.committer import Acknowledgement

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request that is being answered."""

SECRETS = ("secret", "signature", "token", "authorization", "cookie", "apikey", "api_key", "password")


def processors() -> list[Any]:
    """How an event becomes a line."""
    return [
        without_secrets,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper("iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]


def configure(stream: TextIO, is_all: bool) -> None:
    """Have what the rooms below log written there, too: all of it, or what goes wrong."""
    level = logging.INFO if is_all else logging.WARNING
    structlog.configure(
        processors=processors(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )


class Journal:
    """Writes to a stream, or nowhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.is_on = stream is not None
        self._log: Any = structlog.wrap_logger(
            structlog.PrintLogger(stream),
            processors=processors(),
            cache_logger_on_first_use=True,
        )

    def answered(self, method: str, path: str, status: int, seconds: float, client: str) -> None:
        """A request is done."""
        if self.is_on:
            ms = round(seconds * 1000, 3)
            self._log.info(
                "request", request=REQUEST.get(), method=method, path=path, status=status, ms=ms, client=client
            )

    def asked(self, command: TradersCommand, answer: Acknowledgement) -> None:
        """A command of a client is durable, or was refused."""
        if self.is_on:
            refused = {"refused": answer.reason.value} if answer.reason else {}
            name, account = type(command).__name__, getattr(command, "account", "")
            self._log.info(
                "command", request=REQUEST.get(), command=name, account=account, record=answer.seq, **refused
            )

    def failed(self, path: str, error: BaseException) -> None:
        """A request met a defect."""
        if self.is_on:
            self._log.error("defect", request=REQUEST.get(), path=path, exc_info=error)

    def noted(self, what: str, **more: Any) -> None:
        """Something about the server itself."""
        if self.is_on:
            self._log.info(what, **more)


def without_secrets(_logger: Any, _name: str, event: Any) -> Any:
    """Whatever is called like a secret is not written."""
    for name in event:
        if any(secret in name.lower() for secret in SECRETS):
            event[name] = "***"
    return event
