"""Verbs on sessions: prove them, explain them, compare them, take another road."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import told
from gateway.verbs.given import AsJson, Params, SessionFile, Speed, end


def verify(session: SessionFile, as_json: AsJson = False) -> None:
    """Check the digest chain, rebuild from the facts, decide everything again, and compare every record.

    Exit status: 0 all agree, 1 they differ, 2 the file cannot be used, 3 decided under another version of the rules.
    """
    from gateway.commands import verify as verb

    end(told(lambda: verb.run(session, as_json)))


def audit(
    session: SessionFile,
    account: Annotated[str, typer.Option(help="Only the pools of this account; all where it is left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compute every account's equity and margins a second time, by other arithmetic, and compare at every record.

    Exit status: 0 all agree, 1 they differ, 2 the file cannot be used.
    """
    from gateway.commands import audit as verb

    end(told(lambda: verb.run(session, account, as_json)))


def fork(
    session: SessionFile,
    at: Annotated[
        str,
        typer.Option(help="From the batch of this record on, or after this time: N, 2023-04-05T08:00:12, 08:00:12."),
    ],
    out: Annotated[Path, typer.Option(help="Where to write the fork: a new file.")],
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="What is otherwise, e.g. ann:leverage:BTCUSDT=5. May be given several times."),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Refer to the session's file for the past instead of copying it.")
    ] = False,
    as_json: AsJson = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Decide the recorded commands of every account again, as without it.")
    ] = False,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Run the strategies again of the accounts that --set names, else of all.")
    ] = False,
    account: Annotated[
        list[str] | None,
        typer.Option(help="Run the strategy of this account again, whatever --set names. May be given several times."),
    ] = None,
    strategy: Annotated[
        str, typer.Option(help="Strategy to run again as module:Class, in the place of the one that is recorded.")
    ] = "",
    param: Params = None,
) -> None:
    """Take another road from any moment: the same past, one thing changed, everything after it decided again.

    What every account asked for is decided again. With --rerun the strategies of those that --set names, of all where
    it names none, are run again in the place of what they asked for; all others go on as recorded.

    \b
    --set ann:leverage:BTCUSDT=5         --set ann:mode:BTCUSDT=isolated
    --set ann:deposit:USDT=1000          --set ann:margin:BTCUSDT=250
    --set ann:collateral=multi           --set pack=bybit-linear   (--at 1)
    --set ann:order:3=none               --set ann:order:3:size=0.5   or :price=
    """  # noqa: D301 - the mark is Click's
    from gateway.commands import fork as verb
    from gateway.commands.fork_rerun import Asked

    strategies = Asked(keep, rerun, account or [], strategy, param or [])
    request = verb.Request(session, at, change or [], out, link, strategies)
    end(told(lambda: verb.run(request, as_json)))


def diff(
    left: Annotated[Path, typer.Argument(help="A session file.", metavar="A")],
    right: Annotated[Path, typer.Argument(help="Another.", metavar="B")],
    as_json: AsJson = False,
) -> None:
    """Compare two sessions: how far they are one, the first record that differs, what came of it for each account.

    Exit status: 0 the same, 1 they differ, 2 a file cannot be used.
    """
    from gateway.commands import diff as verb

    end(told(lambda: verb.run(left, right, as_json)))


def why(
    session: SessionFile,
    account: Annotated[str, typer.Option(help="Whose liquidations; all accounts where it is left out.")] = "",
    liquidation: Annotated[
        int | None, typer.Option(help="Explain this one; they are listed where it is left out.")
    ] = None,
    effort: Annotated[
        int, typer.Option(help="What forks may decide again, in records and rows of history; 0 for no forks.")
    ] = 5_000_000,
    html: Annotated[Path | None, typer.Option(help="Write that one as a page with charts to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """List liquidations, or explain one: what led to it, each step with its figures, what would have prevented it."""
    from gateway.commands import why as verb

    end(told(lambda: verb.run(session, account, liquidation, as_json, effort, html)))


def lab(
    session: SessionFile,
    modes: Annotated[
        str, typer.Option(help="Some of isolated, cross, multi and recorded (as it was); the first three if left out.")
    ] = "",
    account: Annotated[str, typer.Option(help="Which account; all that traded where it is left out.")] = "",
    html: Annotated[
        Path | None, typer.Option(help="Where to write the page with charts; SESSION.lab.html where it is left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fold one history under several margin modes and show side by side how it would have gone."""
    from gateway.commands import lab as verb

    end(told(lambda: verb.run(session, modes, account, html, as_json)))


def report(
    session: SessionFile,
    account: Annotated[
        str, typer.Option(help="Only this account, with every part of its money; all where it is left out.")
    ] = "",
    html: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
    every: Annotated[int, typer.Option(help="Returns are sampled every so many seconds of session time.")] = 60,
    annualise: Annotated[
        bool, typer.Option("--annualise", help="State ratios of returns for a year of 365 days.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Report how accounts fared: PnL, fees, funding, drawdown, exposure, headroom, fills against the quote, queues."""
    from gateway.commands import report as verb

    end(told(lambda: verb.run(session, account, html, every, annualise, as_json)))


def play(
    session: SessionFile,
    at: Annotated[str, typer.Option(help="Where to begin: record N, 2023-04-05T08:00:12, or 08:00:12.")] = "",
    speed: Speed = "1",
    account: Annotated[str, typer.Option(help="Whose side it is looked at from; all accounts if left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Look at a session again as it went: play, pause, step, seek, rewind, loop, at any speed, and fork it anywhere.

    On a terminal by keys (? lists them), else by lines on standard input, as `seek 2023-04-05T08:00:12`, `step 3 fill`.
    """
    from gateway.commands import play as verb

    end(told(lambda: verb.run(session, at, speed, account, as_json)))
