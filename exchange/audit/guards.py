"""Rules of the facts that hold liquidations up: which marks leap, and who has to wait for what.

By what the facts say of themselves: a breaker looks back on every mark that stood within its window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import facts as f
from events.guards import Hold
from events.phases import TradingPhase
from exchange.audit.books import Books, Position
from exchange.audit.contract import Contract, rate
from exchange.audit.pools import carried, is_due, margin

WINDOW, AUCTION = "window", "auction"


def held(books: Books, contract: Contract) -> Hold | None:
    """Why who holds the contract may not be liquidated now."""
    if contract.phase is not TradingPhase.CONTINUOUS:
        return Hold.HALTED
    oldest = books.guards.mark_age_max
    return Hold.STALE_MARK if oldest and books.now - contract.marked_at > oldest else None


def holds_up(books: Books, account: str, pool: str) -> dict[str, Hold]:
    """The instruments that a pool holds and has to wait for, and why."""
    mine = carried(books, account, pool)
    found = {p.terms.id: held(books, p.contract) for p in mine}
    holds: dict[str, Hold] = {name: why for name, why in found.items() if why}
    if not holds and mine and (first := _capped(books, mine)):
        return {first: Hold.CAPPED}
    if not holds and mine and _steps_later(books, (account, pool)):
        return {min(found): Hold.AUCTIONED}
    return holds


def room(books: Books, contract: Contract) -> int:
    """How many lots of an instrument may be liquidated now: its cap, less what was; all after a window without any."""
    cap, window = contract.terms.liquidation_cap, books.rules.liquidation.window
    if not cap:
        return contract.open_interest
    return cap - (contract.liquidated if books.now <= contract.liquidated_at + window else 0)


def step_reached(books: Books, fact: f.AuctionStepReached) -> None:
    """When its time came, for who waited."""
    at = books.timers.pop((f"{AUCTION} {fact.at}", fact.instrument), None)
    books.hold("the time of the step came", at is not None and at <= books.now, fact)
    released(books, fact.instrument)


def window_ended(books: Books, fact: f.LiquidationWindowEnded) -> None:
    """When the window has passed, for who waited."""
    at = books.timers.pop((WINDOW, fact.instrument), None)
    books.hold("the window has passed", at is not None and at <= books.now, fact)
    released(books, fact.instrument)


def stood(books: Books, contract: Contract, mark: int) -> None:
    """A mark takes the place of the one before it, which counts from now on as one that was."""
    breaker = books.guards.breaker
    trades = contract.phase is TradingPhase.CONTINUOUS
    if breaker.jump and contract.mark and trades:
        contract.past = [(end, past) for end, past in contract.past if end >= books.now - breaker.window]
        contract.past.append((books.now, contract.mark))
    contract.mark, contract.marked_at = mark, books.now
    if trades:
        contract.trips = _reference(contract, rate(breaker.jump)) if breaker.jump else 0


def _reference(contract: Contract, jump: Any) -> int:
    """The highest mark of the window where the present one is too far from it, else the lowest; 0 for neither."""
    marks = [past for _, past in contract.past] or [contract.mark]
    leapt = [past for past in (max(marks), min(marks)) if abs(contract.mark - past) > past * jump]
    return leapt[0] if leapt else 0


def released(books: Books, instrument: str) -> None:
    """Who waits for the instrument waits no more, but for those whose reason is still there."""
    for key, (name, why) in list(books.put_off.items()):
        if name == instrument and not stays(books, key, name, why):
            del books.put_off[key]


def stays(books: Books, key: tuple[str, str], instrument: str, why: Hold) -> bool:
    """Whether a pool that was put off is still due, and still waits for what it was put off for."""
    contract, mine = books.contracts[instrument], carried(books, *key)
    if contract.is_expired or not mine or not is_due(books, *key):
        return False
    if why is Hold.AUCTIONED:
        return _steps_later(books, key)
    if why is Hold.CAPPED:
        return _capped(books, mine) == instrument
    return held(books, contract) is why


def _steps_later(books: Books, key: tuple[str, str]) -> bool:
    """Whether the next step of a pool's auction is to come, and it has something left."""
    return books.now < books.auctions.get(key, (0, 0))[1] and margin(books, *key).equity > 0


def _capped(books: Books, mine: list[Position]) -> str:
    """The instrument whose window ends first where no position may be liquidated, empty where one may."""
    if any(room(books, p.contract) for p in mine):
        return ""
    return min((p.contract for p in mine), key=lambda contract: (contract.liquidated_at, contract.terms.id)).terms.id


def put_off(books: Books, fact: f.LiquidationPutOff) -> None:
    """A pool of the queue, once, for an instrument that it holds and that holds it up."""
    key = fact.account, fact.pool
    may = key in books.queue and key not in books.put_off and is_due(books, *key) and books.running is None
    books.hold("who is put off is due and not put off yet", may, fact)
    books.check("why it is put off", holds_up(books, *key).get(fact.instrument), fact.why)
    books.put_off[key] = fact.instrument, fact.why
    if margin(books, *key).equity < 0:
        books.lacking.append(key)
    if fact.why is Hold.CAPPED:
        end = books.contracts[fact.instrument].liquidated_at + books.rules.liquidation.window + 1
        books.timers.setdefault((WINDOW, fact.instrument), end)
    if fact.why is Hold.AUCTIONED:
        until = books.auctions[key][1]
        books.timers[f"{AUCTION} {until}", fact.instrument] = until


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.LiquidationPutOff: put_off,
    f.LiquidationWindowEnded: window_ended,
    f.AuctionStepReached: step_reached,
}
"""Fact -> what it has to agree with, and what it changes."""
