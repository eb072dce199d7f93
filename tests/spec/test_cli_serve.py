"""`ringfence serve`: what it says, what it refuses, and that a restart goes on."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from events.store.sqlite import open_session
from gateway.commands import serve
from gateway.errors import UsageError
from gateway.live.endless import Endless
from gateway.serving.hosts import in_url, name_of, plain_host
from gateway.serving.keys import KeyRing
from tests.command_line import ringfence
from tests.playing import capture

ANY = ("--port", 0, "--tls-port", 0)
BRIEFLY = (*ANY, "--for", 0.05)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A market of one instrument, which is up sooner."""
    monkeypatch.setattr(serve, "market_of", lambda chosen: Endless(chosen.seed, ("BTCUSDT",)))


def test_the_first_start_shows_a_key_once_and_the_next_one_goes_on_with_the_session(
    tmp_path: Path, small: None
) -> None:
    session = tmp_path / "live.db"
    said = ringfence("serve", "--session", session, *BRIEFLY, "--seed", 3)
    shown = dict(line.split(maxsplit=1) for line in said.out.splitlines() if len(line.split()) > 1)
    key, secret, token = (shown[name].split()[0] for name in ("key", "secret", "token"))
    ring = KeyRing.open(tmp_path / "live.db.keys")
    found, bearer = ring.find(key), ring.bearer(token)
    assert found is not None
    assert bearer is not None
    assert (found.account, bearer.account) == ("practice", "practice")
    assert f'"apiKey": "{key}", "secret": "{secret}"' in said.out
    assert f"FREQTRADE__EXCHANGE__KEY={key}" in said.out
    assert "practice with 10000 USDT" in said.out
    for path in (*tmp_path.iterdir(), *(tmp_path / "live.db.clients").iterdir()):
        assert path.is_dir() or secret.encode() not in path.read_bytes(), path
    again = ringfence("serve", "--session", session, *BRIEFLY)
    assert secret not in again.out
    assert f"another one: ringfence keys add {session} --account practice" in again.out
    assert _record(again.out) > _record(said.out)
    assert (
        said.err == again.err == "ringfence: stopping: what is under way ends, and what was decided becomes durable\n"
    )
    other = ringfence("serve", "--session", session, *BRIEFLY, "--seed", 4, status=2)
    assert f"--seed 4: {session} was begun with seed 3; leave it out" in other.complaint
    assert ringfence("verify", session).status == 0


def _record(out: str) -> int:
    return int(out.splitlines()[0].rpartition(" ")[2].replace(",", ""))


def test_accounts_of_keys_that_are_made_later_are_opened_too(tmp_path: Path, small: None) -> None:
    session = tmp_path / "live.db"
    first = ringfence("serve", "--session", session, *BRIEFLY, "--json", "--account", "ann", "--deposit", "500").json
    assert first["account"] == "ann"
    assert first["http"].startswith("http://127.0.0.1:")
    assert first["https"].startswith("https://127.0.0.1:")
    ringfence("keys", "add", session, "--account", "bob")
    ringfence("serve", "--session", session, *BRIEFLY)
    accounts = ringfence("log", "at", session, "--json").json["accounts"]
    assert {"ann", "bob"} <= set(accounts)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_nobody_listens_beyond_this_machine_without_saying_so(tmp_path: Path, host: str) -> None:
    said = ringfence("serve", "--session", tmp_path / "live.db", *ANY, "--host", host, status=2)
    assert f"--host {host}: others can reach it; add --allow-remote" in said.complaint
    assert list(tmp_path.iterdir()) == []


def test_plain_http_stays_on_this_machine_whoever_may_come(tmp_path: Path) -> None:
    serve.check_reach("192.0.2.1", allow_remote=True)
    assert plain_host("192.0.2.1") == plain_host("0.0.0.0") == plain_host("example.org") == "127.0.0.1"
    assert plain_host("::1") == "::1"
    with pytest.raises(UsageError):
        serve.check_reach("192.0.2.1", allow_remote=False)


def test_others_are_told_a_name_that_they_can_call_and_the_certificate_is_for() -> None:
    assert name_of("0.0.0.0") == name_of("::") == socket.gethostname()
    assert [in_url(name_of(host)) for host in ("192.0.2.1", "2001:db8::1", "example.org")] == [
        "192.0.2.1", "[2001:db8::1]", "example.org",
    ]  # fmt: skip


@pytest.mark.parametrize("option", ["--port", "--tls-port"])
def test_a_port_that_is_in_use_is_told_before_anything_is_begun(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = ringfence("serve", "--session", tmp_path / "live.db", *ANY, option, port, status=2)
    assert f"{option} {port}: in use on 127.0.0.1" in said.complaint
    assert list(tmp_path.iterdir()) == []


def _junk(path: Path) -> None:
    path.write_bytes(b"nothing of the kind" * 50)


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [_junk, _folder], ids=["junk", "folder"])
def test_a_session_that_cannot_be_read_is_told(tmp_path: Path, make: Any) -> None:
    session = tmp_path / "live.db"
    make(session)
    assert str(session) in ringfence("serve", "--session", session, *BRIEFLY, status=2).complaint


def test_an_archive_is_no_session_to_be_served(tmp_path: Path) -> None:
    session, archive = tmp_path / "demo.db", tmp_path / "demo.rfa"
    ringfence("demo", "--out", session, "--seconds", 60, status=None)
    ringfence("log", "pack", session, archive)
    said = ringfence("serve", "--session", archive, *BRIEFLY, status=2).complaint
    assert str(archive) in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--deposit", "lots"), "--deposit 'lots'"),
        (("--speed", "often"), "--speed"),
        (("--pack", "nothing"), "nothing"),
        (("--log", "/nowhere/at/all"), "/nowhere/at/all"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(tmp_path: Path, arguments: Sequence[str], why: str) -> None:
    said = ringfence("serve", "--session", tmp_path / "live.db", *BRIEFLY, *arguments, status=2)
    assert why in said.complaint
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("live.db")] == []


def test_the_log_names_requests_and_records_and_no_secrets(tmp_path: Path, small: None) -> None:
    log = tmp_path / "serve.log"
    first = ringfence("serve", "--session", tmp_path / "live.db", *BRIEFLY, "--log", log, "--json").json
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [line for line in lines if line["event"] == "command"]
    assert [line["command"] for line in asked] == ["OpenAccount", "Deposit"]
    assert all(line["record"] > 0 for line in asked)
    assert first["secret"] not in log.read_text()


@pytest.mark.parametrize("data", [None, b"nothing of the kind\n" * 50], ids=["none", "junk"])
def test_a_market_that_cannot_be_read_is_told_and_leaves_no_session(tmp_path: Path, data: bytes | None) -> None:
    market = tmp_path / "market.csv"
    if data is not None:
        market.write_bytes(data)
    said = ringfence("serve", "--session", tmp_path / "live.db", *BRIEFLY, "--market", market, status=2)
    assert str(market) in said.complaint
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("live.db")] == []


def test_of_files_what_they_hold_is_named_and_not_all_that_the_rules_know(tmp_path: Path) -> None:
    history = capture(tmp_path)
    said = ringfence("serve", "--session", tmp_path / "live.db", *BRIEFLY, "--market", history)
    assert said.out.splitlines()[0].startswith(f"serving {tmp_path / 'live.db'}: binance-usdm, BTCUSDT; record ")


def test_a_session_is_served_once_at_a_time(tmp_path: Path) -> None:
    session = tmp_path / "demo.db"
    ringfence("demo", "--out", session, "--seconds", 60, status=None)

    async def beside() -> None:
        log = await open_session(session)
        try:
            said = await asyncio.to_thread(ringfence, "serve", "--session", session, *BRIEFLY, status=2)
            assert f"{session}" in said.complaint
        finally:
            await log.close()

    asyncio.run(beside())
