"""Where the data and the published figures of others are found: they are no part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of market data in the formats of venues and vendors."""
    return folder("RINGFENCE_DATA", "../shared/data")


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of worked figures published by venues and protocols."""
    return folder("RINGFENCE_CASES", "../shared/cases")


def folder(variable: str, default: str) -> Path:
    """The folder that the variable names. Where there is none the test is skipped, under CI it fails."""
    path = (ROOT / os.environ.get(variable, default)).resolve()
    if not path.is_dir():
        reason = f"no folder {path}: set {variable}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
