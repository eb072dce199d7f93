"""A player by keys: what each does, what the screen shows, and a terminal that is given back as it was."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from events.store.memory import MemoryLog
from events.units import SECOND
from examples.quoter import Quoter
from exchange.core.snapshot import encode
from exchange.rebuild import rebuild
from exchange.sequencer import Sequencer
from gateway.commands.replay_keys import so_far
from gateway.errors import UsageError
from gateway.playing.deck import Deck
from gateway.playing.keys import Keys
from gateway.playing.terminal import keys_of, split
from replay.clock import ManualClock
from replay.control import Control
from replay.player import Player
from replay.sources import open_source
from replay.visit import Visit
from tests.captures import PACK, write
from tests.command_line import ROOT
from tests.hands import HEIGHT, WIDTH, Hands
from tests.loop import in_loop, turns
from tests.playing import AS_RECORDED, market, play, trader
from tests.strategies import Gambler
from tests.tampering import recorded


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> MemoryLog:
    log = MemoryLog()
    path = write(tmp_path_factory.mktemp("market") / "market", market(20))
    play(path, traders=[trader(Gambler(), leverage=20), trader(Quoter(), "ben")], log=log)
    return log


class TestKeys:
    """Each key does what a typed line does."""

    @in_loop
    async def test_arrows_step_and_seek(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            await hands.press("right", "right", "left")
            assert hands.visit.head.batch == 2
            begin = hands.visit.at
            await hands.press("up")
            assert 9 * SECOND < hands.visit.at - begin <= 10 * SECOND
            await hands.press("down")
            assert hands.visit.at - begin <= SECOND

    @in_loop
    async def test_letters_go_to_what_is_of_interest(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            for key, kind in (("n", "traded"), ("m", ""), ("x", "liquidation"), ("p", "traded")):
                screen = await hands.press(key)
                latest = hands.deck.latest()
                assert any(kind in str(news) for news in latest) or not kind
                assert not latest or str(latest[-1])[:WIDTH] in screen

    @in_loop
    async def test_space_plays_and_pauses(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            hands.keys.press(" ")
            assert hands.control.is_playing
            hands.keys.press(" ")
            assert not hands.control.is_playing

    @in_loop
    async def test_space_stops_steps_that_take_long(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            hands.control.step(10**6)
            hands.keys.press(" ")
            await turns()
            assert hands.visit.head.batch < 100
            assert not hands.control.is_at_end

    @in_loop
    async def test_plus_and_minus_double_and_halve_the_speed(self, log: MemoryLog) -> None:
        speeds = []
        async with Hands(log) as hands:
            for key in ("+", "=", "-", "0", "+", "-", "1", *"-" * 20):
                await hands.press(key)
                speeds.append(hands.control.as_object()["speed"])
        assert speeds[:7] == ["2x", "4x", "2x", "max", "max", "1000x", "1x"]
        assert speeds[-1] == "0.001x"

    @in_loop
    async def test_home_and_end(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            screen = await hands.press("end")
            assert screen[1].endswith("paused, 1x, the end")
            assert "record 2 (batch 1)" in (await hands.press("home"))[1]

    @in_loop
    async def test_a_time_or_a_record_is_typed(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            await hands.press("g", *"300")
            assert hands.keys.shown(WIDTH, HEIGHT)[-1] == "> seek 300█"
            await hands.press("backspace", "enter")
            assert hands.deck.state.seq >= 30
            there = hands.visit.at
            await hands.press("end")
            await hands.type("g", str(there))
            assert hands.visit.at == there
            await hands.type(":", "step 2 mark")
            assert hands.visit.at > there

    @in_loop
    async def test_escape_leaves_the_line_and_an_empty_one_does_nothing(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            screen = await hands.press("f", *"x.db", "escape", ":", "up", "enter", "z")
            assert screen[-1] == "? help  q quit"
            assert (hands.visit.head.batch, hands.forks) == (1, [])

    @in_loop
    async def test_a_loop_is_marked_where_it_begins_and_ends(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            await hands.press("up")
            begin = hands.visit.at
            assert "a loop begins at 2024-" in (await hands.press("l"))[-1]
            await hands.press("m", "m", "l")
            assert hands.control.loop == (begin, hands.visit.at)
            await hands.press("l")
            assert hands.control.loop is None

    @in_loop
    async def test_a_fork_is_made_here(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            await hands.press("right", "right")
            screen = await hands.type("f", "x.db ann:deposit:USDT=5")
            assert hands.forks == [(hands.deck.state.seq, ["x.db", "ann:deposit:USDT=5"])]
            assert screen[-1] == "written"

    @in_loop
    async def test_accounts_are_looked_at_in_turn(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            await hands.press("up")
            seen = []
            for _ in range(3):
                await hands.press("a")
                seen.append(hands.deck.account)
            assert seen == ["ann", "ben", None]

    @in_loop
    async def test_what_cannot_be_done_is_told_below(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            assert "'nonsense' is nothing to do here" in (await hands.type(":", "nonsense"))[-1]
            assert (await hands.press("?"))[-1] == "? help  q quit"

    @in_loop
    async def test_help_is_shown_and_goes(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            assert any("ten seconds on, back" in line for line in await hands.press("?"))
            assert not any("ten seconds on, back" in line for line in await hands.press("?"))


class TestUnderWay:
    """A replay under way goes on after a look at what was."""

    @in_loop
    async def test_what_was_is_looked_at_while_it_pauses_and_then_it_goes_on(self, tmp_path: Path) -> None:
        log = MemoryLog()
        sequencer = await Sequencer.open(log)
        control = Control(is_playing=False, clock=ManualClock())
        source = open_source(write(tmp_path / "market", market(20)), PACK)
        player = Player(sequencer, [source], [trader(Quoter())], control=control)
        back = partial(so_far, log, sequencer, tmp_path / "session.db")
        replay = Deck(control, lambda: player.state, "replay", look_back=back)
        keys = Keys(replay)
        playing = asyncio.create_task(player.run(PACK, AS_RECORDED))
        working = asyncio.create_task(keys.work())

        async def press(*pressed: str) -> list[str]:
            for key in pressed:
                keys.press(key)
                await turns(80)
            return keys.shown(WIDTH, HEIGHT)

        await press("n", "m")
        stands = player.state.seq
        assert "looks back at what was" in (await press("left"))[-1]
        assert (await press("r"))[0].startswith("the replay so far, q goes on with it")
        assert keys.deck.state.seq == stands
        await press("left", "left", "left")
        assert keys.deck.state.seq < stands == player.state.seq
        assert "looked at already" in (await press("r"))[-1]
        keys.deck.control.step(10**9)
        assert (await press("q"))[0] == "replay"
        await press("m")
        assert player.state.seq > stands
        await press("r")
        keys.end()
        await playing
        working.cancel()
        await keys.close()
        await sequencer.close()
        assert encode((await rebuild(log)).state) == encode(player.state)


class TestScreen:
    """What fits is shown, the most important first."""

    @in_loop
    async def test_price_book_accounts_and_news(self, log: MemoryLog) -> None:
        async with Hands(log) as hands:
            await hands.press("up", "n")
            screen = hands.keys.shown(WIDTH, 60)
            text = "\n".join(screen)
            assert screen[0] == "session.db"
            for word in ("BTCUSDT  mark ", "┤", "bid size", "wallets", "positions", "open orders", "traded "):
                assert word in text, word
            assert "account ann" in (await hands.press("a"))[0]

    @pytest.mark.parametrize(("width", "height"), [(100, 40), (40, 12), (20, 3), (200, 100)])
    @in_loop
    async def test_it_fits(self, log: MemoryLog, width: int, height: int) -> None:
        async with Hands(log) as hands:
            await hands.press("up", "n")
            screen = hands.keys.shown(width, height)
            assert len(screen) == height
            assert max(map(len, screen)) <= width

    @in_loop
    async def test_a_small_terminal_shows_what_accounts_hold_whatever_else_it_has_no_room_for(
        self, log: MemoryLog
    ) -> None:
        async with Hands(log) as hands:
            await hands.press("up", "n")
            screen = hands.keys.shown(80, 24)
            text = "\n".join(screen)
            for word in ("mark ", "  bid ", "  ask ", "traded ", "entry price", "PnL", "margin ratio", "equity"):
                assert word in text, word
            assert text.index("entry price") < text.index("margin ratio") < text.index("available")
            assert "notional" not in text

    @in_loop
    async def test_before_the_session_is_open_there_is_little_to_see(self, log: MemoryLog) -> None:
        visit = Visit(log)
        deck = Deck(Control(is_playing=False), lambda: visit.state, "replay into x.db")
        assert Keys(deck).shown(60, 4)[0] == "replay into x.db"

    @in_loop
    async def test_a_replay_under_way_is_not_looked_at_again(self, log: MemoryLog) -> None:
        deck = Deck(Control(is_playing=False), lambda: Visit(log).state, "replay into x.db")
        for line in ("record 5", "seek start", "loop off", "fork x.db y"):
            with pytest.raises(UsageError, match="a replay under way goes forwards only"):
                await deck.do(line)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("a b", ["a", " ", "b"]),
        ("\x1b[A\x1b[B\x1bOC\x1b[D", ["up", "down", "right", "left"]),
        ("\x1b[H\x1b[4~\r\x7f", ["home", "end", "enter", "backspace"]),
        ("\x1b", ["escape"]),
        ("\x1bx", ["escape", "x"]),
        ("\x1b[15~\x1b[1;5Cq\x1b[", ["q"]),
        ("\x04é", ["q", "é"]),
    ],
)
def test_what_a_terminal_sends_is_read_as_keys(sent: str, keys: list[str]) -> None:
    assert list(split(sent)) == keys


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    here, there = pty.openpty()
    yield here, there
    for end in (here, there):
        try:
            os.close(end)
        except OSError:
            continue


class TestTerminal:
    """Keys come one by one while the body runs; afterwards all is as it was."""

    @in_loop
    async def test_keys_are_told_without_an_enter_and_without_an_echo(self, terminal: tuple[int, int]) -> None:
        here, there = terminal
        before, pressed = termios.tcgetattr(there), list[str]()
        with keys_of(there, pressed.append, lambda: None):
            os.write(here, b"n\x1b[A")
            while len(pressed) < 2:
                await asyncio.sleep(0)
        assert pressed == ["n", "up"]
        assert termios.tcgetattr(there) == before
        assert not select.select([here], [], [], 0)[0]

    @in_loop
    async def test_a_failure_gives_it_back_too(self, terminal: tuple[int, int]) -> None:
        _, there = terminal
        before = termios.tcgetattr(there)
        try:
            with keys_of(there, lambda _: None, lambda: None):
                assert termios.tcgetattr(there) != before
                raise LookupError
        except LookupError:
            pass
        assert termios.tcgetattr(there) == before
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    @in_loop
    async def test_a_terminal_that_is_gone_is_told(self) -> None:
        here, there = pty.openpty()
        ended = asyncio.Event()
        with keys_of(there, lambda _: None, ended.set):
            os.close(here)
            await ended.wait()
        os.close(there)

    @pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
    @in_loop
    async def test_who_is_asked_to_end_does_so_in_order(self, terminal: tuple[int, int], ending: int) -> None:
        ended = asyncio.Event()
        with keys_of(terminal[1], lambda _: None, ended.set):
            os.kill(os.getpid(), ending)
            await ended.wait()


@pytest.mark.parametrize(("way", "status"), [("q", 0), (signal.SIGINT, 130)])
def test_on_a_terminal_a_session_is_played_by_keys_until_the_end(
    tmp_path: Path, terminal: tuple[int, int], way: str | signal.Signals, status: int
) -> None:
    here, there = terminal
    before = termios.tcgetattr(there)
    command = [sys.executable, "-m", "gateway.cli", "play", str(recorded(tmp_path))]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120", "LINES": "50"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=variables, stdin=there, stdout=there, stderr=subprocess.PIPE
    ) as process:
        _until(here, b"q quit")
        assert termios.tcgetattr(there) != before
        os.write(here, b"x")
        _until(here, b"liquidation_")
        if isinstance(way, str):
            os.write(here, way.encode())
        else:
            process.send_signal(way)
        _until(here, b"\x1b[?1049l")
        _, complaint = process.communicate()
    assert process.returncode == status
    assert (b"stopped by the user" in complaint) == (status == 130)
    assert termios.tcgetattr(there) == before


def _until(terminal: int, wanted: bytes) -> None:
    """Read what the terminal is shown until this is in it."""
    shown = b""
    while wanted not in shown:
        shown += os.read(terminal, 1 << 16)
