"""Events of wallets and positions on the user stream: ACCOUNT_UPDATE, ACCOUNT_CONFIG_UPDATE and MARGIN_CALL.

Source: Binance USD-M, "Event: Balance and Position Update", "Event: Account Configuration Update" and "Event: Margin
Call": only what changed is told, of funding in cross mode the balance alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from events.instruments import AssetId
from events.units import UNIT
from exchange.core.state import MULTI
from gateway.binance.shapes import LEGS
from gateway.binance.sockets_look import Holdings, PositionSeen, WalletSeen
from gateway.binance.sockets_orders import average
from gateway.binance.texts import Digits, Texts, money
from gateway.serving.blotter_rows import Held


@dataclass(slots=True)
class Update:
    """What changed for one reason: assets, with what they gained beside PnL and commission (atoms), and positions.

    symbol is that of a funding.
    """

    reason: str
    symbol: str = ""
    assets: dict[str, int] = field(default_factory=dict)
    positions: dict[str, None] = field(default_factory=dict)

    def gain(self, asset: str, amount: int = 0) -> None:
        """A wallet changed, beside PnL and commission by so much."""
        self.assets[asset] = self.assets.get(asset, 0) + amount


def account_update(
    update: Update, held: Holdings, texts: Texts, more: Callable[[str], tuple[Held, int]], at_ms: int
) -> dict[str, Any] | None:
    """The event, None where nothing of it is there; `more` gives of a position what its fills made of it, and what it
    realised in all.
    """
    balances = [
        _balance(asset, held.wallets.get(AssetId(asset), WalletSeen(0, 0)), amount)
        for asset, amount in update.assets.items()
    ]
    positions = [
        _position(seen, texts[seen.instrument], *more(name))
        for name in update.positions
        if (seen := held.positions.get(name)) is not None
    ]
    if not balances and not positions:
        return None
    data: dict[str, Any] = {"m": update.reason, "B": balances, "P": positions}
    if update.symbol:
        data["S"] = update.symbol
    return {"e": "ACCOUNT_UPDATE", "E": at_ms, "T": at_ms, "a": data}


def _balance(asset: str, wallet: WalletSeen, amount: int) -> dict[str, str]:
    whole = wallet.cross + wallet.isolated
    return {"a": asset, "wb": money(whole), "cw": money(wallet.cross), "bc": money(amount)}


def _position(seen: PositionSeen, digits: Digits, made: Held, realised: int) -> dict[str, str]:
    return {
        "s": seen.instrument,
        "pa": digits.size(seen.lots),
        "ep": average(digits, seen.entry_value, seen.lots),
        "bep": break_even_text(digits, seen, made.cost),
        "cr": money(realised),
        "up": money(seen.unrealised // UNIT),
        "mt": "isolated" if seen.is_isolated else "cross",
        "iw": money(seen.isolated),
        "ps": LEGS[seen.leg],
    }


def break_even_text(digits: Digits, seen: PositionSeen, cost: int) -> str:
    """The price at which closing brings back what the position cost, fees and funding too; 0 of none."""
    sign = 1 if seen.lots > 0 else -1
    return average(digits, max(0, sign * (seen.entry_value + cost)), seen.lots)


def leverage_update(instrument: str, leverage: int, at_ms: int) -> dict[str, Any]:
    """The leverage in an instrument was set."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": at_ms, "T": at_ms, "ac": {"s": instrument, "l": leverage}}


def assets_mode_update(multi: bool, at_ms: int) -> dict[str, Any]:
    """Multi-assets mode was set."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": at_ms, "T": at_ms, "ai": {"j": multi}}


def margin_call(pool: str, held: Holdings, texts: Texts, at_ms: int) -> dict[str, Any]:
    """A pool came close to its liquidation: its open positions, and the wallet of a cross one."""
    own = held.positions.get(pool)
    if own is not None:
        return {"e": "MARGIN_CALL", "E": at_ms, "p": [_called(own, texts[own.instrument])]}
    cross = [seen for seen in held.positions.values() if seen.lots and not seen.is_isolated]
    cross = [seen for seen in cross if pool in (MULTI, seen.asset)]
    wallet = held.wallets.get(AssetId(pool), WalletSeen(sum(w.cross for w in held.wallets.values()), 0))
    positions = [_called(seen, texts[seen.instrument]) for seen in cross]
    return {"e": "MARGIN_CALL", "E": at_ms, "cw": money(wallet.cross), "p": positions}


def _called(seen: PositionSeen, digits: Digits) -> dict[str, str]:
    return {
        "s": seen.instrument,
        "ps": LEGS[seen.leg],
        "pa": digits.size(seen.lots),
        "mt": "ISOLATED" if seen.is_isolated else "CROSSED",
        "iw": money(seen.isolated) if seen.is_isolated else "0",
        "mp": money(seen.mark),
        "up": money(seen.unrealised // UNIT),
        "mm": money(-(-seen.maintenance // UNIT)),
    }
