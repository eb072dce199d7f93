"""Golden sessions: read, rebuilt and decided to the byte, by every interpreter that runs this, for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from events.asking import AnyCommand
from events.chunks import encode_chunk
from events.commands import Side, TimeInForce
from events.facts import AnyFact, Expiry, LiquidationEnded, LiquidationOutcome, OrderAccepted, OrderExpired, Refused
from events.refusals import Reason
from exchange.core import snapshot
from exchange.core.state import RULES_VERSION
from replay.synth import write_session
from tests.golden.__main__ import main
from tests.golden.sessions import FOLDER, add, decided, heads, load, rebuilt, sum_up

NAMES = sorted(heads())


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_session_still_reads_and_adds_up_to_the_same(name: str) -> None:
    assert sum_up(load(name)) == heads()[name]


@pytest.mark.parametrize("name", NAMES)
def test_its_commands_alone_lead_to_the_same_bytes(name: str) -> None:
    session = load(name)
    assert heads()[name].rules_version == RULES_VERSION
    state, bodies = decided(session, [batch.command for batch in session.batches])
    assert bodies == session.bodies
    assert snapshot.digest(state) == snapshot.digest(rebuilt(session))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("world")])
def test_its_chunks_bear_the_names_of_their_content(name: str) -> None:
    for chunk, columns in load(name).chunks.items():
        assert encode_chunk(columns).id == chunk


def test_every_kind_of_fact_is_golden() -> None:
    seen = {type(fact) for name in NAMES for batch in load(name).batches for fact in batch.facts}
    assert seen == set(AnyFact.__args__)


def test_every_kind_of_command_is_golden() -> None:
    assert {type(batch.command) for name in NAMES for batch in load(name).batches} == set(AnyCommand.__args__)


def test_every_reason_to_refuse_and_every_way_to_end_is_golden() -> None:
    facts = [fact for name in NAMES for batch in load(name).batches for fact in batch.facts]
    assert {fact.reason for fact in facts if isinstance(fact, Refused)} == set(Reason)
    assert {fact.why for fact in facts if isinstance(fact, OrderExpired)} == set(Expiry)
    assert {fact.outcome for fact in facts if isinstance(fact, LiquidationEnded)} == set(LiquidationOutcome)


def test_every_way_to_place_an_order_is_golden() -> None:
    orders = [fact for name in NAMES for batch in load(name).batches for fact in batch.facts]
    accepted = {
        (order.side, order.price is None, order.time_in_force) for order in orders if isinstance(order, OrderAccepted)
    }
    may_rest = [TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.POST_ONLY]
    assert {(side, False, force) for side in Side for force in may_rest} <= accepted
    assert {(side, True, TimeInForce.IOC) for side in Side} <= accepted
    assert {order.reduce_only for order in orders if isinstance(order, OrderAccepted)} == {True, False}


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_the_hash_seed_of_python_makes_no_difference(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-m", "tests.golden"], capture_output=True, text=True, check=False, env=environment
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith(f"{len(NAMES)} golden sessions, 0 differ\n")


def test_a_golden_session_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    before = {file: file.read_bytes() for file in FOLDER.iterdir()}
    with pytest.raises(AssertionError, match="only ever added"):
        add(NAMES[0], load(NAMES[0]))
    assert main(["--add", NAMES[0]]) == 2
    assert "golden sessions are only ever added: choose another name" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in FOLDER.iterdir()} == before


GENERATED = {
    5: "fcff6aec8a7e37cc60e416f69f0980fdcddcd90ab1aa394b73c265952f90e952",
    6: "291175e572f29e924014f82fec7a2363caf6dbdf00b5f11c660ee3de58347019",
}
"""Seed of a generated market -> head of its replay with the example strategy, isolated and cross, under PACK."""

PACK = Path(__file__).parent / "packs" / "binance-usdm-1.json"
"""The pack as it was when the heads were recorded: what ships may learn more, these do not change."""


@pytest.mark.parametrize("seed", GENERATED)
def test_the_head_of_a_replay_of_a_generated_session(seed: int, tmp_path: Path) -> None:
    capture = tmp_path / "market.gz"
    write_session(capture, seed=seed, seconds=60)
    assert head_of_replay(capture, tmp_path / "session.db") == GENERATED[seed]


def head_of_replay(capture: Path, out: Path) -> str:
    accounts = ["--account", "ann:isolated:20:10000", "--account", "ben:cross:20:10000"]
    strategy = ["--strategy", "examples.dip_buyer:DipBuyer", "--insurance", "100000", "--out", str(out), "--json"]
    strategy += ["--pack", str(PACK)]
    run = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "replay", str(capture), *accounts, *strategy],
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.partition('"head":"')[2][:64]
