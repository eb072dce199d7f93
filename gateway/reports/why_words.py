"""The records of a liquidation as sentences, every number with its unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from events import facts as f
from events.commands import MARKET, AdvanceMarket, Side
from events.guards import Hold
from events.instruments import Instrument, Inverse, RulePack, instrument_of
from events.record import kind_of
from events.units import UNIT, decimal_text
from exchange.core.state import MULTI
from gateway.console import money_text, time_text
from gateway.wording import CHUNK_DIGITS, places_of, words


def grouped(text: str) -> str:
    """A decimal number with thousands separators."""
    whole, dot, part = text.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{dot}{part}"


def places_in(step: int) -> int:
    """Decimals that a step, 10^-8, has."""
    return len(decimal_text(step).partition(".")[2])


def percent(rate: int, places: int = 1) -> str:
    """A Rate as percent."""
    return f"{rate / UNIT * 100:,.{places}f} %"


BEYOND_TICK = 2
"""Marks are finer than ticks: so many more decimals of them are read."""


@dataclass(frozen=True, slots=True)
class Words:
    """How a session's amounts, prices and sizes are written: two decimals of what prices are quoted in, eight of a
    coin.
    """

    pack: RulePack

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """The terms by name."""
        return {terms.id: terms for terms in self.pack.instruments}

    def places(self, asset: str) -> int:
        """Decimals of an amount."""
        return places_of(self.pack, asset)

    def number(self, atoms: int, asset: str) -> str:
        """An amount of atoms without its unit; exact where rounding would leave nothing of it."""
        places = self.places(asset)
        if atoms and abs(atoms) < 10 ** (8 - places):
            return decimal_text(atoms)
        return money_text(atoms, places)

    def atoms(self, atoms: int, asset: str) -> str:
        """An amount with its unit."""
        return f"{self.number(atoms, asset)} {asset}"

    def size(self, lots: int, instrument: str) -> str:
        """A size with its unit: the base asset, or contracts."""
        terms = self.instruments[instrument]
        unit = "contracts" if isinstance(terms, Inverse) else terms.base
        return f"{money_text(abs(lots) * terms.lot, places_in(terms.lot))} {unit}"

    def price(self, ticks: int, instrument: str) -> str:
        """A price with its unit."""
        tick = self.instruments[instrument].tick
        return f"{money_text(ticks * tick, places_in(tick))} {self.quote(instrument)}"

    def quote(self, instrument: str) -> str:
        """What an instrument is priced in; nothing where the pack does not have it."""
        known = self.instruments.get(instrument) or next((p for p in self.pack.spot if p.id == instrument), None)
        return str(known.quote) if known else ""

    def mark(self, units: int, instrument: str) -> str:
        """A mark, index or mean price with its unit, rounded to two places beyond those of a tick."""
        return f"{money_text(units, self.mark_places(instrument))} {self.quote(instrument)}".rstrip()

    def mark_places(self, instrument: str) -> int:
        """Decimals at which marks of an instrument are read."""
        terms = self.instruments.get(instrument)
        return min(8, places_in(terms.tick) + BEYOND_TICK) if terms else 8

    def settle(self, instrument: str) -> str:
        """What an instrument settles in."""
        return str(self.instruments[instrument].settle)

    def pool_asset(self, pool: str) -> str:
        """The asset in which a pool is measured."""
        name = instrument_of(pool)
        if pool == MULTI:
            return str(self.pack.valuation)
        return self.settle(name) if name in self.instruments else pool

    def tell(self, message: Any) -> str:
        """A record as a sentence; what no sentence is known for, by its fields."""
        teller = TELL.get(type(message))
        if teller is not None:
            return teller(self, message)
        return f"{kind_of(message).rpartition('.')[0].replace('_', ' ')}: {words(message, self.instruments)}"

    def pool_name(self, pool: str) -> str:
        """A pool as it is called."""
        if pool == MULTI:
            return "all wallets together (multi-asset)"
        return f"isolated {pool}" if instrument_of(pool) in self.instruments else f"cross pool in {pool}"


def _advanced(_: Words, command: AdvanceMarket) -> str:
    rows = (
        f"rows {command.first_row} to {command.last_row}"
        if command.first_row < command.last_row
        else f"row {command.last_row}"
    )
    return f"history of {command.instrument} went on: {rows} of chunk {command.chunk[:CHUNK_DIGITS]}"


def _mark(w: Words, fact: f.MarkPriceMoved) -> str:
    return f"the mark of {fact.instrument} moved to {w.mark(fact.mark, fact.instrument)}"


WAITS_FOR = {
    Hold.STALE_MARK: "the mark of {} is too old, the next one is waited for",
    Hold.AUCTIONED: "the next step of the auction is waited for, in {}",
    Hold.CAPPED: "as much of {} as the cap allows was liquidated, the end of its window is waited for",
    Hold.HALTED: "trading in {} is halted, the end of the halt is waited for",
}
"""Why a liquidation is put off."""


def _put_off(_: Words, fact: f.LiquidationPutOff) -> str:
    return f"put off: {WAITS_FOR[fact.why].format(fact.instrument)}"


def _due(_: Words, fact: f.LiquidationDue) -> str:
    return f"{fact.account} fell due: its equity was down to its maintenance margin"


def _funding_due(w: Words, fact: f.FundingDue) -> str:
    rate = decimal_text(fact.rate * 100) + (f" / {fact.over}" if fact.over > 1 else "")
    mark = w.mark(fact.mark, fact.instrument)
    return f"a funding time of {fact.instrument} passed: {rate} % of the notional at {mark}"


def _funding(w: Words, fact: f.FundingPaid) -> str:
    verb = "received" if fact.amount > 0 else "paid"
    amount = w.atoms(abs(fact.amount), w.settle(fact.instrument))
    return f"{fact.account} {verb} funding of {amount} on {fact.instrument}"


def _index(w: Words, fact: f.IndexPriceMoved) -> str:
    return f"the index of {fact.instrument} moved to {w.mark(fact.index, fact.instrument)}"


def _interest(w: Words, fact: f.InterestPaid) -> str:
    return f"{fact.account} paid interest of {w.atoms(fact.amount, fact.asset)} on a debt"


def _settled(w: Words, fact: f.PositionSettled) -> str:
    amount = w.atoms(fact.amount, w.settle(fact.instrument))
    return f"{fact.instrument} settled at {w.mark(fact.price, fact.instrument)}: {amount}"


def _margin(w: Words, fact: f.MarginMoved) -> str:
    return f"margin of {w.atoms(fact.amount, w.settle(fact.instrument))} was added to {fact.instrument} by rule"


def _exchanged(w: Words, fact: f.Exchanged) -> str:
    given, taken = w.atoms(fact.amount, fact.asset), w.atoms(fact.received, fact.into)
    return f"exchanged {given} for {taken}, fee {w.atoms(fact.fee, fact.into)}"


def _called(w: Words, fact: f.MarginCalled) -> str:
    asset = w.pool_asset(fact.pool)
    equity, needed = w.atoms(fact.equity, asset), w.atoms(fact.maintenance, asset)
    ratio = percent(fact.maintenance * UNIT // fact.equity) if fact.equity > 0 else "over 100 %"
    return f"margin call: equity {equity} against a maintenance margin of {needed}, margin ratio {ratio}"


def _started(w: Words, fact: f.LiquidationStarted) -> str:
    asset = w.pool_asset(fact.pool)
    equity, needed = w.atoms(fact.equity, asset), w.atoms(fact.maintenance, asset)
    return f"liquidation started with equity {equity} against a maintenance margin of {needed}"


def _expired(_: Words, fact: f.OrderExpired) -> str:
    if fact.reason is not None:
        return f"order {fact.number} was refused when it fired: {fact.reason.value}"
    return f"order {fact.number} was cancelled"


def _reached(_: Words, fact: f.TriggersReached) -> str:
    orders = "a conditional order" if fact.orders == 1 else f"{fact.orders} conditional orders"
    return f"prices of {fact.instrument} reached {orders}"


def _armed(_: Words, fact: f.TriggerArmed) -> str:
    return f"conditional order {fact.number} waits, as its entry traded"


def _triggered(_: Words, fact: f.OrderTriggered) -> str:
    return f"conditional order {fact.number} fired"


def _placed(w: Words, fact: f.LiquidationOrderPlaced) -> str:
    limit = w.price(fact.limit, fact.instrument)
    bankruptcy = w.mark(fact.bankruptcy, fact.instrument)
    verb = "sell" if fact.side is Side.SELL else "buy"
    return f"order to {verb} {w.size(fact.lots, fact.instrument)} at {limit} or better: bankruptcy price {bankruptcy}"


def _traded(w: Words, fact: f.Traded) -> str:
    return fills(w, [fact])


def fills(w: Words, trades: list[f.Traded]) -> str:
    """One fill, or many in one sentence."""
    first = trades[0]
    name, makers = first.instrument, sorted({trade.maker for trade in trades})
    prices = [trade.price for trade in trades]
    low, high = w.price(min(prices), name), w.price(max(prices), name)
    asset = w.settle(name)
    value = w.atoms(sum(trade.value for trade in trades), asset)
    fee = sum(trade.taker_fee for trade in trades)
    sold = "sold" if first.side is Side.SELL else "bought"
    size = w.size(sum(trade.lots for trade in trades), name)
    whom = "the market's book" if makers == [MARKET] else f"{len(makers)} makers" if len(makers) > 1 else makers[0]
    where = f"at {low}" if low == high else f"in {len(trades)} fills from {low.partition(' ')[0]} to {high}"
    preposition = "to" if first.side is Side.SELL else "from"
    charged = f", trading fee {w.atoms(fee, asset)}" if fee else ""
    return f"{sold} {size} {preposition} {whom} {where}: {value}{charged}"


def _taken_over(w: Words, fact: f.TakenOver) -> str:
    value = w.atoms(fact.value, w.settle(fact.instrument))
    size, price = w.size(fact.lots, fact.instrument), w.mark(fact.bankruptcy, fact.instrument)
    fee = f", trading fee {w.atoms(fact.fee, w.settle(fact.instrument))}" if fact.fee else ""
    return f"the insurance fund took over {size} at the bankruptcy price {price}: {value}{fee}"


def _deleveraged(w: Words, fact: f.Deleveraged) -> str:
    value = w.atoms(fact.value, w.settle(fact.instrument))
    size, price = w.size(fact.lots, fact.instrument), w.mark(fact.bankruptcy, fact.instrument)
    whom = "MARKET, as no ranked account was left" if fact.against == MARKET else fact.against
    fee = f", trading fee {w.atoms(fact.fee, w.settle(fact.instrument))}" if fact.fee else ""
    return f"{size} were closed against {whom} at the bankruptcy price {price}: {value}{fee}"


def _netted(w: Words, fact: f.LegsNetted) -> str:
    size, value = w.size(fact.lots, fact.instrument), w.atoms(fact.value, w.settle(fact.instrument))
    return f"long and short leg of {fact.instrument} closed each other over {size} at the mark: {value}"


def _shared(w: Words, fact: f.LossShared) -> str:
    amount = w.atoms(fact.amount, w.settle(fact.instrument))
    return f"{fact.account} bore {amount} of the loss out of its profit in {fact.instrument}"


def _fee(w: Words, fact: f.LiquidationFeeCharged) -> str:
    return f"liquidation fee of {w.atoms(fact.amount, w.pool_asset(fact.pool))} to the insurance fund"


def _covered(w: Words, fact: f.DeficitCovered) -> str:
    return f"the insurance fund covered a deficit of {w.atoms(fact.amount, w.pool_asset(fact.pool))}"


def _stepped(_: Words, fact: f.AuctionStepped) -> str:
    return f"step {fact.step} of the auction left the pool due, the next one comes at {time_text(fact.until)} UTC"


def _cooldown(_: Words, fact: f.CooldownStarted) -> str:
    return f"a slice was closed: until {time_text(fact.until)} UTC orders are for whole positions"


def _ended(w: Words, fact: f.LiquidationEnded) -> str:
    equity = w.atoms(fact.equity, w.pool_asset(fact.pool))
    return {
        f.LiquidationOutcome.REDUCED: f"liquidation ended: reduced, {equity} of equity is left in the pool",
        f.LiquidationOutcome.CURED: f"the pool had recovered: nothing was closed, equity {equity}",
        f.LiquidationOutcome.CLOSED: f"liquidation ended: everything is closed, {equity} left",
    }[fact.outcome]


TELL: dict[type, Callable[[Words, Any], str]] = {
    AdvanceMarket: _advanced,
    f.MarkPriceMoved: _mark,
    f.LiquidationDue: _due,
    f.LiquidationPutOff: _put_off,
    f.FundingDue: _funding_due,
    f.FundingPaid: _funding,
    f.IndexPriceMoved: _index,
    f.InterestPaid: _interest,
    f.PositionSettled: _settled,
    f.MarginMoved: _margin,
    f.Exchanged: _exchanged,
    f.MarginCalled: _called,
    f.LiquidationStarted: _started,
    f.OrderExpired: _expired,
    f.TriggersReached: _reached,
    f.TriggerArmed: _armed,
    f.OrderTriggered: _triggered,
    f.LiquidationOrderPlaced: _placed,
    f.Traded: _traded,
    f.TakenOver: _taken_over,
    f.Deleveraged: _deleveraged,
    f.LegsNetted: _netted,
    f.LossShared: _shared,
    f.LiquidationFeeCharged: _fee,
    f.DeficitCovered: _covered,
    f.AuctionStepped: _stepped,
    f.CooldownStarted: _cooldown,
    f.LiquidationEnded: _ended,
}
