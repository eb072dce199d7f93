"""`ringfence why`: the liquidations of a session, and one of them with its causes, its steps and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from events import facts as f
from events.codec import decode_body
from events.commands import OpenSession
from events.instruments import RulePack
from events.log import EventLog, Head, check_chain
from events.record import Batch, Record
from events.store.sqlite import open_session
from exchange.projections.explain import Explainer, Liquidation
from gateway.console import OUT, complain, progress, say_json
from gateway.errors import UNUSABLE, UsageError, about
from gateway.memory import collect_seldom
from gateway.naming import there_are
from gateway.reports import page, why_list, why_object, why_page, why_text
from gateway.reports.why_words import Words
from replay.lending import Lender
from replay.why import Counterfactuals, Effort, Story, Storyteller, counterfactuals

PROGRESS_BATCHES = 1024
"""The progress bar moves after so many batches, or decisions of forks."""

PATIENCE = 2.0
"""The progress bar appears after so many seconds."""

NUMBERS_SHOWN = 8
"""So many numbers are named where one is not found."""

EFFORT = 5_000_000
"""What forks may do, unless said otherwise: records decided and rows applied, and the states that they start from."""


class Found:
    """What a first reading of a session found: its rules, its accounts, its liquidations."""

    def __init__(self) -> None:
        self.explainer = Explainer()
        self.accounts: set[str] = set()
        self.pack: RulePack | None = None

    def observe(self, batch: Batch) -> None:
        """Fold one batch."""
        if isinstance(batch.command, OpenSession) and self.pack is None:
            self.pack = batch.command.pack
        self.accounts.update(fact.account for fact in batch.facts if isinstance(fact, f.AccountOpened))
        self.explainer.observe(batch)

    def liquidations(self, account: str = "") -> dict[int, Liquidation]:
        """Those of an account, or all, by their number in the session: first those that ended, in the order in which
        they did, then those that the session's end found under way.
        """
        numbered = enumerate([*self.explainer.liquidations, *self.explainer.waiting], 1)
        return {number: one for number, one in numbered if account in ("", one.account)}


def run(
    session: Path, account: str, number: int | None, as_json: bool, effort: int = EFFORT, html: Path | None = None
) -> int:
    """List the liquidations, or explain one. Returns 0, also where nobody was liquidated, or 2."""
    if effort < 0:
        raise UsageError(f"--effort {effort}: give 0 for no forks, or more")
    if html is not None:
        page.need(html)
        if number is None:
            raise UsageError(f"--html {html}: say which liquidation the page is of, with --liquidation N")
    collect_seldom()
    with about(session):
        found = asyncio.run(_read(session))
    if account and account not in found.accounts:
        complain(f"{session}: no account {account!r}; {there_are(found.accounts, account)}")
        return UNUSABLE
    liquidations = found.liquidations(account)
    if number is None:
        _list(session, account, liquidations, found.pack, as_json)
        return 0
    if number not in liquidations:
        complain(f"--liquidation {number}: {_which(session, account, number, found)}")
        return UNUSABLE
    with about(session):
        story = asyncio.run(_story(session, liquidations[number], found.pack))
        answers = asyncio.run(_answers(session, story, effort))
    if as_json:
        say_json(why_object.as_object(str(session), number, story, answers))
    else:
        why_text.show(number, story, answers, Words(story.pack))
    if html is not None:
        why_page.write(number, story, answers, Words(story.pack), html)
        if not as_json:
            OUT.print(f"\nreport   {html} ({html.stat().st_size / 1e6:.1f} MB)", markup=False)
    return 0


def _which(session: Path, account: str, number: int, found: Found) -> str:
    """Whose liquidation the number is, and which numbers there are."""
    whose, numbers = f" of {account}" if account else "", list(found.liquidations(account))
    other = found.liquidations().get(number)
    has = f"that is one of {other.account}; {session} has" if other else f"{session} has"
    if not numbers:
        return f"{has} no liquidation{whose}"
    which = f"only number {numbers[0]}" if len(numbers) == 1 else f"numbers 1 to {numbers[-1]}"
    if account and len(numbers) > 1:
        more = ", ..." if len(numbers) > NUMBERS_SHOWN else ""
        which = f"numbers {', '.join(map(str, numbers[:NUMBERS_SHOWN]))}{more}"
    return f"{has} {which}{whose}; without --liquidation they are listed"


async def _read(session: Path) -> Found:
    """Fold the facts of the whole session."""
    found = Found()
    log = await open_session(session, read_only=True)
    try:
        await _each(log, "reading", found.observe)
    finally:
        await log.close()
    return found


async def _story(session: Path, liquidation: Liquidation, pack: RulePack | None) -> Story:
    """Apply the session once more, and look closely at one liquidation."""
    assert pack is not None
    teller = Storyteller(liquidation, pack)
    log = await open_session(session, read_only=True)
    try:
        await _each(log, "explaining", teller.observe, Lender(log, [teller.state]))
    finally:
        await log.close()
    return teller.end()


async def _answers(session: Path, story: Story, most: int) -> Counterfactuals:
    """Decide forks, with a bar once they take a while."""
    log = await open_session(session, read_only=True)
    try:
        with progress("forks", None, "decisions", PATIENCE) as advance:
            told = 0

            def on_progress(effort: Effort) -> None:
                nonlocal told
                if effort.done - told >= PROGRESS_BATCHES:
                    told = effort.done
                    advance(effort.forks, effort.done, 0)

            return await counterfactuals(log, story, Effort(most, on_progress=on_progress))
    finally:
        await log.close()


async def _each(log: EventLog, what: str, observe: Callable[[Batch], None], lender: Lender | None = None) -> None:
    """Give every batch of a log, its chain checked, to a function."""
    head, batches = Head(), (await log.head()).batch
    with progress(what, batches, "records", PATIENCE) as advance:
        async for stored in log.read():
            head = check_chain(head, stored)
            batch = decode_body(stored.number, stored.body)
            if lender is not None:
                await lender.lend(batch)
            observe(batch)
            if stored.number % PROGRESS_BATCHES == 0:
                advance(stored.number, head.seq, stored.at)


def _list(session: Path, account: str, found: dict[int, Liquidation], pack: RulePack | None, as_json: bool) -> None:
    if as_json:
        say_json([as_object(number, one) for number, one in found.items()])
    elif not found or pack is None:
        OUT.print(f"no liquidation{f' of {account}' if account else ''} in {session}", markup=False)
    else:
        why_list.show(session, account, found, Words(pack))


def as_object(number: int, liquidation: Liquidation) -> dict[str, Any]:
    """A liquidation in plain types, as it is listed."""
    return {
        "number": number,
        "account": liquidation.account,
        "pool": liquidation.pool,
        "due_at": liquidation.due_at,
        "ended_at": liquidation.ended_at,
        "outcome": liquidation.outcome.value if liquidation.outcome else None,
        "marks": liquidation.marks,
        "chain": [_record(record) for record in liquidation.chain],
        "steps": [_record(record) for record in liquidation.steps],
    }


def _record(record: Record) -> dict[str, Any]:
    return {"seq": record.seq, "cause": record.cause, **msgspec.to_builtins(record.message)}
