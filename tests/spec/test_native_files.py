"""What the native API writes beside a session's file, and reads of it: forks, and the session packed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from tests.command_line import ringfence
from tests.native import Native, native


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session in a file."""
    path = tmp_path_factory.mktemp("made") / "live.db"
    ringfence("demo", "--out", path, "--seconds", 60, status=None)
    return path


@pytest.fixture
def session(made: Path, tmp_path: Path) -> Path:
    """A copy of it, alone in its folder."""
    return copy(made, tmp_path / "live.db")


def told(session: Path, method: str, path: str, body: Any = None) -> tuple[int, Any, bytes]:
    """What a server of that file answers: status, JSON if it is some, bytes."""

    async def asked() -> tuple[int, Any, bytes]:
        async with native() as api:
            api.desk.path = session
            return await _asked(api, method, path, body)

    return asyncio.run(asked())


async def _asked(api: Native, method: str, path: str, body: Any) -> tuple[int, Any, bytes]:
    answer = await api.ask(method, path, body)
    is_json = answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json() if is_json else None, answer.content


def test_a_fork_is_a_session_beside_this_one_and_written_once(session: Path) -> None:
    asked = {"name": "what-if", "record": 5}
    status, fork, _ = told(session, "POST", "/session/forks", asked)
    assert (status, fork["file"], fork["record"]) == (201, "what-if.db", 5)
    heads = [ringfence("verify", session.with_name(name), "--json").json["head"] for name in ("live.db", "what-if.db")]
    assert heads[0] == heads[1], "nothing was set differently"
    status, said, _ = told(session, "POST", "/session/forks", asked)
    assert (status, said["message"]) == (400, "what-if.db: exists already; choose another name")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"name": "../other"}, "name: give letters"), ({"name": ""}, "name: give letters"),
        ({"name": "a/b"}, "name: give letters"), ({"name": "a\0"}, "name: give letters"),
        ({"name": "a" * 101}, "name: give letters"), ({"name": "live"}, "exists already"),
        ({"record": 0}, "record: the session has records 1 to"), ({"record": -1}, "record: the session has"),
        ({"record": 10**15}, "record: the session has"), ({"settings": ["/etc"]}, "'/etc': not understood"),
    ],
)  # fmt: skip
def test_a_fork_that_cannot_be_made_is_refused_and_leaves_nothing(session: Path, how: Any, why: str) -> None:
    before = sorted(session.parent.iterdir())
    status, said, _ = told(session, "POST", "/session/forks", {"name": "new", "record": 5, **how})
    assert (status, said["code"]) == (400, "bad_request")
    assert why in said["message"]
    assert str(session.parent) not in said["message"], "where the server keeps its files is nobody's business"
    assert sorted(session.parent.iterdir()) == before


def test_a_session_that_is_exported_is_the_same_session(session: Path) -> None:
    status, _, packed = told(session, "GET", "/session/export")
    archive, again = session.with_name("copy.rfz"), session.with_name("copy.db")
    archive.write_bytes(packed)
    ringfence("log", "unpack", archive, again)
    assert status == 200
    assert ringfence("verify", again, "--json").json["head"] == ringfence("verify", session, "--json").json["head"]
