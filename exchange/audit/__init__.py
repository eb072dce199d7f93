"""An auditor: folds a log with arithmetic of its own, and says where a record does not add up.

It shares no code with the core: balances, exact entry values, order reserves, margins, funding, settlement and
exchanges are computed anew, in fractions of atoms, from the log alone. Source of every rule: `docs/margin.md`, the rule
pack, and what the facts say of themselves.

auditor.py     observes batches, record by record; who has to be due
books.py       what the auditor knows: accounts, positions, orders, money
contract.py    an instrument's values and margins, by its terms and its venue's rules
pools.py       equity, margin, available balance and debts of an account
clock.py       averages over time: premium and settlement price; what falls due when
money.py       rules of the facts about money, modes and leverage
trading.py     rules of the facts about orders and trades
triggers.py    rules of the facts about conditional orders, which waiting.py follows one by one
liquidation.py rules of the facts of a liquidation
prices.py      rules of the facts about marks and index prices
guards.py      rules of the facts that hold liquidations up
phases.py      rules of the facts about trading phases and auctions
gate.py        rules of the facts about the withdrawal gate
session.py     rules of the facts about time and due work
"""

from __future__ import annotations

from exchange.audit.auditor import Auditor, audit
from exchange.audit.books import AuditError, Margin, Order, Position, Report

__all__ = ["AuditError", "Auditor", "Margin", "Order", "Position", "Report", "audit"]
