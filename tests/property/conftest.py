"""Where CI is set, hypothesis tries the same examples every time; elsewhere it looks for new ones."""

from __future__ import annotations

import os

from hypothesis import settings

if os.environ.get("CI"):
    settings.register_profile("ringfence-ci", settings.get_profile("ringfence"), derandomize=True, database=None)
    settings.load_profile("ringfence-ci")
