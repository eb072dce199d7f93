"""Listen keys: one an account, an hour from each use, and good beyond a restart of the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.commands import AccountId
from gateway.binance.listen_keys import LASTS_MS, OUTLASTS_MS, ListenKeys
from gateway.serving.keys import KeyRing
from tests.binance_sockets import Wall

ANN, BOB = AccountId("ann"), AccountId("bob")


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.open(tmp_path_factory.mktemp("ring") / "live.db.keys")


def test_an_account_has_one_key_while_it_is_used(ring: KeyRing) -> None:
    keys = ListenKeys(wall := Wall(), ring)
    key = keys.start(ANN)
    wall.ms += LASTS_MS - 1
    assert (keys.keep(ANN), keys.start(ANN), keys.account(key)) == (key, key, ANN)
    assert keys.start(BOB) != key
    wall.ms += LASTS_MS
    assert (keys.account(key), keys.keep(ANN)) == (None, None)
    assert keys.start(ANN) != key


def test_a_key_that_was_ended_is_nobodys(ring: KeyRing) -> None:
    keys = ListenKeys(Wall(), ring)
    key = keys.start(ANN)
    assert (keys.stop(ANN), keys.stop(ANN), keys.account(key)) == (True, False, None)


def test_a_key_is_good_beyond_a_restart_for_an_hour(ring: KeyRing) -> None:
    key = ListenKeys(wall := Wall(), ring).start(ANN)
    wall.ms += 10
    again = ListenKeys(wall, ring)
    assert (again.account(key), again.start(ANN)) == (ANN, key)
    late = ListenKeys(wall, ring)
    wall.ms += LASTS_MS
    assert late.account(key) is None


def test_a_key_of_before_is_not_good_beside_a_new_one_nor_for_ever(ring: KeyRing) -> None:
    key = ListenKeys(wall := Wall(), ring).start(ANN)
    wall.ms += 10
    again = ListenKeys(wall, ring)
    again.start(ANN)
    assert again.account(key) is None
    wall.ms += OUTLASTS_MS
    assert ListenKeys(wall, ring).account(key) is None


def test_what_another_ring_sealed_or_nobody_is_no_key(ring: KeyRing, tmp_path: Path) -> None:
    keys = ListenKeys(Wall(), ring)
    other = ListenKeys(Wall(), KeyRing.open(tmp_path / "other.db.keys")).start(ANN)
    for key in (other, "", "zz", "00", ring.seal("1 ann", "something else"), "é"):
        assert keys.account(key) is None
