"""Reproduces the published figures and prints how many of each file, alone and in sessions: `python -m tests.truth`."""

from __future__ import annotations

import sys

from tests.truth.published import FOLDER
from tests.truth.summary import told


def main() -> int:
    """Print the summary. Returns 2 where the figures are not there."""
    if not FOLDER.is_dir():
        sys.stderr.write("The published figures are no part of the project: set RINGFENCE_CASES to their folder.\n")
        return 2
    sys.stdout.write(told())
    return 0


if __name__ == "__main__":
    sys.exit(main())
