"""An account as it stands, from the state: wallets, positions, and one position with the pool that answers for it."""

from __future__ import annotations

from typing import Any

import msgspec

from events.commands import AccountId
from events.instruments import Leg
from events.units import decimal_text
from exchange.core.margin.model import available_atoms
from exchange.core.state import Position, State
from exchange.projections.liquidation_price import liquidation_shown
from exchange.projections.moment import account_moment
from gateway.native.messages import Account, Standing, Wallet
from gateway.native.messages import Position as PositionTold
from replay.quotes import margin_of


def account_of(state: State, name: AccountId, shown: int) -> Account:
    """All of an account; `shown` is the time to say."""
    found, account = account_moment(state, name), state.accounts[name]
    return Account(
        account=name,
        record=state.seq,
        at=shown,
        margin_ratio=found["margin_ratio"],
        hedges=account.hedges,
        multi_asset=account.multi is not None,
        wallets=[Wallet(asset=asset, **wallet) for asset, wallet in found["wallets"].items()],
        positions=[_position(state, p, told) for p, told in zip(_held(state, name), found["positions"], strict=True)],
        orders=found["orders"],
        triggers=found["triggers"],
    )


def _held(state: State, name: AccountId) -> list[Position]:
    return [position for position in state.accounts[name].positions.values() if position.lots]


def _position(state: State, position: Position, told: dict[str, Any]) -> PositionTold:
    fields = set(PositionTold.__struct_fields__)
    known = {key: value for key, value in told.items() if key in fields}
    return msgspec.convert(
        {
            **known,
            "instrument": position.contract.id,
            "leg": position.leg.value,
            "liquidation_price": _price(liquidation_shown(state, position)),
        },
        PositionTold,
    )


def standing_of(state: State, name: AccountId, instrument: str, leg: Leg) -> Standing:
    """A position and its pool."""
    account = state.accounts[name]
    position = state.position(account, state.contracts[instrument], leg)  # type: ignore[index]
    margin = margin_of(position.pool)
    return Standing(
        position=position.contract.terms.size_text(position.lots),
        entry_price=_entry(state, name, position),
        equity=f"{margin.equity:f}",
        initial_margin=f"{margin.initial:f}",
        maintenance_margin=f"{margin.maintenance:f}",
        available=decimal_text(available_atoms(position.wallet)),
        margin_ratio=None if margin.ratio is None else round(float(margin.ratio), 6),
        liquidation_price=_price(liquidation_shown(state, position)),
    )


def _entry(state: State, name: AccountId, position: Position) -> str:
    if not position.lots:
        return "0"
    told = account_moment(state, name)["positions"]
    return str(next(one["entry_price"] for one in told if one["name"] == position.name))


def _price(units: int | None) -> str | None:
    return None if units is None else decimal_text(units)
