"""`ringfence stress`: a market full of accounts, a shock, and what liquidations make of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from events.instruments import Instrument, Inverse, RulePack, load_pack
from events.log import EventLog
from events.store.sqlite import open_session
from events.units import UNIT, Nanos
from exchange.sequencer import Sequencer
from gateway.commands import stress_given as given
from gateway.console import OUT, complain, progress, say_json
from gateway.errors import UsageError
from gateway.memory import collect_seldom
from gateway.reports import page, stress_page
from gateway.reports.stress_figures import Report, as_object
from gateway.reports.stress_table import show
from replay.stress import Crowd, Liquidity, Scenario, Shock, ShockError
from replay.stress.headonly import HeadOnly
from replay.stress.population import Member, Modes
from replay.stress.run import OnProgress, Outcome, Run, StressError
from replay.stress.scenario import STARTS_AT
from replay.stress.shocks import Point, Shape, Way, candles
from replay.synth import START_TICKS

ACCOUNTS_MAX = 10_000_000
PROBLEMS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked on the command line."""

    pack: str
    symbol: str
    accounts: int
    seed: int
    shock: Sequence[str]
    shape: str
    over: str
    every: str
    start: str
    after: str
    price: str
    depth: str
    refill: str
    feedback: str
    fund: str
    longs: str
    isolated: str
    leverage: str
    size: str
    spare: str
    second: str
    second_share: str
    alone: bool
    session: Path | None
    html: Path | None
    said: frozenset[str] = frozenset()
    """The names of the options that were given."""


def run(request: Request, as_json: bool) -> int:
    """Run the population as drawn, and all of it isolated and cross beside it; report. Returns 0."""
    if request.html is not None:
        page.need(request.html)
    try:
        scenario = scenario_of(request)
        collect_seldom()
        outcomes, drawn = _runs(scenario, request)
    except (ShockError, StressError) as error:
        raise UsageError(str(error)) from error
    report = Report(scenario, drawn, outcomes, request.seed)
    if as_json:
        say_json(as_object(report))
    else:
        show(report)
    _write(report, request, as_json)
    return 0


def scenario_of(request: Request) -> Scenario:
    """The scenario as typed. Raises UsageError, ShockError, SourceError, PackError."""
    _check_together(request)
    pack = load_pack(request.pack)
    if unknown := pack.beyond_sessions():
        raise UsageError(f"--pack {request.pack}: sessions do not know its {' and '.join(unknown)}; take another pack")
    if not 1 <= request.accounts <= ACCOUNTS_MAX:
        raise UsageError(f"--accounts {request.accounts}: give 1 to {ACCOUNTS_MAX:,}")
    markets = _markets(request, pack)
    crowd = _crowd(request, len(markets) > 1)
    way = _way(request, pack, markets[0])
    paths = (way.points, *([Point(0, START_TICKS * terms.tick)] for terms in markets[1:]))
    fund = given.share_or_amount("--fund", request.fund, _in_settle(markets[0], crowd.open_interest, way.price))
    return Scenario(
        pack, markets, paths, crowd,
        _liquidity(request, crowd, len(markets)), fund, request.seed, Nanos(way.at),
        given.time("--after", request.after), given.time("--every", request.every, given.UNITS["ms"]),
    )  # fmt: skip


def _check_together(request: Request) -> None:
    """Refuse what nothing would come of. Raises UsageError."""
    is_made = given.is_percent("--shock", request.shock)
    wrong = (
        {"start": "files of candles"} if is_made else {"shape": "a shock in per cent", "price": "a shock in per cent"}
    )
    if not request.second:
        wrong["second_share"] = "--second"
    for name, needs in wrong.items():
        if name in request.said:
            option = "--from" if name == "start" else f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} goes with {needs}; leave it out, or change the other")


def _markets(request: Request, pack: RulePack) -> tuple[Instrument, ...]:
    first = given.instrument("--symbol", pack, request.symbol)
    if not request.second:
        return (first,)
    second = given.instrument("--second", pack, request.second)
    if second.id == first.id or second.settle != first.settle:
        raise UsageError(f"--second {request.second}: give another instrument that settles in {first.settle}")
    return first, second


def _crowd(request: Request, has_second: bool) -> Crowd:
    smallest, largest, tail = given.size("--size", request.size)
    return Crowd(
        request.accounts,
        given.rate("--longs", request.longs),
        given.rate("--isolated", request.isolated),
        smallest,
        largest,
        tail,
        given.leverages("--leverage", request.leverage),
        given.rate("--spare", request.spare, 0, 0),
        given.rate("--second-share", request.second_share) if has_second else 0,
    )


def _way(request: Request, pack: RulePack, terms: Instrument) -> Way:
    """The path of the mark: made, where the shock is per cent, else read from files of candles."""
    start = given.moment("--from", request.start)
    if not given.is_percent("--shock", request.shock):
        over = given.time("--over", request.over) if request.over else 0
        way = candles([Path(name) for name in request.shock], pack, terms, start, over)
        for problem in way.problems[:PROBLEMS_SHOWN]:
            complain(problem)
        return way
    size = given.rate("--shock", request.shock[0], -99, 1000)
    try:
        shape = Shape(request.shape)
    except ValueError:
        raise UsageError(f"--shape {request.shape}: give step, ramp, v or jumps") from None
    every = given.time("--every", request.every, given.UNITS["ms"])
    shock = Shock(size, shape, given.time("--over", request.over or "10m", 2 * every), every)
    price = _start(request, terms)
    return Way(price, STARTS_AT, shock.points(price, request.seed))


def _start(request: Request, terms: Instrument) -> int:
    """The price at the start, mark units."""
    price = int(given.number("--price", request.price) * UNIT) if request.price else START_TICKS * terms.tick
    if price < 1000 * terms.tick:
        raise UsageError(f"--price {request.price}: give at least 1000 ticks of {terms.price_text(1)}")
    return price


def _liquidity(request: Request, crowd: Crowd, markets: int) -> tuple[Liquidity, ...]:
    found = []
    for held in (crowd.open_interest, crowd.open_interest * crowd.second // UNIT)[:markets]:
        depth = given.share_or_amount("--depth", request.depth, held)
        if depth <= 0:
            raise UsageError(f"--depth {request.depth}: give an amount, or a share of the open interest, above 0")
        refill, feedback = given.time("--refill", request.refill), given.rate("--feedback", request.feedback)
        found.append(Liquidity(depth, refill, feedback))
    return tuple(found)


def _in_settle(terms: Instrument, value: int, price: int) -> int:
    """A value in the quote asset as atoms of the settle asset."""
    return value * UNIT // price if isinstance(terms, Inverse) else value


def _runs(scenario: Scenario, request: Request) -> tuple[list[Outcome], list[Member]]:
    """The runs, one after the other; only the first one's session is kept."""
    members = list(scenario.crowd.members(scenario.seed))
    wanted = [Modes.MIXED] if request.alone else list(Modes)
    steps = len(members) + len(scenario.times)
    outcomes = []
    with progress("stress", steps * len(wanted), "records") as advance:
        records = 0
        for number, modes in enumerate(wanted):

            def on_progress(done: int, seq: int, at: int, before: int = number * steps, counted: int = records) -> None:
                advance(before + done, counted + seq, at)

            path = request.session if modes is Modes.MIXED else None
            outcomes.append(asyncio.run(_run(scenario, members, modes, path, on_progress)))
            records += outcomes[-1].figures.records
    return outcomes, members


async def _run(
    scenario: Scenario, members: list[Member], modes: Modes, path: Path | None, on_progress: OnProgress
) -> Outcome:
    log: EventLog = await open_session(path, create=True) if path else HeadOnly()
    try:
        sequencer = await Sequencer.open(log)
        try:
            return await Run(scenario, members, modes, sequencer, on_progress).play()
        finally:
            await sequencer.close()
    finally:
        await log.close()


def _write(report: Report, request: Request, as_json: bool) -> None:
    """Say what was written, and write the page: where it was asked for, else beside the session."""
    path = request.html
    if path is None and request.session is not None and not as_json:
        path = request.session.with_name(f"{request.session.name}.stress.html")
        if not page.is_possible():
            complain(page.MISSING)
            path = None
    if path is not None:
        page.put(path, stress_page.markup(report))
    if as_json:
        return
    if request.session is not None:
        OUT.print(f"written  {request.session}", markup=False)
    if path is not None:
        OUT.print(f"report   {path} ({path.stat().st_size / 1e6:.1f} MB)", markup=False)
