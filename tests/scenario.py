"""Given / when / then over the real core.

    scenario()
        .given(resting(1, SELL, price=101, lots=5), resting(2, SELL, price=100, lots=5))
        .when(place(3, BUY, price=101, lots=12))
        .then(traded(2, 3, price=100, lots=5), traded(1, 3, price=101, lots=5), rested(3, lots=2))

An order's number names it in the whole scenario, whoever owns it. What merely repeats its command (OrderAccepted,
MarketAdvanced, TimeAdvanced) is checked here and not listed. Every batch of every scenario is also rebuilt fact by fact
with all invariants after each, decided again from a snapshot, and, where it was refused, shown to have changed nothing.
History is decided with the spans of its chunks, in bulk, and rebuilt without them, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from msgspec.structs import asdict, replace

from events import commands as c
from events.chunks import decode_chunk, encode_chunk
from events.facts import Fact, MarketAdvanced, OrderAccepted, Refused, TimeAdvanced, Traded
from events.instructions import PriceMatch
from events.instruments import Leg, RulePack
from events.linked import PlaceLinked
from events.observations import Observations
from events.record import Batch, Record
from exchange.core import snapshot
from exchange.core.book import Order
from exchange.core.invariants import check, check_end_of_batch
from exchange.core.liquidation.watch import arm_all
from exchange.core.margin.model import available_atoms, removable_atoms, withdrawable_atoms
from exchange.core.state import RULES_VERSION, Outcome, Position, State
from exchange.core.step import apply_batch, step
from tests.spec.words import EASY, GOLD, USD, Expected, account, mark

ECHOES = (OrderAccepted, MarketAdvanced, TimeAdvanced)
"""Facts that say what their command said."""

RICH = 10_000_000
"""What the two traders of every scenario own: enough to be of no concern."""


class Scenario:
    """A session under test, told as given, when and then."""

    def __init__(self, clock: int = 1) -> None:
        self.state = State()
        self.batches: list[Batch] = []
        self.outcome: Outcome | None = None
        self._rebuilt = State()
        self._clock = clock
        self._owners: dict[int, tuple[str, c.Side]] = {}
        self._facts: list[Fact] = []

    def copy(self) -> Scenario:
        """The same session, which goes on by itself: for a situation that many tests begin with. No history yet."""
        assert not self.state.columns, "rows of history are lent, not copied"
        other = Scenario(self._clock)
        other.state, other._rebuilt = (snapshot.decode(snapshot.encode(self.state)) for _ in range(2))
        other.batches, other._owners, other._facts = list(self.batches), dict(self._owners), list(self._facts)
        return other

    # Telling

    def given(self, *asked: Any) -> Scenario:
        """Bring about a situation: nothing of it may be refused."""
        for fact in self._ask(asked):
            assert not isinstance(fact, Refused), f"the situation cannot be given: {line(fact)}"
        return self

    def when(self, *asked: Any) -> Scenario:
        """Ask; what follows is what the next `then` speaks of."""
        self._facts = list(self._ask(asked))
        return self

    def then(self, *expected: Expected) -> Scenario:
        """Exactly these facts followed, in this order."""
        found = [fact for fact in self._facts if not isinstance(fact, ECHOES)]
        wanted = [self._named(fact) for fact in expected]
        assert found == wanted, "\n" + "\n".join(_side_by_side(wanted, found))
        return self

    def book(self, drawing: str, instrument: str = GOLD) -> Scenario:
        """The queues are as drawn: best asks last, best bids first, `5#1` is 5 lots of order 1, `M8` MARKET's 8, and
        `3+7#2` an iceberg that shows 3 and hides 7.
        """
        drawn = [" ".join(row.split()) for row in drawing.strip().splitlines()]
        found = list(self.drawn(instrument))
        assert found == drawn, "\n" + "\n".join(_side_by_side(drawn, found))
        return self

    def holds(self, name: str, instrument: str = GOLD, **expected: int) -> Scenario:
        """The account's figures are these: of its wallet, or of its position."""
        figures = {what: self._figure(name, instrument, what) for what in expected}
        assert figures == expected, f"{name} holds {figures}, expected {expected}"
        return self

    def feed(self, instrument: str = GOLD, **expected: Any) -> Scenario:
        """What is known of history is this."""
        contract = self.state.contracts[instrument]  # type: ignore[index]
        figures = {w: contract.book.stale if w == "stale" else getattr(contract.feed, w) for w in expected}
        assert figures == expected, f"the feed knows {figures}, expected {expected}"
        return self

    def waits(self, *expected: tuple[str, str]) -> Scenario:
        """This due work waits, in this order: (account or instrument, pool)."""
        assert [key[2:4] for key in self.state.due] == list(expected)
        return self

    def causes(self, kind: type[Fact] = Fact) -> list[str]:
        """The kind of the last record (or the last of a kind of fact) and of what caused it, up to the outside."""
        records = {record.seq: record for batch in self.batches for record in batch.records}
        seq, kinds = max(seq for seq, record in records.items() if isinstance(record.message, kind)), []
        while seq:
            kinds.append(type(records[seq].message).__name__)
            seq = records[seq].cause
        return kinds

    # Running

    def _ask(self, asked: tuple[Any, ...]) -> Iterator[Fact]:
        for one in asked:
            if isinstance(one, list | tuple):
                yield from self._ask(tuple(one))
            else:
                yield from self.run(one)

    def run(self, asked: Any) -> list[Fact]:
        """Decide one command, with every check that a scenario makes."""
        command = self.addressed(asked)
        state, before = self.state, snapshot.encode(self.state)
        now, untouched = state.now, snapshot.digest(state, outcomes=False)
        batch = step(state, command)
        again = self._decided_from(before, command)
        assert batch == again, f"from a snapshot it goes another way:\n{batch}\n{again}"
        if isinstance(batch, Outcome):
            self.outcome = batch
            assert snapshot.encode(state) == before
            return []
        check_end_of_batch(state)
        self._rebuild(batch)
        facts = batch.facts
        if [type(fact) for fact in facts] == [Refused]:
            later, state.now = state.now, now
            assert snapshot.digest(state, outcomes=False) == untouched, "a refusal changed something"
            state.now = later
        _check_echo(command, facts)
        self.batches.append(batch)
        return facts  # type: ignore[return-value]

    def _decided_from(self, before: bytes, command: c.Command) -> Batch | Outcome:
        restored = snapshot.decode(before)
        assert snapshot.encode(restored) == before, "a snapshot of a snapshot differs"
        restored.columns = self.state.columns
        return step(restored, command)

    def _rebuild(self, batch: Batch) -> None:
        rebuilt = self._rebuilt
        apply_batch(rebuilt, Batch(batch.number, batch.at, _Checked(rebuilt, batch.records)))
        assert snapshot.encode(rebuilt) == snapshot.encode(self.state), "rebuilt and live differ"
        arm_all(rebuilt)

    def addressed(self, asked: Any) -> c.Command:
        """The command with its time, its request, and the owner of the order that it names."""
        state = self.state
        at = state.now + self._clock
        if isinstance(asked, Observations):
            chunk = c.ChunkId(f"chunk {len(state.columns)}")
            asked.check()
            state.columns[chunk] = decode_chunk(encode_chunk(asked))
            self._rebuilt.columns[chunk] = replace(asked)
            asked = c.AdvanceMarket(c.Nanos(0), asked.instrument, chunk, 0, len(asked) - 1)
            at = max(at, state.columns[chunk].at[-1])
        elif isinstance(asked, c.AdvanceMarket) and asked.chunk in state.columns:
            at = max(at, *state.columns[asked.chunk].at[: asked.last_row + 1])
        asked = replace(asked, at=max(at, asked.at))
        if isinstance(asked, c.PlaceOrder | c.PlaceTrigger) and asked.number not in self._owners:
            self._owners[asked.number] = (asked.account, asked.side)
        if isinstance(asked, c.CancelOrder | c.AmendOrder) and not asked.account:
            asked = replace(asked, account=self._owners[asked.number][0])
        if isinstance(asked, c.TradersCommand) and not asked.request:
            asked = replace(asked, request=c.RequestId(f"request {len(self.batches)}"))
        if isinstance(asked, c.SubmitBatch):
            asked = replace(asked, items=tuple(self._item(asked, n, item) for n, item in enumerate(asked.items)))
        if isinstance(asked, PlaceLinked):
            entry = asked.entry and self._one_of(asked, asked.entry)
            asked = replace(asked, entry=entry, linked=tuple(self._one_of(asked, one) for one in asked.linked))
        return asked  # type: ignore[no-any-return]

    def _one_of(self, asked: PlaceLinked, one: Any) -> Any:
        """A linked order, with what is left open as its command has it."""
        self._owners.setdefault(one.number, (one.account or asked.account, one.side))
        at, account = one.at or asked.at, one.account or asked.account
        return replace(one, at=at, account=account, request=one.request or asked.request)

    def _item(self, asked: c.SubmitBatch, number: int, item: Any) -> Any:
        """An item of a batch, with what is left open as the batch has it."""
        if isinstance(item, c.PlaceOrder | c.PlaceTrigger) and item.number not in self._owners:
            self._owners[item.number] = (item.account or asked.account, item.side)
        at, account = item.at or asked.at, item.account or asked.account
        return replace(item, at=at, account=account, request=item.request or f"{asked.request}, item {number}")

    def _named(self, fact: Any) -> Fact:
        """The expected fact with the names that its order numbers stand for."""
        if isinstance(fact, Traded):
            parties: dict[str, Any] = {}
            for party, number in (("maker", fact.maker_order), ("taker", fact.taker_order)):
                if number:
                    parties[party] = self._owners[number][0]
            side = self._owners[fact.taker_order][1] if fact.taker_order else fact.side
            if side is None:
                side = c.Side.SELL if self._owners[fact.maker_order][1] is c.Side.BUY else c.Side.BUY
            value = self.state.contracts[fact.instrument].value_of(fact.price, fact.lots)
            return replace(fact, **parties, side=side, value=value)
        if getattr(fact, "account", None) == "":
            return replace(fact, account=self._owners[fact.number][0])
        return fact  # type: ignore[no-any-return]

    # Looking

    def position(self, name: str, instrument: str = GOLD) -> Position:
        """The account's position; that of a leg as GOLD:long."""
        state = self.state
        of, _, leg = instrument.partition(":")
        return state.position(state.accounts[name], state.contracts[of], Leg(leg or "net"))  # type: ignore[index]

    def _figure(self, name: str, instrument: str, what: str) -> int:
        position = self.position(name, instrument)
        wallet = position.wallet
        of_wallet = {"wallet": lambda: wallet.balance, "available": lambda: available_atoms(wallet),
                     "withdrawable": lambda: withdrawable_atoms(wallet)}  # fmt: skip
        if what in of_wallet:
            return of_wallet[what]()
        return removable_atoms(position) if what == "removable" else int(getattr(position, what))

    def drawn(self, instrument: str = GOLD) -> Iterator[str]:
        """The queues, a line each: best asks last, best bids first."""
        book = self.state.contracts[instrument].book  # type: ignore[index]
        for side, name in ((book.asks, "ask"), (book.bids, "bid")):
            prices = sorted({*side.levels, *(p for p in side.history.stated if side.available(p) > 0)}, reverse=True)
            for price in prices:
                level = side.levels.get(price)
                if level is None:
                    entries = [f"M{side.available(price)}"]
                else:
                    live = [e for e in level.queue if e.lots]
                    entries = [f"M{e.lots}" if e.account == c.MARKET else f"{_size(e)}#{e.number}" for e in live]
                yield f"{name} {price}: {' '.join(entries)}"


class _Checked(list[Record]):
    """Records that check the state whenever the next one is asked for: the one before is applied by then."""

    def __init__(self, state: State, records: list[Record]) -> None:
        super().__init__(records)
        self.state = state

    def __iter__(self) -> Iterator[Record]:
        for record in super().__iter__():
            yield record
            check(self.state)


def _size(order: Order) -> str:
    return f"{order.shown}+{order.lots - order.shown}" if order.shown else f"{order.lots}"


def _check_echo(command: c.Command, facts: list[Any]) -> None:
    if any(isinstance(fact, Refused) for fact in facts):
        return
    if isinstance(command, c.PlaceOrder):
        closes = {c.Side.BUY: Leg.SHORT, c.Side.SELL: Leg.LONG}[command.side] is command.leg
        said = asdict(command) | {"reduce_only": command.reduce_only or closes}
        echo = next(fact for fact in facts if isinstance(fact, OrderAccepted))
        said |= {"price": echo.price} if command.price_match is not PriceMatch.NONE else {}
        said |= {"good_till": echo.good_till} if command.time_in_force is c.TimeInForce.DAY else {}
        assert asdict(echo) == {field: said[field] for field in asdict(echo)}
    if isinstance(command, c.AdvanceMarket):
        rows = [row for f in facts if isinstance(f, MarketAdvanced) for row in range(f.first_row, f.last_row + 1)]
        assert rows == list(range(command.first_row, command.last_row + 1))


def line(fact: Any) -> str:
    """A fact as one line."""
    if isinstance(fact, str):
        return fact
    fields = asdict(fact).items()
    return f"{type(fact).__name__:<23}" + " ".join(f"{k}={getattr(v, 'value', v)}" for k, v in fields)


def _side_by_side(expected: list[Any], found: list[Any]) -> Iterator[str]:
    yield "  expected, and below it what was found"
    for one, other in zip_longest(expected, found):
        if one == other:
            yield f"  = {line(one)}"
        else:
            yield f"  - {'nothing' if one is None else line(one)}"
            yield f"  + {'nothing' if other is None else line(other)}"


def unopened() -> Scenario:
    """A session that was not opened yet."""
    return Scenario()


def opening(pack: RulePack = EASY, options: c.SessionOptions | None = None) -> c.OpenSession:
    """The command that opens a session."""
    return c.OpenSession(c.Nanos(0), RULES_VERSION, pack, options or c.SessionOptions())


def scenario(pack: RulePack = EASY, *, marks: int | None = 100, clock: int = 1, **options: Any) -> Scenario:
    """A session under a pack, with the rich accounts `maker` and `taker`, and every mark at `marks` ticks."""
    return _begun(pack, marks, clock, tuple(options.items())).copy()


@lru_cache(maxsize=64)
def _begun(pack: RulePack, marks: int | None, clock: int, options: tuple[tuple[str, Any], ...]) -> Scenario:
    session = Scenario(clock).given(opening(pack, c.SessionOptions(**dict(options))))
    settle = dict.fromkeys(terms.settle for terms in pack.instruments)
    for name in ("maker", "taker"):
        session.given(account(name), *(c.Deposit(c.Nanos(0), name, "", asset, RICH) for asset in settle))  # type: ignore[arg-type]
    if marks is not None:
        session.given(*(mark(marks, on=terms.id, tick=terms.tick) for terms in pack.instruments))
    return session


__all__ = ["GOLD", "USD", "Scenario", "opening", "scenario", "unopened"]
