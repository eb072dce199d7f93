"""A player without a terminal: what is to be done comes in line by line, and each line says where it led."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gateway.commands import log_at
from gateway.console import OUT, say_json
from gateway.errors import UsageError
from gateway.playing.deck import Deck
from replay.visit import Visit


async def run(deck: Deck, visit: Visit, lines: Iterable[str], as_json: bool) -> None:
    """Do the lines one after the other; what plays has come to rest before the next. Raises UsageError."""
    playing = asyncio.create_task(visit.play(deck.control))
    try:
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            before = visit.head.batch
            try:
                said = await _unless_it_ends(playing, deck, text)
            except UsageError as error:
                raise UsageError(f"line {number}: {error}") from error
            _tell(deck, visit, text, said, as_json, visit.head.batch != before)
            if deck.is_left:
                break
    finally:
        deck.control.stop()
        await playing


async def _unless_it_ends(playing: asyncio.Task[None], deck: Deck, text: str) -> str | None:
    """Do what the line says and let it come to rest; a failure of what plays is raised here."""
    done = asyncio.ensure_future(_done(deck, text))
    await asyncio.wait({done, playing}, return_when=asyncio.FIRST_COMPLETED)
    if playing.done() and not deck.is_left:
        done.cancel()
        playing.result()
    return await done


async def _done(deck: Deck, text: str) -> str | None:
    if text == "play" and deck.control.loop:
        raise UsageError("a loop has no end: give play a length, as play 30s, or say loop off before")
    said = await deck.do(text)
    await deck.control.still()
    return said


def _tell(deck: Deck, visit: Visit, text: str, said: str | None, as_json: bool, moves: bool) -> None:
    shows = text.split(maxsplit=1)[0] == "show"
    if as_json:
        say_json({"did": text, **deck.as_object(), **({"said": said} if said else {}), **(_all(deck) if shows else {})})
    elif shows:
        log_at.show(visit.state, deck.moment(), visit.head)
    else:
        OUT.print(f"{text:<24}  {deck.line()}", markup=False)
        for news in deck.latest() if moves else ():
            OUT.print(f"  {news}", markup=False)
        if said:
            OUT.print(f"  {said}", markup=False)


def _all(deck: Deck) -> dict[str, object]:
    return {"moment": deck.moment()}
