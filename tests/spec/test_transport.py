"""The transport: how far what is played may go by now, of wall time and session time alone."""

from __future__ import annotations

from fractions import Fraction

import pytest

from events.units import SECOND, Nanos
from replay.transport import LATE_MAX, Loop, Speed, Transport, speed_of, speed_text

START = 1_000 * SECOND
"""Session time of what is played first."""


def seconds(count: float) -> Nanos:
    return Nanos(int(count * SECOND))


def at(count: float) -> Nanos:
    """Session time, so many seconds after the first."""
    return Nanos(START + seconds(count))


def begun(speed: Speed = Fraction(1)) -> Transport:
    """One that played what is first at wall time 0."""
    transport = Transport(speed)
    assert transport.wait(0, at(0)) == 0
    transport.passed(0, at(0))
    return transport


@pytest.mark.parametrize(
    ("speed", "ahead", "wait"),
    [
        (Fraction(1), 5, 5.0),
        (Fraction(10), 5, 0.5),
        (Fraction(1, 10), 5, 50.0),
        (Fraction(1, 1000), 1, 1000.0),
        (None, 5, 0.0),
    ],
)
def test_what_is_ahead_waits_for_so_much_wall_time_as_the_speed_says(speed: Speed, ahead: int, wait: float) -> None:
    assert begun(speed).wait(0, at(ahead)) == seconds(wait)


def test_the_first_thing_waits_for_nothing_whenever_it_is() -> None:
    assert Transport(Fraction(1, 10)).wait(12345, at(7)) == 0


def test_a_wait_is_rounded_up_so_that_nothing_is_early() -> None:
    assert begun(Fraction(3)).wait(0, Nanos(at(0) + 10)) == 4


def test_what_is_due_does_not_wait() -> None:
    transport = begun()
    assert [transport.wait(seconds(2), at(ahead)) for ahead in (0.5, 2, 3)] == [0, 0, seconds(1)]


def test_what_a_burst_played_late_does_not_slow_down_what_follows() -> None:
    transport = begun()
    transport.passed(seconds(1.5), at(1))
    assert transport.wait(seconds(1.5), at(2)) == seconds(0.5)


@pytest.mark.parametrize(("late", "clock"), [(LATE_MAX, 1 * SECOND + LATE_MAX), (LATE_MAX + 1, 1 * SECOND)])
def test_who_is_later_than_a_second_does_not_hurry_to_make_up_for_it(late: int, clock: int) -> None:
    transport = begun()
    wall = seconds(1) + late
    transport.passed(wall, at(1))
    assert transport.clock(wall) == START + clock


class TestPause:
    """The session clock stops where it stands, also between two things that happened."""

    def test_nothing_happens_until_it_is_asked_for(self) -> None:
        transport = begun()
        transport.pause(seconds(1))
        assert transport.wait(seconds(100), at(3)) is None
        assert transport.clock(seconds(100)) == at(1)

    def test_it_goes_on_from_there(self) -> None:
        transport = begun()
        transport.pause(seconds(1))
        transport.play(seconds(100))
        assert transport.wait(seconds(100), at(3)) == seconds(2)

    def test_as_fast_as_it_goes_the_clock_stands_at_what_was_played_last(self) -> None:
        transport = begun(None)
        transport.passed(seconds(1), at(500))
        transport.pause(seconds(2))
        assert transport.clock(seconds(9)) == at(500)

    def test_it_may_begin_paused(self) -> None:
        transport = Transport(is_playing=False)
        assert transport.wait(0, at(0)) is None
        transport.play(seconds(7))
        assert transport.wait(seconds(7), at(0)) == 0


class TestSpeed:
    """A change of speed holds from that moment on."""

    def test_what_has_run_has_run(self) -> None:
        transport = begun()
        transport.set_speed(seconds(2), Fraction(10))
        assert transport.clock(seconds(3)) == at(12)
        assert transport.wait(seconds(3), at(22)) == seconds(1)

    def test_from_as_fast_as_it_goes_to_a_figure(self) -> None:
        transport = begun(None)
        transport.passed(seconds(1), at(500))
        transport.set_speed(seconds(1), Fraction(2))
        assert transport.wait(seconds(1), at(502)) == seconds(1)

    @pytest.mark.parametrize(
        ("text", "speed", "shown"),
        [
            ("1", Fraction(1), "1x"),
            ("0.1", Fraction(1, 10), "0.1x"),
            (" 10X ", Fraction(10), "10x"),
            ("1/4", Fraction(1, 4), "0.25x"),
            ("max", None, "max"),
        ],
    )
    def test_it_is_written_so(self, text: str, speed: Speed, shown: str) -> None:
        assert speed_of(text) == speed
        assert speed_text(speed) == shown

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("fast", "give a number such as 0.1 or 10, or max"),
            ("1/0", "give a number such as 0.1 or 10, or max"),
            ("0", "give 0.001 to 1,000,000, or max"),
            ("-1", "give 0.001 to 1,000,000, or max"),
            ("1e7", "give 0.001 to 1,000,000, or max"),
        ],
    )
    def test_what_is_none_is_told(self, text: str, why: str) -> None:
        with pytest.raises(ValueError, match=f"^speed '{text}'; {why}$"):
            speed_of(text)


class TestSteps:
    """So many happen at once; then it pauses."""

    def test_they_wait_for_nothing(self) -> None:
        transport = begun()
        transport.step(0, 2)
        for ahead in (10, 20):
            assert transport.wait(0, at(ahead)) == 0
            transport.passed(0, at(ahead))
        assert transport.wait(0, at(20)) is None
        assert transport.clock(seconds(5)) == at(20)

    def test_what_does_not_count_is_passed_by(self) -> None:
        transport = begun()
        transport.step(0, 1)
        for ahead in range(1, 5):
            assert transport.wait(0, at(ahead)) == 0
            transport.passed(0, at(ahead), is_step=False)
        transport.passed(0, at(5), is_step=True)
        assert transport.wait(0, at(6)) is None

    def test_playing_again_goes_on_from_there(self) -> None:
        transport = begun()
        transport.step(0, 1)
        transport.passed(0, at(10))
        transport.play(seconds(3))
        assert transport.wait(seconds(3), at(11)) == seconds(1)


class TestHurry:
    """Up to a time everything happens at once, then it goes on as before."""

    def test_what_lies_before_and_at_that_time_waits_for_nothing(self) -> None:
        transport = begun()
        transport.hurry(at(60))
        assert [transport.wait(0, at(ahead)) for ahead in (1, 59, 60)] == [0, 0, 0]

    def test_the_clock_stands_at_that_time_then(self) -> None:
        transport = begun()
        transport.hurry(at(60))
        transport.passed(0, at(50))
        assert transport.wait(seconds(1), at(63)) == seconds(3)

    def test_who_was_paused_is_paused_there(self) -> None:
        transport = begun()
        transport.pause(0)
        transport.hurry(at(60))
        assert transport.wait(0, at(60)) == 0
        transport.passed(0, at(60))
        assert transport.wait(0, at(61)) is None

    def test_a_pause_ends_it(self) -> None:
        transport = begun()
        transport.hurry(at(60))
        transport.pause(0)
        assert transport.wait(0, at(1)) is None


class TestLength:
    """It plays for so much session time, then pauses."""

    def test_what_lies_within_it_is_played_at_its_time(self) -> None:
        transport = begun()
        transport.play(0, seconds(5))
        assert transport.wait(0, at(5)) == seconds(5)
        transport.passed(seconds(5), at(5))
        assert transport.wait(seconds(5), at(6)) is None
        assert not transport.is_playing

    def test_the_clock_stands_at_its_end(self) -> None:
        transport = begun()
        transport.play(0, seconds(5))
        transport.passed(seconds(3), at(3))
        assert transport.wait(seconds(3), at(9)) is None
        assert transport.clock(seconds(50)) == at(5)
        transport.play(seconds(50))
        assert transport.wait(seconds(50), at(9)) == seconds(4)


class TestLoop:
    """Beyond its end it goes back to its start."""

    @pytest.mark.parametrize(("next_at", "back"), [(19, False), (20, False), (20.1, True), (None, True)])
    def test_it_goes_back_behind_the_end_or_where_nothing_is_left(self, next_at: float | None, back: bool) -> None:
        transport = begun()
        transport.loop = Loop(at(10), at(20))
        found = transport.begins_again(None if next_at is None else at(next_at))
        assert found == (at(10) if back else None)

    def test_without_a_loop_it_never_does(self) -> None:
        assert begun().begins_again(None) is None

    def test_who_steps_or_hurries_is_not_held_in_it(self) -> None:
        transport = begun()
        transport.loop = Loop(at(10), at(20))
        transport.hurry(at(60))
        assert transport.begins_again(at(50)) is None
        transport.step(0, 1)
        assert transport.begins_again(at(50)) is None

    def test_the_clock_goes_back_too(self) -> None:
        transport = begun()
        transport.passed(seconds(2), at(2))
        transport.moved(seconds(2), at(0))
        assert transport.wait(seconds(2), at(1)) == seconds(1)

    def test_session_time_played_counts_however_often_it_goes_back(self) -> None:
        transport = begun()
        transport.play(0, seconds(3))
        for _ in range(2):
            transport.passed(0, at(1))
            transport.moved(0, at(0))
        transport.passed(0, at(1))
        assert transport.wait(0, at(1.5)) is None
