"""Which rule packs `ringfence fork --set pack=` takes: those in which what is recorded means what it meant."""

from __future__ import annotations

from collections.abc import Sequence

from events.codec import decode_body
from events.commands import OpenSession
from events.instruments import InstrumentId, RulePack
from events.log import EventLog
from events.units import decimal_text
from gateway.errors import UsageError
from replay.editing import Edit


async def check_packs(log: EventLog, before: int, edits: Sequence[Edit]) -> None:
    """Refuse a pack without an instrument that the session names, or with other ticks or lots of it, in which its
    prices and sizes are recorded; nothing where the session was opened ahead of batch `before`, as it is not set then.
    Raises UsageError, LogError.
    """
    packs = [(edit.text, edit.pack) for edit in edits if edit.pack]
    if not packs:
        return
    recorded, named = await _named(log, before)
    for text, pack in packs:
        if defect := _defect(recorded, named, pack):
            raise UsageError(f"--set {text!r}: {defect}")


async def _named(log: EventLog, before: int) -> tuple[RulePack | None, list[InstrumentId]]:
    """The pack that a session takes from that batch on, if it does, and the instruments that its commands name."""
    pack, named = None, dict[InstrumentId, None]()
    async for stored in log.read(before - 1):
        command = decode_body(stored.number, stored.body).command
        if isinstance(command, OpenSession):
            pack = pack or command.pack
        elif name := getattr(command, "instrument", None):
            named[name] = None
    return pack, list(named)


def _defect(recorded: RulePack | None, named: Sequence[InstrumentId], pack: RulePack) -> str:
    """Why a pack cannot take the place of the recorded one; empty where it can."""
    before = _units(recorded) if recorded else {}
    after = _units(pack)
    for name in named:
        if name not in before or after.get(name) == before[name]:
            continue
        if name not in after:
            return f"{pack.id} has no {name}, which the session trades; name a pack that has it"
        (tick, lot), (new_tick, new_lot) = before[name], after[name]
        return (
            f"{name} has ticks of {tick} and lots of {lot} in the session, of {new_tick} and {new_lot} in {pack.id}; "
            "name a pack that has the same, as prices and sizes are recorded in them"
        )
    return ""


def _units(pack: RulePack) -> dict[InstrumentId, tuple[str, str]]:
    """The tick and the lot of each instrument, as text."""
    return {terms.id: (decimal_text(terms.tick), decimal_text(terms.lot)) for terms in pack.instruments}
