"""The calendar: which time is shown for a time of the session."""

from __future__ import annotations

from events.units import SECOND
from gateway.serving.calendar import MINUTE, Calendar

HOUR = 60 * MINUTE
TEN = 1_700_000_000 * SECOND // MINUTE * MINUTE
"""A whole minute."""


def test_a_session_that_begins_now_is_shown_as_it_is() -> None:
    calendar = Calendar()
    assert calendar.resume(TEN, TEN + 17 * SECOND) == TEN + 17 * SECOND
    assert calendar.shown(TEN + 5) == TEN + 5


def test_history_is_shown_shifted_by_whole_minutes_so_that_candles_keep_their_boundaries() -> None:
    calendar, wall = Calendar(), TEN + 3000 * HOUR + 42 * SECOND
    begin = TEN + 7 * SECOND
    goes_on = calendar.resume(begin, wall)
    shift = calendar.shown(begin) - begin
    assert shift % MINUTE == 0
    assert calendar.shown(goes_on) == wall
    assert 0 <= goes_on - begin < MINUTE


def test_a_downtime_is_a_hole_in_what_is_shown_and_no_time_of_the_session() -> None:
    calendar = Calendar()
    calendar.resume(TEN, TEN)
    calendar.resume(TEN + HOUR, TEN + 5 * HOUR)
    assert calendar.shown(TEN + HOUR - 1) == TEN + HOUR - 1
    assert calendar.shown(TEN + HOUR) == TEN + 5 * HOUR


def test_what_was_shown_once_is_shown_the_same_again() -> None:
    calendar = Calendar()
    calendar.resume(TEN, TEN + 99 * HOUR)
    calendar.resume(TEN + HOUR, TEN + 120 * HOUR + 5 * SECOND)
    again = Calendar.read(calendar.text())
    for at in (TEN - HOUR, TEN, TEN + HOUR - 1, TEN + HOUR, TEN + 2 * HOUR):
        assert again.shown(at) == calendar.shown(at)


def test_a_time_shown_leads_back_to_the_session() -> None:
    calendar = Calendar()
    calendar.resume(TEN, TEN + 10 * HOUR)
    calendar.resume(TEN + HOUR, TEN + 20 * HOUR)
    for at in (TEN - HOUR, TEN, TEN + HOUR - 1, TEN + HOUR, TEN + 3 * HOUR):
        assert calendar.session(calendar.shown(at)) == at
    assert calendar.session(TEN + 15 * HOUR) == TEN + HOUR


def test_a_wall_clock_that_was_put_back_does_not_show_time_going_back() -> None:
    calendar = Calendar()
    calendar.resume(TEN, TEN + 10 * HOUR)
    calendar.resume(TEN + HOUR, TEN)
    assert calendar.shown(TEN + HOUR) >= calendar.shown(TEN + HOUR - 1)
