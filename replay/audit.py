"""The audit of a recorded session: the core's figures against those of an auditor that shares no code with it.

The core applies the recorded facts one by one, the auditor computes from the same records what every pool is worth and
needs. After each record the pools that it touched, or whose price it moved, are compared; at the end all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from events.codec import decode_body
from events.facts import Fact
from events.instruments import AssetId
from events.log import EventLog, Head, check_chain, time_goes_back
from events.record import Batch, Record, kind_of
from events.units import UNIT, decimal_text
from exchange.audit import AuditError, Auditor
from exchange.audit.books import exact_text
from exchange.core.apply import APPLY
from exchange.core.margin.model import Margin, requirement
from exchange.core.state import MULTI, Pool, State
from exchange.core.step import apply_batch
from exchange.projections.deficits import Deficits
from replay.lending import Lender

FIGURES = {"equity": "equity", "initial": "initial margin", "maintenance": "maintenance margin"}
"""What is compared, and what it is called."""


@dataclass(slots=True)
class Compared:
    """A pool that was compared: how often, and the figures found last, fractions of an atom."""

    account: str
    pool: str
    asset: str
    records: int = 0
    figures: tuple[Fraction, ...] = ()


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The first record at which the session and the auditor part; account and pool are empty where it names none."""

    seq: int
    kind: str
    account: str
    pool: str
    figure: str
    session: str
    auditor: str


@dataclass(slots=True)
class Audited:
    """What was compared, and how it ended."""

    head: Head = field(default_factory=Head)
    comparisons: int = 0
    pools: dict[tuple[str, str], Compared] = field(default_factory=dict)
    disagreement: Disagreement | None = None

    @property
    def ok(self) -> bool:
        """Both arrived at the same figures at every record."""
        return self.disagreement is None


class SessionAudit:
    """Audits one log. `account` limits what is compared to the pools of one account; every record is checked anyway."""

    def __init__(self, log: EventLog, account: str = "", on_progress: Callable[[int], None] | None = None) -> None:
        self._log = log
        self._account = account
        self._on_progress = on_progress
        self.state = State()
        self.auditor = Auditor(self.state.columns)
        self.deficits = Deficits()
        self._lender = Lender(log, [self.state])
        self.report = Audited()

    @property
    def observations(self) -> int:
        """How many observations were applied so far."""
        return sum(contract.feed.observations for contract in self.state.contracts.values())

    async def run(self) -> Audited:
        """Audit everything; stops at the first difference. Raises LogError where stored bytes belie themselves."""
        async for stored in self._log.read():
            self.report.head = check_chain(self.report.head, stored)
            batch = decode_body(stored.number, stored.body)
            if batch.at < self.state.now:
                raise time_goes_back(batch.first_seq)
            await self._lender.lend(batch)
            self.deficits.observe(batch)
            self.report.disagreement = self._audit(batch)
            if not self.report.ok:
                return self.report
            if self._on_progress:
                self._on_progress(stored.number)
        for key in self.auditor.pools():
            self.report.disagreement = self.report.disagreement or self._compare(key, None)
        self.report.disagreement = self.report.disagreement or self._compare_deficits()
        return self.report

    def _compare_deficits(self) -> Disagreement | None:
        """Every deficit is borne by a layer, and in all they are those that the auditor found."""
        for asset, found in self.auditor.report.deficits.items():
            borne = sum(self.deficits.layers[AssetId(asset)].values())
            if borne != found:
                texts = f"{decimal_text(borne)} {asset}", f"{decimal_text(found)} {asset}"
                return Disagreement(self.report.head.seq, "end", "", "", "deficits by layer", *texts)
        return None

    def _audit(self, batch: Batch) -> Disagreement | None:
        state = self.state
        state.batch, state.now = batch.number, batch.at
        record = batch.records[0]
        try:
            for record in self.auditor.records(batch):
                if isinstance(record.message, Fact):
                    state.seq = record.seq
                    APPLY[type(record.message)](state, record.message)
                for key in self.auditor.changed:
                    if found := self._compare(key, record):
                        return found
        except AuditError as error:
            named = next((r for r in batch.records if r.seq == error.record), record)
            return Disagreement(
                error.record, kind_of(named.message), error.account, error.pool, error.what, error.found, error.expected
            )
        apply_batch(state, Batch(batch.number, batch.at, batch.records[:1]))
        state.seq = batch.last_seq
        return None

    def _compare(self, key: tuple[str, str], record: Record | None) -> Disagreement | None:
        account, name = key
        if self._account not in ("", account):
            return None
        own = self.auditor.margin(account, name)
        asset = self.auditor.asset_of(account, name)
        pool = _pool(self.state, account, name)
        theirs = Margin(0, 0, 0) if pool is None else requirement(pool)
        if record is not None:
            known = self.report.pools.get(key) or self.report.pools.setdefault(key, Compared(account, name, asset))
            known.records += 1
            known.figures = own
            self.report.comparisons += 1
        for what, called in FIGURES.items():
            ours, live = getattr(own, what), Fraction(getattr(theirs, what), UNIT)
            if ours != live:
                seq, kind = (record.seq, kind_of(record.message)) if record else (self.report.head.seq, "end")
                texts = f"{exact_text(live)} {asset}", f"{exact_text(ours)} {asset}"
                return Disagreement(seq, kind, account, name, called, *texts)
        return None


def _pool(state: State, account: str, name: str) -> Pool | None:
    """The core's pool of that name, None where it keeps none yet."""
    owner = state.accounts[account]  # type: ignore[index]
    if name == MULTI:
        return owner.multi
    return owner.positions.get(name) or owner.wallets.get(name)  # type: ignore[call-overload]
