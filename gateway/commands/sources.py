"""`ringfence sources`: which files a replay reads, and how they are known."""

from __future__ import annotations

from gateway.console import say, say_json
from replay.sources import FORMATS


def run(as_json: bool) -> int:
    """List the formats. Returns 0."""
    if as_json:
        say_json([{"format": f.name, "known_by": f.known_by, "holds": f.holds} for f in FORMATS])
        return 0
    for known in FORMATS:
        say(known.name)
        say(f"  known by  {known.known_by}", indent=12)
        say(f"  holds     {known.holds}", indent=12)
    say("Files may be plain, gzip, zstd, xz or zip. `ringfence probe FILE` tells which it is, and what is in it.")
    return 0
