"""`ringfence doctor`: whether this machine, this installation and a session are fit to be served."""

from __future__ import annotations

from pathlib import Path

from gateway.commands.doctor_checks import CHECKS, Check, Finding, Given
from gateway.console import OUT, say_json
from gateway.errors import UsageError

NAME_WIDTH = 12


def run(session: Path, host: str, port: int, tls_port: int, as_json: bool) -> int:
    """Look at all of it. Returns 0 where all is well, else 1."""
    given = Given(session, host, port, tls_port)
    found = [finding for name, check in CHECKS.items() for finding in _done(name, check, given)]
    if as_json:
        say_json([finding._asdict() for finding in found])
    else:
        for finding in found:
            remedy = "" if finding.is_ok else f"; {finding.remedy}"
            mark = "ok  " if finding.is_ok else "warn"
            OUT.print(f"{mark} {finding.name:<{NAME_WIDTH}} {finding.said}{remedy}", markup=False)
    return 0 if all(finding.is_ok for finding in found) else 1


def _done(name: str, check: Check, given: Given) -> list[Finding]:
    """What a check finds; that it could not look is a finding too."""
    try:
        return list(check(given))
    except UsageError as error:
        said, _, remedy = str(error).rpartition("; ")
        return [Finding(name, False, said or str(error), remedy)]
    except OSError as error:
        where = error.filename or given.session
        return [Finding(name, False, f"{where}: {error.strerror}", "check the path and the rights to it")]
