"""The words of a specification: commands as they are asked, facts as they are expected, and a pack of easy numbers.

An order is named by its number alone; the scenario knows whose it is. Prices are ticks, sizes lots, money atoms; in the
easy pack one lot at one tick is worth one atom.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import Side, TimeInForce
from events.facts import Expiry, LiquidationOutcome
from events.instruments import AssetId, Bracket, InstrumentId, Leg, LinearPerp, MarginMode, RulePack
from events.refusals import Reason
from events.units import UNIT, Atoms, Lots, MarkUnits, Nanos, Rate

Expected = f.Fact

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK, POST_ONLY = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.POST_ONLY
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED
CURED, CLOSED = LiquidationOutcome.CURED, LiquidationOutcome.CLOSED

GOLD, TIN = InstrumentId("GOLD"), InstrumentId("TIN")
USD = AssetId("USD")
TICK = 10_000
"""Tick and lot of the easy instruments, so that a lot is worth an atom a tick."""

PERCENT = UNIT // 100

BRACKETS = (
    Bracket(Atoms(0), Atoms(10_000), 10, Rate(5 * PERCENT), Atoms(0)),
    Bracket(Atoms(10_000), Atoms(100_000), 5, Rate(10 * PERCENT), Atoms(500)),
    Bracket(Atoms(100_000), Atoms(1_000_000), 2, Rate(25 * PERCENT), Atoms(15_500)),
)
"""5 % of maintenance margin up to 10,000 atoms, 10 % up to 100,000, 25 % beyond."""


def instrument(id: InstrumentId, **terms: Any) -> LinearPerp:
    """An easy instrument: tick and lot worth one atom, no fees, at most 10x."""
    easy = LinearPerp(
        id=id, base=AssetId("OUNCE"), quote=USD, settle=USD, tick=MarkUnits(TICK), lot=TICK, min_lots=Lots(1),
        max_lots=Lots(10_000), min_notional=Atoms(10), maker_fee=Rate(0), taker_fee=Rate(0), liquidation_fee=Rate(0),
        funding_interval=Nanos(8 * 3600 * 10**9), brackets=BRACKETS,
    )  # fmt: skip
    return replace(easy, **terms)


def pack(*, slippage: int = 0, max_orders: int = 200, **terms: Any) -> RulePack:
    """A pack of two instruments under the same terms, GOLD and TIN."""
    instruments = tuple(instrument(name, **terms) for name in (GOLD, TIN))
    return RulePack(
        id="easy", version="1", source="by hand", market_buy_slippage=Rate(slippage), max_orders=max_orders,
        default_leverage=10, instruments=instruments,
    )  # fmt: skip


EASY = pack()


# Commands. What is left empty here (time, request, owner of a cancelled order) the scenario fills in.

NOW = Nanos(0)
NET = Leg.NET


def open_account(name: str, request: str = "") -> c.OpenAccount:
    """Open an account."""
    return c.OpenAccount(NOW, name, request)


def account(name: str, deposit: int = 0, *, mode: MarginMode = CROSS, leverage: int = 10) -> list[c.Command]:
    """Open an account with money, and set mode and leverage for GOLD."""
    asked: list[Any] = [open_account(name)]
    asked += [c.Deposit(NOW, name, "", USD, deposit)] if deposit else []
    asked += [set_mode(name, mode)] if mode is ISOLATED else []
    asked += [set_leverage(name, leverage)] if leverage != 10 else []
    return asked


def deposit(name: str, amount: int, asset: str = USD, request: str = "") -> c.Deposit:
    """Bring money in."""
    return c.Deposit(NOW, name, request, asset, amount)


def withdraw(name: str, amount: int, asset: str = USD) -> c.Withdraw:
    """Take money out."""
    return c.Withdraw(NOW, name, "", asset, amount)


def place(
    number: int, side: Side, *, lots: int | str, price: int | str | None = None, by: str = "taker",
    tif: TimeInForce = GTC, reduce_only: bool = False, on: str = GOLD, request: str = "", leg: Leg = Leg.NET,
    **instructions: Any,
) -> c.PlaceOrder:  # fmt: skip
    """Place an order; no price is a market order."""
    return c.PlaceOrder(NOW, by, request, number, on, side, lots, price, tif, reduce_only, leg, **instructions)


def resting(number: int, side: Side, *, price: int, lots: int, by: str = "maker", **more: Any) -> c.PlaceOrder:
    """Place an order that must come to rest: post-only, so that it cannot do anything else."""
    return place(number, side, price=price, lots=lots, by=by, tif=POST_ONLY, **more)


def market(number: int, side: Side, *, lots: int, by: str = "taker", **more: Any) -> c.PlaceOrder:
    """Place a market order."""
    return place(number, side, lots=lots, by=by, tif=IOC, **more)


def cancel(number: int = 0, by: str = "", client: str = "") -> c.CancelOrder:
    """Cancel an order, by its number or by the client id that its owner gave it."""
    return c.CancelOrder(NOW, by, "", number, client)


def amend(
    number: int = 0, *, price: int | str | None = None, lots: int | str | None = None, by: str = "", client: str = ""
) -> c.AmendOrder:
    """Amend a resting order: lots is its whole size."""
    return c.AmendOrder(NOW, by, "", number, price, lots, client)


def cancel_all(by: str, on: str = GOLD) -> c.CancelAll:
    """Cancel everything in an instrument."""
    return c.CancelAll(NOW, by, "", on)


def together(*items: Any, by: str = "taker", request: str = "") -> c.SubmitBatch:
    """A batch; its items are of its account and time unless they say otherwise."""
    return c.SubmitBatch(NOW, by, request, items)


def countdown(by: str, after: int, on: str = GOLD) -> c.SetCountdown:
    """Set a countdown of so many ns."""
    return c.SetCountdown(NOW, by, "", on, after)


def set_leverage(name: str, leverage: int, on: str = GOLD) -> c.SetLeverage:
    """Set the leverage."""
    return c.SetLeverage(NOW, name, "", on, leverage)


def set_mode(name: str, mode: MarginMode, on: str = GOLD) -> c.SetMarginMode:
    """Set the margin mode."""
    return c.SetMarginMode(NOW, name, "", on, mode)


def add_margin(name: str, amount: int, on: str = GOLD, leg: Leg = Leg.NET) -> c.AddMargin:
    """Add isolated margin."""
    return c.AddMargin(NOW, name, "", on, amount, leg)


def remove_margin(name: str, amount: int, on: str = GOLD, leg: Leg = Leg.NET) -> c.RemoveMargin:
    """Remove isolated margin."""
    return c.RemoveMargin(NOW, name, "", on, amount, leg)


def mark(ticks: int, on: str = GOLD, tick: int = TICK) -> c.SetMarkPrice:
    """Set the mark price to so many ticks."""
    return c.SetMarkPrice(NOW, on, ticks * tick)


def mark_at(units: int, on: str = GOLD) -> c.SetMarkPrice:
    """Set the mark price to so many mark units, where that is no whole tick."""
    return c.SetMarkPrice(NOW, on, units)


def funding(rate: int, on: str = GOLD) -> c.ApplyFunding:
    """Apply funding at a rate in 10^-8."""
    return c.ApplyFunding(NOW, on, rate)


def proceed(limit: int = 4096, room: int = 0) -> c.Proceed:
    """Do due work."""
    return c.Proceed(NOW, limit, room)


def position(
    number: int, side: Side, *, price: int, lots: int, by: str, against: str = "maker", on: str = GOLD,
    leg: Leg = Leg.NET,
) -> list[c.Command]:  # fmt: skip
    """Two orders, number and number + 1, that give `by` a position, and `against` the opposite one."""
    other = SELL if side is BUY else BUY
    return [
        resting(number, other, price=price, lots=lots, by=against, on=on),
        place(number + 1, side, price=price, lots=lots, by=by, on=on, leg=leg),
    ]


# Facts.


def refused(reason: Reason) -> Expected:
    return f.Refused(reason)


def opened(name: str) -> Expected:
    return f.AccountOpened(name)


def deposited(name: str, amount: int) -> Expected:
    return f.Deposited(name, USD, amount)


def withdrawn(name: str, amount: int) -> Expected:
    return f.Withdrawn(name, USD, amount)


def leverage_set(name: str, leverage: int) -> Expected:
    return f.LeverageSet(name, GOLD, leverage)


def mode_set(name: str, mode: MarginMode) -> Expected:
    return f.MarginModeSet(name, GOLD, mode)


def margin_moved(name: str, amount: int, leg: Leg = Leg.NET) -> Expected:
    return f.MarginMoved(name, GOLD, amount, leg)


def rested(number: int, lots: int) -> Expected:
    return f.OrderRested("", number, lots)


def amended(number: int, *, price: int, lots: int, left: int | None = None, keeps: bool = False) -> Expected:
    return f.OrderAmended("", number, price, lots, lots if left is None else left, keeps)


def all_cancelled(name: str, left: int = 0, on: str = GOLD) -> Expected:
    return f.AllCancelled(name, on, left)


def item_refused(item: int, reason: Reason, name: str = "taker") -> Expected:
    return f.ItemRefused(name, item, reason)


def item_repeated(item: int, first: int, reason: Reason | None = None, name: str = "taker") -> Expected:
    return f.ItemRepeated(name, item, first, reason)


def shrunk(number: int, lots: int, left: int) -> Expected:
    return f.OrderShrunk("", number, lots, left)


def cancelled(number: int, lots: int) -> Expected:
    return f.OrderCancelled("", number, lots)


def expired(number: int, lots: int, why: Expiry = Expiry.IMMEDIATE) -> Expected:
    return f.OrderExpired("", number, lots, why)


def traded(
    maker: int | str, taker: int | str, *, price: int, lots: int, fees: tuple[int, int] = (0, 0),
    crossed: int | None = None, on: str = GOLD, side: Side | None = None, leg: Leg = Leg.NET,
) -> Expected:  # fmt: skip
    """A trade of two orders; MARKET stands for history, an account's name for its forced order. fees: maker, taker.

    The side and the leg are the taker's; the side has to be said only where neither party is an order with a number.
    """
    names = [("", n) if isinstance(n, int) else (n, 0) for n in (maker, taker)]
    (maker_name, maker_order), (taker_name, taker_order) = names
    return f.Traded(
        on, side, price, lots, 0, maker_name, maker_order, fees[0], taker_name, taker_order, fees[1], crossed, leg
    )


def mark_moved(ticks: int, on: str = GOLD) -> Expected:
    return f.MarkPriceMoved(on, ticks * TICK)


def mark_moved_at(units: int, on: str = GOLD) -> Expected:
    return f.MarkPriceMoved(on, units)


def funding_due(rate: int, at: int, on: str = GOLD) -> Expected:
    return f.FundingDue(on, rate, at * TICK)


def funding_paid(name: str, amount: int, on: str = GOLD, leg: Leg = Leg.NET) -> Expected:
    return f.FundingPaid(name, on, amount, leg)


def liquidation_due(name: str, pool: str) -> Expected:
    return f.LiquidationDue(name, pool)


def liquidation_started(name: str, pool: str, *, equity: int, maintenance: int) -> Expected:
    return f.LiquidationStarted(name, pool, equity, maintenance)


def forced_order(
    name: str, side: Side, *, lots: int, limit: int, at: int, bankruptcy: int | None = None, on: str = GOLD,
    leg: Leg = Leg.NET,
) -> Expected:  # fmt: skip
    """at: the mark, ticks. bankruptcy: mark units, where it is no whole tick."""
    exact = limit * TICK if bankruptcy is None else bankruptcy
    return f.LiquidationOrderPlaced(name, on, side, lots, limit, at * TICK, exact, leg)


def taken_over(
    name: str, side: Side, *, lots: int, value: int, bankruptcy: int | None = None, on: str = GOLD,
    leg: Leg = Leg.NET,
) -> Expected:  # fmt: skip
    """bankruptcy: mark units, where value / lots is no whole tick."""
    exact = value // lots * TICK if bankruptcy is None else bankruptcy
    return f.TakenOver(name, on, side, lots, value, exact, leg)


def fee_charged(name: str, pool: str, amount: int) -> Expected:
    return f.LiquidationFeeCharged(name, pool, amount)


def deficit_covered(name: str, pool: str, amount: int) -> Expected:
    return f.DeficitCovered(name, pool, amount)


def liquidation_ended(name: str, pool: str, outcome: LiquidationOutcome, *, equity: int) -> Expected:
    return f.LiquidationEnded(name, pool, outcome, equity)
