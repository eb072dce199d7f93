"""`ringfence proof root`, `make` and `check`."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.instruments import AssetId
from events.log import EventLog
from events.store.sqlite import open_session
from exchange.core.state import State
from exchange.projections.solvency import proof as p
from exchange.projections.solvency.backing import Backing, backing
from exchange.projections.solvency.liabilities import NO_SECRET, Liabilities, Moment, liabilities, next_secret
from gateway.console import OUT, money_text, say_json
from gateway.errors import UsageError, about
from gateway.naming import there_are
from replay.travel import NoSuchMoment, state_at

FAILS = 1

EMPTY = "''"
"""How nothing is told."""


def root(session: Path, asset: str, at: int, as_json: bool) -> int:
    """Print the root of an asset. Returns 0."""
    state, moment = _rebuilt(session, at)
    owed = _liabilities(session, state, moment, asset)
    behind = backing(state, owed.asset)
    if as_json:
        say_json({**_root_object(owed), "backing": _backing_object(behind)})
        return 0
    _show(owed, behind)
    return 0


def make(session: Path, account: str, asset: str, at: int, out: Path, as_json: bool) -> int:
    """Write the proof of an account. Returns 0."""
    state, moment = _rebuilt(session, at)
    owed = _liabilities(session, state, moment, asset)
    if account not in owed.owed:
        raise UsageError(
            f"{session}: no account {account!r} at record {moment.record}; {there_are(owed.owed, account)}"
        )
    proof = owed.proof(account)
    p.check(proof)
    _write(out, proof)
    behind = backing(state, owed.asset)
    if as_json:
        say_json({"proof": p.as_object(proof), "backing": _backing_object(behind), "written": str(out)})
        return 0
    _show(owed, behind)
    nodes = f"{len(proof.path)} node{'' if len(proof.path) == 1 else 's'}"
    OUT.print(
        f"proof    {account} is owed {money_text(proof.owed, 8)} {proof.asset}: leaf {proof.leaf} of "
        f"{proof.accounts:,}, path of {nodes}",
        markup=False,
    )
    OUT.print(f"written  {out}", markup=False)
    return 0


def check(file: Path, root: str | None, session: Path | None, as_json: bool) -> int:
    """Say whether the proof holds: under its own root, the published one, the session's. Returns the exit status."""
    if root is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", root):
        raise UsageError(f"--root {root or EMPTY}: a root is 64 digits of 0-9 and a-f")
    try:
        proof = _read(file)
        p.check(proof)
        if root and bytes.fromhex(root) != proof.root:
            raise p.ProofError(f"it leads to the root {proof.root.hex()}, not to the published one")
        if session is not None:
            _compare(proof, session)
    except p.NoProof as error:
        raise UsageError(f"{file}: {error}; give the file of a proof") from error
    except p.ProofError as error:
        if as_json:
            say_json({"ok": False, "reason": str(error)})
        else:
            OUT.print(f"fails    {file}: {error}", markup=False)
        return FAILS
    if as_json:
        say_json({"ok": True, **_verdict(proof), "published": bool(root), "recomputed": session is not None})
    else:
        for line in _holds(proof, bool(root), session):
            OUT.print(line, markup=False)
    return 0


def _holds(proof: p.Proof, published: bool, session: Path | None) -> tuple[str, ...]:
    """The verdict: what is owed, of how much, under which root, and what has the same one."""
    found = ["the published root"] if published else []
    found += [f"the root of {session}"] if session else []
    return (
        f"holds    {proof.account} is owed {money_text(proof.owed, 8)} {proof.asset}",
        f"of       {money_text(proof.sum, 8)} {proof.asset} to {_accounts(proof.accounts)} at record {proof.record:,}",
        f"root     {proof.root.hex()}",
        f"equals   {' and '.join(found)}" if found else "compare  the root with the published one",
    )


def _verdict(proof: p.Proof) -> dict[str, Any]:
    fields = p.as_object(proof)
    return {name: fields[name] for name in ("account", "owed", "asset", "sum", "accounts", "record", "head", "root")}


def _read(file: Path) -> p.Proof:
    try:
        return p.read(file.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise p.NoProof("this is no JSON") from error


def _compare(proof: p.Proof, session: Path) -> None:
    """Raises ProofError where the session at that record has another root."""
    try:
        state, moment = _rebuilt(session, proof.record)
    except UsageError as error:
        raise p.ProofError(str(error)) from error
    if moment.head != proof.head:
        raise p.ProofError(f"{session} has another digest at record {proof.record}")
    asset = AssetId(proof.asset)
    if asset not in state.ledger or liabilities(state, moment, asset).root != proof.root:
        raise p.ProofError(f"{session} has another root at record {proof.record}")


def _write(out: Path, proof: p.Proof) -> None:
    """Write the file; what is no proof is not replaced."""
    if out.exists():
        try:
            _read(out)
        except p.ProofError as error:
            raise UsageError(f"{out} is there already and is no proof; choose another name") from error
    out.write_text(p.write(proof), "utf-8")


def _rebuilt(session: Path, at: int) -> tuple[State, Moment]:
    """The state after the batch that holds the record (0: after the last one), and that moment."""
    with about(session):
        try:
            return asyncio.run(_moment(session, at))
        except NoSuchMoment as error:
            raise UsageError(f"{session}: {error}") from error


async def _moment(session: Path, at: int) -> tuple[State, Moment]:
    log = await open_session(session, read_only=True)
    try:
        record = at or (await log.head()).seq
        if not record:
            raise UsageError(f"{session}: the session is empty; there is nothing to prove")
        return (await state_at(log, record)).state, await _sealed(log, record)
    finally:
        await log.close()


async def _sealed(log: EventLog, record: int) -> Moment:
    """Digest and secret after the batch that holds the record, in a log whose chain was checked."""
    secret, moment = NO_SECRET, Moment(0, b"", NO_SECRET)
    async for stored in log.read():
        secret = next_secret(secret, stored.body)
        moment = Moment(stored.last_seq, stored.digest, secret)
        if stored.last_seq >= record:
            break
    return moment


def _liabilities(session: Path, state: State, moment: Moment, asset: str) -> Liabilities:
    """What is owed in the asset, or in the only one that anybody has. Raises UsageError."""
    held = list(dict.fromkeys(asset for account in state.accounts.values() for asset in account.wallets))
    assets = f"accounts have {', '.join(held)}" if held else "nobody has anything yet"
    if not asset and len(held) == 1:
        (asset,) = held
    if not asset:
        raise UsageError(f"{session}: {assets}; name the asset with --asset")
    if asset not in state.ledger:
        raise UsageError(f"--asset {asset}: {session} knows no such asset; {assets}")
    try:
        return liabilities(state, moment, AssetId(asset))
    except p.ProofError as error:
        raise UsageError(f"{session}: {error}") from error


def _root_object(owed: Liabilities) -> dict[str, Any]:
    moment = owed.moment
    return {
        "root": owed.root.hex(),
        "sum": str(owed.sum),
        "accounts": len(owed.owed),
        "asset": owed.asset,
        "record": moment.record,
        "head": moment.head.hex(),
    }


def _backing_object(behind: Backing) -> dict[str, Any]:
    layers = {layer.name: [str(layer.ledger), str(layer.marked)] for layer in behind.layers}
    return {"entered": str(behind.entered), "layers": layers}


def _show(owed: Liabilities, behind: Backing) -> None:
    """The root and what backs its sum, for people."""
    moment = owed.moment
    OUT.print(f"record   {moment.record:,}, head {moment.head.hex()}")
    OUT.print(f"owed     {money_text(owed.sum, 8)} {owed.asset} to {_accounts(len(owed.owed))}", markup=False)
    OUT.print(f"root     {owed.root.hex()}")
    OUT.print(_table(behind, owed.asset))


def _table(behind: Backing, asset: str) -> Table:
    """One row a layer, and what entered below."""
    table = Table(title=f"who has what entered, {asset}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in ("ledger", "at the marks"):
        table.add_column(column, justify="right", overflow="fold")
    for name, ledger, marked in behind.layers:
        table.add_row(name, money_text(ledger, 8), money_text(marked, 8))
    table.add_section()
    entered = money_text(behind.entered, 8)
    table.add_row("deposits - withdrawals", entered, entered)
    return table


def _accounts(count: int) -> str:
    return f"{count:,} account{'' if count == 1 else 's'}"
