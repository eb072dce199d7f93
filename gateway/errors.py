"""Errors as people meet them: one line on standard error that says what, where and what to do; exit status 2."""

from __future__ import annotations

from collections.abc import Callable

from gateway.console import complain

UNUSABLE = 2
"""Exit status where the input cannot be used."""


class UsageError(Exception):
    """An argument that makes no sense; the message says which and what to write."""


def told(run: Callable[[], int]) -> int:
    """Run a verb; what the user can mend is told in one line. Returns the exit status."""
    try:
        return run()
    except _mendable() as error:
        complain(str(error))
    except KeyboardInterrupt:
        complain("stopped by the user; a session given with --out holds everything up to its last commit")
        return 130
    return UNUSABLE


def _mendable() -> tuple[type[Exception], ...]:
    """The errors whose message is for the user; imported only once there is one."""
    from events.codec import CodecError
    from events.instruments import PackError
    from events.log import LogError
    from exchange.sequencer import SequencerError
    from replay.sources.report import SourceError
    from replay.strategy import StrategyError

    return UsageError, LogError, CodecError, PackError, SequencerError, SourceError, StrategyError
