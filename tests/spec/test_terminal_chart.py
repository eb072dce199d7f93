"""Bars over time in a terminal: from the lowest to the highest value, with a labelled scale and a rule."""

from __future__ import annotations

from gateway.reports.terminal_chart import chart


def test_the_lowest_value_is_one_eighth_and_the_highest_fills_all_lines() -> None:
    assert chart([0, 7, 8, 15], 2, 0, 15, str) == ["15 ┤  ▁█", " 0 ┤▁███"]


def test_a_column_without_a_value_stays_empty() -> None:
    assert chart([None, 15, None], 2, 0, 15, str) == ["15 ┤ █", " 0 ┤ █"]


def test_a_rule_runs_where_no_bar_is_and_bears_its_value() -> None:
    drawn = chart([0, 30, 0], 3, 0, 30, str, rule=15)
    assert drawn == ["30 ┤ █", "15 ┤·█·", " 0 ┤▁█▁"]


def test_a_value_that_never_changes_is_drawn_low() -> None:
    assert chart([7, 7], 2, 7, 7, str) == ["7 ┤", "7 ┤▁▁"]
