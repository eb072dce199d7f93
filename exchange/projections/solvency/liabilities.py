"""What a session owes its accounts at a record, as the leaves of a sum tree.

The house has no leaf: MARKET, the counterparty of a replay, and the insurance fund are among what backs the sum.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import NamedTuple

from events.instruments import AssetId
from events.units import UNIT
from exchange.core.margin.model import cross_equity, unrealised
from exchange.core.state import Account, State
from exchange.projections.solvency.proof import FORMAT, Proof, leaf, root_of, tagged
from exchange.projections.solvency.tree import SumTree

NO_SECRET = bytes(32)
"""The secret before the first batch."""


class Moment(NamedTuple):
    """A point of a session: the last record of a batch, the digest of the session up to it, and its secret."""

    record: int
    head: bytes
    secret: bytes


def next_secret(secret: bytes, body: bytes) -> bytes:
    """The secret after a batch: like the digest it covers all stored bytes, but it is never published.

    Whoever knows the digest alone, as everybody with a proof does, cannot tell the nonces.
    """
    return tagged("secret", secret, body)


def nonce_of(secret: bytes, asset: str, account: str) -> bytes:
    """What blinds the name of an account in one asset: HMAC-SHA256 under the secret."""
    return hmac.digest(secret, f"{FORMAT} nonce\n{asset}\n{account}".encode(), "sha256")


class Liabilities:
    """What is owed in one asset: `owed` has every trader's account by name, in the order of the leaves."""

    __slots__ = ("asset", "moment", "owed", "root", "tree")

    def __init__(self, moment: Moment, asset: AssetId, owed: Iterable[tuple[str, int]]) -> None:
        self.moment = moment
        self.asset = asset
        self.owed = dict(sorted(owed))
        self.tree = SumTree(leaf(self._nonce(name), name, atoms) for name, atoms in self.owed.items())
        self.root = root_of(self.tree.top, head=moment.head, record=moment.record, asset=asset, accounts=len(self.owed))

    @property
    def sum(self) -> int:
        """What is owed altogether, atoms."""
        return self.tree.top.sum

    def proof(self, account: str) -> Proof:
        """That the account is owed its part. Raises KeyError where there is no such account."""
        owed, index = self.owed[account], list(self.owed).index(account)
        moment = self.moment
        return Proof(
            moment.head, moment.record, self.asset, len(self.owed), self.sum, self.root,
            account, self._nonce(account), owed, index, self.tree.path(index),
        )  # fmt: skip

    def _nonce(self, account: str) -> bytes:
        return nonce_of(self.moment.secret, self.asset, account)


def liabilities(state: State, moment: Moment, asset: AssetId) -> Liabilities:
    """The leaves of a session's state, which is that at the moment: all accounts but those of the house."""
    return Liabilities(
        moment, asset, ((account.name, owed_atoms(account, asset)) for account in state.accounts.values()
                        if not account.is_reserved),
    )  # fmt: skip


def owed_atoms(account: Account, asset: AssetId) -> int:
    """What the venue owes the account at the present marks, atoms, rounded down, never negative.

    Wallet, isolated wallets and unrealised PnL; no isolated position takes away more than its own wallet has. A debt in
    one asset lessens nothing in another.
    """
    return sum(equity for equity in equities(account, asset) if equity > 0) // UNIT


def equities(account: Account, asset: AssetId) -> list[int]:
    """The account's equity in an asset, grains: of its wallet with the cross positions, of each isolated position."""
    wallet = account.wallets.get(asset)
    if wallet is None:
        return []
    isolated = [p for p in wallet.positions if p.is_isolated]
    return [cross_equity(wallet), *(p.isolated * UNIT + unrealised(p) for p in isolated)]
