"""Every rule that a command can break has an answer in the dialect."""

from __future__ import annotations

import pytest

from events.commands import AccountId, AmendOrder, OrderNumber, RequestId
from events.refusals import Reason
from events.units import Nanos
from gateway.binance.refusals import OF_COMMAND, REFUSALS, error_of


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.value)
def test_every_reason_has_a_code_of_the_venue_and_a_text(reason: Reason) -> None:
    error = error_of(reason, AmendOrder(Nanos(0), AccountId("a"), RequestId("1"), OrderNumber(1)))
    assert -6000 < error.code <= -1000
    assert error.msg
    assert 400 <= error.status < 500


def test_nothing_else_is_answered() -> None:
    assert set(REFUSALS) == set(Reason)
    assert all(set(table) <= set(Reason) for table in OF_COMMAND.values())
