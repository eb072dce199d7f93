"""Every golden session has a report: all kinds of facts, whose money adds up, in tables, as an object and as charts."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec

import msgspec
import pytest

from gateway.console import aligned
from gateway.reports.report_charts import over_time, spreads
from gateway.reports.report_object import as_object
from gateway.reports.report_rows import Told, title
from gateway.reports.report_trades import blocks
from gateway.reports.why_words import Words
from tests.golden.sessions import heads, load, rebuilt
from tests.property.test_report import agrees, folded

NAMES = sorted(heads())


def told(name: str) -> Told:
    """The report of a golden session, as tables are made from it."""
    session = load(name)
    report = folded(session.batches, session.chunks)
    agrees(report, session.batches, rebuilt(session))
    assert report.pack is not None
    found = dict(enumerate([*report.explainer.liquidations, *report.explainer.waiting], 1))
    return Told(name, report, list(report.accounts.values()), found, Words(report.pack))


@pytest.mark.parametrize("name", NAMES)
def test_its_money_adds_up_and_it_can_be_told(name: str) -> None:
    its = told(name)
    lines = [line for block in blocks(its, in_full=True) for line in aligned(block.rows, block.right)]
    assert lines or not its.accounts
    assert title(its)[0] == name
    said = json.loads(msgspec.json.encode(as_object(name, its.report, its.liquidations, 1)))
    assert [account["account"] for account in said["accounts"]] == list(its.report.accounts)


@pytest.mark.skipif(find_spec("plotly") is None, reason="needs the extra `report`")
@pytest.mark.parametrize("name", ["by-hand-2", "layers-1", "replay-2"])
def test_its_charts_are_drawn_from_finite_numbers(name: str) -> None:
    its = told(name)
    for account in its.accounts:
        if account.standings:
            for figure in (over_time(its, account), *([spreads(its, account)] if account.fills else [])):
                values = [value for trace in figure.data for value in (trace.y if trace.y is not None else ())]
                assert all(value is None or math.isfinite(value) for value in values)
