"""The sum tree over the leaves: each level is paired from the left, an odd last node goes up as it is."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.projections.solvency.proof import EMPTY, Node, Step, inner, sides


class SumTree:
    """A balanced binary tree whose nodes are what those below are owed together. levels[0] are the leaves."""

    __slots__ = ("levels",)

    def __init__(self, leaves: Iterable[Node]) -> None:
        self.levels = [list(leaves)]
        while len(self.levels[-1]) > 1:
            self.levels.append(_above(self.levels[-1]))

    @property
    def top(self) -> Node:
        """The node above all others; EMPTY where there is no leaf."""
        return self.levels[-1][0] if self.levels[0] else EMPTY

    def path(self, index: int) -> tuple[Step, ...]:
        """The nodes that are met on the way up from a leaf."""
        turns = sides(index, len(self.levels[0]))
        steps = []
        for level in self.levels[:-1]:
            other = index ^ 1
            if other < len(level):
                steps.append(Step(next(turns), level[other]))
            index //= 2
        return tuple(steps)

    def check(self) -> None:
        """Assert that each level adds up to the one above, and none holds less than nothing."""
        for below, above in zip(self.levels, self.levels[1:], strict=False):
            assert above == _above(below)
        for level in self.levels:
            assert sum(node.sum for node in level) == self.top.sum
            assert all(node.sum >= 0 for node in level)


def _above(level: list[Node]) -> list[Node]:
    pairs = [inner(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs
