"""`ringfence demo`: a generated market with a crash, one isolated and one cross account, shown and verified."""

from __future__ import annotations

import asyncio
import tempfile
from decimal import Decimal
from pathlib import Path

from events.commands import AccountId, MarkSource, SessionOptions
from events.instruments import MarginMode, load_pack
from events.log import LogError
from events.store.sqlite import open_session
from examples.dip_buyer import DipBuyer
from gateway.commands import replay, verify, why
from gateway.console import OUT
from gateway.errors import UsageError
from gateway.reports.replay_figures import show
from replay.sources import open_source
from replay.traders import Trader

SIDECARS = ("", "-wal", "-shm")


def run(out: Path, seed: int, seconds: int) -> int:
    """Generate, replay, show, explain, verify. Returns the exit status of the verification."""
    from replay.synth import write_session

    if seconds < 60:
        raise UsageError(f"--seconds {seconds}: give at least 60, a crash needs room")
    _make_room(out)
    pack = load_pack("binance-usdm")
    with tempfile.TemporaryDirectory(prefix="ringfence-") as folder:
        capture = Path(folder) / "btcusdt.gz"
        OUT.print(f"generating {seconds:,} s of BTCUSDT with a crash (seed {seed}); two accounts buy its dips at 20x")
        write_session(capture, seed=seed, seconds=seconds, crash=True)
        traders = [
            Trader(AccountId("iso"), MarginMode.ISOLATED, 20, Decimal(10_000), DipBuyer()),
            Trader(AccountId("cross"), MarginMode.CROSS, 20, Decimal(10_000), DipBuyer()),
        ]
        options = SessionOptions(mark_source=MarkSource.DATA)
        replayed = replay.replay([open_source(capture, pack)], traders, pack, options, out, insurance=Decimal(100_000))
    show(replayed, out)
    OUT.print()
    why.run(out, "", None, as_json=False)
    OUT.print()
    return verify.run(out, as_json=False)


def _make_room(out: Path) -> None:
    """Remove an older demo, and nothing else that may be there."""
    if out.exists() and not asyncio.run(_is_session(out)):
        raise UsageError(f"--out {out}: is there already and is no session; choose another name")
    for ending in SIDECARS:
        Path(f"{out}{ending}").unlink(missing_ok=True)


async def _is_session(path: Path) -> bool:
    try:
        log = await open_session(path, read_only=True)
    except LogError:
        return False
    await log.close()
    return True
