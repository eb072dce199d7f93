"""The endpoints of an account: balances, positions, trades, income, and the key by which it is listened to."""

from __future__ import annotations

from typing import Any

from exchange.core.fees import fee_rates, tier_of
from exchange.projections.adl import light
from gateway.binance import figures, shapes
from gateway.binance.algo import ALGO_ROUTES
from gateway.binance.desk import Desk, Request, Route, Routes, Security, signed, trading
from gateway.binance.errors import invalid, no_listen_key
from gateway.binance.finding import symbol_of, window
from gateway.binance.settings import DONE, SETTING_ROUTES
from gateway.binance.texts import fixed
from gateway.serving.keys import Scope
from gateway.serving.tape.trades import trade_id

NEVER_MS = 0
NO_GROUP = -1


async def account_v3(desk: Desk, request: Request) -> Any:
    """GET /fapi/v3/account: positions that are there, and their orders' margin."""
    await desk.venue.settled()
    state, account = desk.venue.state, desk.account(request.account)
    balances = figures.balances_of(state, account)
    shown = filter(figures.is_shown, figures.positions_of(state, account, None))
    return {
        **figures.totals(state, account, balances),
        "assets": [figures.asset_figures(desk, balance) for balance in balances],
        "positions": [figures.account_position(desk, position) for position in shown],
    }


async def account_v2(desk: Desk, request: Request) -> Any:
    """GET /fapi/v2/account: positions of all symbols."""
    await desk.venue.settled()
    state, account = desk.venue.state, desk.account(request.account)
    balances = figures.balances_of(state, account)
    positions = figures.positions_of(state, account, None)
    return {
        "feeTier": tier_of(state, account) if state.fee_tiers else 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "tradeGroupId": NO_GROUP,
        "updateTime": desk.venue.shown_ms,
        "multiAssetsMargin": account.multi is not None,
        **figures.totals(state, account, balances),
        "assets": [figures.asset_figures(desk, balance) for balance in balances],
        "positions": [figures.account_position_v2(desk, position) for position in positions],
    }


async def balance(desk: Desk, request: Request) -> Any:
    """GET /fapi/v2/balance and v3."""
    await desk.venue.settled()
    state, account = desk.venue.state, desk.account(request.account)
    return [figures.balance_figures(desk, one) for one in figures.balances_of(state, account)]


async def position_risk_v3(desk: Desk, request: Request) -> Any:
    """GET /fapi/v3/positionRisk."""
    symbol = symbol_of(desk, request.params)
    await desk.venue.settled()
    positions = figures.positions_of(desk.venue.state, desk.account(request.account), symbol)
    return [figures.position_risk(desk, position) for position in filter(figures.is_shown, positions)]


async def position_risk_v2(desk: Desk, request: Request) -> Any:
    """GET /fapi/v2/positionRisk and v1: all symbols."""
    symbol = symbol_of(desk, request.params)
    await desk.venue.settled()
    positions = figures.positions_of(desk.venue.state, desk.account(request.account), symbol)
    return [figures.position_risk_v2(desk, position) for position in positions]


def config(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/accountConfig."""
    state, account = desk.venue.state, desk.account(request.account)
    return {
        "feeTier": tier_of(state, account) if state.fee_tiers else 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "dualSidePosition": account.hedges,
        "updateTime": NEVER_MS,
        "multiAssetsMargin": account.multi is not None,
        "tradeGroupId": NO_GROUP,
    }


def leverage_bracket(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/leverageBracket: a list, of one symbol too."""
    symbol = symbol_of(desk, request.params)
    contracts = desk.venue.state.contracts.values()
    return [figures.brackets(contract) for contract in contracts if symbol in (None, contract.id)]


def commission(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/commissionRate."""
    contract, state = desk.contract(request.params.need("symbol")), desk.venue.state
    maker, taker = fee_rates(state, state.position(desk.account(request.account), contract))
    return {
        "symbol": contract.id,
        "makerCommissionRate": fixed(maker, 6),
        "takerCommissionRate": fixed(taker, 6),
        "rpiCommissionRate": fixed(maker, 6),
    }


def user_trades(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/userTrades."""
    params = request.params
    symbol, number = desk.contract(params.need("symbol")).id, params.whole("orderId")
    rows = (fill for fill in desk.blotter.fills(request.account, symbol) if number in (None, fill.number))
    found = window(desk, params, rows, lambda row: row.at, lambda row: trade_id(row.id), "fromId")
    return [shapes.trade(desk, fill) for fill in found]


def income(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/income."""
    params = request.params
    symbol, kind = symbol_of(desk, params), params.get("incomeType")
    rows = (
        entry
        for entry in desk.blotter.income(request.account, symbol)
        if kind is None or shapes.INCOMES[entry.kind] == kind
    )
    found = window(desk, params, rows, lambda row: row.at, lambda row: row.id, default=100)
    return [shapes.income(desk, entry) for entry in found]


def amendments(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/orderAmendment."""
    params = request.params
    symbol = desk.contract(params.need("symbol")).id
    number, client = params.whole("orderId"), params.get("origClientOrderId")
    rows = (
        row
        for row in desk.blotter.amendments(request.account, symbol)
        if number in (None, row.number) and client in (None, row.client)
    )
    found = window(desk, params, rows, lambda row: row.at, lambda row: row.id, default=50)
    return [shapes.amendment(desk, row) for row in found]


def force_orders(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/forceOrders."""
    params = request.params
    symbol, kind = symbol_of(desk, params), params.get("autoCloseType")
    if kind not in (None, "LIQUIDATION", "ADL"):
        raise invalid("autoCloseType")
    rows = (row for row in desk.blotter.orders(request.account, symbol) if row.is_forced and kind != "ADL")
    found = window(desk, params, rows, lambda row: row.placed_at, lambda row: row.number, default=50)
    return [shapes.order(desk, row) for row in found]


async def adl_quantile(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/adlQuantile: 0 to 4, the last of which is deleveraged first."""
    symbol = symbol_of(desk, request.params)
    await desk.venue.settled()
    state = desk.venue.state
    found: dict[str, dict[str, int]] = {}
    for position in figures.positions_of(state, desk.account(request.account), symbol):
        place = light(state, position.account, position.name)
        if place is not None:
            shown = found.setdefault(position.contract.id, {"LONG": 0, "SHORT": 0})
            shown[shapes.LEGS[position.leg]] = place - 1
    return [{"symbol": name, "adlQuantile": shown} for name, shown in found.items()]


def order_limits(desk: Desk, _request: Request) -> Any:
    """GET /fapi/v1/rateLimit/order."""
    rules = desk.limits.rules
    shown = (("SECOND", 10, rules.orders_10s), ("MINUTE", 1, rules.orders_1m))
    return [
        {"rateLimitType": "ORDERS", "interval": interval, "intervalNum": count, "limit": limit}
        for interval, count, limit in shown
    ]


def trading_status(desk: Desk, _request: Request) -> Any:
    """GET /fapi/v1/apiTradingStatus: nobody is watched for how he trades."""
    return {"indicators": {}, "updateTime": desk.venue.shown_ms}


def fee_burn(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/feeBurn."""
    return {"feeBurn": desk.fee_burn.get(request.account, False)}


def set_fee_burn(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/feeBurn: remembered while the server runs; fees are paid in the settle asset all the same."""
    desk.fee_burn[request.account] = request.params.need_flag("feeBurn")
    return DONE


# The key of the user's stream


def start_stream(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/listenKey."""
    return {"listenKey": desk.listen_keys.start(request.account)}


def keep_stream(desk: Desk, request: Request) -> Any:
    """PUT /fapi/v1/listenKey."""
    key = desk.listen_keys.keep(request.account)
    if key is None:
        raise no_listen_key()
    return {"listenKey": key}


def stop_stream(desk: Desk, request: Request) -> Any:
    """DELETE /fapi/v1/listenKey."""
    desk.listen_keys.stop(request.account)
    return {}


def keyed(handler: Any) -> Route:
    """A route for whoever has a key."""
    return Route(handler, 1, Security.KEY, Scope.READ)


ACCOUNT_ROUTES: Routes = {
    **ALGO_ROUTES,
    **SETTING_ROUTES,
    ("GET", "/fapi/v3/account"): signed(account_v3, 5),
    ("GET", "/fapi/v2/account"): signed(account_v2, 5),
    ("GET", "/fapi/v1/account"): signed(account_v2, 5),
    ("GET", "/fapi/v3/balance"): signed(balance, 5),
    ("GET", "/fapi/v2/balance"): signed(balance, 5),
    ("GET", "/fapi/v1/balance"): signed(balance, 5),
    ("GET", "/fapi/v3/positionRisk"): signed(position_risk_v3, 5),
    ("GET", "/fapi/v2/positionRisk"): signed(position_risk_v2, 5),
    ("GET", "/fapi/v1/positionRisk"): signed(position_risk_v2, 5),
    ("GET", "/fapi/v1/accountConfig"): signed(config, 5),
    ("GET", "/fapi/v1/leverageBracket"): signed(leverage_bracket),
    ("GET", "/fapi/v1/commissionRate"): signed(commission, 20),
    ("GET", "/fapi/v1/userTrades"): signed(user_trades, 5),
    ("GET", "/fapi/v1/income"): signed(income, 30),
    ("GET", "/fapi/v1/orderAmendment"): signed(amendments),
    ("GET", "/fapi/v1/forceOrders"): signed(force_orders, 20),
    ("GET", "/fapi/v1/adlQuantile"): signed(adl_quantile, 5),
    ("GET", "/fapi/v1/rateLimit/order"): signed(order_limits),
    ("GET", "/fapi/v1/apiTradingStatus"): signed(trading_status),
    ("GET", "/fapi/v1/feeBurn"): signed(fee_burn, 30),
    ("POST", "/fapi/v1/feeBurn"): trading(set_fee_burn),
    ("POST", "/fapi/v1/listenKey"): keyed(start_stream),
    ("PUT", "/fapi/v1/listenKey"): keyed(keep_stream),
    ("DELETE", "/fapi/v1/listenKey"): keyed(stop_stream),
}
"""Method and path -> who answers."""
