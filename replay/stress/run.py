"""A run: the crowd opens its positions, the price goes its way, and the exchange does all that follows from it.

Everything that is decided is decided by the core through a sequencer, from commands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from events import commands as c
from events.chunks import encode_chunk
from events.commands import AccountId
from events.instruments import AssetId
from events.observations import Observations
from events.units import UNIT, Atoms, Nanos
from exchange.core.margin.model import initial_margin
from exchange.core.state import RULES_VERSION, State
from exchange.projections.deficits import Bearer
from exchange.sequencer import Sequencer
from replay.quotes import equity_atoms
from replay.stress.figures import Figures, Losses
from replay.stress.ladder import Ladder, rows
from replay.stress.opening import commands_of, lots_wanted, opening_prices
from replay.stress.population import Member, Modes
from replay.stress.scenario import Scenario
from replay.stress.shocks import Point

READY_EVERY = 256
"""So many commands are decided between two looks at the committer."""

OnProgress = Callable[[int, int, int], None]
"""Called with the steps done, the records so far, and the session time."""


class StressError(Exception):
    """A scenario that cannot be run; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. open_interest is the value of all positions of the crowd at the start, atoms.

    fund_before is what all insurance funds began with, atoms.
    """

    modes: Modes
    figures: Figures
    losses: Losses
    deficits: dict[str, int]
    fund_before: int
    open_interest: int
    digest: str
    batches: int


class AtStake(NamedTuple):
    """What an account brought, and what it may lose by its positions alone, atoms."""

    deposit: int
    most: int


class Run:
    """One population under one scenario."""

    def __init__(
        self, scenario: Scenario, members: list[Member], modes: Modes, sequencer: Sequencer, on_progress: OnProgress
    ) -> None:
        self._scenario = scenario
        self._members = members
        self._modes = modes
        self._sequencer = sequencer
        self._on_progress = on_progress
        self._figures = Figures(scenario.markets, scenario.funds)
        self._asset: AssetId = scenario.markets[0].settle
        self._ladders = [Ladder(*pair) for pair in zip(scenario.markets, scenario.liquidity, strict=True)]
        self._stakes: dict[AccountId, AtStake] = {}
        self._sent = 0
        self._done = 0
        sequencer.on_batch = self._figures.observe

    @property
    def _state(self) -> State:
        return self._sequencer.state

    async def play(self) -> Outcome:
        """Open the session, let the path go its way, and say what became of the crowd. Raises StressError."""
        scenario = self._scenario
        await self._open()
        for market in range(len(scenario.markets)):
            await self._open_book(market)
        for member in self._members:
            await self._join(member)
        interest = self._open_interest()
        if not interest:
            raise StressError(f"no account could open a position: {_reasons(self._figures)}; give --size or --leverage")
        before, prices = 0, zip(*(prices_at(path, scenario.times) for path in scenario.paths), strict=True)
        for after, stated in zip(scenario.times, prices, strict=True):
            await self._move(after, after - before, stated)
            before = after
        await self._sequencer.flush()
        borne = self._figures.deficits.layers[self._asset]
        deficits = {bearer.value: borne[bearer] for bearer in Bearer}
        return Outcome(
            self._modes, self._figures, self._losses(), deficits, scenario.fund * len(scenario.funds),
            interest, self._sequencer.durable.digest.hex(), self._sequencer.durable.batch,
        )  # fmt: skip

    async def _send(self, command: c.Command) -> None:
        self._sequencer.decide(command)
        self._sent += 1
        if self._sent % READY_EVERY == 0:
            await self._sequencer.ready()

    async def _open(self) -> None:
        at, pack = self._scenario.at, self._scenario.pack
        await self._send(c.OpenSession(at, RULES_VERSION, pack, c.SessionOptions()))
        if self._state.pack is None:
            raise StressError(
                f"no session can be opened under the rule pack {pack.id}; `ringfence pack check` says why"
            )
        request, amount = c.RequestId("fund"), Atoms(self._scenario.fund)
        for fund in self._scenario.funds if amount else ():
            await self._send(c.Deposit(at, fund, request, self._asset, amount))

    async def _open_book(self, market: int) -> None:
        """A book of one level a side that has enough for everyone, and the mark at the start."""
        scenario = self._scenario
        terms, price = scenario.markets[market], scenario.prices[market]
        wanted, ticks = lots_wanted(scenario, self._members, market), opening_prices(price, terms.tick)
        await self._advance(rows(terms, scenario.at, {ticks[-1]: wanted[-1]}, {ticks[1]: wanted[1]}, price))

    async def _advance(self, chunk: Observations) -> None:
        stored = encode_chunk(chunk)
        self._sequencer.add_chunk(stored, chunk)
        at = Nanos(max(chunk.at[0], self._state.now))
        await self._send(c.AdvanceMarket(at, chunk.instrument, stored.id, 0, len(chunk) - 1))
        self._sequencer.release_chunk(stored.id)

    async def _join(self, member: Member) -> None:
        """An account opens its positions. At stake is their margin, and what opening them cost already."""
        deposit = 0
        for command in commands_of(self._state, self._scenario, member, self._modes):
            await self._send(command)
            if isinstance(command, c.Deposit):
                deposit = command.amount
        paid = deposit - self._balance(member.name)
        self._stakes[member.name] = AtStake(deposit, paid + self._margins(member.name))
        self._step()

    def _step(self) -> None:
        self._done += 1
        if self._done % READY_EVERY == 0:
            self._on_progress(self._done, self._figures.records, self._state.now)

    def _margins(self, name: AccountId) -> int:
        """The margins of an account's positions, atoms, rounded up: what is in their wallets, or the initial ones."""
        positions = self._state.accounts[name].positions.values()
        return sum(p.isolated if p.is_isolated else -(-initial_margin(p) // UNIT) for p in positions)

    def _balance(self, name: AccountId) -> int:
        """All that is in the wallets of an account, atoms."""
        account = self._state.accounts[name]
        wallets = sum(wallet.balance for wallet in account.wallets.values())
        return wallets + sum(position.isolated for position in account.positions.values())

    def _open_interest(self) -> int:
        contracts = [self._state.contracts[terms.id] for terms in self._scenario.markets]
        return sum(abs(p.lots * k.num // k.den) for k in contracts for p in k.positions if not p.exempt) // UNIT

    async def _move(self, after: int, time: int, prices: tuple[int, ...]) -> None:
        """Prices are stated anew, and all that follows is done. A book that is as it was is not stated again."""
        scenario, figures = self._scenario, self._figures
        at = Nanos(scenario.at + after)
        moment = figures.begin(at, prices[0])
        for ladder, price in zip(self._ladders, prices, strict=True):
            if ladder.pass_time(time, price):
                await self._advance(ladder.state(at, price))
        for (instrument, side), value in figures.pressure.items():
            market = next(n for n, terms in enumerate(scenario.markets) if terms.id == instrument)
            self._ladders[market].take(side, value)
        figures.pressure.clear()
        moment.displaced = max(self._ladders[0].displaced.values())
        moment.fund = self._fund()
        self._step()

    def _fund(self) -> int:
        """The equity of the insurance funds, atoms, each rounded down; the general one covers cross pools."""
        funds = dict.fromkeys((c.INSURANCE, *self._scenario.funds))
        return sum(self._figures.deficits.fund_equity(self._asset, fund) for fund in funds)

    def _losses(self) -> Losses:
        beyond = emptied = lost = 0
        for name, (deposit, most) in self._stakes.items():
            equity = equity_atoms(self._state.accounts[name], self._asset)
            beyond += deposit - equity > most
            emptied += equity <= 0
            lost += max(0, deposit - equity)
        return Losses(len(self._stakes), len(self._figures.liquidated), beyond, emptied, lost)


def prices_at(path: list[Point], times: list[int]) -> Iterator[int]:
    """The price of a path at each of these times: that of the last point until then."""
    at = 0
    for time in times:
        while at + 1 < len(path) and path[at + 1].after <= time:
            at += 1
        yield path[at].price


def _reasons(figures: Figures) -> str:
    """Why commands were refused."""
    return ", ".join(f"{count:,} {reason}" for reason, count in figures.refused.items()) or "nobody wanted one"
