"""The arrays that a chunk's lists were made of, kept beside them for who needs arrays again.

They are never asked for what the lists do not hold: a list that was replaced or has grown is made into an array anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from events.observations import AS_ARRAY, SELDOM_LISTED, UNLISTED, Observations

Column = NDArray[np.int64]


def set_column(observations: Observations, name: str, column: Column) -> None:
    """Make a column of an array."""
    column = np.ascontiguousarray(column)
    if name in SELDOM_LISTED:
        if name not in observations.__dict__.setdefault(UNLISTED, {}):
            delattr(observations, name)
        observations.__dict__[UNLISTED][name] = column
        return
    values = column.tolist()
    setattr(observations, name, values)
    observations.__dict__[name + AS_ARRAY] = (values, column)


def column_of(observations: Observations, name: str) -> Column:
    """A column as an array, little-endian int64. Raises OverflowError where a number does not fit 64 bits."""
    if (column := observations.__dict__.get(UNLISTED, {}).get(name)) is not None:
        return column.astype("<i8", copy=False)  # type: ignore[no-any-return]
    values: list[int] = getattr(observations, name)
    kept, column = observations.__dict__.get(name + AS_ARRAY, (None, None))
    if kept is values and len(column) == len(values):
        found: Column = column.astype("<i8", copy=False)
        return found
    return np.array(values, "<i8")
