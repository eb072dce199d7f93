"""What is written beside a session replaces nothing but an older page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import ringfence
from tests.tampering import recorded


@pytest.mark.parametrize("verb", ["why", "lab", "report"])
def test_a_page_replaces_an_older_page_and_nothing_else(tmp_path: Path, verb: str) -> None:
    session = recorded(tmp_path)
    before = session.read_bytes()
    options = ("--liquidation", 1, "--effort", 0) if verb == "why" else ()
    said = ringfence(verb, session, *options, "--html", session, status=2)
    assert "session.db: is there already and is no page; choose another name" in said.complaint
    assert session.read_bytes() == before
    page = tmp_path / "page.html"
    for _ in range(2):
        ringfence(verb, session, *options, "--html", page)
    assert page.read_text("utf-8").startswith("<!doctype html>")
    nowhere = tmp_path / "no" / "page.html"
    complaint = ringfence(verb, session, *options, "--html", nowhere, status=2).complaint
    assert f"the folder {nowhere.parent} does not exist; create it first" in complaint


def test_an_empty_root_is_no_root(tmp_path: Path) -> None:
    session, proof = recorded(tmp_path), tmp_path / "proof.json"
    ringfence("proof", "make", session, "--account", "ann", "--out", proof)
    complaint = ringfence("proof", "check", proof, "--root", "", status=2).complaint
    assert complaint == "--root '': a root is 64 digits of 0-9 and a-f"
