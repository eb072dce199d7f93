"""One liquidation as an object for programs: decimal strings for money, prices and sizes, times in ns.

The fields are documented in `docs/why.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from events import facts as f
from events.commands import Command
from events.record import Record, kind_of
from events.units import UNIT, decimal_text
from exchange.core.margin.model import Margin
from gateway.reports.lab_figures import down, ratio_number, up
from gateway.reports.why_answers import as_objects
from gateway.reports.why_figures import parts, shares, taker_of
from gateway.reports.why_words import Words
from replay.lab import Series
from replay.lab.figures import ratio_of
from replay.why import Counterfactuals, Holding, Story, Told


def as_object(session: str, number: int, story: Story, found: Counterfactuals) -> dict[str, Any]:
    """All that is known of a liquidation."""
    its, words = story.liquidation, Words(story.pack)
    return {
        "session": session,
        "number": number,
        "account": its.account,
        "pool": its.pool,
        "mode": story.mode,
        "asset": story.asset,
        "rules": f"{story.pack.id} {story.pack.version}",
        "margin_call": _call(story),
        "due": _due(story),
        "ended": _ended(story),
        "causes": [_cause(record, words) for record in its.chain],
        "holdings": [_holding(holding, words) for holding in story.holdings],
        "steps": [_step(told, words) for told in story.steps],
        "taken": [
            {
                "by": share.who,
                "instrument": share.instrument,
                "size": words.instruments[share.instrument].size_text(share.lots),
                "value": decimal_text(share.value),
            }
            for share in shares(story)
        ],
        "equity_went": {
            "from": exact(story.margin.equity),
            "parts": [{"what": part.what, "amount": exact(part.amount)} for part in parts(story)],
            "to": exact(story.steps[-1].after.equity if story.steps else story.margin.equity),
        },
        "deficits": [
            {"by": who.value, "asset": asset, "amount": decimal_text(amount)}
            for (asset, who), amount in story.deficits.items()
            if amount
        ],
        "timeline": _timeline(story),
        "counterfactuals": as_objects(story, found),
    }


def exact(grains: int) -> str:
    """Grains as a decimal amount, not rounded."""
    sign = "-" if grains < 0 else ""
    whole, part = divmod(abs(grains), UNIT * UNIT)
    return f"{sign}{whole}.{part:016d}".rstrip("0").rstrip(".")


def _margin(margin: Margin) -> dict[str, str | None]:
    ratio = ratio_number(ratio_of(margin)) if margin.maintenance else None
    return {"equity": down(margin.equity), "maintenance": up(margin.maintenance), "margin_ratio": ratio}


def _call(story: Story) -> dict[str, Any] | None:
    its = story.liquidation
    if its.call is None:
        return None
    fact: Any = its.call.message
    margin = Margin(fact.equity * UNIT, 0, fact.maintenance * UNIT)
    return {"at": its.called_at, "record": its.call.seq, **_margin(margin)}


def _due(story: Story) -> dict[str, Any]:
    its = story.liquidation
    trigger = None
    if story.trigger is not None:
        trigger = {"instrument": story.trigger_of, "mark": decimal_text(story.trigger)}
    return {
        "at": its.due_at,
        "record": its.due.seq,
        **_margin(story.margin),
        "wallet": None if story.balance is None else decimal_text(story.balance),
        "trigger": trigger,
        "marks": {name: decimal_text(mark) for name, mark in its.marks.items()},
        "marks_before": {name: decimal_text(mark) for name, mark in its.marks_before.items()},
    }


def _ended(story: Story) -> dict[str, Any] | None:
    its = story.liquidation
    if its.ended is None:
        return None
    return {
        "at": its.ended_at,
        "record": its.steps[-1].seq,
        "outcome": its.ended.outcome.value,
        "equity": decimal_text(its.ended.equity),
    }


def _cause(record: Record, words: Words) -> dict[str, Any]:
    message = record.message
    at = message.at if isinstance(message, Command) else None
    return {"record": record.seq, "kind": kind_of(message), "at": at, "text": words.tell(message)}


def _holding(one: Holding, words: Words) -> dict[str, Any]:
    bracket = one.bracket and {
        "number": one.bracket.number,
        "floor": down(one.bracket.floor),
        "cap": down(one.bracket.cap),
        "mmr": decimal_text(one.bracket.mmr),
        "cum": down(one.bracket.cum),
    }
    return {
        "position": one.name,
        "instrument": one.instrument,
        "side": "long" if one.lots > 0 else "short",
        "size": words.instruments[one.instrument].size_text(abs(one.lots)),
        "entry_value": decimal_text(abs(one.entry_value)),
        "leverage": one.leverage,
        "mark": decimal_text(one.mark),
        "notional": down(one.notional),
        "unrealised": down(one.unrealised),
        "initial": up(one.initial),
        "maintenance": up(one.maintenance),
        "isolated": None if one.isolated is None else decimal_text(one.isolated),
        "bracket": bracket,
        "settle": words.settle(one.instrument),
    }


def _step(told: Told, words: Words) -> dict[str, Any]:
    """The fields that every step has, and those of its kind."""
    fact: Any = told.record.message
    own: dict[str, Any] = {}
    if isinstance(fact, f.Traded | f.TakenOver | f.Deleveraged | f.LegsNetted):
        terms = words.instruments[fact.instrument]
        own = {
            "instrument": fact.instrument,
            "size": terms.size_text(fact.lots),
            "value": decimal_text(fact.value),
            "taken_by": taker_of(fact),
        }
    elif isinstance(fact, f.LiquidationOrderPlaced):
        terms = words.instruments[fact.instrument]
        own = {"instrument": fact.instrument, "size": terms.size_text(fact.lots), "limit": terms.price_text(fact.limit)}
    for name, text in _FIELDS.items():
        if (value := getattr(fact, name, None)) is not None:
            own[name] = text(value)
    if isinstance(fact, f.Traded):
        own |= {"price": words.instruments[fact.instrument].price_text(fact.price), "maker": fact.maker}
    if isinstance(fact, f.Deleveraged):
        own |= {"against": fact.against, "rank": _rank(told)}
    return {
        "record": told.record.seq,
        "cause": told.record.cause,
        "at": told.at,
        "kind": kind_of(fact),
        "text": words.tell(fact),
        "before": _margin(told.before),
        "after": _margin(told.after),
        **own,
    }


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "side": lambda side: side.value,
    "bankruptcy": decimal_text,
    "mark": decimal_text,
    "amount": decimal_text,
    "fee": decimal_text,
    "taker_fee": decimal_text,
    "number": int,
    "account": str,
}
"""Fields of facts that are told under their own names."""


def _rank(told: Told) -> dict[str, Any] | None:
    """The place of a deleveraged position in the queue; none for MARKET."""
    if told.ranked is None:
        return None
    return {
        "place": told.ranked.place,
        "pnl": decimal_text(told.ranked.profit),
        "effective_leverage": decimal_text(told.ranked.leverage),
    }


def _timeline(story: Story) -> dict[str, Any]:
    line = story.timeline
    return {
        "started_at": line.started,
        "ended_at": line.ended,
        "marks": {name: _points(series, decimal_text) for name, series in line.marks.items()},
        "margin_ratio": _points(line.ratio, ratio_number),
        "equity": _points(line.equity, down),
        "maintenance": _points(line.maintenance, up),
    }


def _points(series: Series, text: Callable[[int], str]) -> list[list[Any]]:
    return [[point.at, text(point.value)] for point in series.points()]
