"""What every test shares: hypothesis judges results, never the time that they took; and who is asked for coverage."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ringfence", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ringfence")

HERE = Path(__file__).parent
UNMEASURED = re.compile(
    r"(clients|sim|tidy|truth)/"
    r"|contract/test_(exchanges|order_book|sources)"
    r"|property/test_(calculator|limits|orders|pacing|proof|report|sessions|shrinking|single_orders|triggers)"
    r"|spec/test_("
    r"app|audit|bars|binance|bitstamp|bybit|calc|cascade|certificates|"
    r"cli_(audit|demo|fills|keys|lab|memory|play|probe|replay|report|serve|st|sw|sy|why)|"
    r"counterfactual|databento|diff|docs|doctor|examples|explain|fetch|keys|lab|"
    r"lobster|mapped|merging|native|pack_cli|pages|play|proof|replay|report|several|source|story|strategy|stress|sweep|"
    r"synth|tardis|terminal|transport|trial|view|visit"
    r")"
)
"""Tests that reach whatever they reach of `events` and the core, by a long way round, which coverage makes thrice as
long. It is owed to the specifications of both, which reach the same at every run.
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage in those tests alone that owe it: its tracer rests meanwhile."""
    tracer = sys.gettrace()
    if tracer is None or not UNMEASURED.match(item.path.relative_to(HERE).as_posix()):
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
