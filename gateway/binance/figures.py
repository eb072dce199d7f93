"""Positions and balances of an account as the venue shows them, computed from the state at the time of the call.

Wait for `venue.settled` before. Source: Binance USD-M, "Position Information V2", "V3", "Account Information V2", "V3".
Margins are rounded up, what is there is rounded down, each to 10^-8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from events.instruments import AssetId, Leg
from events.units import UNIT
from exchange.core.contract import Contract
from exchange.core.margin.model import (
    available_atoms,
    initial_margin,
    initial_of,
    maintenance_margin,
    unrealised,
    withdrawable_atoms,
    worth,
)
from exchange.core.state import Account, Position, State, Wallet
from exchange.projections.adl import light
from exchange.projections.liquidation_price import liquidation_shown
from gateway.binance.desk import Desk
from gateway.binance.shapes import LEGS, average
from gateway.binance.texts import money
from gateway.serving.blotter_rows import Held


class Margins(NamedTuple):
    """What a position, or all of an asset, needs and has, atoms."""

    unrealised: int
    maintenance: int
    initial: int
    ordering: int

    @property
    def needed(self) -> int:
        """Initial margin of positions and open orders."""
        return self.initial + self.ordering


def margins_of(position: Position) -> Margins:
    """A position's margins: what its open orders need goes beyond what it needs itself."""
    size = position.contract.gain * worth(position)
    need = initial_of(position, max(size + position.bids, position.asks - size, abs(size)))
    own = initial_margin(position)
    profit = unrealised(position) // UNIT if position.lots else 0
    return Margins(profit, _up(maintenance_margin(position)), _up(own), _up(need) - _up(own))


def _up(grains: int) -> int:
    return -(-grains // UNIT)


def legs_of(account: Account) -> tuple[Leg, ...]:
    """The legs in which the account holds positions."""
    return (Leg.LONG, Leg.SHORT) if account.hedges else (Leg.NET,)


def positions_of(state: State, account: Account, symbol: str | None) -> Iterator[Position]:
    """The positions of an account in one instrument or all, those too that it does not hold."""
    for contract in state.contracts.values():
        if symbol in (None, contract.id):
            for leg in legs_of(account):
                yield state.position(account, contract, leg)


def is_shown(position: Position) -> bool:
    """Whether there is a position, or an order for one."""
    return bool(position.lots or position.open_orders)


def entry_of(position: Position) -> int:
    """The average entry price, 10^-8."""
    return average(position.contract, abs(position.lots), abs(position.entry_value))


def break_even_of(position: Position, held: Held) -> int:
    """The price at which closing leaves nothing gained or lost since it was opened, fees and funding counted, 10^-8."""
    if not position.lots:
        return 0
    sign = 1 if position.lots > 0 else -1
    value = abs(position.entry_value) + sign * position.contract.gain * held.cost
    return average(position.contract, abs(position.lots), max(0, value))


def position_risk(desk: Desk, position: Position) -> dict[str, Any]:
    """A position as GET /fapi/v3/positionRisk shows it. In cross mode its isolated margin is 0, in isolated mode it is
    not: that is how clients tell them apart.
    """
    state, contract = desk.venue.state, position.contract
    digits, margins = desk.texts[contract.id], margins_of(position)
    held = desk.blotter.held(position.account, contract.id, position.leg)
    liquidation = liquidation_shown(state, position) if position.lots else None
    place = light(state, position.account, position.name) if position.lots else None
    return {
        "symbol": contract.id,
        "positionSide": LEGS[position.leg],
        "positionAmt": digits.size(position.lots),
        "entryPrice": money(entry_of(position)),
        "breakEvenPrice": money(break_even_of(position, held)),
        "markPrice": money(contract.mark),
        "unRealizedProfit": money(margins.unrealised),
        "liquidationPrice": money(liquidation or 0),
        "isolatedMargin": money(isolated_margin(position, margins)),
        "notional": money(notional_of(position)),
        "marginAsset": contract.settle,
        "isolatedWallet": money(position.isolated if position.is_isolated else 0),
        "initialMargin": money(margins.needed),
        "maintMargin": money(margins.maintenance),
        "positionInitialMargin": money(margins.initial),
        "openOrderInitialMargin": money(margins.ordering),
        "adl": 0 if place is None else place - 1,
        "bidNotional": money(position.bids // UNIT),
        "askNotional": money(position.asks // UNIT),
        "updateTime": desk.ms(held.updated_at) if held.updated_at else 0,
    }


def notional_of(position: Position) -> int:
    """Notional at the mark with the sign of the position, atoms, cut off."""
    size = abs(worth(position)) // UNIT
    return size if position.lots > 0 else -size


def isolated_margin(position: Position, margins: Margins) -> int:
    """The isolated wallet with its unrealised PnL, 0 in cross mode."""
    return position.isolated + margins.unrealised if position.is_isolated else 0


def position_risk_v2(desk: Desk, position: Position) -> dict[str, Any]:
    """As the versions before show it: mode and leverage too, as texts."""
    return {
        **position_risk(desk, position),
        "marginType": position.mode.value,
        "isAutoAddMargin": "true" if position.auto_add else "false",
        "leverage": str(position.leverage),
        "maxNotionalValue": max_notional(position),
    }


def max_notional(position: Position) -> str:
    """The largest notional at the position's leverage, whole units of the settle asset."""
    return str(position.max_notional // (UNIT * UNIT))


def account_position(desk: Desk, position: Position) -> dict[str, Any]:
    """A position as GET /fapi/v3/account shows it."""
    risk = position_risk(desk, position)
    found = {name: risk[name] for name in _V3}
    found["unrealizedProfit"] = risk["unRealizedProfit"]
    return found


def account_position_v2(desk: Desk, position: Position) -> dict[str, Any]:
    """A position as GET /fapi/v2/account shows it."""
    risk = position_risk(desk, position)
    return {
        **{name: risk[name] for name in _V2},
        "unrealizedProfit": risk["unRealizedProfit"],
        "leverage": str(position.leverage),
        "isolated": position.is_isolated,
        "maxNotional": max_notional(position),
    }


_V3 = (
    "symbol", "positionSide", "positionAmt", "isolatedMargin", "notional", "isolatedWallet", "initialMargin",
    "maintMargin", "updateTime",
)  # fmt: skip
_V2 = (
    "symbol", "initialMargin", "maintMargin", "positionInitialMargin", "openOrderInitialMargin", "entryPrice",
    "breakEvenPrice", "bidNotional", "askNotional", "positionSide", "positionAmt", "notional", "isolatedWallet",
    "updateTime",
)  # fmt: skip


class Balance(NamedTuple):
    """What an account has in an asset, atoms; total is the wallet and the isolated ones of its positions."""

    asset: AssetId
    total: int
    cross: int
    cross_profit: int
    margins: Margins
    available: int
    withdrawable: int
    counts: bool

    @property
    def equity(self) -> int:
        """Margin balance."""
        return self.total + self.margins.unrealised


def balances_of(state: State, account: Account) -> list[Balance]:
    """The account's balances, of assets that it has none of too."""
    return [balance_of(state, account, state.wallet(account, asset)) for asset in state.ledger]


def balance_of(state: State, account: Account, wallet: Wallet) -> Balance:
    """One balance."""
    parts = [(position, margins_of(position)) for position in wallet.positions]
    margins = Margins(*(sum(part) for part in zip(*(own for _, own in parts), strict=True)) if parts else (0, 0, 0, 0))
    isolated = sum(position.isolated for position, _ in parts)
    cross_profit = sum(own.unrealised for position, own in parts if not position.is_isolated)
    is_settle = any(contract.settle == wallet.asset for contract in state.contracts.values())
    return Balance(
        wallet.asset, wallet.balance + isolated, wallet.balance, cross_profit, margins, available_atoms(wallet),
        withdrawable_atoms(wallet), is_settle or account.multi is not None,
    )  # fmt: skip


def asset_figures(desk: Desk, balance: Balance) -> dict[str, Any]:
    """A balance as account information shows it. Its time is never 0, of which clients would take it for nothing."""
    margins = balance.margins
    return {
        "asset": balance.asset,
        "walletBalance": money(balance.total),
        "unrealizedProfit": money(margins.unrealised),
        "marginBalance": money(balance.equity),
        "maintMargin": money(margins.maintenance),
        "initialMargin": money(margins.needed),
        "positionInitialMargin": money(margins.initial),
        "openOrderInitialMargin": money(margins.ordering),
        "crossWalletBalance": money(balance.cross),
        "crossUnPnl": money(balance.cross_profit),
        "availableBalance": money(balance.available),
        "maxWithdrawAmount": money(balance.withdrawable),
        "marginAvailable": balance.counts,
        "updateTime": desk.venue.shown_ms,
    }


def totals(state: State, account: Account, balances: list[Balance]) -> dict[str, str]:
    """The totals of an account: of its first settle asset or, in multi-asset mode, of all at their index."""
    assert state.pack is not None
    first = state.pack.instruments[0].settle
    weights = {
        one.asset: state.assets[one.asset].index if account.multi else UNIT if one.asset == first else 0
        for one in balances
    }

    def total(values: list[int]) -> str:
        return money(sum(value * weights[one.asset] // UNIT for one, value in zip(balances, values, strict=True)))

    margins = [one.margins for one in balances]
    of_first = next((one.available for one in balances if one.asset == first), 0)
    most = next((one.withdrawable for one in balances if one.asset == first), 0)
    return {
        "totalInitialMargin": total([own.needed for own in margins]),
        "totalMaintMargin": total([own.maintenance for own in margins]),
        "totalWalletBalance": total([one.total for one in balances]),
        "totalUnrealizedProfit": total([own.unrealised for own in margins]),
        "totalMarginBalance": total([one.equity for one in balances]),
        "totalPositionInitialMargin": total([own.initial for own in margins]),
        "totalOpenOrderInitialMargin": total([own.ordering for own in margins]),
        "totalCrossWalletBalance": total([one.cross for one in balances]),
        "totalCrossUnPnl": total([one.cross_profit for one in balances]),
        "availableBalance": money(of_first),
        "maxWithdrawAmount": money(most),
    }


def balance_figures(desk: Desk, balance: Balance) -> dict[str, Any]:
    """A balance as GET /fapi/v3/balance shows it."""
    return {
        "accountAlias": "ringfence",
        "asset": balance.asset,
        "balance": money(balance.total),
        "crossWalletBalance": money(balance.cross),
        "crossUnPnl": money(balance.cross_profit),
        "availableBalance": money(balance.available),
        "maxWithdrawAmount": money(balance.withdrawable),
        "marginAvailable": balance.counts,
        "updateTime": desk.venue.shown_ms,
    }


def brackets(contract: Contract) -> dict[str, Any]:
    """The leverage brackets of an instrument: plain numbers, as the venue has them here."""
    return {
        "symbol": contract.id,
        "notionalCoef": 1.0,
        "brackets": [
            {
                "bracket": n,
                "initialLeverage": bracket.max_leverage,
                "notionalCap": bracket.cap // UNIT,
                "notionalFloor": bracket.floor // UNIT,
                "maintMarginRatio": bracket.mmr / UNIT,
                "cum": bracket.cum / UNIT,
            }
            for n, bracket in enumerate(contract.terms.brackets, 1)
        ],
    }
