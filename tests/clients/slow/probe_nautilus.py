"""A NautilusTrader node goes once through what traders do, and prints what it saw: one JSON object a line.

It runs in an environment that has NautilusTrader and not Ringfence: `python probe_nautilus.py` with one JSON argument,
`{"http", "ws", "key", "secret", "folder"}`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceFuturesMarkPriceUpdate,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.adapters.binance.common.symbol import BinanceSymbol
from nautilus_trader.adapters.binance.futures.enums import BinanceFuturesMarginType
from nautilus_trader.config import InstrumentProviderConfig, LiveExecEngineConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import BarType, DataType
from nautilus_trader.model.enums import BookType, LiquiditySide, OrderSide, PositionSide, TriggerType
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUpdated,
    PositionClosed,
    PositionOpened,
)
from nautilus_trader.model.identifiers import ClientId, InstrumentId, Venue
from nautilus_trader.model.objects import Currency
from nautilus_trader.trading.strategy import Strategy

BTC, ETH = InstrumentId.from_str("BTCUSDT-PERP.BINANCE"), InstrumentId.from_str("ETHUSDT-PERP.BINANCE")
MINUTES = BarType.from_str("BTCUSDT-PERP.BINANCE-1-MINUTE-LAST-EXTERNAL")
STEP_S, FIRED_S, BAR_S = 10.0, 30.0, 65.0


def tell(fact: str, **what: Any) -> None:
    """One line for the test."""
    sys.stdout.write(json.dumps({"fact": fact, **what}, default=str) + "\n")
    sys.stdout.flush()


class Probe(Strategy):
    """Watches the market, leads orders through their lives, holds a position and leaves it."""

    def play(self, finish: Any) -> None:
        """Begin as soon as the node has started; `finish` is called at the end, however it comes."""
        self._finish = finish
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self._seen: dict[str, asyncio.Future[Any]] = {}

    def on_start(self) -> None:
        loop = asyncio.get_running_loop()
        self._seen = {kind: loop.create_future() for kind in ("quote", "trade", "deltas", "mark", "past", "bar")}
        self._playing = loop.create_task(self._play())

    def on_stop(self) -> None:
        self.unsubscribe_quote_ticks(BTC)
        self.unsubscribe_trade_ticks(BTC)
        self.unsubscribe_bars(MINUTES)

    def on_quote_tick(self, tick: Any) -> None:
        self._saw("quote", tick)

    def on_trade_tick(self, tick: Any) -> None:
        self._saw("trade", tick)

    def on_order_book_deltas(self, deltas: Any) -> None:
        self._saw("deltas", deltas)

    def on_data(self, data: Any) -> None:
        self._saw("mark", data)

    def on_historical_data(self, bar: Any) -> None:
        self._saw("past", bar)

    def on_bar(self, bar: Any) -> None:
        self._saw("bar", bar)

    def on_event(self, event: Any) -> None:
        self._heard.put_nowait(event)

    def _saw(self, kind: str, what: Any) -> None:
        if not self._seen[kind].done():
            self._seen[kind].set_result(what)

    async def _play(self) -> None:
        try:
            await self._act()
            tell("done")
        except BaseException as error:
            tell("failed", error=repr(error))
        finally:
            self._finish()

    async def _act(self) -> None:
        self._tell_what_was_there()
        await self._watch()
        await self._lead_an_order()
        await self._lead_a_stop()
        await self._hold_a_position()
        await self._let_a_stop_fire()
        await self._wait_for_a_bar()

    def _tell_what_was_there(self) -> None:
        held = [(p.instrument_id, p.signed_qty, p.avg_px_open) for p in self.cache.positions_open()]
        rest = [(o.instrument_id, o.quantity, o.price) for o in self.cache.orders_open()]
        tell("reconciled", positions=held, orders=rest)
        instrument = self.cache.instrument(BTC)
        tell(
            "instrument", ids=sorted(str(i) for i in self.cache.instrument_ids()), tick=instrument.price_increment,
            step=instrument.size_increment, maker=instrument.maker_fee, taker=instrument.taker_fee,
        )  # fmt: skip
        account = self.portfolio.account(Venue(BINANCE))
        tell("account", usdt=account.balance_total(USDT).as_decimal(), leverage=account.leverage(BTC))

    async def _watch(self) -> None:
        self.subscribe_quote_ticks(BTC)
        self.subscribe_trade_ticks(BTC)
        self.subscribe_order_book_deltas(BTC, BookType.L2_MBP)
        self.subscribe_bars(MINUTES)
        marks = DataType(BinanceFuturesMarkPriceUpdate, metadata={"instrument_id": BTC})
        self.subscribe_data(marks, client_id=ClientId(BINANCE))
        self.request_bars(MINUTES, start=self.clock.utc_now() - timedelta(minutes=30))
        quote, trade = await self._first("quote"), await self._first("trade")
        tell("quote", bid=quote.bid_price, ask=quote.ask_price)
        tell("trade", price=trade.price, size=trade.size)
        tell("mark", price=(await self._first("mark")).mark)
        await self._first("deltas")
        await self._until(lambda: self.cache.order_book(BTC).best_ask_price())
        book = self.cache.order_book(BTC)
        levels = len(book.bids()), len(book.asks())
        tell("book", bid=book.best_bid_price(), ask=book.best_ask_price(), levels=levels, updates=book.update_count)
        await self._first("past")
        tell("past", bars=self.cache.bar_count(MINUTES))

    async def _lead_an_order(self) -> None:
        instrument = self.cache.instrument(BTC)
        below = self.cache.quote_tick(BTC).bid_price.as_decimal() * Decimal("0.98")
        size = instrument.make_qty(Decimal("0.01"))
        order = self.order_factory.limit(BTC, OrderSide.BUY, size, instrument.make_price(below), post_only=True)
        self.submit_order(order)
        accepted = await self._event(OrderAccepted)
        tell("accepted", mine=accepted.client_order_id == order.client_order_id, venue=accepted.venue_order_id)
        self.modify_order(order, instrument.make_qty(Decimal("0.02")), instrument.make_price(below + 10))
        updated = await self._event(OrderUpdated)
        tell("updated", quantity=updated.quantity, moved=updated.price == instrument.make_price(below + 10))
        self.cancel_order(order)
        await self._event(OrderCanceled)
        tell("cancelled", status=order.status_string())
        over = self.cache.quote_tick(BTC).ask_price.as_decimal() * Decimal("1.01")
        self.submit_order(
            self.order_factory.limit(BTC, OrderSide.BUY, size, instrument.make_price(over), post_only=True)
        )
        refused = await self._event(OrderRejected)
        tell("refused", post_only=refused.due_post_only)

    async def _lead_a_stop(self) -> None:
        instrument = self.cache.instrument(BTC)
        over = self.cache.quote_tick(BTC).ask_price.as_decimal() * Decimal("1.03")
        stop = self.order_factory.stop_market(
            BTC, OrderSide.BUY, instrument.make_qty(Decimal("0.01")), instrument.make_price(over),
            trigger_type=TriggerType.MARK_PRICE,
        )  # fmt: skip
        self.submit_order(stop)
        await self._event(OrderAccepted)
        self.cancel_order(stop)
        await self._event(OrderCanceled)
        tell("stopped", status=stop.status_string())

    async def _hold_a_position(self) -> None:
        size = self.cache.instrument(BTC).make_qty(Decimal("0.01"))
        account = self.portfolio.account(Venue(BINANCE))
        before = account.balance_total(USDT)
        order = self.order_factory.market(BTC, OrderSide.BUY, size)
        self.submit_order(order)
        fill = await self._event(OrderFilled)
        await self._event(PositionOpened)
        await self._until(lambda: order.is_closed)
        (fees,) = order.commissions()
        (position,) = self.cache.positions_open(instrument_id=BTC)
        tell(
            "filled", is_long=position.side == PositionSide.LONG, quantity=position.quantity,
            fee=fees.as_decimal(), price=order.avg_px, is_taker=fill.liquidity_side == LiquiditySide.TAKER,
        )  # fmt: skip
        charged = before.as_decimal() - fees.as_decimal()
        await self._until(lambda: account.balance_total(USDT).as_decimal() == charged)
        tell("charged", before=before.as_decimal(), usdt=account.balance_total(USDT).as_decimal())
        self.close_position(position)
        closed = await self._event(PositionClosed)
        tell("closed", flat=self.portfolio.is_flat(BTC), realized=closed.realized_pnl.as_decimal())

    async def _let_a_stop_fire(self) -> None:
        """One stop on either side, close to the price: whichever way it goes, one of them fires."""
        size, ask = self.cache.instrument(BTC).make_qty(Decimal("0.01")), self.cache.quote_tick(BTC).ask_price
        for side, away in ((OrderSide.BUY, 5), (OrderSide.SELL, -5)):
            trigger = self.cache.instrument(BTC).make_price(ask.as_decimal() + away)
            self.submit_order(self.order_factory.stop_market(BTC, side, size, trigger))
            await self._event(OrderAccepted)
        fired = await self._event(OrderFilled, FIRED_S)
        order = self.cache.order(fired.client_order_id)
        await self._until(lambda: order.is_closed)
        tell("fired", mine=fired.strategy_id == self.id, quantity=order.filled_qty)
        self.cancel_all_orders(BTC)
        self.close_all_positions(BTC)
        await self._until(lambda: not self.cache.orders_open(instrument_id=BTC) and self.portfolio.is_flat(BTC))
        tell("flat")

    async def _wait_for_a_bar(self) -> None:
        bar = await asyncio.wait_for(self._seen["bar"], BAR_S)
        tell("bar", low=bar.low, high=bar.high, volume=bar.volume)

    async def _first(self, kind: str) -> Any:
        return await asyncio.wait_for(asyncio.shield(self._seen[kind]), STEP_S)

    async def _event(self, kind: type, seconds: float = STEP_S) -> Any:
        async with asyncio.timeout(seconds):
            while not isinstance(event := await self._heard.get(), kind):
                pass
            return event

    async def _until(self, holds: Any) -> None:
        async with asyncio.timeout(STEP_S):
            while not holds():
                await asyncio.sleep(0.05)


USDT = Currency.from_str("USDT")


def node_of(where: dict[str, str]) -> TradingNode:
    """A node with one data client and one execution client, both at the server."""
    both = {
        "api_key": where["key"], "api_secret": where["secret"], "account_type": BinanceAccountType.USDT_FUTURES,
        "base_url_http": where["http"], "instrument_provider": InstrumentProviderConfig(load_all=True),
    }  # fmt: skip
    data = BinanceDataClientConfig(**both, base_url_ws=where["ws"])
    btc = BinanceSymbol("BTCUSDT")
    execution = BinanceExecClientConfig(
        **both, base_url_ws=f"{where['ws']}/ws-fapi/v1", base_url_ws_stream=where["ws"],
        futures_leverages={btc: 7}, futures_margin_types={btc: BinanceFuturesMarginType.ISOLATED},
    )  # fmt: skip
    config = TradingNodeConfig(
        logging=LoggingConfig(
            log_level="OFF", log_level_file="INFO", log_directory=where["folder"], log_file_name="nautilus",
            log_file_format="json",
        ),
        exec_engine=LiveExecEngineConfig(open_check_interval_secs=5.0, position_check_interval_secs=5.0),
        data_clients={BINANCE: data}, exec_clients={BINANCE: execution}, timeout_connection=20.0,
        timeout_reconciliation=10.0, timeout_portfolio=10.0, timeout_disconnection=5.0, timeout_post_stop=1.0,
    )  # fmt: skip
    node = TradingNode(config=config)
    node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
    node.add_exec_client_factory(BINANCE, BinanceLiveExecClientFactory)
    return node


def main() -> None:
    node = node_of(json.loads(sys.argv[1]))
    probe = Probe()
    probe.play(node.stop)
    node.trader.add_strategy(probe)
    node.build()
    try:
        node.run()
    finally:
        node.dispose()
    tell("stopped cleanly")


if __name__ == "__main__":
    main()
