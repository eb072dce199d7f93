"""How long what passes between a trader and the exchange is on its way."""

from __future__ import annotations

import msgspec

from events.units import Nanos


class Latency(msgspec.Struct, frozen=True, omit_defaults=True):
    """Times on the way, ns: an input of the session, which whoever sends commands keeps to; commands carry the time of
    their arrival.

    entry is that of a command to the exchange, feed that of news from there. jitter is by how much at most a command
    takes longer, drawn anew for each one from the seed. Where entry_measured or feed_measured, that way takes what
    the latest row of the data took: from its transaction time to its capture.
    """

    entry: Nanos = Nanos(0)
    feed: Nanos = Nanos(0)
    jitter: Nanos = Nanos(0)
    seed: int = 0
    entry_measured: bool = False
    feed_measured: bool = False

    def defect(self) -> str:
        """What contradicts itself, nothing where all holds together."""
        if min(self.entry, self.feed, self.jitter) < 0:
            return "latency must not be below 0"
        if (self.entry_measured and self.entry) or (self.feed_measured and self.feed):
            return "a latency is stated or measured, not both"
        return ""


NO_LATENCY = Latency()
"""Everything arrives at once."""
