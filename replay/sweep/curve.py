"""The PnL of an account as a session goes on: its highest, and how far it fell below that."""

from __future__ import annotations

from events.commands import AccountId
from events.instruments import AssetId
from events.record import Batch
from exchange.sequencer import Sequencer
from replay.player import Player
from replay.quotes import equity_atoms


class Curve:
    """Looks on after every batch that changed something; deposits and withdrawals are no PnL. Amounts are atoms."""

    def __init__(self, player: Player, sequencer: Sequencer, account: AccountId) -> None:
        self._player = player
        self._account = account
        self._asset: AssetId | None = None
        self._highest = 0
        self.max_drawdown = 0
        self._before = sequencer.on_batch
        sequencer.on_batch = self._note

    @property
    def asset(self) -> AssetId:
        """What the account's first wallet holds: what the first instrument settles in."""
        if self._asset is None:
            self._asset = next(iter(self._player.state.accounts[self._account].wallets))
        return self._asset

    def pnl(self) -> dict[AssetId, int]:
        """What the account gained so far, by asset."""
        return {asset: self._gained(asset) for asset in self._player.state.accounts[self._account].wallets}

    def _gained(self, asset: AssetId) -> int:
        result = self._player.results.accounts[self._account]
        return equity_atoms(self._player.state.accounts[self._account], asset) - result.of(asset).deposits

    def _note(self, batch: Batch) -> None:
        if self._before is not None:
            self._before(batch)
        account = self._player.state.accounts.get(self._account)
        if len(batch.records) > 1 and account is not None and account.wallets:
            gained = self._gained(self.asset)
            self._highest = max(self._highest, gained)
            self.max_drawdown = max(self.max_drawdown, self._highest - gained)
