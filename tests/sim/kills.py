"""A real process, killed again and again while it writes: nothing acknowledged is lost, nothing is applied twice.

    python -m tests.sim.kills [--count HOW_OFTEN] [--seed SEED]

Each round a new process goes on with the session: clients first ask once more, under the same requests, for what they
sent and never heard of, then for new things. It is killed with SIGKILL at a chance moment under load. Then the log is
read as it was left: the chain holds, every acknowledged request is in it with the record that was told, none is in it
twice. A kill keeps the page cache; that a commit is synced before it is acknowledged is for another test to show.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from events import commands as c
from events.codec import decode_body
from events.instruments import load_pack
from events.log import Head, check_chain
from events.store.sqlite import open_session
from events.units import UNIT
from exchange.core.state import RULES_VERSION
from exchange.sequencer import Sequencer

ROOT = Path(__file__).parents[2]

CLIENTS = 8
"""So many clients ask at once, each for one thing after the other."""

COUNT = 200
"""How often, unless told otherwise."""

BTC, USDT = "BTCUSDT", "USDT"


# The process that is killed


async def write(path: Path, clients: list[list[int]]) -> None:
    """Serve clients without end; each is given as the requests to repeat, and behind them the first new one."""
    log = await open_session(path, create=not path.exists())
    sequencer = await Sequencer.open(log, apart=500)
    if not (await log.head()).batch:
        sequencer.decide(c.OpenSession(1, RULES_VERSION, load_pack("binance-usdm"), c.SessionOptions()))
        sequencer.decide(c.SetMarkPrice(1, BTC, 50_000 * UNIT))
        await sequencer.flush()
    await asyncio.gather(*(ask(sequencer, n, numbers) for n, numbers in enumerate(clients)))


async def ask(sequencer: Sequencer, client: int, numbers: list[int]) -> None:
    """Ask, wait for the answer, say so, ask again."""
    *again, number = numbers
    while True:
        request = again.pop(0) if again else number
        number += request == number
        say("sent", client, request)
        answer = await sequencer.submit(command(client, request))
        say("told", client, request, answer.seq)


def say(*words: object) -> None:
    """A line for who kills, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def command(client: int, number: int) -> c.Command:
    """What a client asks for under that number: an account, money, and orders that meet those of other clients."""
    account, request = f"client-{client}", f"r{number}"
    if number == 0:
        return c.OpenAccount(1, account, request)
    if number % 5 == 1:
        return c.Deposit(1, account, request, USDT, 1_000 * UNIT)
    side = c.Side.BUY if (client + number) % 2 else c.Side.SELL
    return c.PlaceOrder(1, account, request, number, BTC, side, 1 + number % 3, 500_000 + number % 7)


# Who kills it


@dataclass
class Client:
    """What a client sent and was told: the record of each request that was acknowledged."""

    sent: set[int] = field(default_factory=set)
    told: dict[int, int] = field(default_factory=dict)

    def next(self) -> list[int]:
        """What it never heard of, and its first new number."""
        return [*sorted(self.sent - set(self.told)), max(self.sent, default=-1) + 1]


@dataclass
class Tally:
    """What happened so far."""

    kills: int = 0
    acknowledged: int = 0
    repeated: int = 0
    batches: int = 0


def round_of(path: Path, clients: list[Client], delay: float) -> None:
    """One life of the writer: it is killed so long after its first acknowledgement."""
    numbers = [",".join(map(str, client.next())) for client in clients]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.sim.kills", "--write", str(path), *numbers],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:
        assert child.stdout is not None
        lines = []
        while not (lines and lines[-1].startswith("told")):
            lines.append(child.stdout.readline())
            assert lines[-1], "the writer ended by itself"
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
        assert child.wait() == -signal.SIGKILL
    note(clients, lines)


def note(clients: list[Client], lines: Iterable[str]) -> None:
    """What the lines of a life say; a line that was cut off says nothing."""
    for line in lines:
        words = line.split()
        if line.endswith("\n") and words[0] == "sent":
            clients[int(words[1])].sent.add(int(words[2]))
        elif line.endswith("\n"):
            client, number, seq = map(int, words[1:])
            assert clients[client].told.setdefault(number, seq) == seq, "one request, two records"


async def check(path: Path, clients: list[Client]) -> int:
    """That the log holds together and has every acknowledged request once, where it was told. How many batches."""
    found: dict[tuple[str, str], int] = {}
    log = await open_session(path, read_only=True)
    head = Head()
    async for stored in log.read():
        head = check_chain(head, stored)
        asked = decode_body(stored.number, stored.body).command
        if isinstance(asked, c.TradersCommand):
            key = (asked.account, asked.request)
            assert key not in found, f"{key} is in the log twice"
            found[key] = stored.first_seq
    await log.close()
    for n, client in enumerate(clients):
        for number, seq in client.told.items():
            assert found.get((f"client-{n}", f"r{number}")) == seq, f"client {n}: request {number} is lost"
    return head.batch


def kills(folder: Path, count: int, seed: int) -> Tally:
    """Kill a writer so often."""
    chance = random.Random(seed)
    path, clients, tally = folder / "session.db", [Client() for _ in range(CLIENTS)], Tally()
    for _ in range(count):
        waiting = sum(len(client.next()) - 1 for client in clients)
        round_of(path, clients, chance.choice((0.0, 0.002, 0.01, 0.05)) * chance.random())
        tally.batches = asyncio.run(check(path, clients))
        tally.kills += 1
        tally.repeated += waiting
        tally.acknowledged = sum(len(client.told) for client in clients)
    return tally


def main(arguments: list[str]) -> int:
    """Be the one who kills, or the one who is killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.kills", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.write:
        path, *clients = options.write
        asyncio.run(write(Path(path), [list(map(int, numbers.split(","))) for numbers in clients]))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = kills(Path(folder), options.count, options.seed)
    sys.stdout.write(
        f"{tally.kills} kills, {tally.acknowledged:,} requests acknowledged: none lost, none applied twice; "
        f"{tally.repeated:,} asked for again; {tally.batches:,} batches; {time.monotonic() - began:.0f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
