"""The comparison of modes over a history in which a liquidation had to wait."""

from __future__ import annotations

from events import facts as f
from replay.lab import Mode
from tests.scenario import scenario
from tests.spec.phases import HALTED, phase
from tests.spec.test_lab import folded
from tests.spec.words import BUY, ISOLATED, account, mark, position, proceed


def test_a_liquidation_that_a_halt_puts_off_is_none_under_another_mode() -> None:
    session = scenario().given(account("ann", 1_000, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(phase(HALTED), mark(94), proceed())
    said = [record.message for batch in session.batches for record in batch.records]
    assert any(isinstance(fact, f.LiquidationPutOff) for fact in said)

    assert set(folded(session.batches).accounts["ann"].figures) == set(Mode)  # type: ignore[index]
