"""What one position, pool or account may do to another: the invariants of margin that no single record shows."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import AccountId, Command
from events.instruments import MarginMode
from events.record import Batch
from events.units import UNIT
from exchange.core.margin.model import cross_positions, maintenance_margin, requirement, unrealised
from exchange.core.state import State, Wallet
from exchange.core.step import step
from tests.property.portfolios import holdings, portfolios, traders
from tests.property.rules import wide_packs
from tests.property.sessions import (
    CHUNKS,
    NAMES,
    USD,
    Script,
    X,
    Y,
    finished,
    instruments,
    made,
    marks,
    moves,
    openings,
    rates,
    scripts,
)
from tests.sim.world import lend

upheaval = st.lists(
    st.one_of(
        made(c.SetMarkPrice, instrument=instruments, mark=marks),
        made(c.Proceed, limit=st.sampled_from((1, 4096))),
        made(c.ApplyFunding, instrument=instruments, rate=rates),
    ),
    min_size=3, max_size=12,
)  # fmt: skip
"""Marks that move, funding, and what follows from both."""


@settings(max_examples=100)
@given(
    portfolios(
        holdings.map(lambda holding: holding._replace(isolated=True)),
        modes=st.tuples(st.booleans(), st.just(False)),
    ),
    upheaval,
)
def test_an_isolated_loss_never_exceeds_its_wallet(state: State, commands: list[Command]) -> None:
    """The cross wallet of accounts that hold nothing but isolated positions never shrinks, whatever the marks do."""
    wallets = [wallet for account in traders(state) for wallet in account.wallets.values()]
    before = [wallet.balance for wallet in wallets]
    for command in commands:
        step(state, command)
    assert all(wallet.balance >= balance for wallet, balance in zip(wallets, before, strict=True))


@settings(max_examples=100)
@given(portfolios(), upheaval)
def test_no_liquidation_ends_below_zero_nor_leaves_reserves(state: State, commands: list[Command]) -> None:
    for command in commands:
        batch = step(state, command)
        assert isinstance(batch, Batch)
        for ended in (fact for fact in batch.facts if isinstance(fact, f.LiquidationEnded)):
            assert ended.equity >= 0 or ended.outcome is f.LiquidationOutcome.CURED
    for account in traders(state):
        for position in account.positions.values():
            assert (position.bids, position.asks, position.extra) == (0, 0, 0)
    for contract in state.contracts.values():
        longs = sum(p.lots for p in contract.positions if p.lots > 0)
        assert longs == -sum(p.lots for p in contract.positions if p.lots < 0)


@settings(max_examples=60)
@given(portfolios(), upheaval)
def test_cross_equity_is_the_sum_of_its_parts(state: State, commands: list[Command]) -> None:
    for command in commands:
        step(state, command)
        for wallet in (wallet for account in traders(state) for wallet in account.wallets.values()):
            if not wallet.multi:
                parts = [p for p in wallet.positions if p.lots and not p.is_isolated]
                assert cross_positions(wallet) == parts
                margin = requirement(wallet)
                assert margin.equity == wallet.balance * UNIT + sum(unrealised(p) for p in parts)
                assert margin.maintenance == sum(requirement(p).maintenance for p in parts)
                assert margin.initial == sum(requirement(p).initial for p in parts)


@settings(max_examples=60)
@given(portfolios(packs=wide_packs(), modes=st.tuples(st.booleans(), st.just(True))), upheaval)
def test_equity_in_multi_asset_mode_is_the_sum_of_its_parts(state: State, commands: list[Command]) -> None:
    """Each balance less its haircuts, each profit in full, both at the index; each rounded by less than a grain."""
    for command in commands:
        step(state, command)
        for pool in state.multis.values():
            equity = maintenance = Fraction(0)
            for asset, wallet in pool.wallets.items():
                index = Fraction(state.assets[asset].index, UNIT)
                equity += (counted(state, wallet) + sum(map(unrealised, cross_positions(wallet)))) * index
                maintenance += sum(maintenance_margin(p) for p in cross_positions(wallet)) * index
            margin, parts = requirement(pool), 2 * len(pool.wallets)
            assert 0 <= equity - margin.equity < parts
            assert 0 <= margin.maintenance - maintenance <= len(cross_positions(pool))


def counted(state: State, wallet: Wallet) -> Fraction:
    """What counts of a balance, grains: each tier's slice less its haircut, a debt in full."""
    assert state.pack
    left, floor, total = max(0, wallet.balance), 0, min(0, wallet.balance) * Fraction(UNIT)
    for tier in next(rule.tiers for rule in state.pack.collateral if rule.asset == wallet.asset):
        part = min(left, tier.cap - floor) if tier.cap else left
        left, floor = left - part, tier.cap
        total += part * (UNIT - tier.haircut)
    return total


@settings(max_examples=100)
@given(portfolios(packs=wide_packs()), st.sampled_from(MarginMode), instruments, st.booleans())
def test_switching_modes_moves_money_and_makes_none(
    state: State, mode: MarginMode, instrument: str, multi: bool
) -> None:
    for account in traders(state):
        for asked in (
            c.SetMarginMode(state.now, account.name, "mode", instrument, mode),
            c.SetCollateralMode(state.now, account.name, "join", multi),
            c.SetPositionMode(state.now, account.name, "hedge", multi),
        ):
            before, rest = wealth(state), [(b.entered, b.fees, b.remainders) for b in state.ledger.values()]
            batch = step(state, asked)
            assert isinstance(batch, Batch)
            assert wealth(state) == before
            assert [(b.entered, b.fees, b.remainders) for b in state.ledger.values()] == rest
            assert not [fact for fact in batch.facts if isinstance(fact, f.LiquidationDue)]


def wealth(state: State) -> dict[tuple[str, str], int]:
    """Wallet, isolated wallets and profit of every account, by asset, grains."""
    return {
        wallet.id: (wallet.balance + sum(p.isolated for p in wallet.positions)) * UNIT
        + sum(unrealised(p) for p in wallet.positions if p.lots)
        for account in state.accounts.values()
        for wallet in account.wallets.values()
    }


@settings(max_examples=40)
@given(scripts())
def test_an_account_without_position_and_order_is_never_touched(script: Script) -> None:
    zoe = AccountId("ZOE")
    opening = [*script.opening, c.OpenAccount(0, zoe, "open"), c.Deposit(0, zoe, "money", USD, 777)]
    facts = [fact for batch in Script(opening, script.commands).decide() for fact in batch.facts]
    told = [fact for fact in facts if zoe in (getattr(fact, name, None) for name in ("account", "maker", "taker"))]
    assert told == [f.AccountOpened(zoe), f.Deposited(zoe, USD, 777)]


@st.composite
def two_parties(draw: st.DrawFn) -> tuple[list[Command], list[Command], list[bool]]:
    """Two parties that trade in different instruments: the commands of one, of the other, and whose turn it is."""
    sides = []
    for names, instrument in ((NAMES[:2], X), (NAMES[2:], Y)):
        asked: list[Any] = []
        for move in draw(st.lists(moves, min_size=4, max_size=12)):
            asked += move if isinstance(move, list) else [move]
        mine = [moved(command, names, instrument) for command in asked if not isinstance(command, c.Proceed)]
        sides.append(finished(mine, [0] * len(mine)))
    turns = draw(st.permutations([True] * len(sides[0]) + [False] * len(sides[1])))
    return sides[0], sides[1], turns


def moved(command: Any, names: list[AccountId], instrument: str) -> Command:
    """The command as given by one of these accounts, about this instrument."""
    fields: dict[str, Any] = {}
    if isinstance(command, c.AdvanceMarket):
        fields["chunk"] = instrument + command.chunk[1:]
    if hasattr(command, "instrument"):
        fields["instrument"] = instrument
    if isinstance(command, c.TradersCommand):
        fields["account"] = names[len(str(command)) % 2]
    if isinstance(command, c.Transfer):
        fields["to"] = names[command.amount % 2]
    return replace(command, **fields)


@settings(max_examples=60)
@given(openings(), two_parties())
def test_accounts_that_do_not_meet_do_not_matter_to_each_other(
    opening: list[Command], parties: tuple[list[Command], list[Command], list[bool]]
) -> None:
    """Whoever of two parties goes first, each is told the same, as long as due work is done at once."""
    one, other, turns = parties
    going = {True: iter(one), False: iter(other)}
    mixed, alone = told(opening, [next(going[turn]) for turn in turns]), told(opening, one)
    assert mixed == told(opening, [*one, *other]) == told(opening, [*other, *one])
    assert [mixed[name] for name in NAMES[:2]] == [alone[name] for name in NAMES[:2]]


def told(opening: list[Command], commands: Iterable[Command]) -> dict[AccountId, list[Any]]:
    """What each account was told, and where it stands in the end."""
    state = lend(State(), CHUNKS)
    facts: list[Any] = []
    for command in (*opening, *commands):
        batch = step(state, command)
        facts += batch.facts if isinstance(batch, Batch) else []
        while state.due:
            proceeded = step(state, c.Proceed(state.now, 4096))
            assert isinstance(proceeded, Batch)
            facts += proceeded.facts
    return {
        name: [
            *(fact for fact in facts if name in (getattr(fact, who, None) for who in ("account", "maker", "taker"))),
            *((p.lots, p.entry_value, p.isolated, p.wallet.balance) for p in state.accounts[name].positions.values()),
        ]
        for name in NAMES
    }
