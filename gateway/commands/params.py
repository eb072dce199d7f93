"""Parameters of strategies as they are typed."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import UsageError


def named_params(texts: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE as typed, each name once. Raises UsageError."""
    params: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise UsageError(f"--param {text}: write NAME=VALUE, e.g. size=0.01")
        if name in params:
            raise UsageError(f"--param {text}: {name} is given already, as {params[name]}; give it once")
        params[name] = value
    return params
