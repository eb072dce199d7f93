"""What a sweep consists of: a task, all of it a plain value that goes through JSON, and what it came to."""

from __future__ import annotations

from enum import Enum
from hashlib import sha256

import msgspec

from exchange.core.state import RULES_VERSION

FORMAT = 1
"""Raised where a task or an outcome comes to mean something else: then everything is run again."""

Scalar = bool | int | str
"""What a plan states; a decimal is its text."""


class SweepError(Exception):
    """A plan, or a folder of results, that cannot be used; the message says where, what and what to do."""


class Status(Enum):
    """How a run ended: history was played to its end; it could not be (bad strategy, source, account); the process that
    ran it is gone, or came upon a bug. A crash is no result: the task is run again.
    """

    OK = "ok"
    FAILED = "failed"
    CRASHED = "crashed"


class HistoryFile(msgspec.Struct, frozen=True):
    """A file of market history: its path, from the folder of the plan on, and the SHA-256 of what is in it."""

    path: str
    sha256: str


class Files(msgspec.Struct, frozen=True, tag="files", kw_only=True):
    """A market that was recorded, as `ringfence replay` reads it."""

    files: tuple[HistoryFile, ...]
    symbol: str = ""
    columns: str = ""
    strict: bool = False


class Generated(msgspec.Struct, frozen=True, tag="generated", kw_only=True):
    """A market from a seed, as `ringfence synth` writes it; options are those of `replay.synth.Scenario`."""

    seed: int
    options: dict[str, Scalar] = {}


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One session to be played: a market, the rules, one account and its strategy.

    `code` and `rules` are the SHA-256 of the file that the strategy is in and of the rule pack. `params` are given as
    text, and so are `options`, those of the session by name; `mark_source` may be `auto`. Amounts are decimals as text.
    """

    market: Files | Generated
    strategy: str = ""
    code: str = ""
    params: dict[str, str] = {}
    pack: str = "binance-usdm"
    rules: str = ""
    mode: str = "cross"
    leverage: int = 20
    deposit: str = "10000"
    insurance: str = "0"
    indices: dict[str, str] = {}
    options: dict[str, str] = {}

    @property
    def id(self) -> str:
        """What it is known by: its SHA-256, and that of the version of the rules, wherever its files lie."""
        market = self.market
        if isinstance(market, Files):
            files = tuple(HistoryFile("", file.sha256) for file in market.files)
            market = msgspec.structs.replace(market, files=files)
        task = msgspec.structs.replace(self, market=market, pack="")
        return sha256(msgspec.json.encode((FORMAT, RULES_VERSION, task), order="sorted")).hexdigest()


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a task came to: the same for the same task, whoever runs it. Amounts are atoms of `asset`.

    max_drawdown is the largest fall of the PnL below its highest so far; worst_margin_ratio, in 10^-8, is at most
    `RATIO_MOST`, which stands for no equity left; defects are those of the source; others is the PnL in other assets.
    """

    id: str
    status: Status
    error: str = ""
    asset: str = ""
    pnl: int = 0
    fees: int = 0
    funding: int = 0
    equity: int = 0
    volume: int = 0
    max_drawdown: int = 0
    worst_margin_ratio: int = 0
    fills: int = 0
    refusals: int = 0
    liquidations: int = 0
    others: str = ""
    defects: int = 0
    records: int = 0
    first_at: int = 0
    last_at: int = 0
    head: str = ""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome, and what it took: wall time and CPU time, which are another each time, s."""

    outcome: Outcome
    seconds: float = 0.0
    cpu_seconds: float = 0.0


RATIO_MOST = 1_000 * 10**8
"""No margin ratio is stated larger than a thousand."""
