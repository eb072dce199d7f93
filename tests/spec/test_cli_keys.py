"""`ringfence keys`: made, shown once, listed without secrets, taken back."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.serving.keys import KeyRing
from tests.command_line import ringfence


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "live.db"
    path.touch()
    return path


def _ring(session: Path) -> KeyRing:
    return KeyRing.open(session.with_name("live.db.keys"))


def test_a_key_that_is_added_signs_and_its_secret_is_shown_once(session: Path) -> None:
    made = ringfence("keys", "add", session, "--account", "ann", "--label", "my bot", "--json").json
    ring = _ring(session)
    key = ring.find(made["key"])
    assert key is not None
    assert (key.account, [scope.value for scope in key.scopes], key.label) == ("ann", ["read", "trade"], "my bot")
    signature = hmac.new(made["secret"].encode(), b"a=1", hashlib.sha256).hexdigest()
    assert ring.signed(key, b"a=1", signature)
    assert made["secret"] not in ringfence("keys", "list", session).out
    assert made["secret"] not in ringfence("keys", "list", session, "--json").out


def test_a_token_and_a_public_key_are_added(session: Path, tmp_path: Path) -> None:
    said = ringfence("keys", "add", session, "--account", "ann", "--kind", "bearer", "--scope", "admin").out
    token = next(line.split()[1] for line in said.splitlines() if line.startswith("token"))
    assert _ring(session).bearer(token) is not None
    pem = tmp_path / "public.pem"
    public = Ed25519PrivateKey.generate().public_key()
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    said = ringfence("keys", "add", session, "--account", "bob", "--kind", "ed25519", "--public-key", pem).out
    assert "signs by ed25519" in said
    rows = ringfence("keys", "list", session).out.splitlines()
    assert [row.split()[1:3] for row in rows[2:]] == [["ann", "bearer"], ["bob", "ed25519"]]


def test_a_key_is_taken_back_by_how_it_begins(session: Path) -> None:
    one, other = (ringfence("keys", "add", session, "--account", "ann", "--json").json["key"] for _ in range(2))
    assert ringfence("keys", "revoke", session, one[:20]).out == f"revoked {one} of ann\n"
    assert [key["key"] for key in ringfence("keys", "list", session, "--json").json] == [other]
    assert "there is no such key" in ringfence("keys", "revoke", session, one[:20], status=2).complaint
    ringfence("keys", "add", session, "--account", "ann")
    assert "2 keys begin so; give more of it" in ringfence("keys", "revoke", session, "", status=2).complaint


def test_without_keys_it_says_how_to_make_one(session: Path) -> None:
    assert "ringfence keys add" in ringfence("keys", "list", session).out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--account", "ann", "--scope", "fly"), "--scope fly: give read, trade, withdraw or admin"),
        (("--account", "ann", "--kind", "dsa"), "--kind dsa: give hmac, rsa, ed25519 or bearer"),
        (("--account", "ann", "--kind", "rsa"), "--kind rsa: give its --public-key FILE"),
        (("--account", "é"), "--account 'é': give a name of printable ASCII"),
    ],
)
def test_what_makes_no_sense_is_told(session: Path, arguments: tuple[str, ...], why: str) -> None:
    assert why in ringfence("keys", "add", session, *arguments, status=2).complaint


def test_keys_belong_to_a_session_that_is_there(tmp_path: Path) -> None:
    for verb in (("list",), ("revoke",), ("add", "--account", "ann")):
        arguments = [tmp_path / "none.db", *(["x"] if verb[0] == "revoke" else [])]
        said = ringfence("keys", verb[0], *arguments, *verb[1:], status=2)
        assert "there is no such session; ringfence serve --session" in said.complaint


def test_the_master_key_may_come_from_the_environment(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_KEY", "somewhere else")
    ringfence("keys", "add", session, "--account", "ann")
    assert not session.with_name("live.db.keys.master").exists()
    assert stat.S_IMODE(session.with_name("live.db.keys").stat().st_mode) == 0o600
    monkeypatch.setenv("RINGFENCE_KEY", "forgotten")
    said = ringfence("keys", "list", session, status=2).complaint
    assert "live.db.keys: sealed under another master key; give the right one as RINGFENCE_KEY" in said
