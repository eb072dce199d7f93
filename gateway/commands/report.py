"""`ringfence report`: how the accounts of a session fared, in tables, on a page with charts, and as an object."""

from __future__ import annotations

import asyncio
from pathlib import Path

from events.commands import INSURANCE, MARKET, AccountId, funds_of
from events.log import Head, check_chain
from events.store.entries import checked
from events.store.sqlite import open_session
from exchange.projections.explain import Liquidation
from gateway.console import OUT, aligned, complain, progress, say, say_json
from gateway.errors import UNUSABLE, UsageError, about
from gateway.memory import collect_seldom
from gateway.naming import there_are
from gateway.reports import page, report_page
from gateway.reports.report_object import as_object
from gateway.reports.report_rows import Told, title
from gateway.reports.report_trades import blocks
from gateway.reports.ways import ways
from gateway.reports.why_words import Words
from replay.lending import Lender
from replay.report import Report

SHOWN = 8
"""So many accounts are shown where none is named, the busiest first."""

PROGRESS_BATCHES = 1024
"""The progress bar moves after so many batches."""

PATIENCE = 2.0
"""The progress bar appears after so many seconds."""

YEAR = 365 * 86_400
"""Seconds of a year, by which ratios of returns are annualised."""


def run(session: Path, account: str, html: Path | None, every: int, annualise: bool, as_json: bool) -> int:
    """Fold and report. Returns 0, or 2 where there is no such account."""
    if every < 1:
        raise UsageError(f"--every {every}: give seconds, from 1")
    if html is not None:
        page.need(html)
    collect_seldom()
    with about(session):
        report = asyncio.run(_fold(session, Report(AccountId(account) if account else None, every)))
    if trouble := _trouble(report, account):
        complain(f"{session}: {trouble}")
        return UNUSABLE
    assert report.pack is not None
    per_year = max(1, YEAR // every) if annualise else 1
    numbers = _numbered(report, account)
    accounts = sorted(report.accounts.values(), key=lambda its: -its.fills)[:SHOWN]
    told = Told(str(session), report, accounts, numbers, Words(report.pack), per_year)
    if as_json:
        say_json(as_object(str(session), report, numbers, per_year))
    else:
        _show(told, bool(account))
    if html is not None:
        report_page.write(told, html)
        if not as_json:
            OUT.print(f"\nreport   {html} ({html.stat().st_size / 1e6:.1f} MB)", markup=False)
    return 0


async def _fold(session: Path, report: Report) -> Report:
    log = await open_session(session, read_only=True)
    try:
        head, batches, lender = Head(), (await log.head()).batch, Lender(log, [report.state])
        with progress("report", batches, "records", PATIENCE) as advance:
            async for stored in log.read():
                batch = checked(head, stored)
                head = check_chain(head, stored, batch)
                await lender.lend(batch)
                report.observe(batch)
                if stored.number % PROGRESS_BATCHES == 0:
                    advance(stored.number, head.seq, stored.at)
    finally:
        await log.close()
    report.end()
    report.check()
    return report


def _trouble(report: Report, account: str) -> str | None:
    """Why there is nothing to report, None where there is something."""
    funds = funds_of(report.pack).values() if report.pack else ()
    if account in (MARKET, INSURANCE, *funds):
        return f"{account} is no trader's account; name one that was opened"
    if account and account not in report.accounts:
        return f"no account {account!r}; {there_are(report.names, account)}"
    return None if report.accounts else "no account was opened, so there is nothing to report"


def _numbered(report: Report, account: str) -> dict[int, Liquidation]:
    """The liquidations by their number in the session, those of the account where one is named."""
    found = enumerate([*report.explainer.liquidations, *report.explainer.waiting], 1)
    return {number: one for number, one in found if account in ("", one.account)}


def _show(told: Told, in_full: bool) -> None:
    name, what = title(told)
    say(f"{name}: {what}")
    for word, how in ways(told.report.state):
        say(f"{word}: {how}")
    for block in blocks(told, in_full):
        OUT.print(f"\n{block.heading}", markup=False)
        for line in aligned(block.rows, block.right):
            OUT.print(line, markup=False)
        for note in block.notes:
            say(f" {note}", 1)
    if (more := len(told.report.accounts) - len(told.accounts)) > 0:
        OUT.print(f"\n{more:,} more accounts traded less; --account NAME shows one", markup=False)
