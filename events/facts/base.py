"""The base of every fact."""

from __future__ import annotations

import msgspec


class Fact(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="kind"):
    """Something that happened. Never edited, never deleted. What is left at its default is not written, so that a field
    added later leaves the bytes of older logs as they are.
    """
