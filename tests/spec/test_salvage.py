"""What is read of a session file that may be damaged."""

from __future__ import annotations

from pathlib import Path

from events.store.salvage import Salvage
from tests.tampering import recorded, rows_of


def test_a_file_with_a_log_of_newer_pages_beside_it_is_read_as_it_stands(tmp_path: Path) -> None:
    session = recorded(tmp_path)
    batches = len(rows_of(session))
    session.with_name(f"{session.name}-wal").write_bytes(bytes(64))
    salvage = Salvage(session)

    entries = list(salvage)

    assert salvage.finding.defect == ""
    assert salvage.finding.good.batch == batches <= len(entries)
