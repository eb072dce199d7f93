"""The state diagram of an order's life, drawn from the table in the code as Mermaid text."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.projections.lives import ENDS, TRANSITIONS, Stage


def diagram() -> str:
    """A fenced block of Mermaid. Facts that lead from one stage to the same other one share an arrow."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines()), "```"])


def lines() -> Iterator[str]:
    """The arrows, from the first stage to the last ones."""
    yield f"[*] --> {Stage.ASKED.value}"
    arrows: dict[tuple[Stage, Stage], list[str]] = {}
    for step in TRANSITIONS:
        arrows.setdefault((step.before, step.after), []).append(step.fact.__name__)
    for (before, after), facts in arrows.items():
        yield f"{before.value} --> {after.value}: {', '.join(facts)}"
    for stage in ENDS:
        yield f"{stage.value} --> [*]"


def stages() -> str:
    """A table of the stages, and the facts by which an order comes to each."""
    rows = [
        f"| {stage.value} | {', '.join(f'`{fact}`' for fact in facts)} |"
        for stage in Stage
        if (facts := dict.fromkeys(step.fact.__name__ for step in TRANSITIONS if step.after is stage))
    ]
    return "\n".join(["| stage | an order comes to it by |", "|---|---|", *rows])
