"""The story of one liquidation: figures around each step, where the equity went, and the time before and after it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events import facts as f
from events.commands import INSURANCE
from events.instruments import Liquidation as Rules
from events.rules import Layer, LiquidationStyle
from events.units import SECOND, UNIT, Rate
from exchange.projections.deficits import Bearer
from exchange.projections.explain import Explainer
from gateway.commands.why import Found
from gateway.reports import why_object
from gateway.reports.why_figures import (
    BOOK,
    COVERED,
    GIVEN_BACK,
    LIQUIDATION_FEE,
    MOVED,
    TO_FUND,
    TO_MARKET,
    TO_RANKED,
    TRADING_FEES,
    lines,
    parts,
    shares,
)
from gateway.reports.why_rows import blocks
from gateway.reports.why_words import Words
from replay.why import Counterfactuals, Story, Storyteller
from tests.golden.sessions import heads, load
from tests.scenario import Scenario, scenario
from tests.spec.tape import snapshot, tape
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TICK,
    TIN,
    USD,
    account,
    deposit,
    mark,
    pack,
    place,
    position,
    proceed,
    resting,
)

ANN = (account("ann", 500, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
"""Long 10 at 100 with 100 of isolated margin: due at a mark of 94.7, bankrupt at 90."""

CROSS_ANN = (account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
"""The same in cross mode, with nothing else to lose."""


def told(session: Scenario, number: int = 1) -> Story:
    """The story of a liquidation of the scenario."""
    explainer = Explainer()
    for batch in session.batches:
        explainer.observe(batch)
    found = [*explainer.liquidations, *explainer.waiting]
    assert session.state.pack is not None
    teller = Storyteller(found[number - 1], session.state.pack)
    teller.state.columns = session.state.columns
    for batch in session.batches:
        teller.observe(batch)
    return teller.story


def went(story: Story) -> dict[str, int]:
    """Where the equity went, in atoms."""
    return {part.what: part.amount // UNIT for part in parts(story)}


def check_sum(story: Story) -> None:
    """What went and what is left are what there was, exactly."""
    total = story.margin.equity + sum(part.amount for part in parts(story))
    assert total == (story.steps[-1].after.equity if story.steps else story.margin.equity)


def test_it_says_what_the_pool_held_and_needed_when_it_fell_due() -> None:
    story = told(scenario().given(*ANN).when(mark(93), proceed()))
    assert (story.mode, story.asset, story.balance) == ("isolated", USD, 100)
    assert (story.margin.equity, story.margin.maintenance) == (30 * UNIT, 4_650 * UNIT // 100)
    (holding,) = story.holdings
    assert (holding.name, holding.lots, holding.entry_value, holding.leverage) == (GOLD, 10, 1_000, 10)
    assert (holding.notional, holding.mark) == (930 * UNIT, 93 * TICK)
    assert holding.bracket is not None
    assert (holding.bracket.number, holding.bracket.mmr, holding.bracket.cum) == (1, 5 * PERCENT, 0)


def test_the_bracket_is_that_of_the_notional() -> None:
    ann = (account("ann", 4_000, leverage=5), *position(1, BUY, price=100, lots=200, by="ann", against="bob"))
    story = told(scenario().given(account("bob", 20_000, leverage=5), *ann).when(mark(86), proceed()))
    (holding,) = story.holdings
    assert holding.bracket is not None
    assert (holding.bracket.number, holding.bracket.floor, holding.bracket.cum) == (2, 10_000 * UNIT, 500 * UNIT)
    assert (story.mode, story.balance) == ("cross", 4_000)


def test_the_first_mark_that_would_have_made_it_due_lies_between_the_last_two() -> None:
    # 100 + 10 (m - 100) <= 5 % of 10 m, so m <= 94.7368
    story = told(scenario().given(*ANN, mark(96)).when(mark(93), proceed()))
    assert (story.trigger, story.trigger_of) == (947_368, GOLD)


def test_what_was_not_due_by_a_mark_has_no_such_mark() -> None:
    session = scenario().given(*ANN, mark(95), resting(5, BUY, price=85, lots=5))
    session.when(place(6, SELL, price=85, lots=5, by="ann"), proceed())
    assert told(session).trigger is None


def test_each_step_has_the_margin_before_and_after_it() -> None:
    session = scenario().given(*ANN, resting(5, BUY, price=93, lots=4)).when(mark(93), proceed())
    story = told(session)
    margins = [
        (type(step.record.message).__name__, step.before.equity // UNIT, step.after.equity // UNIT,
         -(-step.after.maintenance // UNIT)) for step in story.steps
    ]  # fmt: skip
    assert margins == [
        ("LiquidationStarted", 30, 30, 47),
        ("LiquidationOrderPlaced", 30, 30, 47),
        ("Traded", 30, 30, 28),  # at the mark nothing is lost; 6 lots are left
        ("TakenOver", 30, 0, 0),
        ("LiquidationEnded", 0, 0, 0),
    ]
    assert went(story) == {TO_FUND: -30}
    assert not any(story.deficits.values())
    check_sum(story)


def test_what_is_left_of_an_isolated_wallet_is_given_back() -> None:
    story = told(scenario().given(*ANN, resting(5, BUY, price=92, lots=10)).when(mark(93), proceed()))
    assert went(story) == {BOOK: -10, GIVEN_BACK: -20}
    check_sum(story)


def test_fees_and_the_price_paid_are_told_apart() -> None:
    fees = replace(pack(taker_fee=Rate(PERCENT), liquidation_fee=Rate(2 * PERCENT)), liquidation_pays_taker_fee=True)
    session = scenario(fees).given(
        account("ann", 110), *position(1, BUY, price=100, lots=10, by="ann"), resting(5, BUY, price=93, lots=10)
    )
    story = told(session.when(mark(94), proceed()))
    assert went(story) == {TRADING_FEES: -10, BOOK: -10, LIQUIDATION_FEE: -19}
    check_sum(story)


def test_a_deficit_that_was_covered_is_part_of_the_sum() -> None:
    story = told(scenario().given(*CROSS_ANN, resting(5, BUY, price=91, lots=10)).when(mark(88), proceed()))
    assert story.margin.equity == -20 * UNIT
    check_sum(story)
    negative = told(scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann")).when(
        mark(1), proceed()))  # fmt: skip
    assert set(went(negative)) <= {TO_FUND, COVERED}
    check_sum(negative)


def test_a_deleveraged_account_is_told_with_what_it_was_ranked_by() -> None:
    rules = replace(pack(), liquidation=Rules(LiquidationStyle.FULL, Rate(0), (Layer.FUND, Layer.ADL)))
    session = scenario(rules).given(
        account("ann", 100), account("bob", 500), *position(1, BUY, price=100, lots=10, by="ann", against="bob"),
        deposit(INSURANCE, 8),
    )  # fmt: skip
    story = told(session.when(mark(88), proceed()))
    (step,) = [step for step in story.steps if isinstance(step.record.message, f.Deleveraged)]
    assert step.ranked is not None
    # bob: short 10 at 100, now 88: PnL 120 of 1,000; notional 880 over an equity of 620; 4 lots went to the fund
    assert (step.ranked.place, step.ranked.profit, step.ranked.leverage) == (1, 12 * PERCENT, 880 * UNIT // 620)
    assert went(story) == {TO_FUND: 8, TO_RANKED: 12}
    assert [(s.who, s.lots, s.value) for s in shares(story)] == [("fund", 4, 360), ("adl", 6, 540)]
    assert story.deficits == {(USD, Bearer.FUND): 8, (USD, Bearer.ADL): 12}
    (block,) = [one for one in blocks(story, Words(rules)) if one.heading.startswith("who bore the deficit")]
    assert [row[0] for row in block.rows[1:]] == ["the insurance fund", "deleveraged accounts"]
    assert [one["by"] for one in why_object.as_object("", 1, story, Counterfactuals())["deficits"]] == ["fund", "adl"]
    check_sum(story)


def test_what_market_takes_has_no_rank() -> None:
    rules = replace(pack(), liquidation=Rules(LiquidationStyle.FULL, Rate(0), (Layer.ADL,)))
    session = scenario(rules).given(account("ann", 100), tape(snapshot({}, {100: 10})))
    session.given(place(1, BUY, price=100, lots=10, by="ann"), tape(snapshot({}, {120: 1}), after=1))
    story = told(session.when(mark(88), proceed()))
    (step,) = [step for step in story.steps if isinstance(step.record.message, f.Deleveraged)]
    assert (step.ranked, went(story)) == (None, {TO_MARKET: 20})
    assert story.deficits == {(USD, Bearer.MARKET): 20}
    assert [(s.who, s.lots) for s in shares(story)] == [("market", 10)]


def test_many_fills_are_one_line() -> None:
    bids = [resting(5 + n, BUY, price=93 - n, lots=1) for n in range(3)]
    for more, expected in (([], [1, 1, 1]), ([resting(8, BUY, price=90, lots=7)], [4])):
        story = told(scenario().given(*ANN, *bids, *more).when(mark(93), proceed()))
        traded = [line for line in lines(story) if isinstance(line.first.record.message, f.Traded)]
        assert [len(line.steps) for line in traded] == expected
    assert (traded[0].first, traded[0].last) == (story.steps[2], story.steps[5])


def test_the_timeline_goes_from_the_opening_to_the_end_of_the_session() -> None:
    session = scenario(clock=SECOND).given(account("ann", 500, mode=ISOLATED), mark(99), mark(100))
    session.given(*position(1, BUY, price=100, lots=10, by="ann"))
    opened = session.state.now
    session.when(mark(96), mark(93), proceed(), mark(97))
    line = told(session).timeline
    assert (line.started, line.ended) == (opened, session.state.now)
    assert list(line.marks) == [GOLD]
    assert [point.value // TICK for point in line.marks[GOLD].points()] == [100, 96, 93, 97]
    ratios = [point.value for point in line.ratio.points()]
    # 50 / 100, 48 / 60, 46.5 / 30, nothing
    assert ratios == [UNIT // 2, 80 * PERCENT, 155 * PERCENT, 0]
    assert [point.value // UNIT for point in line.equity.points()] == [100, 60, 30]


def test_marks_that_move_between_falling_due_and_the_liquidation_are_told() -> None:
    session = scenario().given(*CROSS_ANN, resting(5, BUY, price=92, lots=10)).when(mark(94), mark(93), proceed())
    story = told(session)
    assert went(story) == {MOVED: -10, BOOK: -10}
    check_sum(story)


def test_when_the_account_had_something_open_is_kept_for_forks() -> None:
    session = scenario().given(account("ann", 1_000), place(1, BUY, price=90, lots=1, by="ann"))
    placed = session.batches[-1].number
    session.given(place(2, BUY, price=89, lots=1, by="ann"), *position(3, BUY, price=100, lots=90, by="ann"))
    story = told(session.when(mark(89), proceed()))
    spans = story.busy[GOLD]
    assert spans[0][0] == placed
    assert TIN not in story.busy


def test_one_that_still_waits_has_a_story_without_an_end() -> None:
    story = told(scenario().given(*ANN).when(mark(93)))
    assert (story.liquidation.ended, story.steps, parts(story)) == (None, [], [])


@pytest.mark.parametrize("name", sorted(heads()))
def test_every_liquidation_of_every_golden_session_adds_up_and_is_told(name: str) -> None:
    session = load(name)
    found = Found()
    for batch in session.batches:
        found.observe(batch)
    assert found.pack is not None
    for number, its in list(found.liquidations().items())[:4]:
        teller = Storyteller(its, found.pack)
        teller.state.columns = dict(session.chunks)
        for batch in session.batches:
            teller.observe(batch)
        story, words = teller.end(), Words(found.pack)
        assert [step.record for step in story.steps] == its.steps
        check_sum(story)
        told = {cell for block in blocks(story, words) for row in block.rows for cell in row}
        assert {str(record.seq) for record in its.chain} <= told
        one = why_object.as_object(name, number, story, Counterfactuals())
        assert [step["record"] for step in one["steps"]] == [record.seq for record in its.steps]
