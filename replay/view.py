"""What is to be seen of an account and its market at a moment, as people read it: in decimals, by names.

All of it is computed from the state at the time of the call; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal

from events.commands import AccountId, ClientId, OrderNumber, Side
from events.instruments import AssetId, Leg, position_name
from events.phases import TradingPhase
from events.units import UNIT
from exchange.core.contract import Contract
from exchange.core.fees import fee_rates
from exchange.core.margin.model import available_atoms
from exchange.core.margin.pretrade import max_lots, reserve_price
from exchange.core.matching.uncrossing import clearing
from exchange.core.state import Account, State
from exchange.projections.adl import light
from replay.parameters import exact, given
from replay.quotes import Funding, Indicative, Margin, Quote, equity_atoms, funding_of, margin_of, price_of


class View:
    """What is to be seen of an account and of the markets."""

    def __init__(self, state: Callable[[], State], account: AccountId) -> None:
        self._state_now = state
        self.account = account

    def mark(self, instrument: str) -> Decimal | None:
        """The mark price."""
        mark = self.contract(instrument).mark
        return Decimal(mark) / UNIT if mark else None

    def quote(self, instrument: str) -> Quote:
        """The best bid and ask."""
        contract = self.contract(instrument)
        book = contract.book
        return Quote(price_of(contract, book.best_price(book.bids)), price_of(contract, book.best_price(book.asks)))

    def funding(self, instrument: str) -> Funding:
        """The funding rate as it stands, and when it is paid next."""
        return funding_of(self._state, self.contract(instrument))

    def phase(self, instrument: str) -> TradingPhase:
        """What may be done in the instrument."""
        return self.contract(instrument).phase

    def indicative(self, instrument: str) -> Indicative | None:
        """What trading would begin with if it were continuous from now on, None where nothing crosses."""
        contract = self.contract(instrument)
        if (found := clearing(contract)) is None:
            return None
        price = price_of(contract, found.price)
        assert price is not None
        lots, surplus = (Decimal(size * contract.lot) / UNIT for size in (found.lots, found.surplus))
        return Indicative(price, lots, surplus)

    def position(self, instrument: str, leg: Leg = Leg.NET) -> Decimal:
        """The signed size held, in hedge mode of one leg."""
        position = self._own.positions.get(position_name(instrument, given("leg", leg)))
        return Decimal(position.lots * position.contract.lot) / UNIT if position else Decimal(0)

    def adl_light(self, instrument: str, leg: Leg = Leg.NET) -> int | None:
        """Where the position stands in the queue of auto-deleveraging, 5 for the first fifth, 1 for the last; None
        without a position.
        """
        return light(self._state, self.account, position_name(self.contract(instrument).id, given("leg", leg)))

    def leverage(self, instrument: str) -> int:
        """The leverage in the instrument."""
        contract = self.contract(instrument)
        return self._state.position(self._own, contract).leverage

    def open_orders(self, instrument: str = "") -> dict[OrderNumber, Decimal]:
        """Open orders by number, with the signed size that is still open; of all instruments where none is named."""
        orders = [order for order in self._own.orders.values() if instrument in ("", order.instrument)]
        return {o.number: Decimal(o.sign * o.lots * self.contract(o.instrument).lot) / UNIT for o in orders}

    def clients(self) -> dict[ClientId, OrderNumber]:
        """The client ids of what is open or waits, with its number."""
        return dict(self._own.clients)

    def triggers(self) -> dict[OrderNumber, Decimal]:
        """Conditional orders that wait, by number, with their signed size: 0 of one that closes the whole position."""
        waiting = self._own.triggers.values()
        return {
            OrderNumber(t.placed.number): Decimal(t.sign * t.placed.lots * t.holder.contract.lot) / UNIT
            for t in waiting
        }

    def available(self, asset: str = "USDT") -> Decimal:
        """Available balance."""
        if asset not in self._state.ledger:
            return Decimal(0)
        return Decimal(available_atoms(self._state.wallet(self._own, AssetId(asset)))) / UNIT

    def equity(self, asset: str = "USDT") -> Decimal:
        """Everything the account owns in the asset at the present marks: wallets and unrealised PnL, isolated ones
        too.
        """
        return Decimal(equity_atoms(self._own, asset)) / UNIT

    def margin(self, pool: str = "USDT", leg: Leg = Leg.NET) -> Margin:
        """Equity and margins of the pool that answers for an instrument's position, or for an asset."""
        if pool in self._state.contracts:
            return margin_of(self._state.position(self._own, self.contract(pool), given("leg", leg)).pool)
        if pool not in self._state.ledger:
            raise LookupError(f"the session has no instrument and no asset {pool!r}")
        return margin_of(self._own.multi or self._state.wallet(self._own, AssetId(pool)))

    def max_size(self, instrument: str, side: Side, price: Decimal | str | None = None, leg: Leg = Leg.NET) -> Decimal:
        """The largest order that margin and brackets carry at a price, by default that of a market order: one lot more
        is refused. On the side that closes a leg: what there is to close. 0 while there is no mark price.
        """
        contract, state = self.contract(instrument), self._state
        assert state.pack is not None
        if not contract.mark:
            return Decimal(0)
        sign = 1 if given("side", side) is Side.BUY else -1
        position = state.position(self._own, contract, leg := given("leg", leg))
        if leg.sign * sign < 0:
            return Decimal(abs(position.lots) * contract.lot) / UNIT
        at = reserve_price(contract, sign, state.pack.market_buy_slippage)
        at = at if price is None else int(exact("price", price) * UNIT)
        lots = max_lots(position, sign, at, fee_rates(state, position)[1])
        if price is None and contract.terms.market_max_lots:
            lots = min(lots, contract.terms.market_max_lots)
        return Decimal(lots * contract.lot) / UNIT

    def whole_lots(self, instrument: str, size: Decimal) -> Decimal:
        """The size rounded down to whole lots."""
        lot = Decimal(self.contract(instrument).lot) / UNIT
        return (size / lot).to_integral_value(ROUND_DOWN) * lot

    def whole_ticks(self, instrument: str, price: Decimal) -> Decimal:
        """The price rounded down to whole ticks."""
        tick = Decimal(self.contract(instrument).tick) / UNIT
        return (price / tick).to_integral_value(ROUND_FLOOR) * tick

    def price(self, instrument: str, ticks: int) -> Decimal:
        """The price that a fact states in ticks."""
        return Decimal(ticks * self.contract(instrument).tick) / UNIT

    def size(self, instrument: str, lots: int) -> Decimal:
        """The size that a fact states in lots."""
        return Decimal(lots * self.contract(instrument).lot) / UNIT

    @property
    def _state(self) -> State:
        """The state of this moment: another object once a session was built anew."""
        return self._state_now()

    @property
    def _own(self) -> Account:
        return self._state.accounts[self.account]

    def contract(self, instrument: str) -> Contract:
        """The instrument as the session has it. Raises LookupError."""
        contracts = self._state.contracts
        if instrument not in contracts:
            raise LookupError(f"the session has no instrument {instrument!r}, it has {', '.join(contracts)}")
        return contracts[instrument]  # type: ignore[index]
