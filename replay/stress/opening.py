"""The opening: rules, fund, a book deep enough for all, and each account with its money and its positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from events import commands as c
from events.instruments import MarginMode
from events.units import UNIT, Atoms, Lots, Ticks
from exchange.core.contract import Contract
from exchange.core.fees import fee_rates
from exchange.core.margin.model import initial_of
from exchange.core.margin.pretrade import order_sums
from exchange.core.state import State
from replay.stress.population import Member, Modes, Stake
from replay.stress.scenario import Scenario, lots_of


class Order(NamedTuple):
    """A position to be as the market takes it: ticks, lots, and the leverage that its size allows.

    cost is what opening it takes, atoms: initial margin, fees, and the loss against the mark.
    """

    contract: Contract
    sign: int
    lots: int
    price: int
    leverage: int
    cost: int


def order_of(state: State, member: Member, stake: Stake, contract: Contract, price: int) -> Order:
    """The order that opens a stake at a price in ticks. The size is a whole number of lots within the limits of one
    order; where the brackets do not allow the leverage at this size, the highest that they allow is taken.
    """
    terms = contract.terms
    at = price * contract.tick
    least = -(-terms.min_notional * UNIT // contract.notional_per_lot(at))
    lots = min(terms.max_lots, max(terms.min_lots, least, lots_of(terms, stake.notional, at)))
    position = state.position(state.accounts[member.name], contract)
    fee = fee_rates(state, position)[1]
    leverage = min(member.leverage, contract.rules.brackets.max_leverage)
    position.set_leverage(leverage)
    sums = order_sums(position, stake.sign, at, fee)
    while leverage > 1 and lots * sums[0] > position.max_notional:
        leverage -= 1
        position.set_leverage(leverage)
    sums = order_sums(position, stake.sign, at, fee)
    cost = initial_of(position, lots * sums[0]) + lots * sums[1]
    return Order(contract, stake.sign, lots, price, leverage, -(-cost // UNIT) + 1)


def commands_of(state: State, scenario: Scenario, member: Member, modes: Modes) -> Iterator[c.Command]:
    """What an account asks for: to be opened, money, its mode and leverage, and its orders, each at once or never.

    The orders are worked out once the account is there.
    """
    at, name = scenario.at, member.name
    yield c.OpenAccount(at, name, c.RequestId("open"))
    orders = []
    for terms, price, stake in zip(scenario.markets, scenario.prices, member.stakes, strict=False):
        ticks = opening_prices(price, terms.tick)[stake.sign]
        orders.append(order_of(state, member, stake, state.contracts[terms.id], ticks))
    cost = sum(order.cost for order in orders)
    asset = scenario.markets[0].settle
    yield c.Deposit(at, name, c.RequestId("fund"), asset, Atoms(cost + cost * member.spare // UNIT))
    isolated = member.is_isolated if modes is Modes.MIXED else modes is Modes.ISOLATED
    for number, order in enumerate(orders, 1):
        contract, many = order.contract, c.OrderNumber(number)
        if isolated:
            yield c.SetMarginMode(at, name, c.RequestId(f"mode{number}"), contract.id, MarginMode.ISOLATED)
        if order.leverage != contract.default_leverage:
            yield c.SetLeverage(at, name, c.RequestId(f"leverage{number}"), contract.id, order.leverage)
        side = c.Side.BUY if order.sign > 0 else c.Side.SELL
        yield c.PlaceOrder(
            at, name, c.RequestId(f"order{number}"), many, contract.id, side, Lots(order.lots), Ticks(order.price),
            c.TimeInForce.IOC,
        )  # fmt: skip


def opening_prices(price: int, tick: int) -> dict[int, int]:
    """Sign -> the price in ticks at which all orders of that side open: the ask, and the bid one tick below."""
    ask = -(-price // tick)
    return {1: ask, -1: ask - 1}


def lots_wanted(scenario: Scenario, members: list[Member], market: int) -> dict[int, int]:
    """Sign -> more lots than all accounts together can want in a market."""
    terms, price = scenario.markets[market], scenario.prices[market]
    wanted = {1: 1, -1: 1}
    least = max(terms.min_lots, lots_of(terms, 2 * terms.min_notional, price) + 1)
    for member in members:
        if market < len(member.stakes):
            stake = member.stakes[market]
            wanted[stake.sign] += least + lots_of(terms, stake.notional, price) * 11 // 10
    return wanted
