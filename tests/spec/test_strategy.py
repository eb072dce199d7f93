"""What a strategy sees of its account and market, what it can ask for, and how one is found."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from events.commands import CancelOrder, PlaceOrder, Side, TimeInForce
from events.facts import OrderAccepted, OrderCancelled, OrderRested, Refused, Traded
from events.instruments import Leg, MarginMode
from events.refusals import Reason
from replay.context import Context
from replay.loading import StrategyError, load_strategy, make_strategy
from replay.quotes import Quote
from replay.strategy import Strategy
from replay.whole import whole_or_text
from tests import captures
from tests.playing import asked, capture, play, still_market, trader
from tests.strategies import Asker, Diary, Failing

BTC = "BTCUSDT"

# Seeing


def test_a_strategy_sees_marks_quotes_and_what_it_owns_as_decimals(tmp_path: Path) -> None:
    _, seen = asked(
        tmp_path,
        lambda context: context.mark(BTC),
        lambda context: context.quote(BTC),
        lambda context: (context.leverage(BTC), context.position(BTC), context.open_orders()),
        lambda context: (context.available(), context.equity()),
        lambda context: (context.account, context.instruments),
    )
    assert seen == [
        Decimal("100.00000001"),
        Quote(Decimal(100), Decimal("100.1")),
        (10, 0, {}),
        (10_000, 10_000),
        ("ann", (BTC,)),
    ]


def test_before_the_first_row_there_is_neither_mark_nor_quote(tmp_path: Path) -> None:
    seen: list[object] = []

    class Early(Strategy):
        def on_start(self, context: Context) -> None:
            seen.extend([context.mark(BTC), context.quote(BTC), context.position(BTC), context.equity()])

    play(still_market(tmp_path), traders=[trader(Early())])
    assert seen == [None, Quote(None, None), 0, 10_000]


def test_the_quote_shows_what_a_taker_could_meet_its_own_resting_orders_included(tmp_path: Path) -> None:
    _, seen = asked(tmp_path, lambda context: context.buy(BTC, "1", "100.05"), lambda context: context.quote(BTC))
    assert seen[1] == Quote(Decimal("100"), Decimal("100.1"))
    _, seen = asked(tmp_path, lambda context: context.sell(BTC, "1", "100.1"), lambda context: context.quote(BTC))
    assert seen[1] == Quote(Decimal("100"), Decimal("100.1"))


def test_position_and_open_orders_are_signed_and_equity_follows_the_mark(tmp_path: Path) -> None:
    _, seen = asked(
        tmp_path,
        lambda context: context.sell(BTC, "1.000"),
        lambda context: context.sell(BTC, Decimal("2"), Decimal("101.0")),
        lambda context: (context.position(BTC), context.open_orders()),
        lambda context: context.equity(),
    )
    fee, sold_at, mark = Decimal("0.05"), Decimal(100), Decimal("100.00000001")
    assert seen[2] == (-1, {2: -2})
    assert seen[3] == 10_000 - fee + sold_at - mark


def test_isolated_margin_is_equity_but_not_available(tmp_path: Path) -> None:
    _, seen = asked(
        tmp_path,
        lambda context: context.buy(BTC, "1.000"),
        lambda context: (context.equity().quantize(Decimal("0.01")), context.available().quantize(Decimal("0.01"))),
        mode="isolated",
        leverage=5,
    )
    assert seen[1] == (Decimal("9999.85"), Decimal("9979.98"))


def test_sizes_are_rounded_down_to_whole_lots_only_on_request(tmp_path: Path) -> None:
    _, seen = asked(
        tmp_path,
        lambda context: context.whole_lots(BTC, Decimal("1.2349999")),
        lambda context: context.whole_lots(BTC, Decimal("0.0009")),
    )
    assert seen == [Decimal("1.234"), 0]


def test_an_instrument_that_the_session_does_not_have_is_named_beside_those_that_it_has(tmp_path: Path) -> None:
    with pytest.raises(
        StrategyError, match=r"LookupError .*: the session has no instrument 'PEPEUSDT', it has BTCUSDT, "
    ):
        asked(tmp_path, lambda context: context.mark("PEPEUSDT"))


# Asking


def test_orders_are_numbered_from_1_and_say_what_was_asked(tmp_path: Path) -> None:
    played, numbers = asked(
        tmp_path,
        lambda context: context.buy(BTC, "1.000"),
        lambda context: context.buy(BTC, Decimal("2"), "99.0", time_in_force=TimeInForce.POST_ONLY),
        lambda context: context.sell(BTC, 1, 101, reduce_only=True),
    )
    assert numbers == [1, 2, 3]
    accepted = played.facts(OrderAccepted)
    assert [(o.number, o.lots, o.price, o.time_in_force.value, o.reduce_only) for o in accepted] == [  # type: ignore[union-attr]
        (1, 1_000, None, "gtc", False),
        (2, 2_000, 990, "gtx", False),
        (3, 1_000, 1_010, "gtc", True),
    ]


def test_numbers_and_requests_are_never_used_twice_even_after_a_refusal(tmp_path: Path) -> None:
    played, numbers = asked(
        tmp_path,
        lambda context: context.buy(BTC, "99999"),
        lambda context: context.buy(BTC, "2.000", "99.0"),
        lambda context: context.cancel(2),  # type: ignore[arg-type]
        lambda context: context.buy(BTC, "2.000", "98.0"),
    )
    assert numbers == [1, 2, None, 3]
    commands = [b.command for b in played.batches if isinstance(b.command, PlaceOrder | CancelOrder)]
    assert [command.request for command in commands] == ["1", "2", "3", "4"]
    assert [type(fact) for fact in played.facts(OrderRested, OrderCancelled)] == [
        OrderRested,
        OrderCancelled,
        OrderRested,
    ]


def test_what_is_no_whole_number_of_lots_or_ticks_becomes_a_recorded_refusal(tmp_path: Path) -> None:
    played = play(still_market(tmp_path), traders=[trader(Asker())])
    told = [
        (getattr(batch.command, "lots", None), getattr(batch.command, "price", None), fact.reason)
        for batch in played.batches
        for fact in batch.facts
        if isinstance(fact, Refused)
    ]
    assert told == [
        ("0.0005", 500_000, Reason.SIZE_OFF_LOT),
        (1, "50000.05", Reason.PRICE_OFF_TICK),
        (-1_000, 500_000, Reason.SIZE_NOT_POSITIVE),
        ("a lot", None, Reason.SIZE_OFF_LOT),
        (None, None, Reason.UNKNOWN_ORDER),
    ]
    assert not played.facts(Traded)


@pytest.mark.parametrize(
    ("given", "unit", "units"),
    [
        ("1.5", 10**7, 15),
        (Decimal("1.5"), 10**7, 15),
        (2, 10**8, 2),
        (0.5, 10**7, 5),
        (Decimal("1.55"), 10**7, "1.55"),
        (0.1, 10**7, 1),
        ("1,5", 10**7, "1,5"),
        ("", 10**7, ""),
        (Decimal("NaN"), 10**7, "NaN"),
        (Decimal("1E+3"), 10**8, 1_000),
    ],
)
def test_a_size_or_price_is_whole_units_or_its_own_text_and_never_rounded(
    given: Any, unit: int, units: int | str
) -> None:
    assert whole_or_text(given, unit) == units


# Finding one


def test_a_strategy_is_found_as_module_and_class() -> None:
    assert load_strategy("tests.strategies:Failing") is Failing
    assert isinstance(make_strategy("tests.strategies:Failing"), Failing)


def test_without_a_name_it_is_a_strategy_that_does_nothing() -> None:
    assert type(make_strategy("")) is Strategy


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere:At", r"'nowhere:At': No module named 'nowhere'; write it as module:Class, importable from here"),
        ("tests.strategies:No", r".* has no attribute 'No'; write it as module:Class, importable from here"),
        ("tests.strategies", r"'tests\.strategies': .*; write it as module:Class, importable from here"),
        (":Class", r"':Class': Empty module name; write it as module:Class, importable from here"),
        ("pathlib:Path", r"'pathlib:Path' is no subclass of replay\.strategy\.Strategy; make it one"),
        ("os:environ", r"'os:environ' is no subclass of replay\.strategy\.Strategy; make it one"),
        ("tests.strategies:NeedsMore", r".*: parameter 'secret' has no default; give it"),
    ],
)
def test_a_strategy_that_cannot_be_loaded_is_told_in_one_line(name: str, why: str) -> None:
    with pytest.raises(StrategyError, match=f"^strategy {why}$"):
        make_strategy(name)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("def broken(:", r"SyntaxError: .*\(broken_strategy\.py, line 1\)"),
        ("\nraise RuntimeError('at import')", r"RuntimeError at .*broken_strategy\.py:2: at import"),
    ],
)
def test_a_module_that_fails_when_it_is_imported_is_told_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, what: str
) -> None:
    (tmp_path / "broken_strategy.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with pytest.raises(StrategyError, match=f"^strategy 'broken_strategy:A' cannot be imported: {what}; mend it$"):
        load_strategy("broken_strategy:A")


# Modes, margin and money


def test_the_largest_size_opens_and_a_lot_more_is_refused(tmp_path: Path) -> None:
    lot = Decimal("0.001")
    played, (size, _, _, rest) = asked(
        tmp_path,
        lambda context: context.max_size(BTC, Side.BUY, "90"),
        lambda context: context.buy(BTC, context.max_size(BTC, Side.BUY, "90") + lot, "90"),
        lambda context: context.buy(BTC, context.max_size(BTC, Side.BUY, "90"), "90"),
        lambda context: context.max_size(BTC, Side.BUY),
        leverage=2,
    )
    assert size % lot == 0
    assert rest < Decimal("0.1") < size  # what is left is less than the fee of it
    assert [fact.reason for fact in played.facts(Refused)] == [Reason.INSUFFICIENT_MARGIN]
    assert [fact.lots * lot for fact in played.facts(OrderRested)] == [size]


def test_without_a_mark_nothing_can_be_opened(tmp_path: Path) -> None:
    lines = [captures.body(10, [("100.00", "1.500")], [("100.10", "2.000")], s="BTCUSDT", symbol="BTCUSDT")]
    answers: list[Any] = []
    diary = Diary({1: lambda context: answers.append(context.max_size(BTC, Side.BUY))})
    play(capture(tmp_path, [*lines, captures.mark(at_ms=10_000)]), traders=[trader(diary)])
    assert answers == [0]


def test_a_strategy_chooses_modes_and_moves_margin_and_money(tmp_path: Path) -> None:
    played, _ = asked(
        tmp_path,
        lambda context: context.set_margin_mode(BTC, MarginMode.ISOLATED),
        lambda context: context.set_leverage(BTC, 5),
        lambda context: context.auto_add_margin(BTC),
        lambda context: context.buy(BTC, "1", "100.1"),
        lambda context: context.add_margin(BTC, "7.5"),
        lambda context: context.add_margin(BTC, "-2.5"),
        lambda context: context.transfer("USDT", "1", "bob"),
        lambda context: context.exchange("USDT", "1", "BTC"),
        lambda context: context.use_all_assets(),
    )
    said = [fact for fact in played.facts(object) if getattr(fact, "account", "") == "ann" or isinstance(fact, Refused)]
    kinds = [type(fact).__name__ for fact in said][-9:]
    assert kinds == [
        *("MarginModeSet", "LeverageSet", "AutoAddMarginSet", "OrderAccepted", "MarginMoved", "MarginMoved"),
        *("Refused", "Refused", "Refused"),
    ]
    reasons = [fact.reason for fact in said if isinstance(fact, Refused)]
    assert reasons == [Reason.UNKNOWN_ACCOUNT, Reason.NO_INDEX_PRICE, Reason.MULTI_ASSET_IS_CROSS]


def test_a_strategy_holds_both_legs_of_an_instrument(tmp_path: Path) -> None:
    _, (*_, sizes, closing) = asked(
        tmp_path,
        lambda context: context.use_legs(),
        lambda context: context.buy(BTC, "1", "100.1", leg=Leg.LONG),
        lambda context: context.sell(BTC, "1.5", "100", leg=Leg.SHORT),
        lambda context: (context.position(BTC, Leg.LONG), context.position(BTC, Leg.SHORT), context.position(BTC)),
        lambda context: (
            context.max_size(BTC, Side.SELL, leg=Leg.LONG),
            context.max_size(BTC, Side.BUY, leg=Leg.SHORT),
        ),
    )
    assert sizes == (1, Decimal("-1.5"), 0)
    assert closing == (1, Decimal("1.5"))
