"""Errors as people meet them: one line on standard error that says what, where and what to do; exit status 2."""

from __future__ import annotations

from collections.abc import Callable

from events.codec import CodecError
from events.instruments import PackError
from events.log import LogError
from gateway.console import complain
from replay.sources.report import SourceError
from replay.strategy import StrategyError

UNUSABLE = 2
"""Exit status where the input cannot be used."""


class UsageError(Exception):
    """An argument that makes no sense; the message says which and what to write."""


def told(run: Callable[[], int]) -> int:
    """Run a verb; what the user can mend is told in one line. Returns the exit status."""
    try:
        return run()
    except (UsageError, LogError, CodecError, PackError, SourceError, StrategyError) as error:
        complain(str(error))
    except KeyboardInterrupt:
        complain("stopped by the user; a session given with --out holds everything up to its last commit")
        return 130
    return UNUSABLE
