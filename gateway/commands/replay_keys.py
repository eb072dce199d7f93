"""A replay under way by keys, and what was so far looked at again in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from events.log import EventLog
from exchange.sequencer import Sequencer
from gateway.commands.play_fork import fork_here
from gateway.playing import keys
from gateway.playing.deck import Deck, LookBack
from replay.control import Control
from replay.player import Player
from replay.visit import Visit


async def by_keys(
    log: EventLog,
    sequencer: Sequencer,
    path: Path,
    player: Player,
    control: Control,
    play: Callable[[], Coroutine[Any, Any, object]],
) -> None:
    """Let somebody at the terminal hold the replay until it ends."""
    deck = Deck(control, lambda: player.state, f"replay into {path}", look_back=partial(so_far, log, sequencer, path))
    control.on_passed = deck.note
    await keys.run(deck, play)


async def so_far(log: EventLog, sequencer: Sequencer, path: Path) -> LookBack:
    """The session up to here, to be looked at again: it begins where the replay stands."""
    await sequencer.flush()
    visit, control = Visit(log), Control(is_playing=False)
    deck = Deck(
        control, lambda: visit.state, f"the replay so far, q goes on with it: {path}", fork=partial(fork_here, path)
    )
    visit.on_batch = deck.note
    await visit.seek_batch(sequencer.durable.batch)
    playing = asyncio.ensure_future(visit.play(control))

    async def end() -> None:
        control.stop()
        await playing
        await visit.close()

    return LookBack(deck, end)
