"""Arguments that make no sense: what a user types, the one line that follows, and the exit status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from events.instruments import pack_names
from exchange.core.state import RULES_VERSION
from tests import candles
from tests.captures import write
from tests.command_line import ringfence
from tests.playing import market

MONEY = "give a number from 0 with at most 8 decimals"
SHAPE = "write NAME:MODE:LEVERAGE:DEPOSIT, e.g. ann:isolated:20:10000"
NAME = "cannot name an account; take printable ASCII, not MARKET or INSURANCE"
STRATEGY = "write it as module:Class, importable from here"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user is, with a market to replay."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "market", market())
    return tmp_path


def refused(*arguments: str) -> str:
    """The one line after such a replay, which has left no file behind."""
    said = ringfence("replay", "market", "--out", "kept.db", *arguments, status=2)
    assert [file.name for file in Path().iterdir()] == ["market"]
    return said.complaint


@pytest.mark.parametrize(
    ("account", "complaint"),
    [
        ("ann", SHAPE),
        ("ann:cross:10", SHAPE),
        ("ann:cross:10:1:1", SHAPE),
        ("ann:both:10:1", "mode 'both'; give isolated, cross or multi"),
        ("ann:Cross:10:1", "mode 'Cross'; give isolated, cross or multi"),
        ("ann:cross:0:1", "leverage '0'; give a whole number from 1"),
        ("ann:cross:1.5:1", "leverage '1.5'; give a whole number from 1"),
        ("ann:cross:²:1", "leverage '²'; give a whole number from 1"),
        ("ann:cross:5:x", f"deposit 'x'; {MONEY}"),
        ("ann:cross:5:-1", f"deposit '-1'; {MONEY}"),
        ("ann:cross:5:nan", f"deposit 'nan'; {MONEY}"),
        ("ann:cross:5:0.000000001", f"deposit '0.000000001'; {MONEY}"),
        (":cross:5:1", f"'' {NAME}"),
        ("MARKET:cross:5:1", f"'MARKET' {NAME}"),
        ("INSURANCE:cross:5:1", f"'INSURANCE' {NAME}"),
        ("INSURANCE:BTCUSDT:cross:5:1", SHAPE),
        ("é:cross:5:1", f"'é' {NAME}"),
    ],
)
def test_an_account_that_makes_no_sense(account: str, complaint: str) -> None:
    assert refused("--account", account) == f"--account {account}: {complaint}"


def test_two_accounts_of_one_name() -> None:
    said = refused("--account", "ann:cross:10:1", "--account", "ann:isolated:5:1")
    assert said == "--account ann:cross:10:1: there is another account 'ann'; give each a name of its own"


def test_more_leverage_than_the_instrument_has() -> None:
    assert refused("--account", "a:cross:126:1") == "account a: BTCUSDT cannot be traded at 126x; give 1 to 125"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--insurance", "-1"), f"--insurance '-1'; {MONEY}"),
        (("--insurance", "much"), f"--insurance 'much'; {MONEY}"),
        (("--mark", "index"), "--mark index: give auto, data, mid or last"),
        (("--pack", "nope"), f"no rule pack 'nope': take one of {', '.join(pack_names())}, or a .json file"),
        (("--queue-model", "fifo"), "--queue-model fifo: give behind, ahead or proportional"),
        (("--impact", "some"), "--impact some: give consume or none"),
        (
            ("--pack", "synthetix-v3"),
            "nothing to replay: market:1: unknown symbol 'BTCUSDT'; "
            "the rule pack has IP, KAITO, OM: take one that has it",
        ),
        (("--out", "nowhere/a.db"), "nowhere/a.db: No such file or directory; check the path, and the rights to it"),
        (("--out", "."), ".: exists already; open it, or choose another name"),
    ],
)
def test_an_option_that_makes_no_sense(arguments: tuple[str, ...], complaint: str) -> None:
    assert refused(*arguments) == complaint


def test_a_strategy_without_an_account() -> None:
    assert refused("--strategy", "a:B") == "--strategy needs an account: add --account NAME:MODE:LEVERAGE:DEPOSIT"


@pytest.mark.parametrize(
    ("strategy", "complaint"),
    [
        ("nowhere:A", f"strategy 'nowhere:A': No module named 'nowhere'; {STRATEGY}"),
        ("os:path", "strategy 'os:path' is no subclass of replay.strategy.Strategy; make it one"),
        (
            "tests.strategies:Backwards",
            "strategy tests.strategies:Backwards: every is -1; make it whole nanoseconds, 0 for never",
        ),
    ],
)
def test_a_strategy_that_cannot_be_used(strategy: str, complaint: str) -> None:
    assert refused("--account", "ann:cross:10:1000", "--strategy", strategy) == complaint


KEPT = "; what was played until then is kept in kept.db"


def test_a_strategy_that_fails_is_told_in_one_line_and_what_was_recorded_until_then_is_kept() -> None:
    arguments = ("--account", "ann:cross:10:1000", "--strategy", "tests.strategies:Failing", "--out", "kept.db")
    said = ringfence("replay", "market", *arguments, status=2).complaint
    assert re.fullmatch(
        rf"Failing\.on_timer failed: ValueError at .*:\d+: no idea what to do; mend the strategy{KEPT}", said
    )
    assert ringfence("verify", "kept.db", "--json").json["observations"] > 0


def test_a_symbol_that_no_file_needs_is_refused() -> None:
    candles.write(Path("BTCUSDT-1m.csv"), candles.generated(10))
    said = ringfence("replay", "BTCUSDT-1m.csv", "--symbol", "ETHUSDT", status=2).complaint
    assert said == "--symbol ETHUSDT: each file's name says what it is about; leave the option out"


def test_the_versions_are_told_in_one_line() -> None:
    said = ringfence("--version")
    assert re.fullmatch(rf"ringfence \d+\.\d+\.\d+, rules {RULES_VERSION}, Python 3\.\d+\.\d+\S*\n", said.out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("replay",),
        ("replay", "market", "--nonsense"),
        ("verify",),
        ("verify", "a.db", "b.db"),
        ("log", "a.db", "--after", "x"),
        ("synth", "market", "--seconds", "1.5"),
        ("demo", "--seed", "x"),
    ],
)
def test_what_the_command_line_does_not_know_is_told_with_how_to_get_help(arguments: tuple[str, ...]) -> None:
    said = ringfence(*arguments, status=2)
    assert said.out == ""
    assert said.err.startswith("Usage: ")
    assert re.search(r"(?m)^Error: ", said.err)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "pack.json: Input data was truncated"),
        ("{}", "pack.json: Object missing required field `id`"),
        ('{"id": 5}', "pack.json: Expected `str`, got `int` - at `$.id`"),
        ('{"colour": "red"}', "pack.json: Object contains unknown field `colour`"),
        (None, "pack.json: No such file or directory"),
    ],
)
def test_a_rule_pack_that_cannot_be_used(folder: Path, text: str | None, complaint: str) -> None:
    if text is not None:
        (folder / "pack.json").write_text(text)
    assert ringfence("replay", "market", "--pack", "pack.json", status=2).complaint.startswith(complaint)
