"""What a trial is expected to come to, and how a disappointment is told: in one line, then with its causes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, get_type_hints

from events.codec import record_text
from events.facts import AnyFact
from events.record import Batch, Record
from events.units import UNIT, Atoms, Lots, MarkUnits, Rate, Ticks
from exchange.core.state import State
from exchange.projections.results import Results
from replay.context import Context
from replay.quotes import equity_atoms

SHOWN = 3
"""So many of the facts that were found instead are told."""

VALUE_SHOWN = 40
"""So many letters of a field are told."""

CAUSES = 8
"""So many records that led to another are told."""


class Played(Protocol):
    """A session that was played to its end."""

    @property
    def batches(self) -> list[Batch]:
        """All batches, in order."""
        ...

    @property
    def state(self) -> State:
        """The last state."""
        ...

    @property
    def results(self) -> Results:
        """How the accounts fared."""
        ...


class Expectation(Protocol):
    """Something that has to hold of a session."""

    def fault(self, played: Played) -> str:
        """What does not hold, with its causes; nothing where it holds."""
        ...


@dataclass(frozen=True)
class Happened:
    """Facts of a kind with these fields: so many, or, where `times` is None, one at least."""

    kind: type[AnyFact]
    fields: Mapping[str, Any]
    times: int | None

    def fault(self, played: Played) -> str:
        """How many there were instead, and which."""
        records = {record.seq: record for batch in played.batches for record in batch.records}
        of_kind = [record for record in records.values() if isinstance(record.message, self.kind)]
        found = [record for record in of_kind if self._fits(record.message, played.state)]
        if len(found) == self.times or (self.times is None and found):
            return ""
        wanted = "one at least" if self.times is None else f"{self.times:,}"
        lines = [f"{self._words()}: {wanted} expected, {len(found):,} found"]
        if found:
            lines += ["the last of them, and what led to it:", *told_causes(found[-1], records)]
        elif of_kind:
            lines += [f"of that kind there were {len(of_kind):,}:", *map(told, of_kind[:SHOWN])]
        return "\n".join(lines)

    def _words(self) -> str:
        said = " ".join(f"{name}={getattr(value, 'value', value)}" for name, value in self.fields.items())
        return f"{self.kind.__struct_config__.tag} {said}".rstrip()

    def _fits(self, fact: Any, state: State) -> bool:
        return all(_same(fact, name, value, state) for name, value in self.fields.items())


@dataclass(frozen=True)
class Ends:
    """Figures of an account at the end, as decimals."""

    account: str
    asset: str
    figures: Mapping[str, Any]

    def fault(self, played: Played) -> str:
        """The figures that are others."""
        found, wanted = self._found(played), dict(self.figures)
        for name, size in wanted.pop("position", {}).items():
            found[f"position in {name}"] = found["position"].get(name)
            wanted[f"position in {name}"] = size
        return "\n".join(
            f"{self.account} ends with {name} {found[name]}, expected {value}"
            for name, value in wanted.items()
            if found[name] != Decimal(value)
        )

    def _found(self, played: Played) -> dict[str, Any]:
        state = played.state
        account = state.accounts[self.account]  # type: ignore[index]
        result = played.results.accounts[account.name]
        context = Context(lambda: state, account.name, lambda _: None)
        return {
            "equity": Decimal(equity_atoms(account, self.asset)) / UNIT,
            "fees": Decimal(result.of(self.asset).fees) / UNIT,  # type: ignore[arg-type]
            "funding": Decimal(result.of(self.asset).funding) / UNIT,  # type: ignore[arg-type]
            "fills": result.fills,
            "liquidations": result.liquidations,
            "refusals": result.refusals,
            "position": {name: context.position(name) for name in state.contracts},
        }


def _same(fact: Any, name: str, value: Any, state: State) -> bool:
    """Whether a field has this value; a Decimal or text stands for ticks, lots, atoms or mark units."""
    found = getattr(fact, name)
    if isinstance(found, int) and isinstance(value, Decimal | str):
        return Decimal(found * _unit(fact, name, state)) / UNIT == Decimal(value)
    return bool(getattr(found, "value", found) == getattr(value, "value", value))


def _unit(fact: Any, name: str, state: State) -> int:
    """What one of a field is in 10^-8."""
    kind = str(get_type_hints(type(fact))[name])
    if any(unit.__name__ in kind for unit in (Atoms, MarkUnits, Rate)):
        return 1
    contract = state.contracts[fact.instrument]
    return contract.tick if Ticks.__name__ in kind else contract.lot if Lots.__name__ in kind else UNIT


def told(record: Record) -> str:
    """A record as a line: its number, its kind, and what it says."""
    said = json.loads(record_text(record))[2]
    fields = " ".join(f"{name}={_short(value)}" for name, value in said.items() if name not in ("kind", "at"))
    return f"  {record.seq:>6}  {said['kind']} {fields}".rstrip()


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 3]}..."


def told_causes(record: Record, records: Mapping[int, Record]) -> Iterator[str]:
    """The record below those that led to it, the first cause first."""
    chain = [record]
    while (cause := records.get(chain[-1].cause)) is not None and len(chain) < CAUSES:
        chain.append(cause)
    return map(told, reversed(chain))
