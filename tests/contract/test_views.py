"""What every store of views does. A store joins by a subclass that says how it is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from events.log import ClosedLog, Head, LogError, StaleHead
from events.store.memory_views import MemoryViews
from events.store.sqlite_views import open_views
from events.views import KeptView, Views
from tests.loop import in_loop
from tests.sim.whole.disk import Disk, Faults
from tests.sim.whole.views import open_disk_views

ONE, TWO, THREE = (Head(n, 10 * n, bytes([n] * 32)) for n in (1, 2, 3))
VIEW = KeptView(1, ONE, {"a": b'{"n":1}', "b": b'{"n":2}'})


class ViewsContract:
    """The suite."""

    async def open(self, folder: Path) -> Views:
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncIterator[Views]:
        """A store, closed in the end whatever happens."""
        views = await self.open(folder)
        try:
            yield views
        finally:
            await views.close()

    @in_loop
    async def test_what_was_never_kept_is_not_there(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as views:
            assert await views.load("turnover") is None

    @in_loop
    async def test_a_view_is_loaded_as_it_was_put_and_another_one_takes_its_place(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as views:
            await views.replace("turnover", VIEW)
            assert await views.load("turnover") == VIEW
            other = KeptView(2, TWO, {"c": b'{"n":3}'})
            await views.replace("turnover", other)
            assert await views.load("turnover") == other

    @in_loop
    async def test_rows_and_place_change_together(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as views:
            await views.replace("turnover", VIEW)
            await views.save("turnover", ONE, TWO, {"a": None, "b": b'{"n":5}', "c": b'{"n":6}', "d": None})
            assert await views.load("turnover") == KeptView(1, TWO, {"b": b'{"n":5}', "c": b'{"n":6}'})
            await views.save("turnover", TWO, THREE, {})
            assert await views.load("turnover") == KeptView(1, THREE, {"b": b'{"n":5}', "c": b'{"n":6}'})

    @in_loop
    async def test_of_two_writers_at_one_place_one_is_refused_and_changes_nothing(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as views:
            await views.replace("turnover", VIEW)
            await views.save("turnover", ONE, TWO, {"a": b'{"n":7}'})
            with pytest.raises(
                StaleHead, match=r"^view turnover: stands at batch 2, not at batch 1 as its writer beli"
            ):
                await views.save("turnover", ONE, TWO, {"a": b'{"n":8}'})
            assert await views.load("turnover") == KeptView(1, TWO, VIEW.rows | {"a": b'{"n":7}'})
            with pytest.raises(StaleHead, match=r"^view candles: stands at batch none, not at batch 0"):
                await views.save("candles", Head(), ONE, {"a": b'{"n":8}'})
            assert await views.load("candles") is None

    @in_loop
    async def test_views_do_not_touch_each_other(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as views:
            await views.replace("turnover", VIEW)
            await views.replace("candles", VIEW._replace(version=7))
            await views.save("turnover", ONE, TWO, {"a": None})
            await views.replace("other", KeptView(1, THREE, {}))
            assert await views.load("candles") == VIEW._replace(version=7)
            assert await views.load("other") == KeptView(1, THREE, {})

    @in_loop
    async def test_a_store_that_is_closed_says_so(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as views:
            await views.close()
            asked = (views.load("turnover"), views.save("turnover", ONE, TWO, {}), views.replace("turnover", VIEW))
            for one in asked:
                with pytest.raises(ClosedLog, match=r"the views are closed; open them again$"):
                    await one


class TestMemoryViews(ViewsContract):
    """Views in memory."""

    async def open(self, folder: Path) -> Views:
        return MemoryViews()


class TestSqliteViews(ViewsContract):
    """Views in a file."""

    async def open(self, folder: Path) -> Views:
        return await open_views(folder / "session.views")

    @in_loop
    async def test_a_file_that_is_opened_again_holds_what_was_saved(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as views:
            await views.replace("turnover", VIEW)
        async with self.opened(tmp_path) as views:
            assert await views.load("turnover") == VIEW

    @in_loop
    async def test_what_fails_half_way_leaves_everything_as_it_was(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as views:
            await views.replace("turnover", VIEW)
            beyond = Head(2, 2**63, bytes(32))
            with pytest.raises(OverflowError):
                await views.save("turnover", ONE, beyond, {"a": None})
            assert await views.load("turnover") == VIEW

    @in_loop
    async def test_a_file_that_is_something_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "session.views").write_bytes(b"something else, and long enough to be looked at" * 9)
        with pytest.raises(LogError, match="not a SQLite file"):
            await self.open(tmp_path)


class TestDiskViews(ViewsContract):
    """Views on a made-up disk, with which the whole system is simulated."""

    async def open(self, folder: Path) -> Views:
        disk = Disk("views", Random("contract"), Counter())
        disk.faults = Faults(seconds=0)
        return await open_disk_views(disk)
