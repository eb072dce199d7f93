"""The calculator against other arithmetic: a bisection by hand, and the integers of the core.

The arithmetic by hand knows no bracket to choose: MM is convex in the value, so that it is the largest of what the
brackets say.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from events.commands import AccountId, SessionOptions
from events.instruments import AssetId, LinearPerp, load_pack, pack_names
from events.rules import DueAt, ExitFee, MaintenanceBasis
from events.units import UNIT, Rate
from exchange.calculator import (
    LONG,
    SHORT,
    Holding,
    Pool,
    Rules,
    bankruptcy_price,
    flat,
    liquidation,
    maintenance,
    max_size,
    rules_of,
    schedule_of,
    with_cum,
)
from exchange.core.contract import Contract
from exchange.core.ledger import Books
from exchange.core.liquidation.watch import arm
from exchange.core.margin.brackets import BracketTable
from exchange.core.margin.model import is_due
from exchange.core.state import NEVER, Position, Wallet
from tests.scenario import scenario
from tests.spec.words import BUY, EASY, GOLD, IOC, SELL, account, pack, place, resting, set_leverage

USDM = load_pack("binance-usdm")
USDM = replace(USDM, liquidation=replace(USDM.liquidation, warning=Rate(0)))
"""Without margin calls: the watch looks at a position where it is due, and not before."""
BTC, ETH = USDM.instruments[:2]
GRAINS = UNIT * UNIT

signs = st.sampled_from([LONG, SHORT])
rates = st.integers(1, 60).map(lambda n: Fraction(n, 100))
leverages = st.integers(1, 125).map(Fraction)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Any, ...]:
    """One to four brackets whose rates rise; the last one may be the only one."""
    mmrs = sorted(draw(st.sets(rates, min_size=1, max_size=4)))
    floors = [
        Fraction(0),
        *sorted(draw(st.sets(st.integers(1, 10**6), min_size=len(mmrs) - 1, max_size=len(mmrs) - 1))),
    ]
    return with_cum([(Fraction(f), mmr) for f, mmr in zip(floors, mmrs, strict=True)])


@st.composite
def holdings(draw: st.DrawFn) -> Holding:
    size = Fraction(draw(st.integers(1, 10**12)), 10**8)
    entry = Fraction(draw(st.integers(1, 10**13)), 10**8)
    inverse = draw(st.booleans())
    contract = Fraction(draw(st.sampled_from([1, 10, 100]))) if inverse else Fraction(1)
    return Holding(draw(signs), size, entry, contract, inverse)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """One position by any rules, its wallet anything from a debt to twice its entry value."""
    leg = draw(holdings())
    share = Fraction(draw(st.integers(-50, 200)), 100)
    taker = Fraction(draw(st.integers(0, 20)), 10_000)
    rules = Rules(
        draw(schedules()),
        draw(st.sampled_from(MaintenanceBasis)),
        draw(st.sampled_from(ExitFee)),
        taker,
        draw(st.sampled_from(DueAt)),
    )
    others = [Fraction(draw(st.integers(-(10**9), 10**9)), 10**4) for _ in range(2)]
    is_cross = draw(st.booleans())
    return Pool(share * leg.entry_value, (leg,), rules, abs(others[0]) * is_cross, others[1] * is_cross)


def maintenance_by_hand(pool: Pool, leg: Holding, mark: Fraction) -> Fraction:
    rules = pool.rules
    value = leg.value(leg.entry if rules.basis is MaintenanceBasis.ENTRY else mark)
    needed = max(value * tier.mmr - tier.cum for tier in rules.schedule)
    if rules.exit_fee is ExitFee.AT_MARK:
        needed += rules.taker_fee * leg.value(mark)
    if rules.exit_fee is ExitFee.AT_BANKRUPTCY:
        price = bankruptcy_price(leg, pool.wallet + pool.other_pnl, rules.taker_fee)
        needed += rules.taker_fee * leg.value(price) if price is not None and price > 0 else 0
    return needed


def buffer_by_hand(pool: Pool, mark: Fraction) -> Fraction:
    """Equity - MM, exactly."""
    equity, needed = pool.wallet + pool.other_pnl, pool.other_maintenance
    for leg in pool.legs:
        move = 1 / leg.entry - 1 / mark if leg.inverse else mark - leg.entry
        equity += leg.sign * leg.size * leg.contract * move
        needed += maintenance_by_hand(pool, leg, mark)
    return equity - needed


def due_by_hand(pool: Pool, unit: int) -> bool:
    """Whether the pool is due at a mark unit; of linear legs, equity is rounded down and MM up to a grain."""
    mark = Fraction(unit, UNIT)
    needed = pool.other_maintenance + sum(maintenance_by_hand(pool, leg, mark) for leg in pool.legs)
    equity = buffer_by_hand(pool, mark) + needed
    left = equity - needed if pool.legs[0].inverse else floor(equity * GRAINS) - ceil(needed * GRAINS)
    return left <= 0 if pool.rules.due_at is DueAt.AT_MAINTENANCE else left < 0


@given(pools())
def test_the_exact_price_uses_up_the_buffer_to_nothing(pool: Pool) -> None:
    found = liquidation(pool)
    if found.exact is not None and found.exact > 0:
        assert buffer_by_hand(pool, found.exact) == 0
    assert (found.shown is None) == (found.exact is None or found.exact < 0)


@given(pools())
def test_the_trigger_is_the_first_due_unit_by_bisection(pool: Pool) -> None:
    found, leg = liquidation(pool), pool.legs[0]
    assert found.falls == (leg.sign == LONG)
    lowest, highest = 1, 10**40
    if due_by_hand(pool, lowest) == due_by_hand(pool, highest):
        always = due_by_hand(pool, lowest)
        assert found.trigger == (1 if always and not found.falls else None)
        return
    assert due_by_hand(pool, lowest) is found.falls
    while highest - lowest > 1:
        middle = (lowest + highest) // 2
        if due_by_hand(pool, middle) is found.falls:
            lowest = middle
        else:
            highest = middle
    assert found.trigger == (lowest if found.falls else highest)


@given(pools(), st.integers(1, 10**6))
def test_the_price_shown_is_the_tick_that_the_mark_reaches_first(pool: Pool, ticks: int) -> None:
    exact = liquidation(pool)
    tick = Fraction(ticks, 10**4)
    rules = pool.rules
    on_tick = Rules(rules.schedule, rules.basis, rules.exit_fee, rules.taker_fee, rules.due_at, tick)
    found = liquidation(Pool(pool.wallet, pool.legs, on_tick, pool.other_maintenance, pool.other_pnl))
    assert (found.exact, found.trigger) == (exact.exact, exact.trigger)
    if found.shown is not None and exact.shown is not None:
        assert found.shown % tick == 0
        assert 0 <= (found.shown - exact.shown) * (1 if found.falls else -1) < tick


@st.composite
def hedged(draw: st.DrawFn) -> Pool:
    """A long and a short of one symbol in a cross pool."""
    entries = [Fraction(draw(st.integers(10**4, 10**7)), 100) for _ in range(2)]
    sizes = [Fraction(draw(st.integers(1, 10**5)), 100) for _ in range(2)]
    inverse = draw(st.booleans())
    legs = tuple(
        Holding(sign, size, entry, Fraction(100) if inverse else Fraction(1), inverse)
        for sign, size, entry in zip((LONG, SHORT), sizes, entries, strict=True)
    )
    wallet = max(leg.entry_value for leg in legs) * Fraction(draw(st.integers(1, 100)), 100)
    return Pool(wallet, legs, Rules(draw(schedules())))


@given(hedged())
def test_legs_that_hedge_each_other_are_due_from_the_trigger_on(pool: Pool) -> None:
    found = liquidation(pool)
    if found.exact is not None and found.exact > 0:
        assert buffer_by_hand(pool, found.exact) == 0
    if found.trigger is not None and found.exact is not None and found.exact > 0:
        assert due_by_hand(pool, found.trigger)
        before = found.trigger + (1 if found.falls else -1)
        assert before == 0 or not due_by_hand(pool, before)


@given(pools())
def test_nothing_is_left_at_the_bankruptcy_price(pool: Pool) -> None:
    leg, fee = pool.legs[0], pool.rules.taker_fee
    price = bankruptcy_price(leg, pool.wallet, fee)
    if price is not None and price > 0:
        assert pool.wallet + leg.pnl(price) == fee * leg.value(price)


@given(holdings(), leverages, rates, st.integers(0, 20).map(lambda n: Fraction(n, 10_000)))
def test_one_bracket_gives_the_formula(leg: Holding, leverage: Fraction, mmr: Fraction, taker: Fraction) -> None:
    """The closed formulas of margin.md, with the taker fee of Gate and OKX."""
    wallet, s, q = leg.entry_value / leverage, leg.sign, leg.size * leg.contract
    found = liquidation(Pool(wallet, (leg,), Rules(flat(mmr), exit_fee=ExitFee.AT_MARK, taker_fee=taker)))
    rate = mmr + taker
    if leg.inverse:
        below = wallet + s * q / leg.entry
        assert found.exact == (q * (rate + s) / below if below else None)
    else:
        assert found.exact == (leg.entry - s * wallet / q) / (1 - s * rate)


def test_the_maintenance_amounts_of_every_pack_follow_from_its_brackets() -> None:
    for name in pack_names():
        for terms in load_pack(name).instruments:
            schedule = schedule_of(terms)
            assert schedule == with_cum([(tier.floor, tier.mmr) for tier in schedule])
            assert all(below.floor < above.floor for below, above in pairwise(schedule))


@given(st.sampled_from(USDM.instruments), st.integers(0, 10**28))
def test_maintenance_is_that_of_the_core(terms: LinearPerp, notional: int) -> None:
    exact = maintenance(schedule_of(terms), Fraction(notional, GRAINS)) * GRAINS
    assert BracketTable(terms.brackets).maintenance(notional) == ceil(exact)


def in_core(terms: LinearPerp, sign: int, lots: int, entry_value: int, wallet: Wallet, isolated: int = -1) -> Position:
    """A position of the core, isolated where it has a wallet of its own."""
    position = Position(wallet, Contract(terms, USDM, SessionOptions()))
    position.lots, position.entry_value = sign * lots, sign * entry_value
    position.is_isolated, position.isolated = isolated >= 0, max(0, isolated)
    position.serial = 0
    position.contract.positions.append(position)
    wallet.positions.append(position)
    return position


def in_calculator(position: Position) -> Holding:
    size = Fraction(abs(position.lots) * position.contract.lot, UNIT)
    return Holding(LONG if position.lots > 0 else SHORT, size, Fraction(abs(position.entry_value), UNIT) / size)


def new_wallet(balance: int = 0) -> Wallet:
    wallet = Wallet(AccountId("ann"), Books(AssetId("USDT")))
    wallet.balance = balance
    return wallet


def due_at(position: Position, mark: int) -> bool:
    position.contract.set_mark(mark)
    return is_due(position.pool)


amounts = st.integers(1, 10**15)
sizes = st.integers(1, 10**6)


@given(signs, sizes, amounts, amounts, amounts)
@example(LONG, 1, 10**12, 10**11, 10**12)
def test_the_trigger_is_that_of_the_watch(sign: int, lots: int, entry_value: int, isolated: int, mark: int) -> None:
    position = in_core(BTC, sign, lots, entry_value, new_wallet(), isolated)
    position.contract.set_mark(mark)
    pool = Pool(Fraction(isolated, UNIT), (in_calculator(position),), rules_of(USDM, BTC))
    trigger = liquidation(pool).trigger
    armed = arm(position)
    assert armed is not pool.is_due(Fraction(mark, UNIT))
    if armed:
        reached = position.low if sign == LONG else position.high
        assert (reached if reached > 0 else None) == trigger
        assert (position.high if sign == LONG else position.low) == NEVER


@given(signs, sizes, amounts, st.integers(0, 10**16), signs, sizes, amounts, amounts)
def test_the_trigger_of_a_cross_position_is_the_first_due_mark_of_the_core(
    sign: int, lots: int, entry_value: int, balance: int, other_sign: int, other_lots: int, other_value: int, mark: int
) -> None:
    wallet = new_wallet(balance)
    position = in_core(BTC, sign, lots, entry_value, wallet)
    other = in_core(ETH, other_sign, other_lots, other_value, wallet)
    other.contract.set_mark(mark)
    beside = Pool(Fraction(0), (in_calculator(other),), rules_of(USDM, ETH))
    at = Fraction(mark, UNIT)
    mm = Fraction(ceil(beside.maintenance(at) * GRAINS), GRAINS)
    leg = in_calculator(position)
    found = liquidation(Pool(Fraction(balance, UNIT), (leg,), rules_of(USDM, BTC), mm, beside.equity(at)))
    assume(found.trigger is not None and not found.is_always_due)
    assert found.trigger is not None
    assert due_at(position, found.trigger)
    before = found.trigger + (1 if found.falls else -1)
    assert before == 0 or not due_at(position, before)


@given(
    st.sampled_from([BUY, SELL]),
    st.integers(1, 5_000),
    st.integers(1, 150),
    st.integers(50, 150),
    st.integers(1, 10),
    st.sampled_from([0, 1, 33_333, 50_000, 1_000_000]),
)
def test_the_largest_order_opens_and_one_lot_more_does_not(
    side: Any, deposit: int, price: int, mark: int, leverage: int, fee: int
) -> None:
    rules = pack(taker_fee=fee, min_notional=0)
    terms = rules.instruments[0]
    session = scenario(rules, marks=mark).given(account("ann", deposit), set_leverage("ann", leverage))
    session.given(set_leverage("maker", 1))
    one = Holding(LONG if side is BUY else SHORT, Fraction(1), Fraction(price * terms.tick, UNIT))
    lot = Fraction(terms.lot, UNIT)
    largest = max_size(
        one,
        Fraction(deposit, UNIT),
        Fraction(mark * terms.tick, UNIT),
        Fraction(leverage),
        Fraction(fee, UNIT),
        lot=lot,
        max_notional=Fraction(max(b.cap for b in terms.brackets if b.max_leverage >= leverage), UNIT),
        largest=terms.max_lots * lot,
    )
    lots = int(largest / lot)
    other = SELL if side is BUY else BUY
    session.given(resting(1, other, price=price, lots=min(lots + 1, terms.max_lots), by="maker"))
    if lots < terms.max_lots:
        session.when(place(2, side, price=price, lots=lots + 1, tif=IOC, by="ann"))
        assert abs(session.position("ann").lots) <= lots
    if lots and not session.position("ann").lots:
        session.when(place(3, side, price=price, lots=lots, by="ann"))
        assert abs(session.position("ann").lots) == lots


def test_the_easy_pack_is_what_the_sizes_above_are_meant_for() -> None:
    assert (EASY.instruments[0].id, EASY.instruments[0].lot) == (GOLD, 10_000)
