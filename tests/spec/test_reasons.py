"""Refusals: a closed list whose order is the documented precedence."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec
import pytest

from events.facts import Refused
from events.refusals import Reason
from tests.tidy.tree import ROOT


def documented() -> list[str]:
    """The reasons in the order in which the reference lists them."""
    text = (ROOT / "docs" / "reference" / "refusals.md").read_text("utf-8")
    return re.findall(r"^\| \d+ \| `(\w+)` \|$", text, re.MULTILINE)


def test_the_order_of_the_reasons_is_the_documented_precedence() -> None:
    assert [reason.value for reason in Reason] == documented()


@pytest.mark.parametrize(
    "order",
    [
        "session_not_open unknown_account unknown_instrument order_number_used price_not_positive insufficient_margin",
        "price_not_positive price_off_tick size_not_positive size_off_lot size_below_minimum size_above_maximum",
        "size_above_maximum liquidation_in_progress no_mark_price notional_below_minimum too_many_open_orders",
        "too_many_open_orders reduce_only_would_increase post_only_would_take position_limit_at_leverage",
        "position_limit_at_leverage insufficient_margin insufficient_balance",
    ],
)
def test_what_is_wrong_with_the_command_itself_comes_before_what_the_account_lacks(order: str) -> None:
    place = {reason.value: n for n, reason in enumerate(Reason)}
    assert all(place[first] < place[then] for first, then in pairwise(order.split()))


def test_a_reason_is_written_as_its_name() -> None:
    assert [reason.value for reason in Reason] == [reason.name.lower() for reason in Reason]


def test_a_reason_that_is_not_on_the_list_cannot_be_read() -> None:
    with pytest.raises(msgspec.ValidationError, match="Invalid enum value 'bad_luck'"):
        msgspec.json.decode(b'{"kind":"refused.1","reason":"bad_luck"}', type=Refused)
    assert msgspec.json.decode(b'{"kind":"refused.1","reason":"no_position"}', type=Refused) == Refused(
        Reason.NO_POSITION
    )
