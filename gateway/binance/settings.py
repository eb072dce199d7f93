"""The endpoints of what an account chooses: leverage, margin mode, position mode, collateral, isolated margin."""

from __future__ import annotations

from typing import Any

from events.commands import AddMargin, RemoveMargin, SetCollateralMode, SetLeverage, SetMarginMode, SetPositionMode
from events.instruments import MarginMode
from events.refusals import Reason
from events.units import Atoms
from exchange.core.state import Position
from gateway.binance import shapes
from gateway.binance.asking import atoms_of, leg_of
from gateway.binance.desk import Desk, Request, Routes, signed, trading
from gateway.binance.errors import BinanceError, invalid
from gateway.binance.figures import max_notional, positions_of
from gateway.binance.finding import symbol_of, window

DONE = {"code": 200, "msg": "success"}
MODES = {"ISOLATED": MarginMode.ISOLATED, "CROSSED": MarginMode.CROSS}
LEVERAGE_MAX = 10**6


def _positions(desk: Desk, request: Request) -> list[Position]:
    """The positions of the request's symbol. Raises BinanceError."""
    symbol = desk.contract(request.params.need("symbol")).id
    return list(positions_of(desk.venue.state, desk.account(request.account), symbol))


async def set_leverage(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/leverage."""
    position, venue = _positions(desk, request)[0], desk.venue
    leverage, symbol = request.params.need_whole("leverage"), position.contract.id
    if not 0 < leverage < LEVERAGE_MAX:
        raise BinanceError(-4028, f"Leverage {leverage} is not valid")
    await desk.ask(SetLeverage(venue.now, request.account, venue.request(), symbol, leverage))
    kept = _positions(desk, request)[0]
    return {"leverage": leverage, "maxNotionalValue": max_notional(kept), "symbol": symbol}


async def set_margin_type(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/marginType. Clients know what needs no change by the very text."""
    positions, venue = _positions(desk, request), desk.venue
    if (mode := MODES.get(request.params.need("marginType").upper())) is None:
        raise invalid("marginType")
    if positions[0].mode is mode:
        raise BinanceError(-4046, "No need to change margin type.")
    command = SetMarginMode(venue.now, request.account, venue.request(), positions[0].contract.id, mode)
    acknowledged = await venue.ask(command)
    if acknowledged.reason is Reason.OPEN_ORDERS_OR_POSITION and any(position.lots for position in positions):
        raise BinanceError(-4048, "Margin type cannot be changed if there exists position.")
    if acknowledged.reason is not None:
        raise desk.refused(acknowledged.reason, command)
    return DONE


def position_mode(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/positionSide/dual."""
    return {"dualSidePosition": desk.account(request.account).hedges}


async def set_position_mode(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/positionSide/dual."""
    account, venue = desk.account(request.account), desk.venue
    hedges = request.params.need_flag("dualSidePosition")
    if account.hedges is hedges:
        raise BinanceError(-4059, "No need to change position side.")
    command = SetPositionMode(venue.now, request.account, venue.request(), hedges)
    acknowledged = await venue.ask(command)
    if acknowledged.reason is Reason.OPEN_ORDERS_OR_POSITION and not (account.orders or account.triggers):
        raise BinanceError(-4068, "Position side cannot be changed if there exists position.")
    if acknowledged.reason is not None:
        raise desk.refused(acknowledged.reason, command)
    return DONE


def collateral_mode(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/multiAssetsMargin."""
    return {"multiAssetsMargin": desk.account(request.account).multi is not None}


async def set_collateral_mode(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/multiAssetsMargin."""
    account, venue = desk.account(request.account), desk.venue
    multi = request.params.need_flag("multiAssetsMargin")
    if (account.multi is not None) is multi:
        text = "Adjusted asset mode is currently set and does not need to be adjusted repeatedly."
        raise BinanceError(-4171, text)
    await desk.ask(SetCollateralMode(venue.now, request.account, venue.request(), multi))
    return DONE


async def move_margin(desk: Desk, request: Request) -> Any:
    """POST /fapi/v1/positionMargin: type 1 adds margin to an isolated position, 2 takes it away."""
    params, venue = request.params, desk.venue
    symbol = desk.contract(params.need("symbol")).id
    amount, kind, leg = atoms_of(params, "amount"), params.need_whole("type"), leg_of(params)
    if kind not in (1, 2):
        raise invalid("type")
    make = AddMargin if kind == 1 else RemoveMargin
    await desk.ask(make(venue.now, request.account, venue.request(), symbol, Atoms(amount), leg))
    text = "Successfully modify position margin."
    return {"amount": amount / 10**8, "code": 200, "msg": text, "type": kind}


def margin_moves(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/positionMargin/history."""
    params = request.params
    symbol, kind = desk.contract(params.need("symbol")).id, params.whole("type")
    rows = (
        move for move in desk.blotter.moves(request.account, symbol) if kind is None or (kind == 1) == (move.amount > 0)
    )
    return [shapes.move(desk, move) for move in window(desk, params, rows, lambda row: row.at, lambda row: row.id)]


def symbol_config(desk: Desk, request: Request) -> Any:
    """GET /fapi/v1/symbolConfig."""
    state, account = desk.venue.state, desk.account(request.account)
    shown: dict[str, Position] = {}
    for position in positions_of(state, account, symbol_of(desk, request.params)):
        shown.setdefault(position.contract.id, position)
    return [
        {
            "symbol": symbol,
            "marginType": "ISOLATED" if position.is_isolated else "CROSSED",
            "isAutoAddMargin": position.auto_add,
            "leverage": position.leverage,
            "maxNotionalValue": max_notional(position),
        }
        for symbol, position in shown.items()
    ]


SETTING_ROUTES: Routes = {
    ("POST", "/fapi/v1/leverage"): trading(set_leverage),
    ("POST", "/fapi/v1/marginType"): trading(set_margin_type),
    ("GET", "/fapi/v1/positionSide/dual"): signed(position_mode, 30),
    ("POST", "/fapi/v1/positionSide/dual"): trading(set_position_mode),
    ("GET", "/fapi/v1/multiAssetsMargin"): signed(collateral_mode, 30),
    ("POST", "/fapi/v1/multiAssetsMargin"): trading(set_collateral_mode),
    ("POST", "/fapi/v1/positionMargin"): trading(move_margin),
    ("GET", "/fapi/v1/positionMargin/history"): signed(margin_moves),
    ("GET", "/fapi/v1/symbolConfig"): signed(symbol_config, 5),
}
"""Method and path -> who answers."""
