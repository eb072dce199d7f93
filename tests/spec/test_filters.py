"""Filters of an instrument, and what bounds market orders: sizes, limit prices by the mark, slippage from the mark.

What each is refused for, and before what, is in `test_refusals`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events.commands import Side, TimeInForce
from events.facts import Expiry
from events.guards import UNGUARDED, Breaker, PriceGuards, either
from events.instruments import PackError, load_pack, read_pack
from events.refusals import Reason
from events.units import SECOND, UNIT, Lots, Nanos, Rate, decimal_text
from gateway.desk import Desk
from tests.scenario import opening, scenario, unopened
from tests.spec.contracts import LONG, SHORT, hedge
from tests.spec.falsifying import noticed, putting, told
from tests.spec.test_pack_rules import PACK
from tests.spec.waiting import waiting, waits
from tests.spec.words import (
    BUY,
    FOK,
    PERCENT,
    SELL,
    account,
    expired,
    mark,
    market,
    pack,
    place,
    position,
    refused,
    rested,
    resting,
    traded,
)

PROTECTED = Expiry.PRICE_PROTECTION
BANDED = pack(price_up=Rate(105 * PERCENT), price_down=Rate(95 * PERCENT))
ASKS = (resting(1, SELL, price=101, lots=5), resting(2, SELL, price=102, lots=5), resting(3, SELL, price=104, lots=5))
BIDS = (resting(1, BUY, price=99, lots=5), resting(2, BUY, price=98, lots=5), resting(3, BUY, price=96, lots=5))


class TestPriceBand:
    """Buys not above mark x price_up, sells not below mark x price_down."""

    @pytest.mark.parametrize(("side", "price"), [(BUY, 105), (BUY, 1), (SELL, 95), (SELL, 1_000)])
    def test_a_price_within_it_is_accepted(self, side: Side, price: int) -> None:
        told(scenario(BANDED).given(place(1, side, price=price, lots=10)))

    @pytest.mark.parametrize(
        ("side", "price", "reason"), [(BUY, 106, Reason.PRICE_ABOVE_BAND), (SELL, 94, Reason.PRICE_BELOW_BAND)]
    )
    def test_a_price_beyond_it_is_refused(self, side: Side, price: int, reason: Reason) -> None:
        scenario(BANDED).when(place(1, side, price=price, lots=10)).then(refused(reason))

    def test_it_goes_with_the_mark(self) -> None:
        scenario(BANDED).given(mark(110)).when(place(1, BUY, price=115, lots=1)).then(rested(1, 1))

    def test_an_order_that_reduces_is_held_to_it_too(self) -> None:
        (
            scenario(BANDED)
            .given(account("ann", 1_000), *position(1, BUY, price=100, lots=5, by="ann"))
            .when(place(3, SELL, price=94, lots=5, by="ann", reduce_only=True))
            .then(refused(Reason.PRICE_BELOW_BAND))
        )

    @pytest.mark.parametrize("stated", [{"price_up": Rate(105 * PERCENT)}, {"price_down": Rate(95 * PERCENT)}])
    def test_either_side_may_be_without_one(self, stated: dict[str, Rate]) -> None:
        free = SELL if "price_up" in stated else BUY
        scenario(pack(**stated)).when(place(1, free, price=500 if free is BUY else 2, lots=5)).then(rested(1, 5))

    def test_the_auditor_holds_prices_to_it(self) -> None:
        session = scenario(BANDED).given(place(1, BUY, price=105, lots=1))
        noticed(session, "the price is within the band of the mark", putting(price=106))
        session = scenario(BANDED).given(place(1, SELL, price=95, lots=1))
        noticed(session, "the price is within the band of the mark", putting(price=94))


class TestOpenOrders:
    """So many of an account may be open in an instrument."""

    def test_the_orders_of_both_legs_count_as_those_of_one_account(self) -> None:
        told = scenario(pack(max_orders=2)).given(
            account("ann", 1000),
            hedge("ann"),
            resting(1, BUY, price=90, lots=2, by="ann", leg=LONG),
            resting(2, SELL, price=110, lots=2, by="ann", leg=SHORT),
        )
        for leg in (LONG, SHORT):
            third = place(3, BUY if leg is LONG else SELL, price=100, lots=2, by="ann", leg=leg)
            told.when(third).then(refused(Reason.TOO_MANY_OPEN_ORDERS))


class TestMarketSize:
    """A market order may be for less than a limit order."""

    RULES = pack(market_max_lots=Lots(7))

    def test_a_market_order_up_to_it_trades(self) -> None:
        told(scenario(self.RULES).given(*ASKS, market(4, BUY, lots=7)))

    def test_a_larger_one_is_refused_and_a_limit_order_is_not(self) -> None:
        (
            scenario(self.RULES)
            .given(*ASKS)
            .when(market(4, BUY, lots=8))
            .then(refused(Reason.MARKET_SIZE_ABOVE_MAXIMUM))
            .when(place(5, BUY, price=90, lots=8))
            .then(rested(5, 8))
        )

    def test_a_conditional_market_order_may_be_no_larger(self) -> None:
        (
            scenario(self.RULES)
            .when(waiting(4, BUY, at=110, lots=8))
            .then(refused(Reason.MARKET_SIZE_ABOVE_MAXIMUM))
            .when(waiting(5, BUY, at=110, lots=8, price=110))
            .then(waits(5, BUY, at=110, lots=8, price=110))
        )

    def test_the_auditor_knows_it(self) -> None:
        session = scenario(self.RULES).given(*ASKS, market(4, BUY, lots=7))
        noticed(session, "the size is one that the instrument allows", putting(lots=8))


class TestSlippage:
    """A market order trades within its bound of the mark; what is left expires."""

    @pytest.mark.parametrize(
        ("rules", "options"),
        [
            (pack(market_take_bound=Rate(2 * PERCENT)), {}),
            (pack(), {"max_slippage": Rate(2 * PERCENT)}),
            (pack(market_take_bound=Rate(5 * PERCENT)), {"max_slippage": Rate(2 * PERCENT)}),
            (pack(market_take_bound=Rate(2 * PERCENT)), {"max_slippage": Rate(5 * PERCENT)}),
        ],
    )
    @pytest.mark.parametrize(("book", "side", "prices"), [(ASKS, BUY, (101, 102)), (BIDS, SELL, (99, 98))])
    def test_what_is_beyond_the_narrower_bound_is_not_met(
        self, rules: Any, options: dict[str, Any], book: tuple[Any, ...], side: Side, prices: tuple[int, int]
    ) -> None:
        (
            scenario(rules, **options)
            .given(*book)
            .when(market(4, side, lots=12))
            .then(
                traded(1, 4, price=prices[0], lots=5),
                traded(2, 4, price=prices[1], lots=5),
                expired(4, 2, PROTECTED),
            )
        )

    @pytest.mark.parametrize(("side", "book"), [(BUY, ASKS[2:]), (SELL, BIDS[2:])])
    def test_nothing_trades_where_all_is_beyond(self, side: Side, book: tuple[Any, ...]) -> None:
        session = scenario(max_slippage=Rate(2 * PERCENT)).given(*book)
        told(session.when(market(4, side, lots=2)).then(expired(4, 2, PROTECTED)))

    def test_a_bound_between_two_ticks_is_rounded_towards_the_mark(self) -> None:
        (
            scenario(max_slippage=Rate(2 * PERCENT), marks=99)
            .given(*ASKS)
            .when(market(4, BUY, lots=7))
            .then(expired(4, 7, PROTECTED))
            .given(mark(100))
            .when(market(5, BUY, lots=7))
            .then(traded(1, 5, price=101, lots=5), traded(2, 5, price=102, lots=2))
        )

    def test_an_empty_book_is_no_matter_of_the_bound(self) -> None:
        session = scenario(max_slippage=Rate(2 * PERCENT)).given(*ASKS[:1])
        session.when(market(4, BUY, lots=7)).then(traded(1, 4, price=101, lots=5), expired(4, 2))

    def test_a_limit_order_goes_as_far_as_it_says(self) -> None:
        session = scenario(max_slippage=Rate(2 * PERCENT)).given(*ASKS[2:])
        session.when(place(4, BUY, price=104, lots=2)).then(traded(3, 4, price=104, lots=2))

    @pytest.mark.parametrize(("lots", "fills"), [(10, True), (11, False)])
    def test_a_fill_or_kill_order_counts_what_is_within_only(self, lots: int, fills: bool) -> None:
        session = scenario(max_slippage=Rate(2 * PERCENT)).given(*ASKS).when(place(4, BUY, lots=lots, tif=FOK))
        trades = (traded(1, 4, price=101, lots=5), traded(2, 4, price=102, lots=5))
        session.then(*(trades if fills else (expired(4, lots, Expiry.FILL_OR_KILL),)))

    def test_the_auditor_follows_no_market_order_beyond_its_bound(self) -> None:
        session = scenario().given(*ASKS, market(4, BUY, lots=12))
        narrow = putting(options=c.SessionOptions(max_slippage=Rate(2 * PERCENT)))
        noticed(session, "a market order trades within its bound of the mark", narrow, everywhere=True)

    def test_the_auditor_knows_where_there_is_no_bound(self) -> None:
        session = scenario(max_slippage=Rate(2 * PERCENT)).given(*ASKS, market(4, BUY, lots=12))
        unbounded = putting(options=c.SessionOptions())
        noticed(session, "a bound holds the market order", unbounded, everywhere=True)


class TestGuardsOfASession:
    """A session may state guards of its own: each takes the place of the pack's."""

    BREAKER = Breaker(Rate(10 * PERCENT), Nanos(60 * SECOND), Nanos(120 * SECOND))

    def test_a_rule_that_it_states_takes_the_place_of_the_packs(self) -> None:
        packs = PriceGuards(Rate(1), Rate(2), Rate(3), Nanos(4), self.BREAKER)
        assert either(UNGUARDED, packs) == packs
        assert either(packs, UNGUARDED) == packs
        other = Breaker(Rate(1), Nanos(1), Nanos(1))
        assert either(PriceGuards(mark_step=Rate(7), breaker=other), packs) == replace(
            packs, mark_step=Rate(7), breaker=other
        )

    def test_a_breaker_of_the_session_halts_trading(self) -> None:
        (
            scenario(guards=PriceGuards(breaker=self.BREAKER))
            .given(mark(111))
            .when(place(1, BUY, price=100, lots=1))
            .then(refused(Reason.TRADING_HALTED))
        )

    def test_the_auditor_goes_by_the_guards_of_the_session(self) -> None:
        told(scenario(guards=PriceGuards(breaker=self.BREAKER)).given(mark(111)))
        packs = replace(pack(), guards=PriceGuards(mark_step=Rate(5 * PERCENT), breaker=self.BREAKER))
        told(scenario(packs, guards=PriceGuards(mark_step=Rate(50 * PERCENT))).given(mark(140)))
        told(scenario(packs, guards=PriceGuards(mark_age_max=Nanos(1))).given(mark(104)))

    @pytest.mark.parametrize(
        "options",
        [
            c.SessionOptions(max_slippage=Rate(UNIT)),
            c.SessionOptions(max_slippage=Rate(-1)),
            c.SessionOptions(guards=PriceGuards(mark_band=Rate(UNIT))),
        ],
    )
    def test_options_that_contradict_themselves_open_nothing(self, options: c.SessionOptions) -> None:
        unopened().when(opening(options=options)).then(refused(Reason.BAD_SESSION_OPTIONS))


class TestPack:
    """What a pack states of filters, and what it may not."""

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("market_max_size", "-1", "market_max_lots lies from min_lots to max_lots"),
            ("market_max_size", "99999999", "market_max_lots lies from min_lots to max_lots"),
            ("price_up", "0.99", "price_up at least 1"),
            ("price_up", "-1", "price_up at least 1"),
            ("price_down", "1.01", "price_down is at most 1"),
            ("price_down", "-0.5", "price_down is at most 1"),
            ("market_take_bound", "1", "market_take_bound lies from 0 to below 1"),
            ("trigger_protect", "1", "trigger_protect lies from 0 to below 1"),
            ("trigger_protect", "-0.1", "trigger_protect lies from 0 to below 1"),
        ],
    )
    def test_it_may_not_contradict_itself(self, field: str, value: str, message: str) -> None:
        text = json.loads(json.dumps(PACK))
        text["instruments"][0][field] = value
        with pytest.raises(PackError, match=message):
            read_pack(json.dumps(text).encode(), "bad.json")


SERVED = {
    "BTCUSDT": ("120", "100", "1.05", "0.95", "0.05"),
    "ETHUSDT": ("2000", "20", "1.05", "0.95", "0.05"),
    "BNBUSDT": ("2000", "5", "1.05", "0.95", "0.05"),
    "SOLUSDT": ("5000", "5", "1.05", "0.95", "0.05"),
    "XRPUSDT": ("2000000", "5", "1.05", "0.95", "0.05"),
    "ADAUSDT": ("300000", "5", "1.05", "0.95", "0.05"),
    "DOGEUSDT": ("30000000", "5", "1.1", "0.9", "0.1"),
    "LTCUSDT": ("5000", "20", "1.05", "0.95", "0.05"),
    "LINKUSDT": ("20000", "20", "1.1", "0.9", "0.1"),
    "BTCUSDT_241227": ("1", "5", "1.05", "0.95", "0.05"),
    "ETHUSDT_241227": ("10", "5", "1.05", "0.95", "0.05"),
}
"""Symbol -> the largest market order, the least notional, the band of prices, and the bound of market orders.

Source: Binance, GET /fapi/v1/exchangeInfo of 2 October 2024 (serverTime 1727892008657).
"""


class TestBinance:
    """What the venue served is what its pack states, and what a session holds traders to."""

    PACK = load_pack("binance-usdm")

    @pytest.mark.parametrize("symbol", SERVED)
    def test_its_pack_states_the_filters_of_every_symbol(self, symbol: str) -> None:
        (terms,) = (instrument for instrument in self.PACK.instruments if instrument.id == symbol)
        amounts = (terms.min_notional, terms.price_up, terms.price_down, terms.market_take_bound)
        assert (terms.size_text(terms.market_max_lots), *map(decimal_text, amounts)) == SERVED[symbol]

    def test_every_symbol_of_its_pack_is_among_them(self) -> None:
        assert [instrument.id for instrument in self.PACK.instruments] == list(SERVED)
        assert (self.PACK.max_orders, self.PACK.max_triggers, self.PACK.good_till_ahead) == (200, 10, 600 * SECOND)

    def test_a_trader_meets_each_of_them(self) -> None:
        desk = Desk("binance-usdm")
        desk.mark("BTCUSDT", "30000")
        ann, ben = desk.trader("ann"), desk.trader("ben")
        ben.sell("BTCUSDT", "1", "31500")
        ben.sell("BTCUSDT", "1", "31500.1")
        ann.buy("BTCUSDT", "120.001")
        ann.buy("BTCUSDT", "1", "31500.1")
        ann.sell("BTCUSDT", "1", "28499.9")
        ann.buy("BTCUSDT", "0.003", "30000")
        soon = Nanos(desk.state.now + 600 * SECOND)
        ann.buy("BTCUSDT", "1", "30000", time_in_force=TimeInForce.GTD, good_till=soon)
        reasons = [line.split("reason=")[1] for line in desk.told().splitlines() if "refused" in line]
        assert reasons == [
            "market_size_above_maximum",
            "price_above_band",
            "price_below_band",
            "notional_below_minimum",
            "good_till_out_of_range",
        ]

    def test_a_market_order_stops_at_its_bound(self) -> None:
        desk = Desk("binance-usdm")
        desk.mark("BTCUSDT", "30000")
        ann, ben = desk.trader("ann"), desk.trader("ben")
        ben.sell("BTCUSDT", "1", "31500")
        ben.sell("BTCUSDT", "1", "31500.1")
        desk.told()
        ann.buy("BTCUSDT", "2")
        told_last = desk.told().splitlines()[-1].split()
        assert told_last == ["order_expired", "account=ann", "number=1", "lots=1", "why=price_protection"]
