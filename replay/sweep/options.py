"""Options of a session as a task states them: by name, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_type_hints

from events.commands import SessionOptions
from replay.fills import settled
from replay.given import session_options
from replay.latency import latency
from replay.marking import mark_source
from replay.sources import Source

AUTO = "auto"
"""Found out by looking at the beginning of the data."""

FOUND_OUT = ("mark_source", "trade_fills")
"""What may be `auto`, and is where it is not said."""

LATENCIES = ("latency", "feed_latency", "latency_jitter", "latency_seed")
"""The latency of a session, each part by itself as on the command line."""

_NO_TEXT = ("guards", "latency")

NAMES = (*(name for name in get_type_hints(SessionOptions) if name not in _NO_TEXT), *LATENCIES)
"""All options that a task may state."""


def stated(options: Mapping[str, str]) -> SessionOptions:
    """The options of a session, those that are `auto` at their default. Raises ValueError."""
    given = {name: text for name, text in options.items() if not (name in FOUND_OUT and text == AUTO)}
    entry, feed, jitter, seed = (given.pop(name, "0") for name in LATENCIES)
    if not seed.isdecimal():
        raise ValueError("latency_seed: give a whole number from 0")
    return session_options({**given, "latency": latency(entry, feed, jitter, int(seed))})


def options_for(options: Mapping[str, str], sources: Sequence[Source]) -> SessionOptions:
    """The options of a session, those that are `auto`, or not stated, as the sources have it. Raises ValueError."""
    said = {name: text for name, text in options.items() if text != AUTO}
    if "mark_source" not in said:
        said["mark_source"] = mark_source(sources).value
    return settled(stated(said), sources, "trade_fills" in said)
