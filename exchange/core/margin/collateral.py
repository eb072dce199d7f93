"""Multi-asset cross: all wallets of an account answer together for all its cross positions, valued in one asset.

equity = sum over assets of balance x index x (1 - haircut), each tier's haircut for its own slice of the balance, plus
the unrealised PnL of the cross positions at the index of their settle assets. A debt counts in full. What counts is
rounded down, what is required up. Source: `docs/margin.md`, "Multi-asset cross".
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from events.commands import AccountId
from events.instruments import AssetId, Collateral, SpotPair
from events.units import UNIT
from exchange.core.history import SPARSE


class Asset:
    """An asset that may be collateral: how much of a balance counts, and its index price in the valuation asset.

    index is in mark units, 0 while nobody stated it. boxes says by account at which index prices the watch looks at its
    pool again, at or below the first, at or above the second; lows and highs are heaps of (-low, account) and (high,
    account), whose entries count only while the account still bears them.
    """

    __slots__ = ("asset", "boxes", "debt_limit", "fee", "highs", "index", "interest", "lows", "moved", "pair", "tiers")

    def __init__(self, rule: Collateral, pair: SpotPair | None) -> None:
        self.asset = rule.asset
        self.pair = pair
        self.fee: int = pair.fee if pair else 0
        self.index = 0 if pair else UNIT
        self.debt_limit: int = rule.debt_limit
        self.interest: int = rule.interest
        self.tiers: list[tuple[int, int]] = [(tier.cap, UNIT - tier.haircut) for tier in rule.tiers]
        self.moved = 0
        self.boxes: dict[AccountId, tuple[int, int]] = {}
        self.lows: list[tuple[int, AccountId]] = []
        self.highs: list[tuple[int, AccountId]] = []

    def counted(self, balance: int) -> int:
        """What counts of a balance (atoms) before it is valued, grains of the asset; a debt counts in full."""
        if balance <= 0:
            return balance * UNIT
        counted = floor = 0
        for cap, share in self.tiers:
            top = min(balance, cap) if cap else balance
            counted += (top - floor) * share
            floor = top
        return counted

    def value(self, balance: int, index: int) -> int:
        """What a balance (atoms) counts at an index price, grains of the valuation asset, rounded down."""
        return self.counted(balance) * index // UNIT

    def arm(self, account: AccountId, low: int, high: int) -> None:
        """Look at the account's pool again where the index is at or below low, at or above high."""
        if self.boxes.get(account) == (low, high):
            return
        self.boxes[account] = (low, high)
        if len(self.lows) + len(self.highs) > 4 * len(self.boxes) + 2 * SPARSE:
            self.lows = [(-low, name) for name, (low, _) in self.boxes.items()]
            self.highs = [(high, name) for name, (_, high) in self.boxes.items()]
            heapify(self.lows)
            heapify(self.highs)
        else:
            heappush(self.lows, (-low, account))
            heappush(self.highs, (high, account))

    def disarm_all(self) -> None:
        """Look at nobody's pool again."""
        self.boxes.clear()
        self.lows.clear()
        self.highs.clear()

    def reached(self) -> list[AccountId]:
        """The accounts whose box the index price has left; they bear none any more."""
        found = []
        while self.lows and -self.lows[0][0] >= self.index:
            low, account = heappop(self.lows)
            if account in self.boxes and self.boxes[account][0] == -low:
                found.append(account)
                del self.boxes[account]
        while self.highs and self.highs[0][0] <= self.index:
            high, account = heappop(self.highs)
            if account in self.boxes and self.boxes[account][1] == high:
                found.append(account)
                del self.boxes[account]
        return found


def assets_of(rules: tuple[Collateral, ...], pairs: tuple[SpotPair, ...]) -> dict[AssetId, Asset]:
    """The collateral of a pack, by asset."""
    by_id = {pair.id: pair for pair in pairs}
    return {rule.asset: Asset(rule, by_id.get(rule.index)) for rule in rules}
