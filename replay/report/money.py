"""Where the money of an account came from and went to, in one asset, atoms: folded from the facts.

balance and isolated wallets = `brought_in` + `earned`, always: what positions gained but nobody settled yet comes on
top as unrealised PnL, and equity is the sum of the three. Definitions: `docs/report.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Parts:
    """The parts, atoms; each counts as its name says, so that costs are above 0 where they were paid.

    transferred and exchanged are net of what went out; exchanged has the fee of the exchange, which is a cost, in it.
    realised is the PnL of closing trades before fees, that of forced closes (liquidated) and of closes against
    others' liquidations (deleveraged) apart. covered is what the insurance fund paid in, shared what winners paid.
    """

    deposited: int = 0
    withdrawn: int = 0
    transferred: int = 0
    exchanged: int = 0
    realised: int = 0
    liquidated: int = 0
    deleveraged: int = 0
    maker_fees: int = 0
    taker_fees: int = 0
    forced_fees: int = 0
    settlement_fees: int = 0
    exchange_fees: int = 0
    liquidation_fees: int = 0
    funding: int = 0
    interest: int = 0
    covered: int = 0
    shared: int = 0

    @property
    def brought_in(self) -> int:
        """What came in that was not earned: from outside, from other accounts, by exchange for other assets."""
        return self.deposited - self.withdrawn + self.transferred + self.exchanged

    @property
    def gross(self) -> int:
        """Realised PnL of every kind, before fees."""
        return self.realised + self.liquidated + self.deleveraged

    @property
    def fees(self) -> int:
        """What was paid for trading, settlement and exchanges; not the liquidation fee."""
        return self.maker_fees + self.taker_fees + self.forced_fees + self.settlement_fees + self.exchange_fees

    @property
    def other(self) -> int:
        """Liquidation fee, interest, and what passed between the account and the insurance fund: received above 0."""
        return self.covered - self.shared - self.interest - self.liquidation_fees

    @property
    def earned(self) -> int:
        """What the account settled beyond what it brought in."""
        return self.gross - self.fees + self.funding + self.other


def total(parts: Iterable[Parts]) -> Parts:
    """The sum."""
    whole = Parts()
    for one in parts:
        for field in fields(Parts):
            setattr(whole, field.name, getattr(whole, field.name) + getattr(one, field.name))
    return whole
