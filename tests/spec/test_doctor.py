"""`ringfence doctor`: in a sound environment all is ok; of each thing that is broken it says what to do."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import sqlite3
from datetime import timedelta
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from events.store.sqlite import open_session
from gateway.commands import doctor_checks
from gateway.serving import certificates
from gateway.serving.keys import KeyRing
from tests.command_line import ringfence


@pytest.fixture
def free() -> tuple[object, ...]:
    return "--port", 0, "--tls-port", 0


def _warned(session: Path, *arguments: object) -> dict[str, str]:
    """What is not well: name -> what was said with the remedy."""
    said = ringfence("doctor", "--session", session, *arguments, "--json", status=1).json
    return {row["name"]: f"{row['said']}; {row['remedy']}" for row in said if not row["is_ok"]}


def test_all_is_well_on_a_machine_that_is(tmp_path: Path, free: tuple[object, ...], sound: None) -> None:
    said = ringfence("doctor", "--session", tmp_path / "live.db", *free).out.splitlines()
    assert [line.split()[:2] for line in said] == [
        ["ok", name]
        for name in ("python", "packages", "ports", "room", "sync", "clock", "session", "keys", "certificate", "files")
    ]


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine is like: its disk is quick and has room, and it may open many files."""
    monkeypatch.setattr(doctor_checks, "SYNC_MS_MAX", 1e9)
    monkeypatch.setattr(doctor_checks, "ROOM_MIN", 0)
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (100_000, 100_000))


def test_an_old_python_is_told(tmp_path: Path, free: Any, sound: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks, "PYTHON_NEEDED", (9, 0))
    assert list(_warned(tmp_path / "live.db", *free)) == ["python"]


def test_missing_and_old_packages_are_told(
    tmp_path: Path, free: Any, sound: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name == "uvloop":
            raise PackageNotFoundError(name)
        return "0.1" if name == "uvicorn" else "999.0"

    monkeypatch.setattr(doctor_checks, "version", version)
    said = _warned(tmp_path / "live.db", *free)["packages"]
    assert said.startswith("uvicorn is 0.1, needed 0.")
    assert "uvloop is missing; install them: make setup" in said


def test_a_port_that_is_in_use_is_told(tmp_path: Path, sound: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = _warned(tmp_path / "live.db", "--port", 0, "--tls-port", port)
    assert list(said) == ["ports"]
    assert said["ports"].startswith(f"--tls-port {port}: in use on 127.0.0.1; stop what listens there")


def test_a_slow_and_full_disk_and_few_files_are_told(
    tmp_path: Path, free: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_checks, "SYNC_MS_MAX", 0.0)
    monkeypatch.setattr(doctor_checks, "ROOM_MIN", 1 << 80)
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (256, 256))
    said = _warned(tmp_path / "live.db", *free)
    assert list(said) == ["room", "sync", "files"]
    assert "256 may be open, so about 156 connections; ulimit -n 2100" in said["files"]


def test_a_clock_that_is_off_is_told(tmp_path: Path, free: Any, sound: None, monkeypatch: pytest.MonkeyPatch) -> None:
    now = doctor_checks.time.time()
    monkeypatch.setattr(doctor_checks.time, "time", lambda: now + 3_600)
    assert "s from that of the disk; set the clock" in _warned(tmp_path / "live.db", *free)["clock"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, free: Any, sound: None) -> None:
    said = _warned(tmp_path / "nowhere" / "live.db", *free)
    assert set(said) == {"disk", "clock"}
    assert "No such file or directory; check the path" in said["disk"]


def test_a_session_that_is_none_and_one_that_is_damaged_are_told(tmp_path: Path, free: Any, sound: None) -> None:
    path = tmp_path / "live.db"
    path.write_bytes(b"no database at all" * 100)
    assert "keep what is good of it: ringfence log repair" in _warned(path, *free)["session"]
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("create table t(a)")
    database.close()
    assert "but not a session of Ringfence; choose another file" in _warned(path, *free)["session"]


def test_keys_of_another_master_and_keys_that_others_may_read_are_told(
    tmp_path: Path, free: Any, sound: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, path = tmp_path / "live.db", tmp_path / "live.db.keys"
    KeyRing.open(path)
    assert "1 in" not in ringfence("doctor", "--session", session, *free).out
    os.chmod(path, 0o644)
    assert _warned(session, *free) == {"keys": f"others may read {path}; chmod 600 {path}"}
    monkeypatch.setenv("RINGFENCE_KEY", "wrong")
    assert "sealed under another master key" in _warned(session, *free)["keys"]


def test_a_certificate_that_ends_soon_and_one_that_is_none_are_told(
    tmp_path: Path, free: Any, sound: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, folder = tmp_path / "live.db", tmp_path / "live.db.tls"
    monkeypatch.setattr(certificates, "LIFETIME", timedelta(days=5))
    certificates.certificate(folder)
    assert "start the server again: it makes another one" in _warned(session, *free)["certificate"]
    (folder / "server.pem").write_text("nothing")
    assert "no certificate; remove it to have a new one made" in _warned(session, *free)["certificate"]


def test_ports_of_a_session_that_is_served_are_rightly_in_use(tmp_path: Path, sound: None) -> None:
    session = tmp_path / "live.db"

    async def beside() -> str:
        log = await open_session(session, create=True)
        try:
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
                arguments = ("doctor", "--session", session, "--port", port, "--tls-port", 0, "--json")
                return (await asyncio.to_thread(ringfence, *arguments, status=None)).out
        finally:
            await log.close()

    found = {row["name"]: row for row in json.loads(asyncio.run(beside()))}
    assert found["ports"]["is_ok"]
    assert found["ports"]["said"] == f"in use, and {session} is being served"
