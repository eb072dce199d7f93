"""Trading fees: an instrument's own rates, or those of the tier that an account's volume of the last 30 days reached.

The tier of a day (UTC) follows from the volume of the 30 days before it, so it does not move within a day.
Source: Binance, "Trading fee schedule": VIP level by 30-day volume, renewed daily.
"""

from __future__ import annotations

from events.units import SECOND, UNIT
from exchange.core.state import Account, Position, State

DAY = 86_400 * SECOND
DAYS = 30
"""How many days before today count."""


def fee_rates(state: State, position: Position) -> tuple[int, int]:
    """The maker and the taker fee of the position's account today, Rates of a trade's value."""
    contract = position.contract
    if state.fee_tiers:
        tier = tier_of(state, state.accounts[position.account])
        if tier:
            return state.fee_tiers[tier].maker, state.fee_tiers[tier].taker
    return contract.maker_fee, contract.taker_fee


def tier_of(state: State, account: Account) -> int:
    """The account's fee tier today, from 0."""
    today = state.now // DAY
    volume = sum(traded for day, traded in account.volumes.items() if today - DAYS <= day < today)
    return next((n for n in range(len(state.fee_tiers) - 1, 0, -1) if volume >= state.fee_tiers[n].volume), 0)


def count_volume(state: State, position: Position, lots: int, value: int) -> None:
    """A trade adds to its account's volume of today, in the quote asset; days that count no more are forgotten."""
    account, contract = state.accounts[position.account], position.contract
    today = state.now // DAY
    volumes = account.volumes
    volumes[today] = volumes.get(today, 0) + (lots * contract.face // UNIT**2 if contract.is_inverse else value)
    for day in [day for day in volumes if day < today - DAYS]:
        del volumes[day]
