"""Arguments and options that several verbs share, and how a verb ends."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SessionFile = Annotated[Path, typer.Argument(help="A session file.", metavar="SESSION")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object (or lines of them) instead of text.")]
Columns = Annotated[
    str,
    typer.Option(
        help="What is what in a table of your own: time=T,price=P,size=S or time=T,open=O,high=H,low=L,close=C."
    ),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option(help="NAME:MODE:LEVERAGE:DEPOSIT, e.g. ann:isolated:20:10000. May be given several times."),
]
Params = Annotated[
    list[str] | None,
    typer.Option(help="NAME=VALUE: a parameter of the strategy, e.g. size=0.01. May be given several times."),
]
Symbols = Annotated[str, typer.Option(help="Only this symbol, or these: A,B. Also says that of a file which does not.")]
Speed = Annotated[
    str, typer.Option(help="Session time for each second of yours: 0.1, 10 or max; by keys on a terminal (?).")
]
PackName = Annotated[str, typer.Option("--pack", help="Rule pack: a name, or a .json file.")]
TradeFills = Annotated[
    str,
    typer.Option(
        help="What fills a resting order where there are trades and no book: a trade through its price, or touch; "
        "book: nothing; auto: through, but for bars, around which a book is made up."
    ),
]
OrderLatency = Annotated[
    str, typer.Option(help="How long an order is on its way, as 5ms or 250us; data: as long as the rows were.")
]
FeedLatency = Annotated[
    str, typer.Option(help="How much later an account sees the market and its fills; data: as late as the rows.")
]
Jitter = Annotated[str, typer.Option(help="By how much at most an order takes longer, by chance.")]
JitterSeed = Annotated[int, typer.Option(help="The seed of the jitter.")]
QueueModel = Annotated[
    str,
    typer.Option(
        help="Where volume that left unexplained stood in the queue: proportional, ahead, behind, or weights of its "
        "equal parts, front first, as 3,2,1."
    ),
]
Impact = Annotated[
    str, typer.Option(help="What an account took from history's book: consume (gone until restated) or none.")
]
Funding = Annotated[str, typer.Option(help="fed: rates of the data; premium: computed from mark and index.")]
MaxSlippage = Annotated[
    str, typer.Option(help="Market orders trade within this share of the mark, e.g. 0.02; 0: at any price.")
]
OpeningAuction = Annotated[
    int, typer.Option(help="Begin with an auction of so many seconds, which then uncrosses; 0: without one.")
]


def end(status: int) -> None:
    """End the command with this exit status."""
    raise typer.Exit(status)
