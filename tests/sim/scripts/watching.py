"""Who is found to be due, warned or recovered, and who has to wait: triggers, boxes, guards, and full batches."""

from __future__ import annotations

from msgspec.structs import replace

from events import commands as c
from events.guards import Breaker, PriceGuards
from events.instruments import Bracket, Liquidation
from events.rules import DueAt, ExitFee, MarginModel
from events.units import SECOND, UNIT, Atoms, Nanos, Rate
from tests.scenario import Scenario, scenario
from tests.sim.scripted import Script
from tests.sim.scripts.situations import WARNS, and_tin, ann
from tests.spec.contracts import COIN, OUNCE, index, inverse, join, pack_of, price, several_assets
from tests.spec.words import (
    BUY,
    EASY,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    account,
    add_margin,
    deposit,
    funding,
    mark,
    mark_at,
    open_account,
    pack,
    place,
    position,
    proceed,
    set_leverage,
)

WARNING = Liquidation(warning=WARNS)


def triggers_moved_often() -> Scenario:
    """Triggers that no longer count are swept out of the heaps."""
    told = scenario()
    for number, (name, side) in enumerate((("ann", BUY), ("bob", SELL))):
        told.given(account(name, 300, mode=ISOLATED), *position(2 * number + 1, side, price=100, lots=10, by=name))
    for _ in range(80):
        told.given(add_margin("ann", 1), add_margin("bob", 1))
    return told.given(mark(70), proceed(), mark(130), proceed())


def warned_together() -> Scenario:
    """Wallets that answer together are warned, recover by an index price, and are warned again."""
    told = scenario(replace(several_assets(), liquidation=WARNING)).given(price(2), account("ann", 100))
    told.given(deposit("ann", 50, asset=OUNCE), join("ann"), *position(1, BUY, price=100, lots=10, by="ann"))
    return told.given(mark(86), price(3), price(2), deposit("ann", 100), mark(76))


def warned_apart() -> Scenario:
    """Long and short, one position and two, cross and isolated: warned, recovered, warned again, and due."""
    told = scenario(replace(EASY, liquidation=WARNING)).given(*ann(250), *and_tin())
    told.given(account("bob", 100), *position(5, SELL, price=100, lots=10, by="bob"))
    told.given(account("ida", 100, mode=ISOLATED), *position(7, BUY, price=100, lots=10, by="ida"))
    told.given(mark(96), mark(95, on=TIN), mark(93), mark(92, on=TIN), mark(94), mark(94, on=TIN), mark(97))
    told.given(mark_at(961_111), mark_at(961_112), mark(96), proceed(), mark(104), mark(103), mark(105))
    return told.given(mark(90), proceed())


def coins_warned() -> Scenario:
    """Of inverse contracts a long and a short are warned and recover by their worth in coin."""
    told = scenario(pack_of(inverse(), liquidation=WARNING))
    for number, (name, side) in enumerate((("ann", BUY), ("bob", SELL))):
        told.given(open_account(name), deposit(name, 100, asset=OUNCE))
        told.given(*position(2 * number + 1, side, price=100, lots=10, by=name, on=COIN))
    return told.given(*(mark(at, on=COIN) for at in (97, 96, 97, 104, 105, 104, 96, 90)), proceed())


def margins_in_steps() -> Scenario:
    """Where margins are rounded to a step, the bands of two positions are set anew at every look."""
    tier = Bracket(Atoms(0), Atoms(1_000_000), 20, Rate(3 * PERCENT), Atoms(0))
    terms = pack(initial_margin=Rate(5 * PERCENT), maintenance_fraction=Rate(60 * PERCENT), brackets=(tier,))
    rules = replace(terms, margin_model=MarginModel.STANDARD, margin_step=100, due_at=DueAt.BELOW_MAINTENANCE)
    told = scenario(rules).given(*ann(3_000, 100), *and_tin(100))
    return told.given(*(mark(at, on=on) for at in range(99, 84, -2) for on in (GOLD, TIN)), proceed())


def margins_that_stay(liquidation: Liquidation) -> Scenario:
    """So they are where a part of maintenance margin is a fee at the bankruptcy price."""
    rules = replace(pack(taker_fee=Rate(PERCENT)), exit_fee=ExitFee.AT_BANKRUPTCY, liquidation=liquidation)
    told = scenario(rules).given(*ann(400), *and_tin())
    return told.given(mark(90), mark(85, on=TIN), mark(88), mark(84), mark(80), proceed())


def index_bounded() -> Scenario:
    """An index price leaps further than the venue lets it, and a mark further from it."""
    guards = PriceGuards(Rate(5 * PERCENT), Rate(0), Rate(10 * PERCENT))
    told = scenario(replace(EASY, guards=guards)).given(index(100), *ann())
    return told.given(index(300), mark(200), index(10), mark(10))


def box_falls_due() -> Scenario:
    """The box of a pool of several assets falls due by a mark, and by an index price."""
    told = scenario(several_assets())
    for number, name in ((1, "ann"), (5, "bob")):
        told.given(price(2), account(name, 100), deposit(name, 50, asset=OUNCE), join(name))
        told.given(*position(number, BUY, price=100, lots=8 + number // 2, by=name))
    told.given(account("eve"), deposit("eve", 50, asset=OUNCE), join("eve"), join("eve", False))
    return told.given(mark(88), price(1), proceed(), price(9))


def stale_marks() -> Scenario:
    """Nobody is liquidated by a mark that is too old; the next one does it, or lets go."""
    told = scenario(replace(EASY, guards=PriceGuards(mark_age_max=Nanos(10 * SECOND)))).given(*ann())
    told.given(account("bob", 105), *position(5, BUY, price=100, lots=10, by="bob"))
    told.given(replace(funding(54 * UNIT // 1_000), at=Nanos(20 * SECOND)), proceed(), proceed())
    return told.given(deposit("bob", 500), replace(mark(99), at=Nanos(40 * SECOND)), proceed())


def halted() -> Scenario:
    """A leap of the mark halts trading: who is due waits for the end of it."""
    breaker = Breaker(Rate(UNIT // 10), Nanos(60 * SECOND), Nanos(30 * SECOND))
    told = scenario(replace(EASY, guards=PriceGuards(breaker=breaker))).given(*ann())
    told.given(replace(mark(100), at=Nanos(10 * SECOND)), replace(mark(89), at=Nanos(20 * SECOND)), proceed(), mark(88))
    return told.given(c.AdvanceTime(Nanos(100 * SECOND)), *([proceed()] if told.state.has_work else []))


def more_than_a_batch_holds() -> Scenario:
    """Who does not fit is named by the next batch, or before the next command of its own."""
    told = scenario().given(set_leverage("maker", 5))
    for n in range(15):
        name = f"a{n:02d}"
        told.given(account(name, 100), *position(2 * n + 1, BUY, price=100, lots=10, by=name))
    told.given(mark(94)).when(place(99, BUY, price=50, lots=1, by="a14"))
    return done(told)


def debts_of_many() -> Scenario:
    """Debts that a full batch has no room for are named by the next one."""
    told = scenario(several_assets()).given(price(2))
    for n in range(9):
        told.given(account(f"a{n}"), deposit(f"a{n}", 500, asset=OUNCE), join(f"a{n}"))
        told.given(*position(2 * n + 1, BUY, price=100, lots=2, by=f"a{n}"))
    told.given(funding(UNIT // 5), proceed())
    return done(told)


def done(told: Scenario) -> Scenario:
    """All that is due is done."""
    while told.state.has_work:
        told.given(proceed())
    return told


SCRIPTS: dict[str, Script] = {
    "triggers moved often": Script(triggers_moved_often),
    "warned together": Script(warned_together),
    "warned apart": Script(warned_apart),
    "coins warned": Script(coins_warned),
    "margins in steps": Script(margins_in_steps),
    "margins that stay": Script(lambda: margins_that_stay(Liquidation())),
    "margins that stay, with warnings": Script(lambda: margins_that_stay(WARNING)),
    "index bounded": Script(index_bounded),
    "box falls due": Script(box_falls_due),
    "stale marks": Script(stale_marks),
    "halted": Script(halted),
    "more than a batch holds": Script(more_than_a_batch_holds, 12),
    "debts of many": Script(debts_of_many, 12),
}
