"""The base of every fact."""

from __future__ import annotations

import msgspec


class Fact(msgspec.Struct, frozen=True, gc=False, tag_field="kind"):
    """Something that happened. Never edited, never deleted."""
