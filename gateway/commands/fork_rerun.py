"""Which strategies `ringfence fork --rerun` runs again, and what is said of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from events.codec import decode_body
from events.commands import AccountId, OpenAccount
from events.facts import MarketAdvanced
from events.log import EventLog
from events.notes import NotedLog, NotedStrategy, noted_strategies
from gateway.commands.params import named_params
from gateway.errors import UsageError
from gateway.naming import there_are
from replay.editing import Edit
from replay.loading import StrategyError, make_strategy
from replay.noted import made, note_of
from replay.rerun import Again


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked on the command line about strategies."""

    keep: bool = False
    rerun: bool = False
    accounts: Sequence[str] = ()
    strategy: str = ""
    params: Sequence[str] = ()

    def check(self) -> None:
        """Raises UsageError where it does not go together."""
        if self.keep and self.rerun:
            raise UsageError("--keep and --rerun: commands are kept as recorded, or strategies run again; give one")
        if self.accounts and not self.rerun:
            raise UsageError(f"--account {self.accounts[0]}: is for --rerun; add that")
        if self.strategy and not self.rerun:
            raise UsageError(f"--strategy {self.strategy}: is for --rerun; add that")
        if self.params and not self.rerun:
            raise UsageError(f"--param {self.params[0]}: is for --rerun; add that")


@dataclass(frozen=True, slots=True)
class Rerun:
    """The strategies that run again, and what is noted of those of the fork; changed are those whose file is not what
    it was.
    """

    again: Again
    notes: Mapping[AccountId, NotedStrategy]
    changed: Collection[AccountId] = field(default_factory=tuple)


async def rerun_of(log: NotedLog, asked: Asked, edits: Sequence[Edit]) -> Rerun:
    """What is to be run again. Raises UsageError, StrategyError, LogError."""
    noted, opened = await _noted(log, asked), await _opened(log)
    wanted, params = _wanted(asked, edits, noted, opened), named_params(asked.params)
    given = {name: params if asked.strategy else {**noted[name].params, **params} for name in wanted}
    playing = {
        name: make_strategy(asked.strategy or noted[name].strategy, given[name])
        if asked.strategy or params
        else made(noted[name])
        for name in wanted
    }
    notes = {name: note_of(playing[name], given[name]) for name in wanted}
    changed = [] if asked.strategy else [name for name in wanted if notes[name].source != noted[name].source]
    return Rerun(Again(playing), {**noted, **notes}, changed)


async def _noted(log: NotedLog, asked: Asked) -> dict[AccountId, NotedStrategy]:
    try:
        return await noted_strategies(log)
    except ValueError as error:
        if asked.strategy:
            return {}
        raise StrategyError(f"{error}; name strategies with --strategy") from error


def _wanted(
    asked: Asked, edits: Sequence[Edit], noted: Collection[AccountId], opened: Sequence[AccountId]
) -> list[AccountId]:
    """The accounts that are named, else those whose edits are set, else all of which there is a strategy."""
    for name in asked.accounts:
        if name not in opened:
            raise UsageError(f"--account {name}: there is no such account; {there_are(map(str, opened), name)}")
    known = [name for name in opened if asked.strategy or name in noted]
    edited = {edit.account: edit.text for edit in edits if edit.account is not None}
    wanted = [AccountId(name) for name in asked.accounts] or [name for name in edited or known if name in known]
    for name in wanted or edited or opened:
        if name not in opened:
            raise UsageError(
                f"--set {edited[name]!r}: no strategy trades {name!r}; {there_are(map(str, opened), name)}"
            )
        if name not in known:
            raise UsageError(
                f"--rerun: the session does not say which strategy traded {name}; add --strategy module:Class"
            )
    if not wanted:
        raise UsageError("--rerun: nobody trades in the session; there is no strategy to run again")
    return list(dict.fromkeys(wanted))


async def _opened(log: EventLog) -> list[AccountId]:
    """The accounts that were opened ahead of the first rows."""
    opened = []
    async for stored in log.read():
        batch = decode_body(stored.number, stored.body)
        if isinstance(batch.command, OpenAccount):
            opened.append(batch.command.account)
        if any(isinstance(fact, MarketAdvanced) for fact in batch.facts):
            break
    return opened


def as_objects(rerun: Rerun) -> list[dict[str, Any]]:
    """What came of each, for --json."""
    return [
        {
            "account": name,
            "strategy": rerun.notes[name].strategy,
            "params": rerun.notes[name].params,
            "changed": name in rerun.changed,
            "asked": rerun.again.asked[name],
            "parted": rerun.again.parted.get(name),
        }
        for name in rerun.again.strategies
    ]


def lines(rerun: Rerun) -> Iterator[str]:
    """What came of each, a line each."""
    for name in rerun.again.strategies:
        who = f"{name}: {rerun.notes[name].strategy}"
        if name in rerun.changed:
            who += ", whose file has changed,"
        asked = rerun.again.asked[name]
        if parted := rerun.again.parted.get(name):
            yield f"{who} asked for other things from record {parted:,} on: it is not, or not always, as it was then"
        else:
            yield f"{who} asked again for its {asked:,} commands before the fork"
