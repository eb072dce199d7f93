"""API keys: what proves whose request it is, and what of a secret is never to be found anywhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from events.commands import AccountId
from gateway.errors import UsageError
from gateway.serving.keys import KeyKind, KeyRing, Scope
from gateway.serving.vault import WrongMaster

ANN = AccountId("ann")
PAYLOAD = b"symbol=BTCUSDT&timestamp=1"


def _pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _signature(secret: str, payload: bytes = PAYLOAD) -> str:
    return hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()


def test_who_has_the_secret_signs_and_nobody_else() -> None:
    ring = KeyRing.open(None)
    key, secret = ring.create(ANN, [Scope.TRADE, Scope.READ], label="bot")
    assert ring.find(key.id) == key
    assert (key.account, key.scopes, key.kind, key.label) == (ANN, (Scope.READ, Scope.TRADE), KeyKind.HMAC, "bot")
    assert ring.signed(key, PAYLOAD, _signature(secret))
    assert ring.signed(key, PAYLOAD, _signature(secret).upper())
    assert not ring.signed(key, PAYLOAD + b"0", _signature(secret))
    for wrong in ("", "0" * 64, _signature("other"), _signature(secret)[:-1], "é" * 64, "\udc80"):
        assert not ring.signed(key, PAYLOAD, wrong)


def test_an_rsa_key_verifies_what_its_other_half_signed() -> None:
    ring, private = KeyRing.open(None), rsa.generate_private_key(65537, 2048)
    key, shown = ring.create(ANN, [Scope.READ], KeyKind.RSA, _pem(private))
    signature = base64.b64encode(private.sign(PAYLOAD, padding.PKCS1v15(), SHA256())).decode()
    assert shown == ""
    assert ring.signed(key, PAYLOAD, signature)
    assert not ring.signed(key, PAYLOAD + b"0", signature)
    for wrong in ("", "no base64", "AAAA", "é"):
        assert not ring.signed(key, PAYLOAD, wrong)


def test_an_ed25519_key_verifies_what_its_other_half_signed() -> None:
    ring, private = KeyRing.open(None), ed25519.Ed25519PrivateKey.generate()
    key, _ = ring.create(ANN, [Scope.READ], KeyKind.ED25519, _pem(private))
    signature = base64.b64encode(private.sign(PAYLOAD)).decode()
    assert ring.signed(key, PAYLOAD, signature)
    assert not ring.signed(key, b"", signature)
    assert not ring.signed(key, PAYLOAD, "AAAA")


def test_a_public_key_is_of_the_kind_that_was_said_and_strong_enough() -> None:
    ring = KeyRing.open(None)
    short = rsa.generate_private_key(65537, 1024)
    for kind, text, why in (
        (KeyKind.RSA, _pem(ed25519.Ed25519PrivateKey.generate()), "kind ed25519, not rsa"),
        (KeyKind.RSA, _pem(short), "1024 bits is too short"),
        (KeyKind.RSA, _pem(dsa.generate_private_key(1024)), "another kind"),
        (KeyKind.ED25519, "-----BEGIN", "not a public key"),
    ):
        with pytest.raises(UsageError, match=why):
            ring.create(ANN, [Scope.READ], kind, text)
    assert ring.keys() == []


def test_a_token_is_its_keys_and_no_part_of_it_is_enough() -> None:
    ring = KeyRing.open(None)
    key, token = ring.create(ANN, [Scope.ADMIN], KeyKind.BEARER)
    assert ring.bearer(token) == key
    for wrong in ("", "rf_", f"rf_{key.id}", f"rf_{key.id}_", token[:-1], f"{token}0", "é", "\udc80"):
        assert ring.bearer(wrong) is None
    assert ring.find(key.id) is None, "a bearer signs nothing"
    assert not ring.signed(key, PAYLOAD, _signature(token))


def test_the_id_of_a_signing_key_is_no_token() -> None:
    ring = KeyRing.open(None)
    key, secret = ring.create(ANN, [Scope.READ])
    assert ring.bearer(f"rf_{key.id}_{secret}") is None


def test_the_files_hold_nothing_of_a_secret_and_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "live.db.keys"
    ring = KeyRing.open(path)
    _, secret = ring.create(ANN, [Scope.TRADE])
    _, token = ring.create(ANN, [Scope.READ], KeyKind.BEARER)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["live.db.keys", "live.db.keys.master"]
    for file in files:
        data = file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for hidden in (secret, token, token.rpartition("_")[2]):
            assert hidden.encode() not in data
            assert base64.b64encode(hidden.encode())[:-4] not in data
    for shown in (repr(ring), repr(ring.keys()), repr(ring.__dict__), str(vars(ring))):
        assert secret not in shown
        assert token not in shown


def test_a_ring_is_the_same_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    ring = KeyRing.open(path)
    key, secret = ring.create(ANN, [Scope.TRADE])
    bearer, token = ring.create(ANN, [Scope.READ], KeyKind.BEARER)
    again = KeyRing.open(path)
    assert again.keys() == ring.keys() == [key, bearer]
    assert again.signed(key, PAYLOAD, _signature(secret))
    assert again.bearer(token) == bearer


def test_what_is_revoked_is_of_no_use_also_to_who_has_the_ring_open(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    serving, elsewhere = KeyRing.open(path), KeyRing.open(path)
    key, secret = elsewhere.create(ANN, [Scope.TRADE])
    assert serving.find(key.id) is None
    assert serving.refresh()
    assert not serving.refresh()
    assert serving.signed(key, PAYLOAD, _signature(secret))
    assert elsewhere.revoke(key.id)
    assert not elsewhere.revoke(key.id)
    assert serving.refresh()
    assert serving.find(key.id) is None
    assert not serving.signed(key, PAYLOAD, _signature(secret))
    assert not KeyRing.open(None).refresh()


def test_changes_by_two_at_once_are_both_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    one, other = KeyRing.open(path), KeyRing.open(path)
    keys = [one.create(ANN, [])[0], other.create(ANN, [])[0], one.create(ANN, [])[0]]
    assert KeyRing.open(path).keys() == one.keys() == keys


def test_another_master_key_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    KeyRing.open(path, "the right one").create(ANN, [Scope.TRADE])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["keys"]
    assert len(KeyRing.open(path, "the right one").keys()) == 1
    with pytest.raises(
        WrongMaster, match=r"keys: sealed under another master key; give the right one as RINGFENCE_KEY"
    ):
        KeyRing.open(path, "a wrong one")
    with pytest.raises(WrongMaster, match=r"keys.master: not found; the secrets of the keys cannot be opened"):
        KeyRing.open(path)
    for data, why in ((b"", "it is empty"), (b"\xff", "no master key")):
        (tmp_path / "keys.master").write_bytes(data)
        with pytest.raises(WrongMaster, match=why):
            KeyRing.open(path)


def test_a_sealed_secret_that_was_changed_or_moved_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    ring = KeyRing.open(path)
    one, _ = ring.create(ANN, [Scope.TRADE])
    other, _ = ring.create(ANN, [Scope.READ])
    text = path.read_text()
    path.write_text(text.replace(one.id, "<>").replace(other.id, one.id).replace("<>", other.id))
    with pytest.raises(WrongMaster, match="or were changed"):
        KeyRing.open(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [("nonsense", "no file of API keys"), ('{"format":9,"salt":"","probe":"","entries":[]}', "format 9")],
)
def test_a_file_that_is_something_else_is_told(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(UsageError, match=why):
        KeyRing.open(path)


def test_a_file_that_went_away_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    ring = KeyRing.open(path)
    path.unlink()
    with pytest.raises(OSError, match="keys"):
        ring.refresh()
