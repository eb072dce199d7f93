"""Worked figures of help pages that are in no file of cases, restated here, each with its page."""

from __future__ import annotations

from fractions import Fraction

from events.commands import ApplyFunding, OpenAccount, Side
from events.facts import Deleveraged, FundingPaid, LiquidationOrderPlaced
from events.instruments import Liquidation, load_pack
from events.rules import Layer
from events.units import UNIT
from exchange.calculator import SHORT, Holding, Pool, clamped_rate, hourly_rate, liquidation, premium_of, rules_of
from exchange.calculator.dydx import LiquidityTier
from exchange.calculator.subaccount import Subaccount, TieredPosition, fillable_price
from tests.truth.published import agrees
from tests.truth.sessions import Held, brackets_with, first, flags_of, in_cross, terms_of, units

CENT = Fraction(1, 100)


class TestDydx:
    """dYdX documentation: "Liquidations on dYdX Chain", "Contract loss mechanisms on dYdX Chain"."""

    def test_the_price_at_which_a_short_of_three_is_liquidated(self) -> None:
        """1,000 USDC, short 3 ETH at 3,000, 5 % maintained: 10,000 / 3.15, printed 3174.60."""
        short = Holding(SHORT, Fraction(3), Fraction(3000))
        found = liquidation(Pool(Fraction(1000), (short,), rules_of(load_pack("dydx-v4"), mmr=Fraction(1, 20))))
        agrees("liquidation price", found.exact or Fraction(0), Fraction("3174.60"), CENT / 2)
        held = Held("ETH", Side.SELL, Fraction(3), Fraction(3000))
        rates = {"initial_margin": UNIT // 10, "maintenance_fraction": UNIT // 2, "brackets": brackets_with(CENT * 5)}
        session = in_cross(flags_of("dydx-v4", terms_of("dydx-v4", held, **rates)), Fraction(1000), [held])
        session.assert_due_at(held, Fraction("3174.60"), CENT / 2)

    def test_the_largest_spread_is_one_and_a_half_times_the_maintenance_margin(self) -> None:
        """5 % maintained: 7.5 % from the oracle price once nothing is left."""
        position = TieredPosition(1_000, Fraction(100), LiquidityTier(100_000, 500_000))
        price = fillable_price(Subaccount(-100_000, {"0": position}), "0", -1_000, spread_ppm=1_500_000)
        assert price == 100 * (1 - Fraction("0.075"))

    def test_a_winner_is_deleveraged_at_the_bankruptcy_price_of_the_loser(self) -> None:
        """Long and short 500 at 1 with 100 each; at 2 the short is bankrupt, from 1.2 on, where both close."""
        short = Held("ABC", Side.SELL, Fraction(500), Fraction(1))
        rates = {"initial_margin": UNIT // 5, "maintenance_fraction": UNIT // 2, "brackets": brackets_with(CENT * 10)}
        terms = terms_of("dydx-v4", short, **rates)
        session = in_cross(
            flags_of("dydx-v4", terms, liquidation=Liquidation(last_resort=(Layer.ADL,))), Fraction(100), []
        )
        session.ask(OpenAccount, account="cid")
        session.deposit("cid", Fraction(100), terms.settle)
        session.mark("ABC", Fraction(1))
        session.enter(short, maker="cid")
        session.mark("ABC", Fraction(2))
        fact = first(Deleveraged, session.proceed())
        assert (fact.account, fact.against, Fraction(fact.bankruptcy, UNIT)) == ("ann", "cid", Fraction("1.2"))
        assert [session.wallet(short, name).balance for name in ("ann", "cid")] == [0, units(Fraction(200))]


def test_a_coin_margined_long_on_kraken() -> None:
    """Kraken, "Equity Protection Process": 1,000 contracts at 8,000 with 0.01 BTC, 1 % maintained.

    Due at 7,481, and sold at 7,407 or better; both are printed without decimals.
    """
    held = Held("PI_XBTUSD", Side.BUY, Fraction(1000), Fraction(8000))
    terms = terms_of("kraken-futures", held, contract_value=UNIT, tick=UNIT // 2, brackets=brackets_with(CENT))
    session = in_cross(flags_of("kraken-futures", terms, default_leverage=50), CENT, [held])
    session.assert_due_at(held, Fraction(7481), Fraction(1))
    order = first(LiquidationOrderPlaced, session.proceed())
    agrees("bankruptcy price", Fraction(order.bankruptcy, UNIT), Fraction(7407), Fraction(1))


def test_the_funding_of_a_long_on_hyperliquid() -> None:
    """Hyperliquid, "Funding": impact bid 10,100, spot 10,000: 0.95 % for eight hours, an eighth of it each hour."""
    rate = clamped_rate(premium_of(Fraction(10_100), Fraction(10_000)))
    assert rate == Fraction("0.0095")
    held = Held("BTC", Side.BUY, Fraction(10), Fraction(10_000))
    session = in_cross(flags_of("hyperliquid", terms_of("hyperliquid", held)), Fraction(100_000), [held])
    session.index("BTC", Fraction(10_000))
    session.ask(ApplyFunding, instrument="BTC", rate=units(hourly_rate(rate, 8)))
    paid = next(f for f in session.proceed() if isinstance(f, FundingPaid) and f.account == "ann")
    assert Fraction(-paid.amount, UNIT) == 10 * 10_000 * rate / 8
