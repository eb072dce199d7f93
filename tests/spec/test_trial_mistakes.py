"""Mistakes in tests of strategies: each is one line that says what may be given; none passes in silence."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import replay
from events.commands import MarkSource
from events.facts import (
    DeficitCovered,
    LiquidationStarted,
    OrderCancelled,
    OrderRested,
    OrderTriggered,
    Refused,
    SessionOpened,
    Traded,
)
from events.guards import PriceGuards
from events.units import SECOND, Rate
from replay.context import Context
from replay.given import session_options
from replay.testing import golden_name
from replay.trial import Disappointment, Trial, account, at, ends, generated, happened, never, prices

pytest_plugins = ["pytester"]

FLAT = prices("BTCUSDT", (0, "60000"), (10, "60000"))


def played(*deeds: Callable[[Context], object]) -> Trial:
    """An account with 1,000 USDT that does these things at a price that stays."""
    return Trial().given(FLAT, account("ann", deposit=1_000)).when(*(at(1, "ann", deed) for deed in deeds))


def buys(size: str, price: str | None = None) -> Callable[[Context], object]:
    return lambda context: context.buy("BTCUSDT", size, price)


def test_facts_without_an_instrument_are_compared_by_that_of_their_order() -> None:
    trial = played(buys("0.1", "50000"))
    trial.then(happened(OrderRested, lots="0.1"), happened(OrderRested, lots=100), never(OrderRested, lots="0.2"))
    trial.then(never(OrderCancelled, lots="0.1"))


def test_a_told_price_trades_so_that_orders_on_the_last_price_fire() -> None:
    trial = Trial().given(prices("BTCUSDT", (0, "60000"), (10, "59000"), (20, "59000")), account("ann", deposit=10_000))
    trial.when(
        at(1, "ann", buys("0.1")),
        at(2, "ann", lambda context: context.stop("BTCUSDT", "sell", "0.1", "59500")),
    )
    trial.then(happened(OrderTriggered, account="ann", lots="0.1", times=1), ends("ann", position={"BTCUSDT": 0}))


def test_an_account_is_either_party_of_a_trade_and_whose_command_was_refused() -> None:
    trial = played(buys("0.01"), buys("9")).given(account("bob"))
    trial.then(happened(Traded, account="ann"), never(Traded, account="bob"))
    trial.then(happened(Refused, account="ann", times=1), never(Refused, account="bob"))
    trial.then(never(DeficitCovered, account="bob", fund="INSURANCE"))


def test_what_was_not_found_is_told_with_what_the_account_was_refused() -> None:
    with pytest.raises(Disappointment) as told:
        played(buys("9")).then(happened(Traded, account="ann"))
    first, count, refusal = str(told.value).strip().splitlines()
    assert first == "traded.1 account=ann: one at least expected, 0 found"
    assert count == "refused were 1:"
    assert refusal.split()[1:4] == ["place_order.1", "of", "ann:"]


def test_figures_are_told_as_decimals() -> None:
    with pytest.raises(Disappointment, match=r"price=60000\.1 lots=0\.01 value=600\.001 "):
        played(buys("0.01")).then(never(Traded))


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (lambda: account("ann", "izolated"), "account ann: mode 'izolated': give isolated, cross or multi"),
        (lambda: account("MARKET"), "account 'MARKET': take printable ASCII as its name, not MARKET or INSURANCE"),
        (lambda: account("ann", leverage=0), "account ann: leverage 0: give a whole number from 1"),
        (lambda: account("ann", deposit="much"), "account ann: deposit 'much': give a decimal number"),
        (
            lambda: Trial().given(account("ann"), account("ann")),
            "account ann: there is another one; give each a name of its own",
        ),
        (lambda: never(LiquidationStarted, foo=3), "no field 'foo': give account, pool, equity or maintenance"),
        (lambda: never(Traded, side="bid"), "traded.1: side 'bid': give buy or sell"),
        (lambda: never(Traded, price="dear"), "traded.1: price 'dear': give a decimal number"),
        (lambda: never(Traded, price=1.5), "traded.1: price 1.5: give a decimal as text, or a whole number"),
        (lambda: never(Traded, taker=1), "traded.1: taker 1: give text"),
        (lambda: played().then(never(Traded, taker="bob")), "taker 'bob': give MARKET, INSURANCE or ann"),
        (lambda: played().then(never(Traded, instrument="BTC")), "instrument 'BTC': give BTCUSDT"),
        (lambda: played().then(ends("ben")), "ends: account 'ben': give MARKET, INSURANCE or ann"),
        (lambda: played().then(ends("ann", "USD")), "ends: asset 'USD': give USDT"),
        (
            lambda: ends("ann", pnl=3),
            "ends: figure 'pnl': give equity, fees, funding, fills, liquidations, refusals or",
        ),
        (lambda: ends("ann", fees="NaN"), "ends: fees 'NaN': give a decimal number"),
        (lambda: ends("ann", position="0"), "ends: position '0': give signed sizes by instrument"),
        (lambda: ends("ann", position={"BTCUSDT": "no"}), "ends: position in BTCUSDT 'no': give a decimal number"),
        (lambda: played().then(ends("ann", position={"XYZ": 0})), "ends: position in 'XYZ': give BTCUSDT"),
        (lambda: prices("BTCUSDT"), "prices of BTCUSDT: no point is given"),
        (lambda: prices("BTCUSDT", (0,)), r"prices of BTCUSDT: (0,) is no point"),  # type: ignore[arg-type]
        (
            lambda: prices("BTCUSDT", (1, "2"), (0, "2")),
            "prices of BTCUSDT: 0 s comes after 1 s; tell of them in order",
        ),
        (lambda: generated(sead=1), "generated: option 'sead': give seed, seconds,"),
        (lambda: generated(seconds=1), "generated: no seed is given; give one, as seed=1"),
        (lambda: Trial().given(max_slipage="0.1"), "option 'max_slipage': give mark_source,"),
        (lambda: Trial().given(max_slippage="2"), "options: max_slippage lies from 0 to below 1"),
        (lambda: Trial().given(max_slippage="0.000000001"), "max_slippage '0.000000001': give a share from 0 to below"),
        (lambda: Trial().given(opening_auction=60 * SECOND), "opening_auction 60000000000: give seconds from 0 to"),
        (lambda: Trial().given(mark_source="middle"), "mark_source 'middle': give "),
        (lambda: Trial().given(guards=1), "guards 1: give events.guards.PriceGuards"),
        (lambda: Trial().given(insurance="all"), "insurance 'all': give a decimal number"),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_a_mistake_is_one_line_that_says_what_may_be_given(mistake: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011
        mistake()
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_options_are_shares_seconds_and_names_as_on_the_command_line() -> None:
    made = session_options({"max_slippage": "0.001", "opening_auction": 60, "mark_source": "mid"})
    assert (made.max_slippage, made.opening_auction, made.mark_source) == (100_000, 60 * SECOND, MarkSource.MID)
    assert session_options({"max_slippage": 0.001}) == session_options({"max_slippage": Rate(100_000)})
    assert session_options({"max_slippage": Decimal("0.1"), "guards": PriceGuards()}).max_slippage == Rate(10_000_000)
    Trial().given(FLAT, max_slippage="0.001").then(happened(SessionOpened, times=1))


def test_a_golden_session_of_a_function_has_its_plain_name_and_any_other_one_a_hash() -> None:
    assert golden_name("test_mine", "test_x") == "test_mine-test_x"
    others = [("TestA", "test_x"), ("TestB", "test_x"), ("test_x[a/b]",), ("test_x[a b]",), ("x" * 300,), ("x" * 301,)]
    names = [golden_name("test_mine", *other) for other in others]
    assert len(set(names)) == len(names)
    assert all(name.startswith("test_mine-") and len(name) < 140 and "/" not in name for name in names)


def test_tests_of_two_classes_and_of_like_parameters_keep_files_of_their_own(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(replay.__file__).parents[1]))
    pytester.makepyfile(
        test_mine="""
        import pytest
        from replay.trial import account, prices

        class TestA:
            def test_x(self, session):
                session.given(prices("BTCUSDT", (0, "60000"))).golden()

        class TestB:
            def test_x(self, session):
                session.given(prices("BTCUSDT", (0, "50000"))).golden()

        @pytest.mark.parametrize("price", ["1/2", "1 2"])
        def test_y(session, price):
            session.given(prices("BTCUSDT", (0, price.replace("/", "0").replace(" ", "1")))).golden()
        """
    )
    arguments = ("-p", "replay.testing", "-p", "no:randomly", "-p", "no:cacheprovider", "-q")
    pytester.runpytest_subprocess(*arguments, "--golden-update").assert_outcomes(passed=4)
    assert len(list((pytester.path / "golden").iterdir())) == 4
    pytester.runpytest_subprocess(*arguments, "-n", "2", "--dist", "loadgroup").assert_outcomes(passed=4)
