"""Worked examples from the help pages of exchanges, lived through in sessions: Bybit, KuCoin, Kraken, Binance, OKX."""

from __future__ import annotations

from fractions import Fraction

from events.commands import INSURANCE, AdvanceTime, ApplyFunding, FundingSource, Side
from events.facts import FundingDue, FundingPaid, LiquidationFeeCharged, Traded
from events.instruments import Instrument, RulePack, load_pack
from events.units import UNIT, Rate
from exchange.core.funding import HOUR, premium
from exchange.core.margin.model import requirement, unrealised
from tests.truth.published import Case, agrees, calculated, driven, topic
from tests.truth.sessions import (
    ENDLESS,
    SIDES,
    Held,
    Session,
    brackets_with,
    first,
    flags_of,
    in_cross,
    isolated,
    isolated_with,
    terms_of,
    units,
)

FILE = "exchange_docs_worked_examples"
GRAINS = UNIT**2


def held(case: Case, size: Fraction, symbol: str = "MARKET") -> Held:
    return Held(symbol, SIDES[case.inputs["side"]], size, case.number("entry"))


def tick_of(pack: RulePack) -> Fraction:
    return Fraction(pack.instruments[0].tick, UNIT)


def assert_due(session: Session, case: Case, position: Held, tick: Fraction = Fraction(0)) -> None:
    price, tolerance = Fraction(case.expected["liquidation_price"]), Fraction(case.about["tolerance_abs"])
    session.assert_due_at(position, price, tolerance, tick)


@driven(FILE, only=topic("linear isolated"))
def test_bybit_linear(case: Case) -> None:
    position = held(case, case.number("size"))
    brackets = brackets_with(case.number("mmr"), case.number("mm_deduction"))
    pack = flags_of("bybit-linear", terms_of("bybit-linear", position, brackets=brackets))
    session = isolated(pack, position, case.whole("leverage"))
    session.add_margin(position, units(Fraction(case.inputs.get("extra_margin", 0))))
    margin = requirement(session.position(position))
    case.has("initial_margin", Fraction(margin.initial, GRAINS))
    case.has("maintenance_margin", Fraction(margin.maintenance, GRAINS))
    assert_due(session, case, position)


@driven(FILE, only=topic("inverse cross"))
def test_bybit_inverse_cross(case: Case) -> None:
    """The bankruptcy price of the page is that of a close which pays the taker fee: forced fills have to pay it."""
    position, shipped = held(case, case.number("qty_usd")), load_pack("bybit-inverse")
    wallet, brackets = case.number("account_balance_btc"), brackets_with(case.number("mm_rate"))
    assert not case.inputs["order_margin"]
    terms = terms_of("bybit-inverse", position, taker_fee=Rate(units(case.number("taker"))), brackets=brackets)
    assert_due(in_cross(flags_of("bybit-inverse", terms), wallet, [position]), case, position, tick_of(shipped))
    paying = in_cross(flags_of("bybit-inverse", terms, liquidation_pays_taker_fee=True), wallet, [position])
    assert_bankrupt(paying, case, position)


@driven(FILE, only=topic("inverse isolated liquidation"))
def test_bybit_inverse_isolated(case: Case) -> None:
    position, shipped = held(case, case.number("qty_usd")), load_pack("bybit-inverse")
    brackets = brackets_with(case.number("mmr"))
    pack = flags_of("bybit-inverse", terms_of("bybit-inverse", position, taker_fee=Rate(0), brackets=brackets))
    assert_due(isolated(pack, position, case.whole("leverage")), case, position, tick_of(shipped))


def assert_bankrupt(session: Session, case: Case, position: Held) -> None:
    """At the bankruptcy price itself ann is due, and her forced order is limited there."""
    order, _ = session.forced(position, Fraction(case.expected["bankruptcy_price"]))
    case.has("bankruptcy_price", Fraction(order.bankruptcy, UNIT))


PLAIN = {"linear": "binance-usdm", "inverse": "binance-coinm"}
"""KuCoin has no pack; what an isolated position can lose does not depend on the flags."""


@driven(FILE, only=topic("linear bankruptcy", "inverse bankruptcy"))
def test_bankruptcy(case: Case) -> None:
    kind = case.about["topic"].partition(" ")[0]
    shipped = "bybit-linear" if case.about["venue"] == "Bybit" else PLAIN[kind]
    position = held(case, Fraction(case.inputs.get("size", 100)))
    pack = flags_of(shipped, terms_of(shipped, position, brackets=brackets_with(Fraction(1, 1000))))
    assert_bankrupt(isolated(pack, position, case.whole("leverage")), case, position)


def paid_to_ann(session: Session) -> Fraction:
    facts = session.proceed()
    return Fraction(next(f.amount for f in facts if isinstance(f, FundingPaid) and f.account == "ann"), UNIT)


def kraken(position: Held, case: Case, funding: FundingSource) -> Session:
    """Under the shipped pack; the index is known before the mark, which the perpetual's price is."""
    session = Session(load_pack("kraken-futures"), funding)
    session.deposit("ann", ENDLESS, "XBT")
    session.deposit("ann", ENDLESS, "USD")
    session.index(position.symbol, case.number("index"))
    session.mark(position.symbol, position.entry)
    session.enter(position)
    return session


def side_of(size: Fraction) -> Side:
    return Side.BUY if size > 0 else Side.SELL


@driven(FILE, only=topic("funding inverse"))
def test_kraken_funding_of_an_inverse_contract(case: Case) -> None:
    size, index = case.number("position_usd"), case.number("index")
    position = Held("PI_XBTUSD", side_of(size), abs(size), index + 100)
    session = kraken(position, case, FundingSource.FED)
    session.ask(ApplyFunding, instrument=position.symbol, rate=units(case.number("hourly_rate")))
    received = paid_to_ann(session)
    case.has("payment_btc", received)
    case.has("payment_usd", received * index)


def an_hour_of(case: Case) -> tuple[Session, FundingDue]:
    """A session whose funding is computed, after the first hour."""
    size = case.number("position_btc")
    position = Held("PF_XBTUSD", side_of(size), abs(size), case.number("perp"))
    session = kraken(position, case, FundingSource.PREMIUM)
    case.has("premium_pct", Fraction(100 * premium(session.position(position).contract), UNIT))
    assert case.whole("hours") == 1
    return session, first(FundingDue, session.ask(AdvanceTime, at=HOUR))


@driven(FILE, only=topic("funding linear"))
def test_kraken_funding_rate_of_a_linear_contract(case: Case) -> None:
    _, due = an_hour_of(case)
    case.has("hourly_rate_pct", Fraction(100 * due.rate, UNIT * due.over))


@driven(FILE, only=topic("funding linear"))
def test_kraken_funding_payment_of_a_linear_contract(case: Case) -> None:
    session, _ = an_hour_of(case)
    case.has("payment_usd", paid_to_ann(session))


@driven(FILE, only=topic("open order initial margin"))
def test_what_an_open_order_costs(case: Case) -> None:
    """Its cost is what it takes off available balance; the initial margin what it takes where it opens no loss."""
    price = case.number("order_price")
    order = Held("MARKET", SIDES[case.inputs["side"]], case.number("qty"), price)
    terms = terms_of("binance-usdm", order, tick=UNIT // 100, lot=UNIT // 100)
    cost, margin = (cost_of(terms, order, case, mark) for mark in (case.number("mark_price"), price))
    case.has("cost", cost)
    case.has("initial_margin", margin)
    case.has("open_loss", cost - margin)


def cost_of(terms: Instrument, order: Held, case: Case, mark: Fraction) -> Fraction:
    session = Session(flags_of("binance-usdm", terms))
    session.deposit("ann", ENDLESS, terms.settle)
    session.leverage(order, case.whole("leverage"))
    session.mark(order.symbol, mark)
    before = session.available(order)
    session.order("ann", order.symbol, order.side, units(order.size) // terms.lot, units(order.entry) // terms.tick)
    return before - session.available(order)


@driven(FILE, only=topic("real isolated liquidation settlement"))
def test_a_settled_liquidation(case: Case) -> None:
    """The margin is one USDT more than the leverage asks for: the core takes no more penalty than there is left."""
    penalty, taker = case.number("liq_penalty_rate"), Rate(units(case.number("taker")))
    size = case.number("contracts") * case.number("contract_size")
    position = Held(case.inputs["inst"], SIDES[case.inputs["side"]], size, case.number("open_avg"))
    terms = terms_of(
        "okx", position, tick=UNIT // 10_000, lot=UNIT // 100, brackets=brackets_with(penalty), taker_fee=taker,
        liquidation_fee=Rate(units(penalty)),
    )  # fmt: skip
    pack, leverage = flags_of("okx", terms), case.whole("leverage")
    asked = requirement(isolated(pack, position, leverage).position(position)).initial
    session = isolated_with(pack, position, Fraction(asked, GRAINS) + 1, leverage)
    close = case.number("close_avg")
    session.mark(position.symbol, close)
    case.has("pnl", Fraction(unrealised(session.position(position)), GRAINS))
    session.order("bob", position.symbol, position.side, units(size) // terms.lot, units(close) // terms.tick)
    _, facts = session.forced(position, close - 1)
    case.has("close_fee", Fraction(-first(Traded, facts).taker_fee, UNIT))
    case.has("liq_penalty", Fraction(-first(LiquidationFeeCharged, facts).amount, UNIT))
    case.has("realized_pnl", Fraction(session.wallet(position).balance, UNIT) - ENDLESS)


@driven(FILE, only=topic("insurance fund"))
def test_a_fund_that_gets_all_beyond_bankruptcy(case: Case) -> None:
    """The liquidation fee is all that is left; where nobody bids enough, the fund takes over, and sells at the mark."""
    entry, bankruptcy = case.number("entry"), case.number("bankruptcy_price")
    position = Held("MARKET", Side.BUY, case.number("size"), entry)
    terms = terms_of(
        "binance-usdm",
        position,
        tick=UNIT // 100,
        liquidation_fee=Rate(UNIT // 2),
        brackets=brackets_with(Fraction(1, 200)),
    )
    session = isolated(flags_of("binance-usdm", terms), position, int(entry / (entry - bankruptcy)))
    for n, (fill, published) in enumerate(zip(case.inputs["fills"], case.expected["fund_after"], strict=True)):
        if n:
            session.mark(position.symbol, entry)
            session.enter(position)
        session.bid(position, Fraction(fill))
        session.mark(position.symbol, Fraction(fill))
        session.proceed()
        session.mark(position.symbol, Fraction(fill))
        session.proceed()
        fund = Fraction(session.wallet(position, INSURANCE).balance, UNIT)
        agrees(f"{case.id}: after fill {n + 1}", fund, published)
        assert session.position(position, INSURANCE).lots == session.position(position).lots == 0


calculated(
    FILE, "options and futures over a scenario matrix: portfolio margin, later work", only=topic("SPAN scanning risk")
)
calculated(
    FILE,
    "a margin on top of the price of a dated future: portfolio margin, later work",
    only=topic("portfolio margin (futures leg)"),
)
