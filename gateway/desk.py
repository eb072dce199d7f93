"""A session in memory to try orders in: traders as strategies see them, and what follows from what they do."""

from __future__ import annotations

from decimal import Decimal

from events import commands as c
from events import facts as f
from events.commands import AccountId, Command, RequestId, SessionOptions
from events.facts import AnyFact
from events.instruments import AssetId, Instrument, InstrumentId, RulePack, load_pack
from events.phases import TradingPhase
from events.record import Batch, Message
from events.units import UNIT, MarkUnits, Nanos
from exchange.core.state import RULES_VERSION, Outcome, State
from exchange.core.step import step
from exchange.fitting import misfit
from gateway.wording import words
from replay.context import Context
from replay.parameters import atoms, exact, given, nanos

PROCEED_FACTS = 4096
"""Due work is done in batches of so many facts at most, as the sequencer does it."""

SILENT = (f.TimeAdvanced, f.AccountOpened, f.Deposited)
"""Facts that only say what the desk itself asked for."""


class Desk:
    """A session under a shipped pack, or one of the caller's, that begins at time 0 and keeps no log.

    Raises ValueError where it cannot be opened, and where a command has a field that is not of its type.
    """

    def __init__(self, pack: str | RulePack = "binance-usdm", options: SessionOptions | None = None) -> None:
        self.state = State()
        self._lines: list[str] = []
        self._traded: dict[tuple[str, int], str] = {}
        rules = load_pack(pack) if isinstance(pack, str) else pack
        self._instruments: dict[str, Instrument] = {terms.id: terms for terms in rules.instruments}
        opening = c.OpenSession(Nanos(0), RULES_VERSION, rules, options or SessionOptions())
        self._check(opening)
        result = step(self.state, opening)
        if self.state.pack is None:
            raise ValueError(f"the session cannot be opened: {opening.options.defect() or _reason_of(result)}")

    def trader(self, name: str, deposit: Decimal | str = "1000000", asset: str = "USDT") -> Context:
        """Open an account with money, and hand out what a strategy would trade it with."""
        account, money = AccountId(name), atoms("deposit", deposit)
        self.do(c.OpenAccount(self.state.now, account, RequestId("open")))
        self.do(c.Deposit(self.state.now, account, RequestId("fund"), AssetId(asset), money))
        return Context(lambda: self.state, account, self.do)

    def mark(self, instrument: str, price: Decimal | str) -> None:
        """Move the mark price."""
        mark = MarkUnits(int(exact("price", price) * UNIT))
        self.do(c.SetMarkPrice(self.state.now, InstrumentId(instrument), mark))

    def phase(self, instrument: str, phase: TradingPhase | str, seconds: Decimal | float | str = 0) -> None:
        """Say what may be done in the instrument, until it is said again, or for so many seconds."""
        lasts = _not_below_0(nanos("seconds", seconds), seconds)
        until = Nanos(self.state.now + lasts if lasts else 0)
        name = InstrumentId(instrument)
        self.do(c.SetTradingPhase(self.state.now, name, given("phase", phase), until))

    def wait(self, seconds: Decimal | float | str) -> None:
        """Let time pass."""
        self.do(c.AdvanceTime(Nanos(self.state.now + _not_below_0(nanos("seconds", seconds), seconds))))

    def do(self, command: Command) -> None:
        """Decide a command and all due work that follows from it."""
        self._check(command)
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
            self._lines += [self._line(fact, command) for fact in batch.facts if not isinstance(fact, SILENT)]

    def _check(self, command: Command) -> None:
        if why := misfit(command, self.state.columns):
            raise ValueError(f"{type(command).__name__}: {why}")

    def _line(self, fact: AnyFact, command: Command) -> str:
        """Kind and fields; of an order's facts that do not name its instrument, sizes are those of it."""
        name = getattr(fact, "account", ""), getattr(fact, "number", 0)
        on = self._traded.setdefault(name, getattr(fact, "instrument", ""))
        of = f"{_named(_asked(fact, command))} " if isinstance(fact, f.Refused | f.ItemRefused) else ""
        said = words(fact, self._instruments, on)
        return f"{_kind(fact):<18} {of}{said.partition(' ')[2] if isinstance(fact, f.ItemRefused) else said}"


def _asked(fact: AnyFact, command: Command) -> Command:
    """What was refused: the command, or that item of it."""
    if isinstance(fact, f.ItemRefused) and isinstance(command, c.SubmitBatch):
        return command.items[fact.item]
    return command


def _named(command: Command) -> str:
    """A command as `name=value`: which it is, whose, and of which order."""
    names = {name: getattr(command, name, None) for name in ("account", "number", "client", "instrument")}
    return " ".join((f"command={_kind(command)}", *(f"{name}={value}" for name, value in names.items() if value)))


def _kind(message: Message | Command) -> str:
    return str(message.__struct_config__.tag).rpartition(".")[0]


def _reason_of(result: Batch | Outcome) -> str:
    """The refusal."""
    assert isinstance(result, Batch)
    return next(fact.reason.value for fact in result.facts if isinstance(fact, f.Refused))


def _not_below_0(nanos: Nanos, seconds: Decimal | float | str) -> Nanos:
    if nanos < 0:
        raise ValueError(f"seconds is {seconds!r}; time does not go back, give 0 or more")
    return nanos
