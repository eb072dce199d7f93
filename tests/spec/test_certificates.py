"""The certificate of a server: for which names, how long, and when it is made anew."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gateway.errors import UsageError
from gateway.serving import certificates
from gateway.serving.certificates import certificate


def test_it_is_for_this_machine_and_made_once(tmp_path: Path) -> None:
    made = certificate(tmp_path / "tls")
    before = made.chain.read_bytes()
    names = x509.load_pem_x509_certificate(before).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert sorted(str(name.value) for name in names.value) == ["127.0.0.1", "::1", "localhost"]
    assert certificate(tmp_path / "tls").chain.read_bytes() == before
    assert made.until() > datetime.now(UTC) + timedelta(days=800)
    made.context()


def test_nobody_else_may_read_its_key_and_the_authoritys_own_is_nowhere(tmp_path: Path) -> None:
    made = certificate(tmp_path / "tls")
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    files = sorted((tmp_path / "tls").iterdir())
    assert [path.name for path in files] == ["ca.pem", "server.key", "server.pem"]
    assert [path.name for path in files if b"PRIVATE" in path.read_bytes()] == ["server.key"]


def test_another_name_and_an_end_that_is_near_make_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tls"
    monkeypatch.setattr(certificates, "LIFETIME", timedelta(days=13))
    first = certificate(folder).chain.read_bytes()
    monkeypatch.undo()
    second = certificate(folder).chain.read_bytes()
    third = certificate(folder, "192.0.2.7").chain.read_bytes()
    assert len({first, second, third}) == 3
    assert certificate(folder, "192.0.2.7").chain.read_bytes() == certificate(folder).chain.read_bytes() == third


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    made = certificate(tmp_path / "tls")
    made.key.write_text("nothing")
    with pytest.raises(UsageError, match=r"server.pem: not a certificate with its key"):
        certificate(tmp_path / "tls").context()
