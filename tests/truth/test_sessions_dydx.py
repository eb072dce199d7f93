"""dYdX v4, lived through in sessions: margins by liquidity tier and open interest, funding.

Quote quantums are the pack's margin step; a base quantum is a lot.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace

from events.commands import ApplyFunding, Deposit, OpenAccount, Side
from events.facts import FundingPaid
from events.instruments import Bracket, RulePack, load_pack
from events.units import UNIT, Atoms, Rate, mul_div_ceil
from exchange.core.margin.model import requirement
from tests.truth.published import Case, calculated, driven
from tests.truth.sessions import (
    ENDLESS,
    OTHER,
    Held,
    Session,
    flags_of,
    in_cross,
    terms_of,
    units,
)

SHIPPED = load_pack("dydx-v4")
QUANTUM: int = SHIPPED.margin_step
PPM = UNIT // 10**6
ONE = Fraction(1)


def pack_with_tier(case: Case, tick: int, lot: int) -> RulePack:
    """The shipped flags over one market in the liquidity tier of the case."""
    usual = SHIPPED.instruments[0].maintenance_fraction // PPM
    initial, fraction = case.whole("initial_margin_ppm") * PPM, case.whole("maintenance_fraction_ppm", usual) * PPM
    mmr = Rate(mul_div_ceil(initial, fraction, UNIT))
    terms = terms_of(
        "dydx-v4", Held("MARKET", Side.BUY, ONE, ONE), tick=tick, lot=lot, max_lots=10**18,
        initial_margin=initial, maintenance_fraction=fraction,
        open_interest_lower=case.whole("oi_lower_cap") * QUANTUM,
        open_interest_upper=case.whole("oi_upper_cap") * QUANTUM,
        brackets=(Bracket(Atoms(0), Atoms(units(ENDLESS)), 20, mmr, Atoms(0)),),
    )  # fmt: skip
    return flags_of("dydx-v4", terms)


def opened(pack: RulePack, ticks: int, base_quantums: int, open_interest: int) -> Session:
    """A session with so many lots open in all, of which ann holds hers, at a mark of so many ticks."""
    session = Session(pack)
    terms = pack.instruments[0]
    session.deposit("ann", ENDLESS, terms.settle)
    session.ask(OpenAccount, account="cid")
    session.deposit("cid", ENDLESS, terms.settle)
    session.mark(terms.id, Fraction(terms.tick * ticks, UNIT))
    side = Side.BUY if base_quantums > 0 else Side.SELL
    for taker, lots in (("ann", abs(base_quantums)), ("cid", open_interest - abs(base_quantums))):
        if lots > 0:
            session.order("bob", terms.id, OTHER[side], lots, ticks)
            session.order(taker, terms.id, side, lots, ticks)
    return session


TIERS = "dydx_liquidity_tier_margin"


def is_held(case: Case) -> bool:
    return "base_quantums" in case.inputs


def fits(case: Case) -> bool:
    """Whether a pack can have the tier and a session the price."""
    below = case.whole("initial_margin_ppm") * case.whole("maintenance_fraction_ppm") < 10**12
    return below and case.whole("initial_margin_ppm") > 0 and case.whole("price") > 0


@driven(TIERS, only=lambda case: is_held(case) and fits(case))
def test_margins_of_a_position(case: Case) -> None:
    tick = Fraction(UNIT) * Fraction(10) ** case.whole("price_exponent")
    lot = Fraction(UNIT) * Fraction(10) ** case.whole("atomic_resolution")
    pack = pack_with_tier(case, int(tick), int(lot))
    lots, interest = case.whole("base_quantums"), case.whole("open_interest_base_quantums")
    session = opened(pack, case.whole("price"), lots, interest)
    margin = requirement(session.wallet(Held("MARKET", Side.BUY, ONE, ONE)))
    case.has("initial_margin_quote_quantums", Fraction(margin.initial, QUANTUM * UNIT))
    case.has("maintenance_margin_quote_quantums", Fraction(margin.maintenance, QUANTUM * UNIT))


def reserved(case: Case, notional: int) -> Fraction:
    """What an order of a notional takes off available balance at the open interest of the case, quote quantums."""
    session = opened(pack_with_tier(case, UNIT, QUANTUM), 1, 0, case.whole("oi_notional"))
    market = Held("MARKET", Side.BUY, ONE, ONE)
    before = session.available(market)
    session.order("ann", market.symbol, market.side, notional, 1)
    return (before - session.available(market)) * UNIT / QUANTUM


@driven(TIERS, only=lambda case: "position_notional_quote_quantums" in case.inputs)
def test_initial_margin_of_an_order(case: Case) -> None:
    case.has("initial_margin_quote_quantums", reserved(case, case.whole("position_notional_quote_quantums")))


@driven(TIERS, only=lambda case: "effective_initial_margin_ppm" in case.expected)
def test_initial_margin_of_a_million_quantums_by_open_interest(case: Case) -> None:
    case.has("effective_initial_margin_ppm", reserved(case, 10**6))


calculated(
    TIERS,
    "a tier without margin, one that maintains 100 %, or a price of nothing, which no session has",
    only=lambda case: is_held(case) and not fits(case),
)
calculated(
    TIERS,
    "a tier's own rate, rounded down: margins of positions are rounded up from the amounts",
    only=lambda case: "maintenance_margin_ppm" in case.expected,
)

FUNDING = "dydx_funding"


@driven(FUNDING, only=lambda case: "net_settlement_ppm" in case.expected)
def test_funding_since_the_position_was_opened(case: Case) -> None:
    """At a price of one quote quantum a base quantum, the rise of the index is the rate."""
    terms = terms_of("dydx-v4", Held("MARKET", Side.BUY, ONE, ONE), tick=UNIT, lot=QUANTUM)
    session = Session(flags_of("dydx-v4", terms))
    for name in ("ann", "bob"):
        session.ask(Deposit, account=name, asset=terms.settle, amount=10**30)
    session.mark(terms.id, ONE)
    before, after = case.whole("position_funding_index"), case.whole("perp_funding_index")
    session.ask(ApplyFunding, instrument=terms.id, rate=before * PPM)
    size = case.whole("base_quantums")
    market = Held(terms.id, Side.BUY if size > 0 else Side.SELL, Fraction(abs(size) * QUANTUM, UNIT), ONE)
    session.enter(market)
    session.ask(ApplyFunding, instrument=terms.id, rate=(after - before) * PPM)
    paid = [fact.amount for fact in session.proceed() if isinstance(fact, FundingPaid) and fact.account == "ann"]
    assert len(paid) == 1
    case.has("net_settlement_ppm", Fraction(paid[0] * 10**6, QUANTUM))


calculated(
    FUNDING,
    "an index per base quantum, rounded before it is multiplied: the core pays each position exactly",
    only=lambda case: "funding_index_delta" in case.expected,
)
calculated(
    FUNDING,
    "the bound of rates that a tier has: the core's is a figure of its pack",
    only=lambda case: "max_abs_funding_ppm" in case.expected,
)


HELD = [
    ("BTC-USD", Side.BUY, "0.0001", "50000", "0.6"), ("BTC-USD", Side.SELL, "0.0077", "51234", "27.123456"),
    ("ETH-USD", Side.BUY, "1.234", "2999.9", "300.5"), ("ETH-USD", Side.SELL, "0.001", "3001.7", "0.25"),
    ("LINK-USD", Side.BUY, "1", "12.345", "2.6"), ("LINK-USD", Side.SELL, "77", "11.999", "250.000001"),
]  # fmt: skip
"""Symbol, side, size, entry price and wallet."""


@pytest.mark.parametrize(("symbol", "side", "size", "entry", "wallet"), HELD)
def test_margins_in_steps_are_due_first_where_the_calculator_says(
    symbol: str, side: Side, size: str, entry: str, wallet: str
) -> None:
    """Margins rounded up to 10^-6 bring the first due mark nearer, by up to two steps over the size."""
    free = (replace(terms, maker_fee=Rate(0), taker_fee=Rate(0), min_lots=1) for terms in SHIPPED.instruments)
    held = Held(symbol, side, Fraction(size), Fraction(entry))
    session = in_cross(flags_of("dydx-v4", *free), Fraction(wallet), [held])
    first = session.trigger(held)
    assert first is not None
    assert not session.is_due(held, first + (1 if side is Side.BUY else -1))
    assert session.is_due(held, first)
