"""Liquidations explained over the native API: the log is read once more, beside the session, in a thread of its own."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from events.codec import decode_body
from events.store.sqlite import open_session
from exchange.projections.explain import Liquidation
from gateway.native.accounts import READ
from gateway.native.desk import Client
from gateway.native.problems import Asked
from gateway.serving.keys import Scope

EFFORT_MAX = 500_000
"""What forks may do for one explanation: records decided and rows applied."""


@get("/liquidations", opt=READ)
async def list_liquidations(client: NamedDependency[Client]) -> list[dict[str, Any]]:
    """The account's liquidations, with the records that led there; an admin asks for all of them with `?account=`."""
    found = await asyncio.to_thread(_listed, _file(client))
    return [told for told in found if _may_see(client, told["account"])]


@get("/liquidations/{number:int}", opt=READ)
async def explain_liquidation(
    client: NamedDependency[Client], number: FromPath[int], effort: FromQuery[int] = 100_000
) -> dict[str, Any]:
    """One liquidation: its causes, its steps, where the equity went, and what would have prevented it.

    `effort` bounds what is tried out; 0 tries nothing.
    """
    told = await asyncio.to_thread(_explained, _file(client), number, max(0, min(effort, EFFORT_MAX)))
    if told is None or not _may_see(client, told["account"]):
        raise Asked("unknown_liquidation", f"there is no liquidation {number} of this account", 404)
    return told


def _may_see(client: Client, account: str) -> bool:
    return account == client.account or (Scope.ADMIN in client.key.scopes and client.account == client.key.account)


def _file(client: Client) -> Path:
    if client.desk.path is None:
        raise Asked("no_file", "this session is kept in memory only", 409)
    return client.desk.path


def _listed(path: Path) -> list[dict[str, Any]]:
    from gateway.commands import why  # noqa: PLC0415 - it takes half of the command line with it

    found = asyncio.run(_read(path))
    return [why.as_object(number, one) for number, one in found.liquidations().items()]


async def _read(path: Path) -> Any:
    from gateway.commands.why import Found  # noqa: PLC0415 - as above

    found = Found()
    log = await open_session(path, read_only=True)
    try:
        async with aclosing(log.read()) as batches:
            async for stored in batches:
                found.observe(decode_body(stored.number, stored.body))
    finally:
        await log.close()
    return found


def _explained(path: Path, number: int, effort: int) -> dict[str, Any] | None:
    found = asyncio.run(_read(path))
    liquidation = found.liquidations().get(number)
    if liquidation is None:
        return None
    return asyncio.run(_story(path, number, liquidation, found.pack, effort))


async def _story(path: Path, number: int, liquidation: Liquidation, pack: Any, effort: int) -> dict[str, Any]:
    from gateway.reports import why_object  # noqa: PLC0415 - as above
    from replay.lending import Lender  # noqa: PLC0415
    from replay.why import Effort, Storyteller, counterfactuals  # noqa: PLC0415

    teller = Storyteller(liquidation, pack)
    log = await open_session(path, read_only=True)
    try:
        lender = Lender(log, [teller.state])
        async with aclosing(log.read()) as batches:
            async for stored in batches:
                batch = decode_body(stored.number, stored.body)
                await lender.lend(batch)
                teller.observe(batch)
        story = teller.end()
        answers = await counterfactuals(log, story, Effort(effort))
    finally:
        await log.close()
    return why_object.as_object(path.name, number, story, answers)


HANDLERS = [list_liquidations, explain_liquidation]
