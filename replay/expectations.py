"""What a trial is expected to come to, and how a disappointment is told: in one line, then with its causes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from events.codec import record_text
from events.commands import MARKET, AccountId
from events.facts import AnyFact, ItemRefused, Refused
from events.record import Batch, Record, kind_of
from events.units import UNIT, decimal_text
from exchange.core.state import State
from exchange.projections.results import Results
from replay.context import Context
from replay.quotes import equity_atoms
from replay.wanted import PARTIES, Scale, check_fields, check_names, fields_of, number, one_of

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

    def __post_init__(self) -> None:
        """Raise ValueError where no such fact can have these fields."""
        check_fields(self.kind, self.fields)

    def fault(self, played: Played) -> str:
        """How many there were instead, and which. Raises ValueError where nobody of that name is in the session."""
        check_names(self.kind, self.fields, played.state)
        records = {record.seq: record for batch in played.batches for record in batch.records}
        scale = Scale(records.values())
        of_kind = [record for record in records.values() if isinstance(record.message, self.kind)]
        found = [record for record in of_kind if self._fits(record, records, scale)]
        if len(found) == self.times or (self.times is None and found):
            return ""
        wanted = "one at least" if self.times is None else f"{self.times:,}"
        lines = [f"{self._words()}: {wanted} expected, {len(found):,} found"]
        if found:
            return "\n".join([*lines, "the last of them, and what led to it:", *told_causes(found[-1], records)])
        if of_kind:
            shown = (told(record, scale) for record in of_kind[:SHOWN])
            lines += [f"of that kind there were {len(of_kind):,}:", *shown]
        return "\n".join([*lines, *told_refusals(played, self._accounts())])

    def _words(self) -> str:
        said = " ".join(f"{name}={getattr(value, 'value', value)}" for name, value in self.fields.items())
        return f"{self.kind.__struct_config__.tag} {said}".rstrip()

    def _accounts(self) -> tuple[str, ...]:
        types = fields_of(self.kind)
        return tuple(value for name, value in self.fields.items() if AccountId in types[name] and value != MARKET)

    def _fits(self, record: Record, records: Mapping[int, Record], scale: Scale) -> bool:
        fact = record.message
        for name, value in self.fields.items():
            if not hasattr(fact, name):
                giver = getattr(records[record.cause].message, "account", "") if record.cause in records else ""
                if value not in (giver, *(getattr(fact, party, None) for party in PARTIES)):
                    return False
            elif not scale.has(fact, name, value):
                return False
        return True


FIGURES = ("equity", "fees", "funding", "fills", "liquidations", "refusals", "position")
"""What may be asked of an account at the end."""


@dataclass(frozen=True)
class Ends:
    """Figures of an account at the end, as decimals."""

    account: str
    asset: str
    figures: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such figure, or it cannot have that value."""
        for name, value in self.figures.items():
            one_of("ends: figure", name, FIGURES)
            if name != "position":
                number(value, f"ends: {name}")
            elif not isinstance(value, Mapping):
                raise ValueError(f'ends: position {value!r}: give signed sizes by instrument, as {{"BTCUSDT": "0.3"}}')
            else:
                for instrument, size in value.items():
                    number(size, f"ends: position in {instrument}")

    def fault(self, played: Played) -> str:
        """The figures that are others. Raises ValueError where the session has no such account, asset or instrument."""
        self._check(played.state)
        found, wanted = self._found(played), dict(self.figures)
        for name, size in wanted.pop("position", {}).items():
            found[f"position in {name}"] = found["position"].get(name)
            wanted[f"position in {name}"] = size
        return "\n".join(
            f"{self.account} ends with {name} {found[name]}, expected {value}"
            for name, value in wanted.items()
            if found[name] != number(value, name)
        )

    def _check(self, state: State) -> None:
        one_of("ends: account", self.account, state.accounts)
        assert state.pack is not None
        wallets = state.accounts[AccountId(self.account)].wallets
        one_of(
            "ends: asset", self.asset, dict.fromkeys([*wallets, *(terms.settle for terms in state.pack.instruments)])
        )
        for name in self.figures.get("position", ()):
            one_of("ends: position in", name, state.contracts)

    def _found(self, played: Played) -> dict[str, Any]:
        state = played.state
        account = state.accounts[AccountId(self.account)]
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


def told(record: Record, scale: Scale) -> str:
    """A record as a line: its number, its kind, and what it says, in decimals where its instrument is known."""
    said = json.loads(record_text(record))[2]
    fields = " ".join(
        f"{name}={_short(_decimal(record, name, value, scale))}"
        for name, value in said.items()
        if name not in ("kind", "at")
    )
    return f"  {record.seq:>6}  {said['kind']} {fields}".rstrip()


def _decimal(record: Record, name: str, value: Any, scale: Scale) -> Any:
    unit = scale.unit(record.message, name) if type(value) is int else None
    return decimal_text(value, unit) if unit else value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 3]}..."


def told_causes(record: Record, records: Mapping[int, Record]) -> Iterator[str]:
    """The record below those that led to it, the first cause first."""
    chain = [record]
    while (cause := records.get(chain[-1].cause)) is not None and len(chain) < CAUSES:
        chain.append(cause)
    scale = Scale(records.values())
    return (told(one, scale) for one in reversed(chain))


def told_refusals(played: Played, accounts: tuple[str, ...]) -> Iterator[str]:
    """What these accounts, or all where none is named, were refused: the first of it, with the reasons."""
    found = [
        f"  {record.seq:>6}  {kind_of(batch.records[0].message)} of {giver}: {record.message.reason.value}"
        for batch in played.batches
        for record in batch.records
        if isinstance(record.message, Refused | ItemRefused)
        and ((giver := getattr(batch.command, "account", "")) in accounts or not accounts)
    ]
    if found:
        yield f"refused were {len(found):,}:"
        yield from found[:SHOWN]
