"""Double entry: every atom that enters is in a wallet, in fees, in remainders, or in an instrument's clearing account.

Postings move an amount from one holder to another; `check` of `invariants.py` adds them all up.
"""

from __future__ import annotations

from events.instruments import AssetId


class Books:
    """The venue's own accounts in one asset, atoms.

    entered is deposits less withdrawals, fees what the venue took, interest what was paid for debts, remainders what
    rounding left over.
    """

    __slots__ = ("asset", "entered", "fees", "interest", "remainders")

    def __init__(self, asset: AssetId) -> None:
        self.asset = asset
        self.entered = 0
        self.fees = 0
        self.interest = 0
        self.remainders = 0
