"""What stands behind what the venue owes: all that entered, divided by who has it. Source: `docs/proof.md`."""

from __future__ import annotations

from typing import NamedTuple

from events.commands import INSURANCE, MARKET
from events.instruments import AssetId
from events.units import UNIT
from exchange.core.state import Account, State
from exchange.projections.solvency.liabilities import equities, owed_atoms


class Layer(NamedTuple):
    """One holder of what entered, atoms: as the ledger has it, and at the present marks."""

    name: str
    ledger: int
    marked: int


class Backing(NamedTuple):
    """What entered (deposits less withdrawals), atoms, and its layers, which add up to it in either column."""

    entered: int
    layers: tuple[Layer, ...]


def backing(state: State, asset: AssetId) -> Backing:
    """The layers of an asset; the first one, at the marks, is the sum of the tree.

    The ledger keeps trades at their entry values in the clearing accounts. At the marks profits and losses are with
    their holders, so that of clearing nothing is left but rounding, and while a future settles what is not settled yet.
    """
    books = state.ledger[asset]
    traders = [account for account in state.accounts.values() if not account.is_reserved]
    held = [
        Layer("owed to accounts", sum(_balance(a, asset) for a in traders), sum(owed_atoms(a, asset) for a in traders)),
        Layer("accounts below zero", 0, sum(_below_zero(a, asset) for a in traders)),
        *(_house(state, name, asset, _shown(name)) for name in state.house()[1:]),
        _house(state, MARKET, asset, "market"),
        *(Layer(name, amount, amount) for name, amount in (
            ("fees", books.fees), ("interest", books.interest), ("remainders", books.remainders)
        )),
    ]  # fmt: skip
    clearing = sum(c.clearing for c in state.contracts.values() if c.settle == asset)
    left = books.entered - sum(layer.marked for layer in held)
    return Backing(books.entered, (*held, Layer("clearing", clearing, left)))


def _shown(fund: str) -> str:
    return "insurance fund" + fund.removeprefix(INSURANCE).replace(":", " ", 1)


def _balance(account: Account, asset: AssetId) -> int:
    wallet = account.wallets.get(asset)
    return wallet.balance + sum(p.isolated for p in wallet.positions) if wallet else 0


def _below_zero(account: Account, asset: AssetId) -> int:
    """What the account's pools lack, atoms, never above zero: what it owes rounds up."""
    return sum(equity for equity in equities(account, asset) if equity < 0) // UNIT


def _house(state: State, name: str, asset: AssetId, shown: str) -> Layer:
    account = state.accounts.get(name)  # type: ignore[call-overload]
    if account is None:
        return Layer(shown, 0, 0)
    return Layer(shown, _balance(account, asset), sum(equities(account, asset)) // UNIT)
