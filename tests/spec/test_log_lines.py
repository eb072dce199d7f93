"""What the rooms below log goes to standard error as it is at that moment, and cannot leave anybody waiting."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest
import structlog

from gateway.console import logs_to_stderr
from tests.sim.full_disk import on_a_limit


@pytest.fixture
def _logs_went_elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging was set up while standard error was something that is closed by now."""
    before = structlog.get_config()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", io.StringIO())
        logs_to_stderr()
        sys.stderr.close()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("_logs_went_elsewhere")
def test_a_session_on_a_full_disk_refuses_and_goes_on_wherever_its_log_lines_went_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "3 refused" in on_a_limit()
    assert 'event="session broken"' in capsys.readouterr().err
