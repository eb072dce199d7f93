"""The figures of the laboratory as text: decimal strings for programs, amounts with units for people."""

from __future__ import annotations

from typing import Any

from events.instruments import RulePack, instrument_of
from events.units import SECOND, UNIT, decimal_text
from gateway.console import money_text, ratio_text, time_text
from gateway.reports.why_words import Words as PriceWords
from gateway.wording import places_of
from replay.lab import BEYOND, AccountLab, Figures, Lab
from replay.lab.figures import AssetFigures, WouldBe
from replay.lab.series import Point

DAY = 86_400 * SECOND


def down(grains: int) -> str:
    """Grains as a decimal amount of the asset, rounded down to the atom: what an account has."""
    return decimal_text(grains // UNIT)


def up(grains: int) -> str:
    """Grains as a decimal amount of the asset, rounded up to the atom: what an account needs."""
    return decimal_text(-(-grains // UNIT))


def ratio_number(ratio: int) -> str:
    """A margin ratio as a decimal, `Infinity` where no equity is left."""
    return "Infinity" if ratio >= BEYOND else decimal_text(ratio)


def as_object(lab: Lab, account: AccountLab) -> dict[str, Any]:
    """An account's comparison for --json."""
    return {
        "account": account.name,
        "fills": account.fills,
        "recorded": [mode.value for mode in account.recorded],
        "liquidated_at": account.liquidated_at or None,
        "started_at": lab.started,
        "ended_at": lab.ended,
        "modes": {mode.value: _figures(figures) for mode, figures in account.figures.items()},
    }


def _figures(figures: Figures) -> dict[str, Any]:
    assets = figures.assets
    return {
        "max_margin_ratio": _moment(figures.ratio.highest, ratio_number),
        "min_headroom": {asset: _moment(its.headroom.lowest, down) for asset, its in assets.items()},
        "first_liquidation": _would_be(figures.first) if figures.first else None,
        "liquidations": [_would_be(moment) for moment in figures.would_be.values()],
        "peak_capital": {asset: _moment(its.capital.highest, up) for asset, its in assets.items()},
        "peak_notional": {asset: _moment(its.notional.highest, up) for asset, its in assets.items()},
        "capital_efficiency": {asset: _efficiency(its) for asset, its in assets.items()},
        "orders_refused": figures.refused,
        "final_equity": {asset: down(its.equity.last.value) for asset, its in assets.items() if its.equity.last},
        "without_price_of": figures.unpriced or None,
        "margin_ratio": [[point.at, ratio_number(point.value)] for point in figures.ratio.points()],
    }


def _efficiency(its: AssetFigures) -> str | None:
    return None if its.efficiency is None else decimal_text(its.efficiency)


def _moment(point: Point | None, text: Any) -> dict[str, Any] | None:
    return None if point is None else {"value": text(point.value), "at": point.at, "record": point.record}


def _would_be(moment: WouldBe) -> dict[str, Any]:
    return {
        "at": moment.at,
        "record": moment.record,
        "pool": moment.pool,
        "asset": moment.asset,
        "equity": down(moment.equity),
        "maintenance": up(moment.maintenance),
        "out_of_reach": down(moment.spared),
        "marks": {instrument: decimal_text(mark) for instrument, mark in moment.marks.items()},
    }


class Words:
    """How the amounts and times of one session are written for people."""

    def __init__(self, lab: Lab) -> None:
        assert lab.pack is not None
        self._pack = lab.pack
        self._one_day = lab.started // DAY == lab.ended // DAY

    def places(self, asset: str) -> int:
        """Decimals of an amount: two of what prices are quoted in, eight of a coin."""
        return places_of(self._pack, asset)

    def amount(self, grains: int, asset: str) -> str:
        """An amount with its unit, rounded for reading."""
        return f"{money_text(grains // UNIT, self.places(asset))} {asset}"

    def mark(self, moment: WouldBe, instrument: str) -> str:
        """A mark of that moment with its unit, and with its instrument where the pool is not named after it."""
        price = PriceWords(self._pack).mark(moment.marks[instrument], instrument)
        return price if instrument_of(moment.pool) == instrument else f"{instrument} {price}"

    def time(self, at: int) -> str:
        """A time; without the day where the session has only one."""
        text = time_text(at)
        return text.partition(" ")[2] if self._one_day else text


def rate_text(ratio: int | None) -> str:
    """A margin ratio, a Rate, for people."""
    return ratio_text(None if ratio is None else ratio / UNIT)


def rows(lab: Lab, account: AccountLab) -> list[tuple[str, list[str]]]:
    """The comparison of an account as rows: what, and a cell for each mode. An empty name belongs to the row above."""
    words, columns = Words(lab), list(account.figures.values())
    found: list[tuple[str, list[str]]] = []

    def row(name: str, cells: list[str]) -> None:
        found.append((name, cells))

    def peak(name: str, asset: str, points: list[Point | None]) -> None:
        row(name, ["-" if point is None else words.amount(point.value, asset) for point in points])
        row("  at", ["" if point is None else words.time(point.at) for point in points])

    highest = [figures.ratio.highest for figures in columns]
    row("margin ratio at worst", [rate_text(point.value if point else None) for point in highest])
    row("  at", ["" if point is None else words.time(point.at) for point in highest])
    assets = assets_of(account)
    none = AssetFigures()
    for asset in assets:
        peak("smallest headroom", asset, [figures.assets.get(asset, none).headroom.lowest for figures in columns])
    _liquidation(row, words, [figures.first for figures in columns])
    for asset in assets:
        its = [figures.assets.get(asset, none) for figures in columns]
        peak("peak capital used", asset, [one.capital.highest for one in its])
        peak("peak notional", asset, [one.notional.highest for one in its])
        row("capital efficiency", [efficiency_text(one.efficiency) for one in its])
        row("final equity", [words.amount(one.equity.last.value, asset) if one.equity.last else "-" for one in its])
    row("orders it would refuse", [f"{figures.refused:,}" for figures in columns])
    return found


def assets_of(account: AccountLab) -> list[str]:
    """The assets in which the account's positions are measured under one mode or another."""
    held = [(asset, its.notional.highest) for one in account.figures.values() for asset, its in one.assets.items()]
    return list(dict.fromkeys(asset for asset, highest in held if highest is not None and highest.value))


def _liquidation(row: Any, words: Words, moments: list[WouldBe | None]) -> None:
    row("would-be liquidation", [words.time(moment.at) if moment else "none" for moment in moments])
    if not any(moments):
        return

    def cells(text: Any) -> list[str]:
        return [text(moment) if moment else "" for moment in moments]

    row("  pool", cells(lambda m: m.pool))
    row("  by record", cells(lambda m: f"{m.record:,}"))
    row("  mark", cells(lambda m: ", ".join(words.mark(m, instrument) for instrument in m.marks) or "-"))
    row("  out of its reach", cells(lambda m: words.amount(m.spared, m.asset)))


def efficiency_text(efficiency: int | None) -> str:
    """Capital efficiency for people."""
    return "-" if efficiency is None else f"{efficiency / UNIT:,.2f} x"


def pack_name(pack: RulePack | None) -> str:
    """The rule pack of a session."""
    return "" if pack is None else f"{pack.id} {pack.version}"


GIVEN = "History is given: a would-be liquidation is noted, and its orders, fills, fees and funding go on as recorded."
"""What to know when reading the figures."""

SAME = "one settle asset, and a rule pack without collateral"


def remarks(lab: Lab) -> list[str]:
    """What is to be said of the modes themselves."""
    found = [f"{mode.value} comes to the same as {other.value}: {SAME}" for mode, other in lab.shared.items()]
    return found + [f"{mode.value} is left out: {why}" for mode, why in lab.left_out.items()]


def remarks_on(lab: Lab, account: AccountLab) -> list[str]:
    """What is to be said of how an account was measured."""
    found = []
    if account.liquidated_at:
        when = Words(lab).time(account.liquidated_at)
        found.append(f"history liquidated the account at {when}; these forced trades are fills under every mode")
    for mode, figures in account.figures.items():
        if figures.has_holes:
            found.append(f"{mode.value} is not measured while the session states no index price of {figures.unpriced}")
        elif figures.unpriced:
            found.append(f"{mode.value} values {figures.unpriced} one to one while the session states no index price")
    return found
