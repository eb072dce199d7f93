"""What would have prevented a liquidation, as sentences and as objects; none says more than its forks showed."""

from __future__ import annotations

from typing import Any

from events.units import UNIT, decimal_text
from gateway.console import time_text
from gateway.reports.why_words import Words, grouped
from replay.why import Answer, Counterfactuals, Course, Fork, Story

UNTIL = {"liquidation": "this liquidation", "session": "to the end of the session"}


def sentences(story: Story, found: Counterfactuals, words: Words) -> list[list[str]]:
    """For each answer its statement, and below it what the forks showed."""
    told = _Teller(story, found, words)
    return [[told.statement(answer), *told.evidence(answer)] for answer in found.answers]


def cost(found: Counterfactuals) -> str:
    """What the answers took."""
    return f"{found.effort.forks:,} forks, effort {found.effort.done:,} of {found.effort.most:,} allowed"


def signed(atoms: int, asset: str, words: Words) -> str:
    """An amount that is a difference, with its sign and unit."""
    return f"{'+' if atoms > 0 else ''}{words.atoms(atoms, asset)}"


class _Teller:
    def __init__(self, story: Story, found: Counterfactuals, words: Words) -> None:
        self.story = story
        self.found = found
        self.words = words

    def statement(self, answer: Answer) -> str:
        """What survives, or that nothing does."""
        until = UNTIL[answer.until]
        if answer.value is None:
            return self._none(answer, until)
        if answer.kind == "margin":
            more = self._exact(int(answer.value))
            had = self.found.had
            total = more if had is None else self._exact(had + int(answer.value))
            what = "more than there was" if had is None else f"{more} more than there was"
            return f"survives {until} if margin >= {total}: {what}, just ahead of record {self.found.near}"
        if answer.kind == "leverage":
            return f"survives {until} if leverage <= {answer.value}, from ahead of record {self.found.far} on"
        return f"survives {until} under {answer.value}, chosen ahead of record {self.found.far}"

    def _none(self, answer: Answer, until: str) -> str:
        named = "more margin" if answer.kind == "margin" else "less leverage"
        if answer.kind == "mode":
            if not answer.why:
                return f"is liquidated under {answer.mode} too, chosen ahead of record {self.found.far}"
            return f"under {answer.mode}: {answer.why}"
        return f"{named}, {until}: {answer.why}"

    def evidence(self, answer: Answer) -> list[str]:
        """What each fork showed, what came later right after the one that survives."""
        lines: list[str] = []
        for fork in answer.forks:
            if fork.course.impossible is None:
                lines += [self._fork(answer, fork), *self._parted(fork.course)]
            if fork is answer.forks[0] and answer.later is not None and answer.kind != "mode":
                lines.append(self._later(answer.later))
        return lines

    def _fork(self, answer: Answer, fork: Fork) -> str:
        course, named = fork.course, self._named(answer, fork)
        if course.fall is None:
            if course.spare is None:
                return f"{named}: not liquidated, since no position was opened"
            return f"{named}: not liquidated{self._kept(fork)}"
        fall = course.fall
        asset = self.words.pool_asset(fall.pool)
        equity, needed = (f"{grouped(decimal_text(atoms))} {asset}" for atoms in (fall.equity, fall.maintenance))
        later = "later, " if answer.value == fork.value else ""
        if fall.at < self.story.liquidation.due_at:
            later = "earlier, "
        return f"{named}: liquidated {later}at {time_text(fall.at)} UTC, equity {equity} against MM {needed}"

    def _kept(self, fork: Fork) -> str:
        """What the account has in the end, where the fork went that far, and what it is better off by."""
        course, asset = fork.course, self.story.asset
        if fork.until != "session" or course.equity is None or course.more is None:
            return ""
        kept, left = (self.words.atoms(grains // UNIT, asset) for grains in (course.equity, self.story.left))
        gain = signed((course.equity - self.story.left - course.more) // UNIT, asset, self.words)
        more = abs(course.more) // UNIT
        net = ""
        if more:
            net = (
                f" net of the {self.words.atoms(more, asset)} {'more' if course.more > 0 else 'less'} that was paid in"
            )
        return f", {kept} at the end instead of {left}: {gain}{net}"

    def _named(self, answer: Answer, fork: Fork) -> str:
        if answer.kind == "margin":
            if fork.value == answer.value:
                return "with it"
            less = self._exact(int(answer.value) - int(fork.value)) if answer.value is not None else ""
            return f"with {less} less" if less else f"with {self._exact(int(fork.value))} more"
        return f"at {fork.value}x" if answer.kind == "leverage" else f"under {fork.value}"

    def _later(self, course: Course) -> str:
        if course.fall is None:
            return "  and not later in the session either"
        return f"  but later in the session: liquidated at {time_text(course.fall.at)} UTC"

    def _parted(self, course: Course) -> list[str]:
        """Where the fork decided the session's commands otherwise."""
        lines = []
        for count, first, verb, other in (
            (course.refusals, course.refused, "refused", "accepted"),
            (course.acceptances, course.accepted, "accepted", "refused"),
        ):
            if first is not None:
                commands = "1 command was" if count == 1 else f"{count:,} commands were"
                which = f"{first.kind} of record {first.seq}: {first.reason.value}"
                lines.append(f"  there {commands} {verb} that the session {other} (first {which})")
        return lines

    def _exact(self, atoms: int) -> str:
        asset = self.story.asset if self.story.mode != "multi" else "of collateral"
        return f"{grouped(decimal_text(atoms))} {asset}"


def as_objects(story: Story, found: Counterfactuals) -> dict[str, Any]:
    """All answers for programs."""
    return {
        "margin_from_record": found.near or None,
        "settings_from_record": found.far,
        "equity_at_end": decimal_text(story.left // UNIT),
        "margin_had": None if found.had is None else decimal_text(found.had),
        "forks": found.effort.forks,
        "effort": found.effort.done,
        "effort_allowed": found.effort.most,
        "answers": [_answer(story, found, answer) for answer in found.answers],
    }


def _answer(story: Story, found: Counterfactuals, answer: Answer) -> dict[str, Any]:
    value: Any = answer.value
    total = None
    if answer.kind == "margin" and isinstance(value, int):
        total = None if found.had is None else decimal_text(found.had + value)
        value = decimal_text(value)
    return {
        "kind": answer.kind,
        "mode": answer.mode or None,
        "until": answer.until,
        "survives": answer.holds,
        "value": value,
        "total": total,
        "why_not": answer.why or None,
        "forks": [
            {
                "value": decimal_text(int(fork.value)) if answer.kind == "margin" else fork.value,
                "until": fork.until,
                **_course(story, fork.course),
            }
            for fork in answer.forks
        ],
        "later": _course(story, answer.later) if answer.later else None,
    }


def _course(story: Story, course: Course) -> dict[str, Any]:
    fall = course.fall and {
        "at": course.fall.at,
        "pool": course.fall.pool,
        "equity": decimal_text(course.fall.equity),
        "maintenance": decimal_text(course.fall.maintenance),
    }
    return {
        "survives": course.survives,
        "liquidated": fall,
        "impossible": course.impossible.value if course.impossible else None,
        "held_a_position": course.spare is not None,
        "refused_instead": course.refusals,
        "accepted_instead": course.acceptances,
        **_kept(story, course),
    }


def _kept(story: Story, course: Course) -> dict[str, str | None]:
    """What the account has in the end, how much more was paid in than in the session, and the gain without that."""
    if course.equity is None or course.more is None:
        return {"equity_at_end": None, "paid_in_more": None, "gain": None}
    gain = course.equity - story.left - course.more
    amounts = {"equity_at_end": course.equity, "paid_in_more": course.more, "gain": gain}
    return {name: decimal_text(grains // UNIT) for name, grains in amounts.items()}
