"""A session of a million records, made once a commit and kept in the temporary folder, the only one there."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from pathlib import Path

from benchmarks.flow import make_flow
from benchmarks.matching import _submit
from events.digest import fingerprint
from events.instruments import load_pack
from events.store.sqlite import open_session
from exchange.sequencer import Sequencer

RECORDS_A_COMMAND = 2.69
"""Of the matching flow, rounded down."""

PREFIX = "ringfence-bench-session-"


def session_of(records: int, seed: int) -> Path:
    """The session, of at least so many records and with the snapshot that it closed with."""
    folder, name = Path(tempfile.gettempdir()), f"{PREFIX}{_commit()}-{records}-{seed}.db"
    for old in folder.glob(f"{PREFIX}*"):
        if not old.name.startswith(name):
            old.unlink()
    if not (path := folder / name).exists():
        unfinished = folder / f"{PREFIX}unfinished.db"
        asyncio.run(_write(unfinished, int(records / RECORDS_A_COMMAND), seed))
        unfinished.rename(path)
    return path


async def _write(path: Path, operations: int, seed: int) -> None:
    flow = make_flow(load_pack("binance-usdm"), operations, seed)
    log = await open_session(path, create=True)
    sequencer = await Sequencer.open(log, apart=1)
    await _submit(sequencer, flow.opening)
    await _submit(sequencer, flow.commands)
    await sequencer.close()
    await log.close()


def _commit() -> str:
    """The tree of the checkout as it stands: a commit, and what is not committed of it."""
    root = Path(__file__).parents[1]
    try:
        said = [
            subprocess.run(["git", "-C", str(root), *asked], capture_output=True, check=True).stdout
            for asked in (["rev-parse", "HEAD"], ["diff", "HEAD"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return fingerprint(b"".join(said))[:12]
