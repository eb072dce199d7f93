"""Views that live as long as their process."""

from __future__ import annotations

from collections.abc import Mapping

from events.log import ClosedLog, Head
from events.views import KeptView, check_place


class MemoryViews:
    """`Views` in a dictionary."""

    def __init__(self) -> None:
        self._views: dict[str, KeptView] = {}
        self._is_closed = False

    async def load(self, name: str) -> KeptView | None:
        """See `Views.load`."""
        self._check_open()
        view = self._views.get(name)
        return view and view._replace(rows=dict(view.rows))

    async def save(self, name: str, expected: Head, place: Head, changes: Mapping[str, bytes | None]) -> None:
        """See `Views.save`."""
        self._check_open()
        view = self._views.get(name)
        check_place(name, view and view.place, expected)
        assert view, "a view that stands somewhere is there"
        rows = {**view.rows, **changes}
        self._views[name] = KeptView(view.version, place, {key: row for key, row in rows.items() if row is not None})

    async def replace(self, name: str, view: KeptView) -> None:
        """See `Views.replace`."""
        self._check_open()
        self._views[name] = view._replace(rows=dict(view.rows))

    async def close(self) -> None:
        """See `Views.close`."""
        self._is_closed = True

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedLog("the views are closed; open them again")
