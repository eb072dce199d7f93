"""Which version this is: of Ringfence, of the rules by which it decides, of Python."""

from __future__ import annotations

import platform
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from exchange.core.state import RULES_VERSION


def text() -> str:
    """One line."""
    return f"ringfence {own()}, rules {RULES_VERSION}, Python {platform.python_version()}\n"


def own() -> str:
    """That of Ringfence: as installed, else as the checkout says."""
    try:
        return version("ringfence")
    except PackageNotFoundError:
        project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
        return str(project["project"]["version"])
