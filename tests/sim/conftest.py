"""Simulations reach whatever they reach: coverage is owed to specifications, which reach the same at every run."""

from __future__ import annotations

from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    coverage = getattr(item.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    if coverage is None:
        return (yield)
    coverage.pause()
    try:
        return (yield)
    finally:
        coverage.resume()
