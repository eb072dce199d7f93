"""A run of the cascade laboratory: every figure that it reports, found once more by another way from the session."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import ceil, floor
from typing import Any, NamedTuple

import pytest

from events import facts as f
from events.codec import decode_body
from events.commands import INSURANCE, MARKET, Side
from events.instruments import Liquidation
from events.log import MissingChunk, StoredBatch
from events.record import Batch
from events.rules import Funds, Layer
from events.store.memory import MemoryLog
from events.units import UNIT
from replay.audit import SessionAudit
from replay.stress.figures import TAKERS, Moment
from replay.stress.headonly import HeadOnly
from replay.stress.population import Modes
from replay.stress.run import Outcome, StressError, prices_at
from replay.stress.shocks import Point
from replay.verify import Verifier
from tests.stressing import scenario, stress, stress_into
from tests.tidy.tree import ROOT

LAYERS = ("fund", "adl", "market", "socialised", "open")


class Ran(NamedTuple):
    """A run, and the log that it left."""

    outcome: Outcome
    log: MemoryLog
    batches: list[Batch]

    def facts(self, *kinds: type) -> list[Any]:
        return [fact for batch in self.batches for fact in batch.facts if isinstance(fact, kinds)]

    @property
    def asset(self) -> str:
        instruments = self.outcome.figures.instruments
        return str(instruments[self.outcome.figures.shocked].settle)

    @property
    def moments(self) -> list[Moment]:
        return self.outcome.figures.moments


async def _stored(log: MemoryLog) -> list[StoredBatch]:
    return [stored async for stored in log.read()]


@cache
def ran(modes: Modes = Modes.MIXED, **how: Any) -> Ran:
    log = MemoryLog()
    outcome = stress(scenario(**how), modes, log)
    return Ran(outcome, log, [decode_body(stored.number, stored.body) for stored in asyncio.run(_stored(log))])


@cache
def audited(modes: Modes = Modes.MIXED, **how: Any) -> SessionAudit:
    """The session computed by other arithmetic: it agrees, and knows what everybody has at the end."""
    audit = SessionAudit(ran(modes, **how).log)
    report = asyncio.run(audit.run())
    assert report.ok, report.disagreement
    return audit


CRASH = {"shape": "step", "fund": 2}
"""The price is gone at once: the book and the fund cannot take it."""

WORLDS: list[dict[str, Any]] = [
    {}, CRASH, {"size": 40}, {"feedback": 100, "depth": 1}, {"second": 50}, {"shape": "v"}, {"shape": "jumps"},
    {"pack": "drift", **CRASH}, {"pack": "binance-coinm", **CRASH}, {"pack": "binance-coinm", "size": 40},
    {"pack": "hyperliquid"}, {"pack": "okx-inverse"}, {"pack": "dydx-v4", **CRASH}, {"pack": "bybit-linear"},
    {"funds": Funds.PER_INSTRUMENT, "refill": 0}, {"funds": Funds.PER_INSTRUMENT, "second": 50},
]  # fmt: skip
worlds = pytest.mark.parametrize("how", WORLDS, ids=lambda how: " ".join(map(str, how.values())) or "usual")


def is_fund(account: str) -> bool:
    """Whether it is an insurance fund: the general one, or that of an instrument."""
    return account.partition(":")[0] == INSURANCE


def equity(audit: SessionAudit, account: str) -> int:
    """All that an account has, by the auditor's arithmetic."""
    return floor(sum(audit.auditor.margin(*pool).equity for pool in audit.auditor.pools() if pool[0] == account))


@worlds
def test_the_fund_is_what_the_auditor_says(how: dict[str, Any]) -> None:
    audit = audited(**how)
    funds = [name for name in audit.auditor.books.accounts if is_fund(name)]
    assert ran(**how).moments[-1].fund == sum(equity(audit, name) for name in funds)
    assert ran(**how).outcome.fund_before == sum(
        fact.amount for fact in ran(**how).facts(f.Deposited) if is_fund(fact.account)
    )


@worlds
def test_who_lost_what_is_what_the_auditor_says(how: dict[str, Any]) -> None:
    session, audit = ran(**how), audited(**how)
    deposits = {fact.account: fact.amount for fact in session.facts(f.Deposited) if not is_fund(fact.account)}
    lost = {name: deposit - equity(audit, name) for name, deposit in deposits.items()}
    losses = session.outcome.losses
    assert losses.accounts == len(deposits)
    assert losses.lost == sum(loss for loss in lost.values() if loss > 0)
    assert losses.emptied == sum(loss >= deposits[name] for name, loss in lost.items())
    assert losses.liquidated == len({fact.account for fact in session.facts(f.LiquidationStarted)})
    assert sum(moment.liquidations for moment in session.moments) == len(session.facts(f.LiquidationStarted))


@pytest.mark.parametrize("modes", Modes)
def test_who_lost_more_than_the_margin_of_the_position_is_who_the_fills_say(modes: Modes) -> None:
    session, audit = ran(modes), audited(modes)
    leverages = {fact.account: fact.leverage for fact in session.facts(f.LeverageSet)}
    most: dict[str, int] = {}
    for fact in session.facts(f.Traded):
        if fact.taker_order == 1:
            leverage = leverages.get(fact.taker, 20)
            most[fact.taker] = -(-fact.value // leverage) + fact.taker_fee
    deposits = {fact.account: fact.amount for fact in session.facts(f.Deposited) if not is_fund(fact.account)}
    beyond = [name for name in deposits if deposits[name] - equity(audit, name) > most[name]]
    assert session.outcome.losses.beyond == len(beyond)


@worlds
def test_what_was_closed_is_what_the_facts_say(how: dict[str, Any]) -> None:
    session = ran(**how)
    lots: dict[str, int] = defaultdict(int)
    main = session.outcome.figures.shocked
    for fact in session.facts(f.Traded, f.TakenOver, f.Deleveraged):
        if fact.instrument != main:
            continue
        if isinstance(fact, f.TakenOver):
            lots["fund"] += fact.lots
        elif isinstance(fact, f.Deleveraged):
            lots["market" if fact.against == MARKET else "adl"] += fact.lots
        elif fact.taker_order == 0 and fact.taker != MARKET and not is_fund(fact.taker):
            lots["book"] += fact.lots
    closed = {taker: sum(moment.volume[taker] for moment in session.moments) for taker in TAKERS}
    assert {taker for taker, value in closed.items() if value} == set(lots)
    assert sum(lots.values()) > 0


@worlds
def test_the_deficit_is_borne_by_the_layers_to_the_atom(how: dict[str, Any]) -> None:
    session = ran(**how)
    losses: dict[str, int] = dict.fromkeys(LAYERS, 0)
    marks: dict[str, int] = {}
    for fact in session.facts(f.MarkPriceMoved, f.TakenOver, f.Deleveraged, f.DeficitCovered, f.LossShared):
        if isinstance(fact, f.MarkPriceMoved):
            marks[fact.instrument] = fact.mark
        elif isinstance(fact, f.DeficitCovered):
            losses["fund"] += fact.amount
        elif isinstance(fact, f.LossShared):
            losses["socialised"] += fact.amount
        else:
            layer = "fund" if isinstance(fact, f.TakenOver) else "market" if fact.against == MARKET else "adl"
            losses[layer] += max(0, loss_at(session, fact, marks[fact.instrument]))
    deficits = session.outcome.deficits
    assert tuple(deficits) == LAYERS
    assert min(deficits.values()) >= 0
    assert (deficits["adl"], deficits["market"]) == (losses["adl"], losses["market"])
    assert deficits["socialised"] <= losses["socialised"]
    assert sum(deficits.values()) == losses["fund"] + losses["adl"] + losses["market"]
    assert sum(deficits.values()) == sum(moment.deficit for moment in session.moments)
    assert sum(deficits.values()) == audited(**how).auditor.report.deficits[session.asset]


def loss_at(session: Ran, fact: Any, mark: int) -> int:
    """What whoever took a part lost by it at the mark, atoms, rounded up; below zero where that is a gain."""
    terms = session.outcome.figures.instruments[fact.instrument]
    face = getattr(terms, "contract_value", None)
    worth = Fraction(fact.lots * face * terms.lot, mark) if face else Fraction(fact.lots * terms.lot * mark, UNIT)
    gains = (fact.side is Side.SELL) is (face is None)
    return ceil(fact.value - worth if gains else worth - fact.value)


@worlds
def test_the_worst_fill_is_the_one_in_the_facts(how: dict[str, Any]) -> None:
    session, worst, mark = ran(**how), Fraction(0), 1
    main = session.outcome.figures.shocked
    tick = session.outcome.figures.instruments[main].tick
    for fact in session.facts(f.MarkPriceMoved, f.Traded):
        if fact.instrument != main:
            continue
        if isinstance(fact, f.MarkPriceMoved):
            mark = fact.mark
        elif fact.taker_order == 0 and fact.taker != MARKET and not is_fund(fact.taker):
            sign = 1 if fact.side is Side.SELL else -1
            worst = max(worst, Fraction(sign * (mark - fact.price * tick), mark))
    assert max(moment.impact for moment in session.moments) == floor(worst * UNIT)


def test_the_open_interest_is_what_all_hold_at_the_start() -> None:
    session = ran()
    opened = [fact for fact in session.facts(f.Traded) if fact.taker_order == 1]
    assert len(opened) == session.outcome.losses.accounts
    lot = session.outcome.figures.instruments[session.outcome.figures.shocked].lot
    assert session.outcome.open_interest == sum(fact.lots for fact in opened) * lot * 60_000


@worlds
def test_nothing_is_refused_and_the_session_verifies(how: dict[str, Any]) -> None:
    session = ran(**how)
    assert not session.outcome.figures.refused
    if how in ({}, CRASH):
        verification = asyncio.run(Verifier(session.log).run())
        assert verification.ok
        assert verification.head.digest.hex() == session.outcome.digest
    assert session.batches[-1].last_seq == session.outcome.figures.records
    assert session.batches[-1].number == session.outcome.batches


def under(*layers: Layer, **how: Any) -> Outcome:
    """A run under rules with these layers."""
    what = scenario(**how)
    return stress(replace(what, pack=what.pack.__replace__(liquidation=Liquidation(last_resort=layers))))


class TestWhatIsReached:
    """The layers, and what one mode does that the other does not."""

    def test_a_gap_takes_what_the_fund_has_and_then_the_ranked(self) -> None:
        deficits = ran(**CRASH).outcome.deficits
        assert min(deficits[layer] for layer in ("fund", "adl")) > 0

    def test_a_fund_that_took_over_before_a_longer_fall_loses_by_what_it_holds(self) -> None:
        outcome, moments = ran().outcome, ran().moments
        assert moments[-1].fund < 0 <= outcome.fund_before
        assert sum(outcome.deficits.values()) < outcome.fund_before - moments[-1].fund

    def test_a_fund_of_the_only_instrument_does_what_a_shared_one_does(self) -> None:
        own, shared = (ran(refill=0, funds=funds).outcome for funds in (Funds.PER_INSTRUMENT, Funds.SHARED))
        assert own.figures.worked_off == shared.figures.worked_off > 0
        assert (own.figures.moments, own.fund_before, own.losses) == (
            shared.figures.moments, shared.fund_before, shared.losses,
        )  # fmt: skip

    def test_funds_of_their_own_have_as_much_each(self) -> None:
        assert ran(second=50, funds=Funds.PER_INSTRUMENT).outcome.fund_before == 2 * ran(second=50).outcome.fund_before

    def test_where_there_is_no_further_layer_a_deficit_stays_open(self) -> None:
        assert under(Layer.FUND, shape="step", fund=0).deficits["open"] > 0

    def test_a_rich_fund_bears_it(self) -> None:
        deficits = ran(shape="step", fund=60).outcome.deficits
        assert deficits["fund"] > 0
        assert deficits["adl"] == deficits["open"] == 0

    def test_without_enough_ranked_accounts_market_closes_the_rest(self) -> None:
        assert ran(shape="step", fund=0, longs=UNIT, steps=4).outcome.deficits["market"] > 0

    def test_under_rules_that_share_losses_the_winners_bear_it(self) -> None:
        assert under(Layer.FUND, Layer.SOCIALISED, shape="step", fund=0).deficits["socialised"] > 0

    def test_isolated_nobody_loses_more_than_the_position_and_cross_many_do(self) -> None:
        isolated, cross = ran(Modes.ISOLATED).outcome.losses, ran(Modes.CROSS).outcome.losses
        assert (isolated.beyond, isolated.emptied) == (0, 0)
        assert cross.beyond > 20
        assert cross.emptied > 10

    def test_mixed_lies_between_them(self) -> None:
        isolated, mixed, cross = (
            ran(modes).outcome.losses.emptied for modes in (Modes.ISOLATED, Modes.MIXED, Modes.CROSS)
        )
        assert isolated < mixed < cross

    def test_only_cross_carries_the_shock_into_an_instrument_that_was_not_shocked(self) -> None:
        elsewhere = {
            modes: sum(moment.elsewhere for moment in ran(modes, second=50).moments)
            for modes in (Modes.ISOLATED, Modes.CROSS)
        }
        assert elsewhere[Modes.ISOLATED] == 0
        assert elsewhere[Modes.CROSS] > 0

    def test_fed_back_the_forced_orders_move_the_mark_and_so_force_more(self) -> None:
        calm, spiral = (ran(pack="drift", size=-10, accounts=200, steps=60, feedback=share) for share in (0, 100))
        assert min(moment.mark for moment in calm.moments) == min(moment.price for moment in calm.moments)
        assert min(moment.mark for moment in spiral.moments) < min(moment.price for moment in spiral.moments)
        assert spiral.outcome.losses.liquidated > calm.outcome.losses.liquidated > 0

    def test_a_deeper_book_takes_more_of_it(self) -> None:
        thin, deep = (sum(moment.volume["book"] for moment in ran(depth=depth).moments) for depth in (1, 20))
        assert deep > 3 * thin


class TestDeterminism:
    """Same seed, same bytes."""

    def test_the_same_scenario_gives_the_same_digest_in_whatever_log(self) -> None:
        again = asyncio.run(stress_into(scenario(), Modes.MIXED, HeadOnly()))
        assert again.digest == ran().outcome.digest
        assert again.deficits == ran().outcome.deficits

    def test_another_seed_gives_another_one(self) -> None:
        assert ran(seed=2).outcome.digest != ran().outcome.digest

    def test_modes_change_the_modes_and_nothing_else_of_the_crowd(self) -> None:
        deposits = [[fact.amount for fact in ran(modes).facts(f.Deposited)] for modes in Modes]
        assert deposits[0] == deposits[1] == deposits[2]
        assert [len(ran(modes).facts(f.MarginModeSet)) for modes in (Modes.ISOLATED, Modes.CROSS)] == [90, 0]

    def test_it_is_this_one_on_every_python(self) -> None:
        rules = str(ROOT / "tests/golden/packs/binance-usdm-1.json")
        assert ran(pack=rules).outcome.digest == "95d688b05586fad91553d7cf113b48f5b2df4bb034612a0956bb6d00e444fbe4"


def test_a_size_that_brackets_do_not_allow_at_the_leverage_takes_the_highest_that_they_do() -> None:
    session = ran(accounts=5, smallest=3_100_000 * UNIT, largest=3_200_000 * UNIT, leverages=((100, 1),))
    allowed = [
        b.max_leverage for b in session.outcome.figures.instruments["BTCUSDT"].brackets if b.cap > 3_200_000 * UNIT
    ]
    assert {fact.leverage for fact in session.facts(f.LeverageSet)} == {max(allowed)} == {50}
    assert not session.outcome.figures.refused


def test_where_nobody_can_open_a_position_that_is_said() -> None:
    what = scenario(accounts=3)
    nobody = replace(what, crowd=replace(what.crowd, accounts=0))
    with pytest.raises(StressError, match="no account could open a position: nobody wanted one"):
        stress(nobody)


def test_a_pack_that_opens_no_session_is_refused() -> None:
    with pytest.raises(StressError, match="no session can be opened under the rule pack synthetix-v3"):
        stress(scenario(pack="synthetix-v3", accounts=2))


def test_a_path_has_the_price_of_its_last_point() -> None:
    path = [Point(0, 1), Point(10, 2), Point(10, 3), Point(20, 4)]
    assert list(prices_at(path, [0, 5, 10, 19, 20, 99])) == [1, 1, 3, 3, 4, 4]


def test_a_log_that_keeps_its_head_only_has_nothing_to_read() -> None:
    async def look() -> None:
        log = HeadOnly()
        assert (await log.head()).batch == 0
        assert await log.append([], await log.head()) == await log.head()
        assert [batch async for batch in log.read()] == [batch async for batch in log.follow()] == []
        assert await log.snapshot(1) is None
        with pytest.raises(MissingChunk, match="keeps no chunk"):
            await log.chunk("x")  # type: ignore[arg-type]
        await log.close()

    asyncio.run(look())
