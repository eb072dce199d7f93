"""`make golden`: compare every golden session with what this code makes of it.

python -m tests.golden                          compare
python -m tests.golden --add NAME SESSION.db    keep a session file under a new name
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.golden.sessions import add, decided, heads, load, read, sum_up


def main(arguments: list[str]) -> int:
    """Compare or add; exit code 1 where anything differs."""
    if arguments[:1] == ["--add"] and len(arguments) == 3:
        add(arguments[1], read(Path(arguments[2])))
        return 0
    failed = 0
    for name, golden in heads().items():
        session = load(name)
        now = sum_up(session)
        _, bodies = decided(session, [batch.command for batch in session.batches])
        verdict = "same" if now == golden and bodies == session.bodies else "DIFFERS"
        failed += verdict != "same"
        sys.stdout.write(f"{name:<24} {golden.records:>7,} records  {now.head[:16]}  {verdict}\n")
    sys.stdout.write(f"{len(heads())} golden sessions, {failed} differ\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
