"""Market sessions from a seed, in the format of a Binance USD-M capture.

The text is the same for the same seed on every platform and Python: integers decide everything. (The bytes of a gzip
file depend on the zlib that wrote it; what is in it does not.) `replay.synth_market` says how the market moves.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from events.instruments import Instrument, PackError, load_pack
from events.units import SECOND, Nanos, exact_units
from replay.synth_dialect import Dialect, Marks
from replay.synth_market import Market, Quote, Random, Step, path_of

FUNDING_TIME = Nanos(1_709_654_400 * SECOND)
"""5 March 2024, 16:00 UTC: the funding time of sessions that do not say when they start."""

BODY_AS_OF, BODY_AFTER = 3, 6
"""The depth body states the book after this diff, and, as in a recorder's file, arrives after that one."""

LATE_TRADES = 20
"""One trade in so many arrives after the diff that already contains it."""

FIRST_ID = 4_000_000_000_000

START_TICKS = 600_000
"""Where a price starts that is not given: the book has as many levels whatever the tick."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What a session is like.

    price is where it starts (default: 600,000 ticks). start_at is ns; without it, the session is placed so that its
    funding time is a real one. funding_after is in seconds from the start (default: a third of the session). crash: a
    fall of `crash_bps` / 10,000 of the price within seconds, through a thin book, and a partial recovery; it begins at
    55 % of the session. snapshot: whether a depth body comes with the first diffs.
    """

    seed: int
    seconds: int = 600
    symbol: str = "BTCUSDT"
    pack: str = "binance-usdm"
    price: str = ""
    start_at: int | None = None
    funding_after: int | None = None
    crash: bool = True
    crash_bps: int = 1_000
    snapshot: bool = True


def write_session(path: Path | str, *, seed: int, **options: Any) -> None:
    """Write a session to a file, with gzip if its name ends in .gz. The options are those of `Scenario`."""
    path = Path(path)
    lines = (line.encode() for line in generated(seed, **options))
    with path.open("wb") as file:
        if path.suffix != ".gz":
            file.writelines(lines)
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
            packed.writelines(lines)


def generated(seed: int, **options: Any) -> Iterator[str]:
    """The lines of a session. The options are those of `Scenario`. Raises PackError where the pack lacks the symbol."""
    scenario = Scenario(seed=seed, **options)
    instruments = {str(instrument.id): instrument for instrument in load_pack(scenario.pack).instruments}
    if scenario.symbol not in instruments:
        raise PackError(f"rule pack {scenario.pack} has no {scenario.symbol}; it has {', '.join(instruments)}")
    return _Capture(scenario, instruments[scenario.symbol]).lines()


class _Capture:
    """A recorder beside the market: writes down what it says, a few milliseconds later."""

    def __init__(self, scenario: Scenario, instrument: Instrument) -> None:
        wait = scenario.seconds // 3 if scenario.funding_after is None else scenario.funding_after
        start = FUNDING_TIME - wait * SECOND if scenario.start_at is None else scenario.start_at
        ticks = exact_units(scenario.price, instrument.tick) if scenario.price else START_TICKS
        self._scenario = scenario
        self._path = path_of(ticks, scenario.seconds, scenario.crash_bps if scenario.crash else 0)
        self._text = Dialect(scenario.symbol, instrument.tick, instrument.lot)
        self._marks = Marks(ticks * instrument.tick, start + wait * SECOND)
        self._tick = instrument.tick
        self._start_ms = start // 10**6
        self._clock = start
        self._random = Random(~scenario.seed)

    def lines(self) -> Iterator[str]:
        """All lines of the session."""
        market = Market(self._path, self._scenario.seed, FIRST_ID)
        marked_until, body = 0, ""
        for n, step in enumerate(market.steps(self._scenario.seconds * 1_000), 1):
            if step.diff.ms >= marked_until:
                yield self._mark(step)
                marked_until += 1_000
            yield from self._events(step)
            if n == BODY_AS_OF:
                body = self._text.body(self._start_ms + step.diff.ms, step.diff.last_id, market)
            if n == BODY_AFTER and self._scenario.snapshot:
                yield self._line(self._start_ms + step.diff.ms, body)

    def _mark(self, step: Step) -> str:
        ms = (self._start_ms + step.diff.ms) // 1_000 * 1_000
        return self._line(ms, self._text.mark(ms, self._marks.at(ms, step.fair * self._tick)))

    def _events(self, step: Step) -> Iterator[str]:
        late: list[tuple[int, str]] = []
        for event in step.events:
            ms = self._start_ms + event.ms
            if isinstance(event, Quote):
                yield self._line(ms, self._text.ticker(ms, event))
            elif self._random.below(LATE_TRADES):
                yield self._line(ms, self._text.trade(ms, event))
            else:
                late.append((ms, self._text.trade(ms, event)))
        ms = self._start_ms + step.diff.ms
        yield self._line(ms, self._text.diff(ms, step.diff))
        for ms, trade in late:
            yield self._line(ms, trade)

    def _line(self, ms: int, json: str) -> str:
        self._clock = max(self._clock + 1_000, ms * 10**6 + 2_000_000) + self._random.below(100_000)
        return f"{self._clock} {json}\n"
