"""`fork` in a player: from the moment that is looked at on, something is otherwise, or a strategy goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from events.commands import AccountId
from gateway.commands.fork import Request, forked
from gateway.commands.fork_edits import edit_of
from gateway.commands.fork_rerun import Asked
from gateway.errors import UsageError

STRATEGY = "strategy="
"""A word that begins so says whose strategy goes on from there."""


async def fork_here(session: Path, record: int, account: AccountId | None, words: Sequence[str]) -> str:
    """Write FILE, the fork with these changes after the record, and say so. Raises UsageError, LogError."""
    if len(words) < 2:
        raise UsageError("give fork FILE CHANGE..., as fork b.db ann:leverage:BTCUSDT=5, or FILE strategy=module:Class")
    out = Path(words[0])
    changes = [text for text in words[1:] if not text.startswith(STRATEGY)]
    edits, asked = [edit_of(text) for text in changes], _asked(words[1:], account)
    if out.exists():
        raise UsageError(f"{out}: exists already; choose another name")
    try:
        request = Request(session, str(record + 1), changes, out, strategies=asked)
        fork, _ = await forked(request, edits, is_shown=False)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    refused = "".join(f"; {edit.text} was refused: {reason.value}" for edit, reason in fork.refused)
    return f"written {out}: the same {record:,} records, then otherwise{refused}; see ringfence diff {session} {out}"


def _asked(words: Sequence[str], account: AccountId | None) -> Asked:
    """Whose strategy goes on from here: that of the account which is looked at, else of all that had one."""
    names = [text.removeprefix(STRATEGY) for text in words if text.startswith(STRATEGY)]
    return Asked(rerun=True, accounts=[account] if account else [], strategy=names[0]) if names else Asked()
