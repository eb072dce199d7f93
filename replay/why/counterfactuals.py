"""What would have prevented a liquidation: more margin, less leverage, another margin mode; each tried in forks.

More margin comes just ahead of the command that set the liquidation off; leverage and mode are other ones from the last
moment before it at which the account had nothing open in those instruments. Two horizons: the end of that liquidation
in the session, and the end of the session.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from events.commands import (
    AccountId,
    AddMargin,
    Command,
    Deposit,
    RequestId,
    SetCollateralMode,
    SetLeverage,
    SetMarginMode,
)
from events.instruments import AssetId, InstrumentId, Leg, MarginMode, instrument_of, position_name
from events.log import EventLog
from events.rules import DueAt
from events.units import UNIT, Atoms, Nanos
from exchange.core.margin.model import available, cross_equity
from exchange.core.state import MULTI, Position, State, Wallet
from replay.why.branch import Branch, Course, Effort, Exhausted, Plan, branches
from replay.why.holding import find_pool
from replay.why.search import highest, least
from replay.why.story import Story

NOW = Nanos(0)
"""Commands of a change take the time of the place at which they are decided."""

MARGIN_TRIED = 64
"""No more margin is tried than so many times the notional."""

MOMENT, SESSION = "liquidation", "session"
"""The two horizons."""

UNSETTLED = "not settled with the effort allowed"


class Fork(NamedTuple):
    """A fork that was decided: until which horizon, with which value, and how it went."""

    until: str
    value: int | str
    course: Course


@dataclass(slots=True)
class Answer:
    """What there is to say about one change until one horizon.

    value is the least margin (atoms, beside what there was), the highest leverage, or the mode; None where none
    survives. forks are those that show it: the one that survives, and its neighbour that does not. later is how the
    same change went until the end of the session. why says what stands in the way, mode which one was asked about.
    """

    kind: str
    until: str
    value: int | str | None = None
    forks: list[Fork] = field(default_factory=list)
    later: Course | None = None
    why: str = ""
    mode: str = ""

    @property
    def holds(self) -> bool:
        """There is such a change."""
        return self.value is not None


@dataclass(slots=True)
class Counterfactuals:
    """All answers about a liquidation.

    near and far are the records ahead of which the forks began: those of more margin, those of leverage and mode. had
    is the margin at the near place, atoms: of the isolated wallet or the cross wallet; None where there is none.
    """

    answers: list[Answer] = field(default_factory=list)
    effort: Effort = field(default_factory=lambda: Effort(0))
    near: int = 0
    far: int | None = None
    had: int | None = None


async def counterfactuals(log: EventLog, story: Story, effort: Effort) -> Counterfactuals:
    """Find all answers, as far as the effort goes; there are none where nothing was liquidated. Raises LogError."""
    found = Counterfactuals(effort=effort)
    if story.liquidation.started is None or not effort.most:
        return found
    far = clear_place(story)
    places = [far, story.liquidation.root_batch] if far is not None else [story.liquidation.root_batch]
    *early, near = await branches(log, places, story)
    found.near = near.seq
    await _Margin(story, near, effort).answer(found)
    if early:
        found.far = early[0].seq
        await _Settings(story, early[0], effort).answer(found)
    return found


def clear_place(story: Story) -> int | None:
    """The batch ahead of which the account last had nothing open where the pool held something when it fell due; None
    where the pool held nothing.
    """
    names = {name for holding in story.holdings for name in _legs(holding.instrument)}
    spans = [tuple(span) for name in names for span in story.busy.get(name, [])]
    place = story.liquidation.due_batch
    if not spans:
        return None
    while ahead := [start for start, end in spans if start < place and (not end or end >= place)]:
        place = min(ahead)
    return place


def _legs(instrument: str) -> list[str]:
    return [position_name(InstrumentId(instrument), leg) for leg in Leg]


class _Search:
    """Shared by the searches: forks that are counted, remembered, and told with what they showed."""

    def __init__(self, story: Story, branch: Branch, effort: Effort) -> None:
        self.story = story
        self.branch = branch
        self.effort = effort
        self.account = story.liquidation.account
        self.ends = {MOMENT: story.liquidation.last_batch, SESSION: story.batches}

    async def asked(self, found: Counterfactuals, answer: Answer, search: Callable[[Answer], Awaitable[None]]) -> None:
        """Let a search fill in an answer; say so where the effort was not enough."""
        found.answers.append(answer)
        try:
            await search(answer)
        except Exhausted:
            answer.why = "" if answer.forks else UNSETTLED

    async def run(self, plan: Plan, until: str) -> Course:
        """Decide one fork."""
        return await self.branch.run(plan, self.ends[until], self.effort)

    async def unlike(self, plan: Plan) -> str:
        """Why forks from here say nothing: without any change the liquidation does not happen again. Else nothing."""
        try:
            course = await self.run(plan, MOMENT)
        except Exhausted:
            return UNSETTLED
        if course.fall is None:
            return f"decided again from record {self.branch.seq} without a change, the pool is not liquidated"
        return ""


class _Margin(_Search):
    """More margin just before."""

    async def answer(self, found: Counterfactuals) -> None:
        """Both horizons, the near one first."""
        state = self.branch.state()
        pool = find_pool(state.accounts.get(self.account), self.story.liquidation.pool)
        if isinstance(pool, Position | Wallet):
            found.had = pool.isolated if isinstance(pool, Position) else pool.balance
        self._short = _short(pool)
        why = await self.unlike(self._plan(0))
        for until in (MOMENT, SESSION):
            answer = Answer("margin", until, why=why)
            if why:
                found.answers.append(answer)
            else:
                await self.asked(found, answer, self._least)

    async def _least(self, answer: Answer) -> None:
        tried: dict[int, Course] = {}

        async def attempt(amount: int) -> Course:
            tried[amount] = course = await self.run(self._plan(amount), answer.until)
            return course

        notional = sum(holding.notional for holding in self.story.holdings) // UNIT
        most = MARGIN_TRIED * max(1, notional, abs(self.story.margin.equity) // UNIT)
        guess = self._guess() if answer.until == MOMENT else min(most, 4 * max(1, notional))
        value = await least(attempt, guess, most)
        if value is None:
            last = list(tried.values())[-1]
            reason = last.impossible.value if last.impossible else None
            answer.why = (
                f"margin cannot be added then: {reason}" if reason else f"not even {most} atoms more are enough"
            )
            answer.forks = [Fork(answer.until, amount, course) for amount, course in list(tried.items())[-1:]]
            return
        below = tried.get(value - 1) or await attempt(value - 1)
        answer.value = value
        answer.forks = [Fork(answer.until, value, tried[value]), Fork(answer.until, value - 1, below)]
        if answer.until == MOMENT:
            answer.later = await self.run(self._plan(value), SESSION)

    def _guess(self) -> int:
        """What the pool lacked when it fell due, atoms."""
        lack = self.story.margin.maintenance - self.story.margin.equity
        is_strict = self.story.pack.due_at is DueAt.BELOW_MAINTENANCE
        return max(1, -(-lack // UNIT) if is_strict else lack // UNIT + 1)

    def _plan(self, amount: int) -> Plan:
        watched = frozenset({self.story.liquidation.pool})
        if not amount:
            return Plan(self.account, watched)
        return Plan(self.account, watched, self._given(amount))

    def _given(self, amount: int) -> list[Command]:
        """A deposit, and for an isolated position that much more in its wallet."""
        its, name = self.story.liquidation, self.story.liquidation.pool
        if self.story.mode != "isolated":
            return [_deposit(self.account, AssetId(self._collateral() if name == MULTI else name), amount)]
        instrument = InstrumentId(instrument_of(name))
        leg = next(leg for leg in Leg if position_name(instrument, leg) == its.pool)
        asset = AssetId(_settle(self.story, instrument))
        adding = AddMargin(NOW, self.account, RequestId("why: margin"), instrument, Atoms(amount), leg)
        return [_deposit(self.account, asset, amount + self._short), adding]

    def _collateral(self) -> str:
        """What is deposited where all wallets answer together: what the largest position settles in."""
        held = max(self.story.holdings, key=lambda one: one.notional, default=None)
        return _settle(self.story, held.instrument) if held else str(self.story.pack.valuation)


def _short(pool: object) -> int:
    """What the cross wallet lacks before any of a deposit could go to an isolated position, atoms."""
    if not isinstance(pool, Position):
        return 0
    wallet = pool.wallet
    free = available(wallet)
    return max(0, -(min(free, free + wallet.balance * UNIT - cross_equity(wallet)) // UNIT))


def _settle(story: Story, instrument: str) -> str:
    return str(next(terms.settle for terms in story.pack.instruments if terms.id == instrument))


def _deposit(account: AccountId, asset: AssetId, amount: int) -> Deposit:
    return Deposit(NOW, account, RequestId("why: deposit"), asset, Atoms(amount))


class _Settings(_Search):
    """Another leverage, another mode, before anything was open."""

    async def answer(self, found: Counterfactuals) -> None:
        """Leverage until both horizons, then each other mode."""
        self._instruments = list(dict.fromkeys(InstrumentId(one.instrument) for one in self.story.holdings))
        self._used = max((one.leverage for one in self.story.holdings), default=1)
        state = self.branch.state()
        self._set = {name: _leverage(state, self.account, name) for name in self._instruments}
        pool = self.story.liquidation.pool
        why = await self.unlike(Plan(self.account, frozenset({pool})))
        known: int | None = None
        for until in (MOMENT, SESSION):
            answer = Answer("leverage", until, why=why)
            if why:
                found.answers.append(answer)
                continue
            await self.asked(found, answer, lambda answer, known=known: self._highest(answer, known))  # type: ignore[misc]
            known = answer.value if isinstance(answer.value, int) else None
        for mode in self._modes():
            answer = Answer("mode", SESSION, why=why, mode=mode)
            if why:
                found.answers.append(answer)
                continue
            await self.asked(found, answer, lambda answer, mode=mode: self._mode(answer, mode))  # type: ignore[misc]

    async def _highest(self, answer: Answer, known: int | None) -> None:
        """The highest leverage; `known` is that for the nearer horizon: the next one is too much for this one too."""
        tried: dict[int, Course] = {}

        async def attempt(leverage: int) -> Course:
            if leverage not in tried:
                tried[leverage] = await self.run(self._at(leverage), answer.until)
            return tried[leverage]

        beyond = self._used if known is None else known + 1
        if known is not None and (await attempt(known)).survives:
            value = known
        else:
            value = await highest(attempt, beyond if known is None else known)
        if not value:
            answer.why = "no leverage helps" if self._used > 1 else "it was 1x already"
            answer.forks = [Fork(answer.until, 1, await attempt(1))] if self._used > 1 else []
            return
        neighbours = [Fork(answer.until, leverage, await attempt(leverage)) for leverage in (value, value + 1)]
        answer.value, answer.forks = value, neighbours
        if answer.until == MOMENT:
            answer.later = await self.run(self._at(value), SESSION)

    def _at(self, leverage: int) -> Plan:
        """No more than this leverage in the instruments of the pool."""
        account, instruments = self.account, self._instruments

        def change(command: Command) -> Command:
            if isinstance(command, SetLeverage) and command.account == account and command.instrument in instruments:
                return command.__replace__(leverage=min(leverage, command.leverage))
            return command

        first = [
            SetLeverage(NOW, account, RequestId(f"why: leverage {name}"), name, leverage)
            for name in instruments
            if self._set[name] > leverage
        ]
        return Plan(account, frozenset({self.story.liquidation.pool}), first, change)

    def _modes(self) -> list[str]:
        """The modes that it could have been in, but for the one that it was in."""
        modes = ["isolated", "cross", "multi"] if self.story.pack.collateral else ["isolated", "cross"]
        return [mode for mode in modes if mode != self.story.mode]

    async def _mode(self, answer: Answer, mode: str) -> None:
        course = await self.run(self._under(mode), SESSION)
        end = self.ends[MOMENT]
        survives = course.survives or (course.fall is not None and course.fall.batch > end)
        answer.until = SESSION if course.survives else MOMENT
        answer.value = mode if survives else None
        answer.forks = [Fork(answer.until, mode, course)]
        answer.why = f"it cannot be chosen then: {course.impossible.value}" if course.impossible else ""
        answer.later = course if course.fall is not None and survives else None

    def _under(self, mode: str) -> Plan:
        """The pool's instruments in another mode from the start."""
        account, instruments = self.account, self._instruments
        wanted = MarginMode.ISOLATED if mode == "isolated" else MarginMode.CROSS

        def change(command: Command) -> Command | None:
            if getattr(command, "account", None) != account:
                return command
            if isinstance(command, SetCollateralMode):
                return None
            is_theirs = isinstance(command, SetMarginMode) and command.instrument in instruments
            return None if is_theirs else command

        first: list[Command] = []
        if self.story.mode == "multi":
            first.append(SetCollateralMode(NOW, account, RequestId("why: collateral"), multi=False))
        if self.story.mode == "isolated" or wanted is MarginMode.ISOLATED:
            first += [SetMarginMode(NOW, account, RequestId(f"why: mode {name}"), name, wanted) for name in instruments]
        if mode == "multi":
            first.append(SetCollateralMode(NOW, account, RequestId("why: collateral"), multi=True))
        return Plan(account, frozenset({self.story.liquidation.pool, *self._pools(mode)}), first, change)

    def _pools(self, mode: str) -> list[str]:
        """What would answer for the positions under the mode."""
        if mode == "isolated":
            return [name for instrument in self._instruments for name in _legs(instrument)]
        if mode == "multi":
            return [MULTI]
        return [_settle(self.story, instrument) for instrument in self._instruments]


def _leverage(state: State, account: AccountId, instrument: InstrumentId) -> int:
    """The leverage that the account has in an instrument at this moment."""
    owner, contract = state.accounts.get(account), state.contracts[instrument]
    return contract.default_leverage if owner is None else state.position(owner, contract).leverage
