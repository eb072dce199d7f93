"""Events of wallets and positions on the user stream: ACCOUNT_UPDATE, ACCOUNT_CONFIG_UPDATE and MARGIN_CALL.

Source: Binance USD-M, "Event: Balance and Position Update", "Event: Account Configuration Update" and "Event: Margin
Call": only what changed is told, of funding in cross mode the balance alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from events.instruments import AssetId, Terms
from events.units import UNIT
from gateway.binance.sockets_look import Holdings, PositionSeen, WalletSeen
from gateway.binance.sockets_orders import LEGS
from gateway.binance.texts import average_text, fixed, size_text
from gateway.serving.blotter_rows import Held

TermsOf = Mapping[str, Terms]


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
    update: Update, held: Holdings, terms_of: TermsOf, more: Callable[[str], tuple[Held, int]], at_ms: int
) -> dict[str, Any] | None:
    """The event, None where nothing of it is there; `more` gives of a position what its fills made of it, and what it
    realised in all.
    """
    balances = [
        _balance(asset, held.wallets.get(AssetId(asset), WalletSeen(0, 0)), amount)
        for asset, amount in update.assets.items()
    ]
    positions = [
        _position(seen, terms_of[seen.instrument], *more(name))
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
    return {"a": asset, "wb": fixed(whole), "cw": fixed(wallet.cross), "bc": fixed(amount)}


def _position(seen: PositionSeen, terms: Terms, made: Held, realised: int) -> dict[str, str]:
    return {
        "s": seen.instrument,
        "pa": size_text(terms, seen.lots),
        "ep": average_text(terms, seen.entry_value, seen.lots),
        "bep": break_even_text(terms, seen, made.cost),
        "cr": fixed(realised),
        "up": fixed(seen.unrealised // UNIT),
        "mt": "isolated" if seen.is_isolated else "cross",
        "iw": fixed(seen.isolated),
        "ps": LEGS[seen.leg],
    }


def break_even_text(terms: Terms, seen: PositionSeen, cost: int) -> str:
    """The price at which closing brings back what the position cost, fees and funding too; 0 of none."""
    sign = 1 if seen.lots > 0 else -1
    return average_text(terms, max(0, sign * (seen.entry_value + cost)), seen.lots)


def leverage_update(instrument: str, leverage: int, at_ms: int) -> dict[str, Any]:
    """The leverage in an instrument was set."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": at_ms, "T": at_ms, "ac": {"s": instrument, "l": leverage}}


def assets_mode_update(multi: bool, at_ms: int) -> dict[str, Any]:
    """Multi-assets mode was set."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": at_ms, "T": at_ms, "ai": {"j": multi}}


def margin_call(pool: str, held: Holdings, terms_of: TermsOf, at_ms: int) -> dict[str, Any]:
    """A pool came close to its liquidation: its open positions, and the wallet of a cross one."""
    own = held.positions.get(pool)
    if own is not None:
        return {"e": "MARGIN_CALL", "E": at_ms, "p": [_called(own, terms_of[own.instrument])]}
    cross = [seen for seen in held.positions.values() if seen.lots and not seen.is_isolated]
    cross = [seen for seen in cross if pool not in held.wallets or terms_of[seen.instrument].settle == pool]
    wallet = held.wallets.get(AssetId(pool), WalletSeen(sum(w.cross for w in held.wallets.values()), 0))
    positions = [_called(seen, terms_of[seen.instrument]) for seen in cross]
    return {"e": "MARGIN_CALL", "E": at_ms, "cw": fixed(wallet.cross), "p": positions}


def _called(seen: PositionSeen, terms: Terms) -> dict[str, str]:
    return {
        "s": seen.instrument,
        "ps": LEGS[seen.leg],
        "pa": size_text(terms, seen.lots),
        "mt": "ISOLATED" if seen.is_isolated else "CROSSED",
        "iw": fixed(seen.isolated) if seen.is_isolated else "0",
        "mp": fixed(seen.mark),
        "up": fixed(seen.unrealised // UNIT),
        "mm": fixed(-(-seen.maintenance // UNIT)),
    }
