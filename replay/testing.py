"""The pytest plugin: the fixture `session`, a `replay.trial.Trial` whose golden sessions lie beside the test.

`--golden-update` makes the sessions that tests are compared with anew. Registered as an entry point under its own
name, so that `-p replay.testing` does no harm; every run of pytest loads this module, so that it imports the rest only
where the fixture is asked for.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from replay.trial import Trial

NAMES_OF_A_FUNCTION = 2
"""A file's and its own."""

NAME_LENGTH = 120
"""So many letters of a name are kept, which file systems take."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--golden-update`."""
    group = parser.getgroup("ringfence")
    group.addoption("--golden-update", action="store_true", help="make golden sessions of what tests come to now")


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Trial:
    """A session to be told as given, when and then; its golden sessions lie in `golden/` beside the test's file."""
    from replay.trial import Trial

    chain = request.node.listchain()
    name = golden_name(
        request.path.stem, *(node.name for node in chain if isinstance(node, pytest.Class | pytest.Item))
    )
    update = bool(request.config.getoption("--golden-update"))
    return Trial(request.path.parent / "golden", name, update=update)


def golden_name(*names: str) -> str:
    """The name of a test's golden session: that of its file, its classes and itself, of at most 120 letters.

    Where that is not all that tells the test from others, a hash of it follows: under a class, with parameters.
    """
    slug = re.sub(r"[^\w.-]+", "-", "-".join(names)).strip("-")
    if len(names) == NAMES_OF_A_FUNCTION and slug == "-".join(names) and len(slug) <= NAME_LENGTH:
        return slug
    return f"{slug[:NAME_LENGTH].rstrip('-')}-{sha256('::'.join(names).encode()).hexdigest()[:8]}"
