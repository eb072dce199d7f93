"""Errors as people meet them: one line on standard error that says what, where and what to do; exit status 2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.console import complain, logs_to_stderr

UNUSABLE = 2
"""Exit status where the input cannot be used."""


class UsageError(Exception):
    """An argument that makes no sense; the message says which and what to write."""


def how_to_install(extra: str) -> str:
    """The command that installs an extra into a checkout, as it is the only way to have Ringfence."""
    return f'in the checkout, .venv/bin/pip install -e ".[{extra}]"'


def told(run: Callable[[], int]) -> int:
    """Run a verb; what the user can mend is told in one line. Returns the exit status."""
    logs_to_stderr()
    try:
        return run()
    except _mendable() as error:
        complain(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complain(f"{where}{error.strerror}; check the path, the rights to it and the room on the disk")
    except KeyboardInterrupt:
        complain("stopped by the user; a session that was being written holds everything up to its last commit")
        return 130
    return UNUSABLE


@contextmanager
def about(session: Path, *, is_archive: bool = False) -> Iterator[None]:
    """Name the session in what is found wrong with its batches, and what to do about that: about records of unknown
    kinds, and about a damaged file unless it is an archive.
    """
    from events.codec import CodecError
    from events.log import BeyondRepair, DamagedLog, LogError, NewerLog

    try:
        yield
    except CodecError as error:
        raise NewerLog(f"{session}: {error}; read it with the version of Ringfence that wrote it") from error
    except LogError as error:
        where = "" if str(error).startswith(str(session)) else f"{session}: "
        is_mendable = isinstance(error, DamagedLog) and not isinstance(error, BeyondRepair) and not is_archive
        remedy = f", or keep what is good of it: ringfence log repair {session}" if is_mendable else ""
        raise type(error)(f"{where}{error}{remedy}") from error


def _mendable() -> tuple[type[Exception], ...]:
    """The errors whose message is for the user; imported only once there is one."""
    from events.instruments import PackError
    from events.log import LogError
    from exchange.failures import SequencerError
    from replay.loading import StrategyError
    from replay.sources.report import SourceError
    from replay.sweep.task import SweepError
    from replay.traders import SetupError

    return UsageError, LogError, PackError, SequencerError, SetupError, SourceError, StrategyError, SweepError
