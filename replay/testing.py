"""The pytest plugin: the fixture `session`, a `replay.trial.Trial` whose golden sessions lie beside the test.

`--golden-update` makes the sessions that tests are compared with anew. Registered as an entry point under its own
name, so that `-p replay.testing` does no harm; every run of pytest loads this module, so that it imports the rest only
where the fixture is asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from replay.trial import Trial


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--golden-update`."""
    group = parser.getgroup("ringfence")
    group.addoption("--golden-update", action="store_true", help="make golden sessions of what tests come to now")


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Trial:
    """A session to be told as given, when and then; its golden sessions lie in `golden/` beside the test's file."""
    from replay.trial import Trial

    name = re.sub(r"[^\w.-]+", "-", f"{request.path.stem}-{request.node.name}").strip("-")
    update = bool(request.config.getoption("--golden-update"))
    return Trial(request.path.parent / "golden", name, update=update)
