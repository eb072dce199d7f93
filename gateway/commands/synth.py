"""`ringfence synth`: write a generated session."""

from __future__ import annotations

from pathlib import Path

from gateway.console import OUT
from gateway.errors import UsageError


def run(out: Path, seed: int, seconds: int, symbol: str, crash: bool) -> int:
    """Write the file; say what is in it."""
    from replay.synth import write_session

    if seconds < 1:
        raise UsageError(f"--seconds {seconds}: give at least 1")
    if not out.parent.is_dir():
        raise UsageError(f"{out}: the folder {out.parent} does not exist; create it first")
    write_session(out, seed=seed, seconds=seconds, symbol=symbol, crash=crash)
    OUT.print(f"{out}: {seconds:,} s of {symbol}, seed {seed}{', with a crash' if crash else ''}")
    return 0
