"""dYdX v4, lived through in sessions: what closing a position comes to, the fund's part, and deleveraging.

Quote quantums are the pack's margin step. Who is liquidated opened her position at a price from which the oracle's is a
loss, and has in her wallet what leaves the USDC of the case.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from events.commands import INSURANCE, OpenAccount, Proceed, Side
from events.facts import Deleveraged, Fact, TakenOver
from events.instruments import Liquidation, RulePack, load_pack
from events.rules import Layer, LiquidationStyle
from events.units import UNIT, Nanos, Rate
from tests.truth.published import Case, calculated, driven
from tests.truth.sessions import OTHER, Held, Session, brackets_with, first, flags_of, in_cross, terms_of, units

SHIPPED = load_pack("dydx-v4")
QUANTUM: int = SHIPPED.margin_step
PPM = UNIT // 10**6
RATES = {"initial_margin": UNIT // 5, "maintenance_fraction": UNIT // 2, "brackets": brackets_with(Fraction(1, 10))}
ORACLE = {0: ("BTC", Fraction(50_000), UNIT), 1: ("ETH", Fraction(3_000), 10 * UNIT)}
"""Symbol, price, and how many base quantums are one, as the files say."""


def held(stated: dict[str, int]) -> Held:
    """A position of a subaccount, opened at a price from which the oracle's is a loss."""
    symbol, price, one = ORACLE[stated["perpetual"]]
    size = stated["base_quantums"]
    side, entry = (Side.BUY, price * 3 / 2) if size > 0 else (Side.SELL, price / 2)
    return Held(symbol, side, Fraction(abs(size), one), entry)


def bought(positions: list[Held]) -> Fraction:
    """What the positions cost, below 0 where they were sold."""
    values = (position.size * position.entry * (1 if position.side is Side.BUY else -1) for position in positions)
    return sum(values, Fraction(0))


def usdc(account: dict[str, Any]) -> Fraction:
    return Fraction(account["usdc_quote_quantums"] * QUANTUM, UNIT)


def pack_for(positions: list[Held], liquidation_fee: int = 0, **rules: Any) -> RulePack:
    """The shipped flags over markets with the margins of the cases, in lots of which every position has tens."""
    fine = {**RATES, "liquidation_fee": Rate(liquidation_fee), "tick": 1000, "lot": UNIT // 1000}
    terms = (terms_of("dydx-v4", position, **fine) for position in positions)
    return flags_of("dydx-v4", *terms, **rules)


def at_the_oracle_price(session: Session) -> list[Fact]:
    """Let every market come to the oracle's price: what was said on the way."""
    for symbol, price, _ in ORACLE.values():
        if symbol in session.state.contracts:
            session.mark(symbol, price)
    return session.proceed()


BANKRUPTCY = "dydx_bankruptcy_price"


def in_parts(share: Fraction, *layers: Layer) -> Liquidation:
    """Close such a share of a position in one order, the rest later."""
    if share == 1:
        return Liquidation(last_resort=layers)
    return Liquidation(LiquidationStyle.SLICES, last_resort=layers, slice=Rate(units(share)), cooldown=Nanos(1))


def share_closed(stated: dict[str, Any], case: Case) -> Fraction:
    """The part of a position that is closed, 0 where nobody holds it."""
    sizes: dict[int, int] = {held["perpetual"]: held["base_quantums"] for held in stated["positions"]}
    size = sizes.get(case.whole("perpetual_id"), 0)
    return Fraction(-case.whole("delta_base_quantums"), size) if size else Fraction(0)


def closes_tenths(case: Case) -> bool:
    """Whether it is about closing a position, or some tenths of it, at a price above 0."""
    price = int(case.expected.get("bankruptcy_price_quote_quantums", 0))
    share = share_closed(case.inputs, case)
    return 0 < share <= 1 and (10 * share).denominator == 1 and price * case.whole("delta_base_quantums") < 0


@driven(BANKRUPTCY, only=closes_tenths)
def test_what_closing_a_position_comes_to_where_nobody_bids(case: Case) -> None:
    positions = [held(stated) for stated in case.inputs["positions"]]
    way = in_parts(share_closed(case.inputs, case), *SHIPPED.liquidation.last_resort)
    session = in_cross(pack_for(positions, liquidation=way), usdc(case.inputs) + bought(positions), positions)
    closed = ORACLE[case.whole("perpetual_id")][0]
    facts = at_the_oracle_price(session)
    fact = next(f for f in facts if isinstance(f, TakenOver | Deleveraged) and f.instrument == closed)
    received = fact.value if fact.side is Side.SELL else -fact.value
    case.has("bankruptcy_price_quote_quantums", Fraction(received, QUANTUM))


calculated(
    BANKRUPTCY,
    "a position that nobody holds, a price below 0, or a part that is rounded to a quote quantum, here to an atom",
    only=lambda case: not closes_tenths(case),
)

FUND = "dydx_insurance_fund_delta"


def has_a_price(case: Case) -> bool:
    """Whether it is about a fill at a price that is worth a quote quantum, and a fee that a pack can have."""
    return "error" not in case.expected and case.whole("subticks") > 1 and case.whole("max_liquidation_fee_ppm") < 10**6


def price_of(case: Case) -> Fraction:
    """The price of the fill, USD: a base quantum of BTC is 10^-8, a quote quantum 10^-6 USD."""
    return case.number("subticks") * Fraction(10) ** (case.whole("quantum_conversion_exponent") + 2)


@driven(FUND, only=has_a_price)
def test_what_a_fill_brings_the_insurance_fund(case: Case) -> None:
    """Someone wants all of the position at the price of the fill; where that is beyond bankruptcy, the fund sells."""
    position, price = held(case.inputs["positions"][0]), price_of(case)
    pack = pack_for([position], case.whole("max_liquidation_fee_ppm") * PPM)
    session = in_cross(pack, usdc(case.inputs) + bought([position]), [position])
    before = Fraction(1000)
    session.deposit(INSURANCE, before, "USDC")
    session.bid(position, price)
    at_the_oracle_price(session)
    at_the_oracle_price(session)
    fund = session.state.accounts[INSURANCE]
    assert all(position.lots == 0 for position in fund.positions.values())
    gained = Fraction(session.wallet(position, INSURANCE).balance, UNIT) - before
    case.has("insurance_fund_delta_quote_quantums", gained * UNIT / QUANTUM)


calculated(
    FUND,
    "a fill of nothing, one worth less than a quote quantum, which the core counts in atoms, or a fee of all of it",
    only=lambda case: not has_a_price(case),
)

DELEVERAGING = "dydx_deleveraging"


def is_whole(case: Case) -> bool:
    """Whether a part of the one position that is no more than there is can be closed against the other."""
    if "error" in case.expected and is_safe(case):
        return False
    ours, theirs = (case.inputs[name]["positions"][0]["base_quantums"] for name in ("liquidated", "offsetting"))
    return ours == -theirs and 0 < share_closed(case.inputs["liquidated"], case) <= 1


def is_safe(case: Case) -> bool:
    """Whether the subaccount on the other side is not due itself."""
    offsetting = case.inputs["offsetting"]
    notional = 500 * offsetting["positions"][0]["base_quantums"]
    return bool(offsetting["usdc_quote_quantums"] + notional > abs(notional) // 10)


@driven(DELEVERAGING, only=lambda case: is_whole(case) and is_safe(case))
def test_both_close_at_the_bankruptcy_price_of_the_liquidated_one(case: Case) -> None:
    """Cid is on the other side since the price at which ann opened; nothing but deleveraging is left to her."""
    ours = held(case.inputs["liquidated"]["positions"][0])
    theirs = ours._replace(side=OTHER[ours.side])
    pack = pack_for([ours], liquidation=in_parts(share_closed(case.inputs["liquidated"], case), Layer.ADL))
    session = in_cross(pack, usdc(case.inputs["liquidated"]) + bought([ours]), [ours])
    session.ask(OpenAccount, account="cid")
    session.deposit("cid", usdc(case.inputs["offsetting"]) + bought([theirs]), "USDC")
    session.enter(theirs, taker="cid")
    session.mark(ours.symbol, ORACLE[case.whole("perpetual_id")][1])
    fact = first(Deleveraged, session.ask(Proceed, limit=1))
    assert fact.against == "cid"
    received = fact.value if fact.side is Side.SELL else -fact.value
    case.has("bankruptcy_price_quote_quantums", Fraction(received, QUANTUM))
    for name, account in (("ann", "liquidated"), ("cid", "offsetting")):
        left = session.position(ours, name)
        sizes = [stated["base_quantums"] for stated in case.expected[account]["positions"]]
        assert left.lots * left.contract.lot == sum(sizes)
        assert Fraction(left.wallet.balance - left.entry_value, UNIT) == usdc(case.expected[account])


calculated(
    DELEVERAGING,
    "sizes that do not go together, which no session closes",
    only=lambda case: not is_whole(case),
)
calculated(
    DELEVERAGING,
    "both are due at the same mark: the core liquidates each of them, and deleverages none against one that is due",
    only=lambda case: is_whole(case) and not is_safe(case),
)
calculated(
    "dydx_fillable_price", "the limit of a forced order is the bankruptcy price in the core, and not the fillable one"
)
