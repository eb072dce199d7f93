"""A session in memory to try orders in: traders as strategies see them, and what follows from what they do."""

from __future__ import annotations

from decimal import Decimal

from events import commands as c
from events import facts as f
from events.commands import AccountId, Command, RequestId, SessionOptions
from events.facts import AnyFact
from events.instruments import AssetId, Instrument, InstrumentId, RulePack, load_pack
from events.record import Batch, kind_of
from events.units import SECOND, UNIT, Atoms, MarkUnits, Nanos
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import step
from gateway.wording import words
from replay.context import Context

PROCEED_FACTS = 4096
"""Due work is done in batches of so many facts at most, as the sequencer does it."""

SILENT = (f.TimeAdvanced, f.AccountOpened, f.Deposited)
"""Facts that only say what the desk itself asked for."""


class Desk:
    """A session under a shipped pack, or one of the caller's, that begins at time 0 and keeps no log."""

    def __init__(self, pack: str | RulePack = "binance-usdm", options: SessionOptions | None = None) -> None:
        self.state = State()
        self._lines: list[str] = []
        self._traded: dict[tuple[str, int], str] = {}
        rules = load_pack(pack) if isinstance(pack, str) else pack
        self._instruments: dict[str, Instrument] = {terms.id: terms for terms in rules.instruments}
        step(self.state, c.OpenSession(Nanos(0), RULES_VERSION, rules, options or SessionOptions()))

    def trader(self, name: str, deposit: Decimal | str = "1000000", asset: str = "USDT") -> Context:
        """Open an account with money, and hand out what a strategy would trade it with."""
        account, atoms = AccountId(name), Atoms(int(Decimal(deposit) * UNIT))
        self.do(c.OpenAccount(self.state.now, account, RequestId("open")))
        self.do(c.Deposit(self.state.now, account, RequestId("fund"), AssetId(asset), atoms))
        return Context(lambda: self.state, account, self.do)

    def mark(self, instrument: str, price: Decimal | str) -> None:
        """Move the mark price."""
        mark = MarkUnits(int(Decimal(price) * UNIT))
        self.do(c.SetMarkPrice(self.state.now, InstrumentId(instrument), mark))

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.do(c.AdvanceTime(Nanos(self.state.now + seconds * SECOND)))

    def do(self, command: Command) -> None:
        """Decide a command and all due work that follows from it."""
        self._tell(command)
        while self.state.has_work:
            self._tell(c.Proceed(self.state.now, PROCEED_FACTS))

    def told(self) -> str:
        """What happened since it was told last, a line a fact."""
        lines, self._lines = self._lines, []
        return "\n".join(lines)

    def _tell(self, command: Command) -> None:
        batch = step(self.state, command)
        if isinstance(batch, Batch):
            self._lines += [self._line(fact) for fact in batch.facts if not isinstance(fact, SILENT)]

    def _line(self, fact: AnyFact) -> str:
        """Kind and fields; of an order's facts that do not name its instrument, sizes are those of it."""
        name = getattr(fact, "account", ""), getattr(fact, "number", 0)
        on = self._traded.setdefault(name, getattr(fact, "instrument", ""))
        return f"{kind_of(fact).rpartition('.')[0]:<18} {words(fact, self._instruments, on)}"
