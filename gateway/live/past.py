"""What a market knows of the time before its session, as the tape takes it: minutes in shown time."""

from __future__ import annotations

from collections.abc import Iterable

from events.instruments import InstrumentId, Inverse, RulePack
from gateway.live.market import LiveMarket
from gateway.serving.calendar import MS, Calendar
from gateway.serving.tape.candles import Candle
from gateway.serving.tape.instrument import History
from replay.sources import SourceError


def past_of(market: LiveMarket, pack: RulePack, calendar: Calendar) -> History:
    """The market's history by shown time; none of an instrument that it does not know."""
    terms_of = {terms.id: terms for terms in pack.instruments}

    def past(instrument: InstrumentId, start: int, end: int) -> Iterable[Candle]:
        terms = terms_of[instrument]
        unit, is_inverse = terms.atoms_per_tick_lot, isinstance(terms, Inverse)
        try:
            known = market.history(pack, instrument, calendar.session(start * MS), calendar.session(end * MS))
        except SourceError:
            return
        for at, opened, high, low, close, lots, bought, trades, value in zip(
            *(column.tolist() for column in known), strict=True
        ):
            worth = lots * unit // close if is_inverse else value * unit
            part = worth * bought // lots if lots else 0
            shown = calendar.shown_ms(at)
            yield Candle(shown, opened, high, low, close, lots, worth, max(1, trades), bought, part)

    return past
