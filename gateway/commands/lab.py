"""`ringfence lab`: one history folded under several margin modes, side by side."""

from __future__ import annotations

import asyncio
from pathlib import Path

from events.codec import decode_body
from events.commands import INSURANCE, MARKET, AccountId, funds_of
from events.log import Head, check_chain
from events.store.sqlite import open_session
from gateway.console import OUT, complain, progress, say_json
from gateway.errors import UNUSABLE, UsageError, about
from gateway.memory import collect_seldom
from gateway.naming import there_are
from gateway.reports import lab_page, page
from gateway.reports.lab_figures import as_object
from gateway.reports.lab_table import show
from replay.lab import AccountLab, Lab, LabError, Mode

USUAL = ",".join(mode.value for mode in (Mode.ISOLATED, Mode.CROSS, Mode.MULTI))
"""The modes that are compared where none are named; what the rule pack does not know is left out."""

BLOCKS = 8
"""So many accounts are shown where none is named, the busiest first."""

PROGRESS_BATCHES = 1024
"""The progress bar moves after so many batches."""


def run(session: Path, modes: str, account: str, html: Path | None, as_json: bool) -> int:
    """Fold, compare, report. Returns 0, or 2 where there is nothing to compare."""
    wanted = modes_of(modes or USUAL)
    if html is not None:
        page.need(html)
    collect_seldom()
    try:
        with about(session):
            lab = asyncio.run(_fold(session, Lab(wanted, AccountId(account) if account else None, lenient=not modes)))
    except LabError as error:
        raise UsageError(f"--modes {modes}: {error}") from error
    if trouble := _nothing_to_compare(lab, account):
        complain(f"{session}: {trouble}")
        return UNUSABLE
    if as_json:
        shown = lab.traded
        say_json({"session": str(session), "accounts": [as_object(lab, one) for one in shown]})
    else:
        shown = lab.traded[:BLOCKS]
        show(lab, shown)
        if len(lab.traded) > BLOCKS:
            OUT.print(f"\n{len(lab.traded) - BLOCKS:,} more accounts traded less; --account NAME shows one")
    _report(lab, shown, session, html, as_json)
    return 0


def modes_of(text: str) -> list[Mode]:
    """The modes as typed, each once. Raises UsageError."""
    modes = []
    for name in text.split(","):
        try:
            modes.append(Mode(name.strip()))
        except ValueError:
            *names, last = [mode.value for mode in Mode]
            raise UsageError(
                f"--modes {text}: {name!r} is no mode; give some of {', '.join(names)} and {last}"
            ) from None
    return list(dict.fromkeys(modes))


async def _fold(session: Path, lab: Lab) -> Lab:
    log = await open_session(session, read_only=True)
    try:
        head, batches = Head(), (await log.head()).batch
        with progress("lab", batches, "records") as advance:
            async for stored in log.read():
                head = check_chain(head, stored)
                lab.observe(decode_body(stored.number, stored.body))
                if stored.number % PROGRESS_BATCHES == 0:
                    advance(stored.number, head.seq, stored.at)
    finally:
        await log.close()
    lab.end()
    return lab


def _nothing_to_compare(lab: Lab, account: str) -> str | None:
    """Why there is nothing to compare, None where there is something."""
    funds = funds_of(lab.pack).values() if lab.pack else ()
    if account in (MARKET, INSURANCE, *funds):
        return f"{account} has no margin mode; name an account that trades"
    if account and account not in lab.accounts:
        return f"no account {account!r}; {there_are(lab.accounts, account)}"
    if lab.traded:
        return None
    return f"account {account} made no trade" if account else "no account traded, so there is nothing to compare"


def _report(lab: Lab, shown: list[AccountLab], session: Path, html: Path | None, as_json: bool) -> None:
    """Write the page: where it was asked for, else beside the session unless it is a program that asks."""
    if html is None and as_json:
        return
    path = html or session.with_name(f"{session.name}.lab.html")
    if html is None and not page.is_possible():
        complain(page.MISSING)
        return
    lab_page.write(lab, shown, session.name, path)
    if not as_json:
        OUT.print(f"\nreport   {path} ({path.stat().st_size / 1e6:.1f} MB)", markup=False)
