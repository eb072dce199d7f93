"""`make golden`: compare every golden session with what this code makes of it.

python -m tests.golden                          compare
python -m tests.golden --add NAME SESSION.db    keep a session file under a new name
python -m tests.golden --add NAME               keep what the session by hand of that name records today
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.golden import (
    by_chance_orders,
    by_hand,
    by_hand_2,
    by_hand_fills,
    by_hand_guards,
    by_hand_handling,
    by_hand_instructions,
    by_hand_layers,
    by_hand_linked,
    by_hand_orders,
    by_hand_phases,
    by_hand_reducing,
    by_hand_styles,
    by_hand_triggers,
    by_hand_warnings,
)
from tests.golden.sessions import add, decided, heads, load, read, sum_up

MADE = (
    by_hand_2.SESSIONS
    | by_hand_layers.SESSIONS
    | by_hand_guards.SESSIONS
    | by_hand_warnings.SESSIONS
    | by_hand_styles.SESSIONS
    | by_hand_instructions.SESSIONS
    | by_hand_triggers.SESSIONS
    | by_hand_handling.SESSIONS
    | by_chance_orders.SESSIONS
    | by_hand_phases.SESSIONS
    | by_hand_reducing.SESSIONS
    | by_hand_linked.SESSIONS
    | by_hand_fills.SESSIONS
    | by_hand_orders.SESSIONS
)
"""Sessions by hand by name; any other name stands for the first one."""


def main(arguments: list[str]) -> int:
    """Compare or add; exit code 1 where anything differs, 2 where nothing can be added."""
    if arguments:
        return _add(arguments)
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


def _add(arguments: list[str]) -> int:
    option, *names = arguments
    if option != "--add" or len(names) not in (1, 2):
        sys.stderr.write("usage: python -m tests.golden [--add NAME [SESSION.db]]\n")
        return 2
    if names[0] in heads():
        sys.stderr.write(f"{names[0]} is golden already; golden sessions are only ever added: choose another name\n")
        return 2
    add(names[0], read(Path(names[1])) if names[1:] else MADE.get(names[0], by_hand.session)())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
