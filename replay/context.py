"""What a trader's program can do; what it sees of its account and market is in `replay.view`.

Sizes, prices and amounts are Decimals here and integers inside; what is not a whole number of lots or ticks is passed
on as it stands and refused by the exchange, never rounded; money finer than an atom is a ValueError. A float is what
its shortest text says: 0.1 is a tenth. What is an enum in a command may be given as its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from events.commands import (
    AccountId,
    AddMargin,
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClientId,
    Command,
    Deposit,
    ExchangeAsset,
    OrderNumber,
    PlaceOrder,
    PlaceTrigger,
    RemoveMargin,
    RequestId,
    SetAutoAddMargin,
    SetCollateralMode,
    SetCountdown,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Side,
    SubmitBatch,
    Transfer,
)
from events.instructions import Arming
from events.instruments import AssetId, InstrumentId, Leg, MarginMode
from events.triggers import PriceSource, TriggerKind
from events.units import Atoms, Lots, Nanos
from exchange.core.state import State
from replay.latency import Outbox, each
from replay.linking import clients_apart, linked, named
from replay.parameters import all_given, atoms, given, nanos, rate, whole
from replay.view import View
from replay.waking import Alarms, Wake
from replay.whole import lots_of, ticks_of, whole_or_text


class Context(View):
    """What a strategy sees of its account and market, and how it sends orders."""

    def __init__(
        self, state: Callable[[], State], account: AccountId, send: Callable[[Command], object],
        alarms: Alarms | None = None, order: int = 0, outbox: Outbox | None = None,
    ) -> None:  # fmt: skip
        super().__init__(state, account)
        self._send = send
        self._requests = self._numbers = 0
        self._together = False
        self._batch: list[Any] | None = None
        self.woken_at = Nanos(0)
        self.instruments: tuple[InstrumentId, ...] = ()
        self._outbox = outbox or Outbox()
        self.wake = Wake(self, alarms or Alarms(), order)

    def resume(self, requests: int) -> None:
        """Number requests on from this one, which others may have made."""
        self._requests = max(self._requests, requests)

    @property
    def now(self) -> Nanos:
        """The time by the strategy's clock, ns since the epoch, UTC: session time, and what its feed is behind."""
        return Nanos(max(self._state.now + self.wake.lag, self.woken_at))

    def in_flight(self) -> list[Command]:
        """What was asked and is still on its way to the exchange, in order."""
        return self._outbox.of(self.account)

    def buy(self, instrument: str, size: Decimal | str, price: Decimal | str | None = None, **how: Any) -> OrderNumber:
        """Place a buy; no price means a market order. `how`: time_in_force, reduce_only, leg, client,
        self_trade, good_till, price_match, visible (the size that is shown at a time). Returns the order's number.
        """
        return self._place(instrument, Side.BUY, size, price, **how)

    def sell(self, instrument: str, size: Decimal | str, price: Decimal | str | None = None, **how: Any) -> OrderNumber:
        """Place a sell; no price means a market order. `how`: time_in_force, reduce_only, leg, client,
        self_trade, good_till, price_match, visible (the size that is shown at a time). Returns the order's number.
        """
        return self._place(instrument, Side.SELL, size, price, **how)

    def stop(
        self, instrument: str, side: Side, size: Decimal | str | None, trigger: Decimal | str,
        price: Decimal | str | None = None, **how: Any,
    ) -> OrderNumber:  # fmt: skip
        """Place a conditional order that buys where its price rises to `trigger`, or sells where it falls there.

        It becomes a market order, with a price a limit order; no size closes the whole position. `how`: source,
        protects, time_in_force, good_till, reduce_only, with_position, price_match, leg, client, self_trade. Returns
        the order's number.
        """
        return self._wait(TriggerKind.STOP, instrument, side, size, trigger, price, **how)

    def take_profit(
        self, instrument: str, side: Side, size: Decimal | str | None, trigger: Decimal | str,
        price: Decimal | str | None = None, **how: Any,
    ) -> OrderNumber:  # fmt: skip
        """Place a conditional order that buys where its price falls to `trigger`, or sells where it rises there; else
        as `stop`.
        """
        return self._wait(TriggerKind.TAKE_PROFIT, instrument, side, size, trigger, price, **how)

    def trailing_stop(
        self, instrument: str, side: Side, size: Decimal | str, callback: Decimal | str,
        activation: Decimal | str | None = None, **how: Any,
    ) -> OrderNumber:  # fmt: skip
        """Place a stop that follows its price, from `activation` on where there is one, and fires where the price turns
        back by `callback`, a share of 1. `how` as `stop`. Returns the order's number.
        """
        how["callback"] = rate("callback", callback)
        return self._wait(TriggerKind.TRAILING_STOP, instrument, side, size, activation, None, **how)

    def oco(
        self, instrument: str, side: Side, size: Decimal | str, limit: Decimal | str, stop: Decimal | str, *,
        source: PriceSource = PriceSource.LAST, limit_client: str = "", stop_client: str = "", **how: Any,
    ) -> tuple[OrderNumber, OrderNumber]:  # fmt: skip
        """Place a limit order, and a market order that waits for the worse price `stop`, each of which ends the other
        as soon as it trades, fires or ends. `how`: reduce_only, leg, self_trade; a client id each. Returns their
        numbers.
        """
        clients_apart(how)
        with self._collected(together=True) as orders:
            first = self._place(instrument, side, size, limit, client=limit_client, **how)
            second = self.stop(instrument, side, size, stop, source=source, client=stop_client, **how)
        self._send(linked(orders))
        return first, second

    def bracket(
        self, instrument: str, side: Side, size: Decimal | str, price: Decimal | str | None = None, *,
        take_profit: Decimal | str | None = None, stop_loss: Decimal | str | None = None,
        arms: Arming = Arming.FIRST_FILL, source: PriceSource = PriceSource.LAST, **how: Any,
    ) -> tuple[OrderNumber, ...]:  # fmt: skip
        """Place an order with a take-profit, a stop-loss or both, market orders that wait for `source` once it traded,
        for as much as it did, and end each other. `how` is of the order, as in `buy`. Returns their numbers.
        """
        if take_profit is None and stop_loss is None:
            raise ValueError("a bracket has a take_profit, a stop_loss or both; give one, or place the order alone")
        other, leg = Side.SELL if given("side", side) is Side.BUY else Side.BUY, how.get("leg", Leg.NET)
        arms = given("arms", arms)
        with self._collected(together=True) as orders:
            self._place(instrument, side, size, price, **how)
            for kind, at in ((TriggerKind.TAKE_PROFIT, take_profit), (TriggerKind.STOP, stop_loss)):
                if at is not None:
                    self._wait(kind, instrument, other, "0", at, None, source=source, leg=leg)
        self._send(linked(orders[1:], orders[0], arms))
        return tuple(order.number for order in orders)

    def cancel(self, number: OrderNumber | int = 0, *, client: str = "") -> None:
        """Cancel what is open of an order, or one that waits for its price, by its number or by its client id."""
        name, own = ClientId(given("client", client)), OrderNumber(whole("number", number))
        self._send(CancelOrder(self.now, self.account, self._request(), own, name))

    def amend(
        self, number: OrderNumber | int = 0, *, price: Decimal | str | None = None, size: Decimal | str | None = None,
        trigger: Decimal | str | None = None, callback: Decimal | str = "0", client: str = "",
    ) -> None:  # fmt: skip
        """Give a resting order, named as in `cancel`, another price, another size of the whole order, or both. With a
        `trigger` price, or a `callback` as a share of 1: one that waits for its price; without, it waits as before.
        """
        name, rate_asked = ClientId(given("client", client)), rate("callback", callback)
        one = named(self._own, (*each(self.in_flight()), *(self._batch or ())), whole("number", number), name)
        contract = self.contract(one.instrument) if one else None
        tick, lot = (contract.tick, contract.lot) if contract else (1, 1)
        prices: Any = (p if p is None else whole_or_text(p, tick) for p in (price, trigger))
        lots: Any = size if size is None else whole_or_text(size, lot)
        ticks, level = prices
        if one and level is None and not rate_asked:
            level, rate_asked = one.trigger, one.callback
        of = self.now, self.account, self._request(), OrderNumber(number)
        self._send(AmendOrder(*of, ticks, lots, name, level, rate_asked))

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Submit together what is placed, amended and cancelled inside; nothing where that fails."""
        with self._collected() as items:
            yield
        if items:
            self._send(SubmitBatch(self.now, self.account, self._request(), tuple(items)))

    @contextmanager
    def _collected(self, together: bool = False) -> Iterator[list[Any]]:
        """What is asked for inside, none of it sent; `together` under one request."""
        if self._batch is not None:
            raise ValueError("linked orders and batches are no part of a batch; send them by themselves")
        items: list[Any] = []
        self._batch = items
        send, self._send = self._send, items.append
        self._requests, self._together = self._requests + together, together
        try:
            yield items
        finally:
            self._send, self._together, self._batch = send, False, None

    def cancel_all(self, instrument: str) -> None:
        """Cancel everything that is open in the instrument, conditional orders too."""
        self._send(CancelAll(self.now, self.account, self._request(), self.contract(instrument).id))

    def set_countdown(self, instrument: str, seconds: Decimal | float | str) -> None:
        """Let all that is open in the instrument end after so many seconds unless asked again; 0: let it stand."""
        name, after = self.contract(instrument).id, nanos("seconds", seconds)
        self._send(SetCountdown(self.now, self.account, self._request(), name, after))

    def set_leverage(self, instrument: str, leverage: int) -> None:
        """Set the leverage in the instrument."""
        name, leverage = self.contract(instrument).id, whole("leverage", leverage)
        self._send(SetLeverage(self.now, self.account, self._request(), name, leverage))

    def set_margin_mode(self, instrument: str, mode: MarginMode) -> None:
        """Set the margin mode in the instrument."""
        name, mode = self.contract(instrument).id, given("mode", mode)
        self._send(SetMarginMode(self.now, self.account, self._request(), name, mode))

    def add_margin(self, instrument: str, amount: Decimal | str, leg: Leg = Leg.NET) -> None:
        """Move money from the cross wallet to the isolated wallet of a position; a negative amount moves it back."""
        money, contract = atoms("amount", amount), self.contract(instrument)
        kind = AddMargin if money > 0 else RemoveMargin
        self._send(kind(self.now, self.account, self._request(), contract.id, Atoms(abs(money)), given("leg", leg)))

    def auto_add_margin(self, instrument: str, on: bool = True) -> None:
        """Let an isolated position that falls due get margin added out of the available balance, or not."""
        self._send(SetAutoAddMargin(self.now, self.account, self._request(), self.contract(instrument).id, on))

    def use_legs(self, hedges: bool = True) -> None:
        """Hold a long and a short leg in each instrument, or one position."""
        self._send(SetPositionMode(self.now, self.account, self._request(), hedges))

    def use_all_assets(self, multi: bool = True) -> None:
        """Let all wallets answer for all positions, or each for its own asset's."""
        self._send(SetCollateralMode(self.now, self.account, self._request(), multi))

    def exchange(self, asset: str, amount: Decimal | str, into: str) -> None:
        """Exchange so much of an asset for another one at their index prices."""
        money = atoms("amount", amount)
        self._send(ExchangeAsset(self.now, self.account, self._request(), AssetId(asset), money, AssetId(into)))

    def deposit(self, asset: str, amount: Decimal | str) -> None:
        """Bring money from outside into the account's wallet."""
        self._send(Deposit(self.now, self.account, self._request(), AssetId(asset), atoms("amount", amount)))

    def transfer(self, asset: str, amount: Decimal | str, to: str) -> None:
        """Move money to another account."""
        money = atoms("amount", amount)
        self._send(Transfer(self.now, self.account, self._request(), AssetId(asset), money, AccountId(to)))

    def _place(
        self, instrument: str, side: Side, size: Decimal | str, price: Decimal | str | None,
        visible: Decimal | str | None = None, **how: Any,
    ) -> OrderNumber:  # fmt: skip
        how, side = all_given(how), given("side", side)
        contract, number = self.contract(instrument), self._number()
        lots, ticks = lots_of(contract, size), ticks_of(contract, price)
        if visible is not None:
            how["visible"] = lots_of(contract, visible)
        command = PlaceOrder(self.now, self.account, self._request(), number, contract.id, side, lots, ticks, **how)
        self._send(command)
        return number

    def _wait(
        self, kind: TriggerKind, instrument: str, side: Side, size: Decimal | str | None,
        trigger: Decimal | str | None, price: Decimal | str | None, **how: Any,
    ) -> OrderNumber:  # fmt: skip
        how, side = all_given(how), given("side", side)
        contract, number = self.contract(instrument), self._number()
        lots = Lots(0) if size is None else lots_of(contract, size)
        command = PlaceTrigger(
            self.now, self.account, self._request(), number, contract.id, side, kind, lots, ticks_of(contract, trigger),
            ticks_of(contract, price), closes=size is None, **how,
        )  # fmt: skip
        self._send(command)
        return number

    def _number(self) -> OrderNumber:
        self._numbers = max(self._numbers, self._own.last_number) + 1
        return OrderNumber(self._numbers)

    def _request(self) -> RequestId:
        self._requests += not self._together
        return RequestId(f"{self._requests}")
