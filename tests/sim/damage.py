"""Damage, then use: a session that a disk has damaged is refused, or goes on and keeps both its past and its future.

    python -m tests.sim.damage [--count HOW_MANY] [--seed SEED]

Each round copies a session that was closed, or one that was left by a process which died, damages the copy at a place
drawn by chance (cut off, bytes flipped, a stretch of zeros; in the database or in its write-ahead log), opens it,
writes more, and reads everything. What was good is every batch that stands ahead of the damage; whatever the session
still shows has to be a beginning of what it was, and to be followed by all that was written after.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from events.log import DamagedLog, Head, LogError, StoredBatch, check_chain
from events.snapshot import seal
from events.store.salvage import Salvage
from events.store.sqlite import SqliteLog, open_session
from tests.stored import head_of, history

COUNT = 1000
"""So many rounds, unless told otherwise."""

COMMITS, BATCHES = 24, 9
"""The sessions hold so many commits of so many batches."""

MORE = 5
"""So many batches are written after the damage."""

DATABASE, WAL = "session.db", "session.db-wal"


class Original:
    """A session to be damaged: its folder, its batches, and how many of them a file of it must still give when bytes
    from a place on are gone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.batches: list[StoredBatch] = []
        self._safe, self._salts = 0, b""
        self._lengths: list[tuple[int, int]] = []

    @classmethod
    async def made(cls, folder: Path, *, is_closed: bool, checkpoint: int = 1000) -> Original:
        """Write one: closed, or as a process leaves it that dies; pages go to the database after so many."""
        its, writing = cls(folder), folder.with_suffix(".writing")
        folder.mkdir()
        writing.mkdir()
        log = await open_session(writing / DATABASE, create=True)
        await log._db.execute_fetchall(f"PRAGMA wal_autocheckpoint = {checkpoint}")
        head = Head()
        for n in range(COMMITS):
            its.batches += history(BATCHES, head, records=3, text="x" * (700 * (n % 4)))
            if n % 8 == 5:
                await log.keep(seal(head, 1, b"state" * 999))
            its._note(head.batch, (writing / WAL).read_bytes())
            head = await log.append(its.batches[-BATCHES:], head)
        its._note(head.batch, (writing / WAL).read_bytes())
        if is_closed:
            await log.close()
        for path in writing.glob("*[bl]"):
            shutil.copy(path, folder / path.name)
        await log.close()
        return its

    def _note(self, batch: int, wal: bytes) -> None:
        """The log of newer pages after a commit: where it ends, as it is written again from its beginning at times."""
        size, salts = 24 + int.from_bytes(wal[8:12], "big"), wal[16:24]
        if salts != self._salts:
            self._safe, self._salts, self._lengths = (self._lengths or [(0, 0)])[-1][0], salts, []
        if wal:
            ends = (at for at in range(32, len(wal), size) if wal[at + 8 : at + 16] != salts)
            self._lengths.append((batch, next(ends, len(wal))))

    def good_before(self, name: str, at: int) -> int:
        """The last batch that does not stand in what is behind a place in a file."""
        if name == DATABASE:
            return len(self.batches)
        return max((batch for batch, length in self._lengths if length <= at), default=self._safe)


def damaged(file: Path, chance: random.Random) -> tuple[str, int]:
    """Damage a file somewhere, more often towards its end: what was done, and at which byte."""
    data = bytearray(file.read_bytes())
    how = chance.choice(("cut", "flip", "zero"))
    at = chance.randrange(len(data) // 2 if chance.random() < 0.5 else 0, len(data))
    if how == "cut":
        del data[at:]
    elif how == "flip":
        data[at] ^= 1 << chance.randrange(8)
    else:
        length = chance.choice((1, 16, 512, 4096, 40_000))
        data[at : at + length] = bytes(len(data[at : at + length]))
    file.write_bytes(data)
    return how, at


async def one_round(originals: list[Original], folder: Path, seed: int) -> str:
    """Damage a copy, and use it: `refused`, `as it was` or `shorter`, and what was done to which file."""
    chance = random.Random(seed)
    original = chance.choice(originals)
    shutil.copytree(original.folder, folder)
    name = chance.choice(sorted(path.name for path in folder.iterdir()))
    how, at = damaged(folder / name, chance)
    outcome = await used(original.batches, folder / DATABASE, original.good_before(name, at))
    return f"{outcome}: {'log of newer pages' if name == WAL else 'database'}, {how}"


async def used(before: list[StoredBatch], path: Path, good: int) -> str:
    """Open it, write more, open it again."""
    try:
        async with opened(path) as log:
            found = await log.head()
            after = history(MORE, found)
            assert await log.append(after, found) == head_of(after[-1])
    except LogError as error:
        refusal = error
    else:
        return await kept(before, path, found, after, good)
    assert "\n" not in str(refusal), refusal
    assert str(path) in str(refusal), refusal
    if isinstance(refusal, DamagedLog):
        mended(before, path)
    return "refused"


async def kept(before: list[StoredBatch], path: Path, found: Head, after: list[StoredBatch], good: int) -> str:
    """That a session that was opened with so much has it still, all that was good is in it, and what came after too."""
    async with opened(path) as log:
        now = [batch async for batch in log.read()]
    assert now[found.batch :] == after, "what was written after is not there"
    assert now[: found.batch] == before[: found.batch], "what was before is another"
    assert found.batch >= good, f"opened with {found.batch} of {good} good batches"
    return "as it was" if found.batch == len(before) else "shorter"


def mended(before: list[StoredBatch], path: Path) -> None:
    """What can be read of a refused session is a beginning of it, and something is said to be wrong."""
    salvage = Salvage(path)
    head = Head()
    for stored, _ in salvage:
        head = check_chain(head, stored)
    assert salvage.finding.defect, "refused, but nothing to repair"
    assert head == (head_of(before[head.batch - 1]) if head.batch else Head())


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteLog]:
    """The session, closed in the end."""
    log = await open_session(path)
    try:
        yield log
    finally:
        await log.close()


async def rounds(folder: Path, seeds: range) -> Counter[str]:
    """What came of so many."""
    originals = [
        await Original.made(folder / "closed", is_closed=True),
        await Original.made(folder / "left", is_closed=False),
        await Original.made(folder / "left-again", is_closed=False, checkpoint=20),
    ]
    tally: Counter[str] = Counter()
    for original in originals:
        shutil.copytree(original.folder, folder / "copy")
        outcome = await used(original.batches, folder / "copy" / DATABASE, len(original.batches))
        assert outcome == "as it was", "refused, and nothing was damaged"
        shutil.rmtree(folder / "copy")
    for seed in seeds:
        try:
            tally[await one_round(originals, folder / "copy", seed)] += 1
        except BaseException as error:
            error.add_note(f"python -m tests.sim.damage --seed {seed} --count 1")
            raise
        shutil.rmtree(folder / "copy")
    return tally


def main(arguments: list[str]) -> None:
    """Do so many rounds and say what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.damage", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(rounds(Path(folder), range(options.seed, options.seed + options.count)))
    for what, count in sorted(tally.items()):
        sys.stdout.write(f"{count:>6}  {what}\n")
    sys.stdout.write(
        f"{tally.total():>6}  damaged: everything good and everything written after is there, or refused\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
