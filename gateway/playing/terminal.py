"""A terminal that gives keys one by one, and is given back as it was on every way out."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

ESCAPES = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left", "[H": "home", "[F": "end", "OA": "up", "OB": "down",
    "OC": "right", "OD": "left", "OH": "home", "OF": "end", "[1~": "home", "[4~": "end", "[3~": "delete",
}  # fmt: skip
"""What terminals send for a key, after the escape."""

NAMES = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\b": "backspace", "\x1b": "escape", "\x04": "q"}


@contextmanager
def keys_of(terminal: int, on_key: Callable[[str], None], on_end: Callable[[], None]) -> Iterator[None]:
    """Call `on_key` with each key, by its name or letter, while the body runs; `on_end` where no more will come, or the
    process is asked to end. Nothing waits for a key.
    """
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(terminal)

    def read() -> None:
        try:
            data = os.read(terminal, 1024)
        except OSError:
            data = b""
        if not data:
            loop.remove_reader(terminal)
            on_end()
        for key in split(data.decode(errors="replace")):
            on_key(key)

    try:
        tty.setcbreak(terminal)
        loop.add_reader(terminal, read)
        for ending in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(ending, on_end)
        yield
    finally:
        loop.remove_reader(terminal)
        for ending in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(ending)
        with suppress(termios.error):  # a terminal that is gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def split(text: str) -> Iterator[str]:
    """The keys of what a terminal sent; a sequence that is not known is passed over."""
    while text:
        first, text = text[0], text[1:]
        if first == "\x1b" and text[:1] in ("[", "O"):
            end = next((n for n, letter in enumerate(text[1:], 2) if letter.isalpha() or letter == "~"), len(text))
            sequence, text = text[:end], text[end:]
            if sequence in ESCAPES:
                yield ESCAPES[sequence]
        else:
            yield NAMES.get(first, first)
