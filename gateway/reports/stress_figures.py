"""The figures of the cascade laboratory as text: decimal strings for programs, amounts with units for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from events.instruments import Inverse
from events.units import SECOND, UNIT, decimal_text
from exchange.projections.deficits import Bearer
from gateway.console import money_text, time_text
from gateway.reports.why_words import grouped
from replay.stress.figures import TAKERS, Moment
from replay.stress.population import Member
from replay.stress.run import Outcome
from replay.stress.scenario import Scenario
from replay.stress.shocks import Point

ROWS = 12
"""So many stretches of time a table has ..."""

POINTS = 600
"""... and so many a chart and an object for programs."""

WORDS = {"book": "the book", "fund": "the insurance fund", "adl": "auto-deleveraging", "market": "MARKET"}


@dataclass(frozen=True, slots=True)
class Report:
    """What was run and how it ended; the first outcome is that of the population as drawn."""

    scenario: Scenario
    members: Sequence[Member]
    outcomes: list[Outcome]
    seed: int

    @property
    def main(self) -> Outcome:
        """The run of the population as drawn."""
        return self.outcomes[0]

    @property
    def asset(self) -> str:
        """What amounts are in: the settle asset."""
        return str(self.scenario.markets[0].settle)

    @property
    def places(self) -> int:
        """Decimals of an amount: two of what prices are quoted in, four of a coin."""
        return 4 if isinstance(self.scenario.markets[0], Inverse) else 2

    def amount(self, atoms: int) -> str:
        """An amount with its unit."""
        return f"{money_text(atoms, self.places)} {self.asset}"


class Totals(NamedTuple):
    """A run in a few figures, atoms and Rates."""

    closed: int
    by: dict[str, int]
    elsewhere: int
    impact: int
    displaced: int
    fund_least: int
    fund_end: int
    liquidations: int


def totals(outcome: Outcome) -> Totals:
    """The sums and extremes over all moments."""
    moments = outcome.figures.moments
    by = {taker: sum(moment.volume[taker] for moment in moments) for taker in TAKERS}
    return Totals(
        sum(by.values()),
        by,
        sum(moment.elsewhere for moment in moments),
        max(moment.impact for moment in moments),
        max(moment.displaced for moment in moments),
        min(outcome.fund_before, *(moment.fund for moment in moments)),
        moments[-1].fund,
        sum(moment.liquidations for moment in moments),
    )


def stretches(moments: Sequence[Moment], count: int) -> list[Moment]:
    """The moments in `count` stretches of equal time at most: prices and the fund at their ends, the rest summed, of
    impact and displacement the most.
    """
    start, length = moments[0].at, moments[-1].at - moments[0].at + 1
    found: dict[int, Moment] = {}
    for moment in moments:
        key = (moment.at - start) * count // length
        known = found.get(key)
        if known is None:
            known = found[key] = Moment(moment.at, moment.price)
        known.price, known.mark, known.fund = moment.price, moment.mark, moment.fund
        known.liquidations += moment.liquidations
        known.elsewhere += moment.elsewhere
        known.deficit += moment.deficit
        known.impact = max(known.impact, moment.impact)
        known.displaced = max(known.displaced, moment.displaced)
        for taker, value in moment.volume.items():
            known.volume[taker] += value
    return list(found.values())


def percent(part: int, of: int = UNIT, places: int = 1) -> str:
    """A share in per cent."""
    return f"{part * 100 / of if of else 0:,.{places}f} %"


def whole(atoms: int) -> str:
    """An amount without decimals, rounded half away from zero for reading."""
    return f"{(abs(atoms) + UNIT // 2) // UNIT * (-1 if atoms < 0 else 1):,}"


def duration(ns: int) -> str:
    """A length of time in words, to the second where it is a minute or more."""
    ns = (ns + SECOND // 2) // SECOND * SECOND if ns > 59 * SECOND else ns
    for unit, word in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if ns >= 2 * unit * SECOND or (ns >= unit * SECOND and not ns % (unit * SECOND)):
            return f"{ns / (unit * SECOND):,.1f}".removesuffix(".0") + f" {word}"
    return f"{ns / SECOND:,.3f} s"


def worst(path: Sequence[Point]) -> tuple[str, int]:
    """The greatest fall within the path, or the greatest rise, a Rate: the way it went farther from where it began."""
    start = high = low = path[0].price
    fall = rise = down = up = 0
    for point in path:
        high, low = max(high, point.price), min(low, point.price)
        fall = max(fall, (high - point.price) * UNIT // high)
        rise = max(rise, (point.price - low) * UNIT // low)
        down, up = max(down, start - point.price), max(up, point.price - start)
    return ("fall", fall) if down >= up else ("rise", rise)


def headlines(report: Report) -> Iterator[str]:
    """What happened, in words."""
    scenario, outcome, losses, sums = report.scenario, report.main, report.main.losses, totals(report.main)
    what, size = worst(scenario.paths[0])
    name, lasted = scenario.markets[0].id, duration(scenario.paths[0][-1].after)
    closed, share = report.amount(sums.closed), percent(sums.closed, outcome.open_interest)
    yield (
        f"A {what} of {percent(size)} in {name} within {lasted} liquidated {losses.liquidated:,} of "
        f"{losses.accounts:,} accounts and closed {closed} by force, {share} of the open interest."
    )
    if not sums.closed:
        return
    shares = [f"{WORDS[taker]} took {percent(value, sums.closed)}" for taker, value in sums.by.items() if value]
    yield f"Of that {', '.join(shares)}; forced fills went up to {percent(sums.impact, places=2)} beyond the mark."
    lost, borne = outcome.fund_before - sums.fund_end, outcome.deficits
    how = f"lost {report.amount(lost)}" if lost >= 0 else f"gained {report.amount(-lost)}"
    yield (
        f"The insurance fund began with {report.amount(outcome.fund_before)}, {how}, and stood at "
        f"{report.amount(sums.fund_least)} at worst."
    )
    later = lost > borne[Bearer.FUND.value] + borne[Bearer.OPEN.value]
    yield (
        f"Positions were taken over with a deficit of {report.amount(sum(borne.values()))}"
        + ("; the fund lost the rest later, on what it held." if later else ".")
    )


def distributions(report: Report) -> list[tuple[str, str, str, str]]:
    """What is drawn: its name, its distribution, the mean of that, and the mean of what was drawn."""
    crowd, members = report.scenario.crowd, report.members
    quote, count = report.scenario.markets[0].quote, len(report.members)
    sizes = sum(member.stakes[0].notional for member in members) // count
    table = ", ".join(f"{leverage}x:{weight}" for leverage, weight in crowd.leverages)
    low, high = whole(crowd.smallest), whole(crowd.largest)
    found = [
        ("side", f"long with probability {percent(crowd.longs)}, else short", percent(crowd.longs),
         percent(sum(m.stakes[0].sign > 0 for m in members), count)),
        ("size", f"Pareto, exponent {crowd.tail}, from {low} to {high} {quote}",
         f"{money_text(crowd.mean_size)} {quote}", f"{money_text(sizes)} {quote}"),
        ("leverage", f"by weight: {table}", f"{crowd.mean_leverage:.1f} x",
         f"{Decimal(sum(m.leverage for m in members)) / count:.1f} x"),
        ("mode", f"isolated with probability {percent(crowd.isolated)}, else cross", percent(crowd.isolated),
         percent(sum(m.is_isolated for m in members), count)),
        ("spare", "exponential: wallet beyond the cost of the position", percent(crowd.spare),
         percent(sum(m.spare for m in members) // count)),
    ]  # fmt: skip
    if len(report.scenario.markets) > 1:
        name = report.scenario.markets[1].id
        share = percent(sum(len(m.stakes) > 1 for m in members), count)
        found.append(("second", f"a position in {name} too", percent(crowd.second), share))
    return found


def market_lines(report: Report) -> Iterator[str]:
    """The market and the path, stated."""
    scenario, quote = report.scenario, report.scenario.markets[0].quote
    outcome, liquidity = report.main, report.scenario.liquidity[0]
    pack = scenario.pack
    yield f"rules of {pack.id} {pack.version}, seed {report.seed}, open interest {report.amount(outcome.open_interest)}"
    begins = f"{grouped(scenario.markets[0].price_text(scenario.prices[0] // scenario.markets[0].tick))} {quote}"
    span = (
        f"{time_text(scenario.at)} UTC, {len(scenario.paths[0]):,} prices over {duration(scenario.paths[0][-1].after)}"
    )
    yield f"{scenario.markets[0].id} from {begins} at {span}, then {duration(scenario.after)} at the last one"
    refill = f"refills with a half-life of {duration(liquidity.refill)}" if liquidity.refill else "refills at once"
    back = percent(liquidity.feedback, places=0)
    yield (
        f"book {money_text(liquidity.depth)} {quote} within 1 % on either side, the same at every price up to 5 %; "
        f"{refill}; {back} of its displacement moves the mark"
    )


def contagion(report: Report) -> list[tuple[str, list[str]]]:
    """The same population isolated, cross and mixed: what, and a cell for each run."""
    outcomes, sums = report.outcomes, [totals(outcome) for outcome in report.outcomes]
    losses = [outcome.losses for outcome in outcomes]
    found = [
        ("accounts liquidated", [f"{one.liquidated:,}" for one in losses]),
        ("lost more than their positions' margin", [f"{one.beyond:,}" for one in losses]),
        ("lost everything", [f"{one.emptied:,}" for one in losses]),
        (f"lost by losers, {report.asset}", [money_text(one.lost, report.places) for one in losses]),
        (f"closed by force, {report.asset}", [money_text(one.closed, report.places) for one in sums]),
        (f"deficit, {report.asset}", [money_text(sum(o.deficits.values()), report.places) for o in outcomes]),
        (f"fund at the end, {report.asset}", [money_text(one.fund_end, report.places) for one in sums]),
        ("worst fill beyond the mark", [percent(one.impact, places=2) for one in sums]),
    ]
    if len(report.scenario.markets) > 1:
        name = report.scenario.markets[1].id
        cells = [money_text(one.elsewhere, report.places) for one in sums]
        found.insert(5, (f"closed in {name}, which was not shocked, {report.asset}", cells))
    return found


def as_object(report: Report) -> dict[str, Any]:
    """The report for --json; amounts are decimal strings of the settle asset."""
    scenario, liquidity = report.scenario, report.scenario.liquidity[0]
    crowd = scenario.crowd
    return {
        "pack": f"{scenario.pack.id} {scenario.pack.version}",
        "instruments": [str(terms.id) for terms in scenario.markets],
        "asset": report.asset,
        "seed": report.seed,
        "crowd": {
            "accounts": crowd.accounts,
            "longs": decimal_text(crowd.longs),
            "isolated": decimal_text(crowd.isolated),
            "size": [decimal_text(crowd.smallest), decimal_text(crowd.largest), str(crowd.tail)],
            "leverage": [list(pair) for pair in crowd.leverages],
            "spare": decimal_text(crowd.spare),
            "second": decimal_text(crowd.second),
        },
        "distributions": [
            dict(zip(("what", "distribution", "mean", "drawn"), row, strict=True)) for row in distributions(report)
        ],
        "liquidity": {
            "depth_within_1_percent": decimal_text(liquidity.depth),
            "half_life_ns": liquidity.refill,
            "feedback": decimal_text(liquidity.feedback),
        },
        "fund": decimal_text(scenario.fund),
        "runs": {outcome.modes.value: _run(outcome) for outcome in report.outcomes},
    }


def _run(outcome: Outcome) -> dict[str, Any]:
    sums, losses = totals(outcome), outcome.losses
    return {
        "digest": outcome.digest,
        "records": outcome.figures.records,
        "accounts": losses.accounts,
        "liquidated": losses.liquidated,
        "liquidations": sums.liquidations,
        "lost_more_than_margin": losses.beyond,
        "lost_everything": losses.emptied,
        "lost": decimal_text(losses.lost),
        "open_interest": decimal_text(outcome.open_interest),
        "closed": {taker: decimal_text(value) for taker, value in sums.by.items()},
        "closed_in_second": decimal_text(sums.elsewhere),
        "worst_fill_beyond_mark": decimal_text(sums.impact),
        "book_displaced": decimal_text(sums.displaced),
        "fund": {
            "start": decimal_text(outcome.fund_before),
            "least": decimal_text(sums.fund_least),
            "end": decimal_text(sums.fund_end),
            "worked_off": decimal_text(outcome.figures.worked_off),
        },
        "deficit": {layer: decimal_text(amount) for layer, amount in outcome.deficits.items()},
        "refused": dict(outcome.figures.refused),
        "over_time": [_stretch(moment) for moment in stretches(outcome.figures.moments, POINTS)],
    }


def _stretch(moment: Moment) -> dict[str, Any]:
    return {
        "at": moment.at,
        "price": decimal_text(moment.price),
        "mark": decimal_text(moment.mark),
        "liquidations": moment.liquidations,
        "closed": {taker: decimal_text(value) for taker, value in moment.volume.items()},
        "impact": decimal_text(moment.impact),
        "displaced": decimal_text(moment.displaced),
        "deficit": decimal_text(moment.deficit),
        "fund": decimal_text(moment.fund),
    }
