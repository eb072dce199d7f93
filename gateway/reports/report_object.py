"""The report of a session as an object for programs: decimal strings, each with its unit in its name or beside it.

The fields are documented in `docs/report.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from events.instruments import Instrument, Inverse
from events.units import UNIT, decimal_text
from exchange.core.margin.model import unrealised
from exchange.projections.explain import Liquidation
from gateway.reports.lab_figures import ratio_number
from gateway.reports.report_numbers import decimal_of, fraction_text, percent_exact, seconds_exact
from gateway.reports.ways import options_object
from gateway.reports.why_object import exact
from replay.lab import Series
from replay.lab.series import Point
from replay.report import AccountReport, FillFigures, InstrumentReport, Parts, Report, Slip, Spread, Standing, Trips
from replay.report.drawdown import Decline
from replay.report.standing import holdings_of

PERCENTILES = (10, 50, 90, 99)

UNITS = {
    "money": "the asset under whose name it stands, exactly; amounts of `standing` of the asset named in it",
    "at": "ns since the epoch, UTC",
    "_bp": "basis points, volume-weighted; above 0 costs the account, but for `after`, where it gains",
    "_ticks": "ticks of the instrument, per lot, volume-weighted",
    "_seconds": "seconds of session time",
    "_percent": "percent",
    "ratios": "margin_ratio, leverage, profit_factor, orders_per_fill, sharpe and sortino are plain quotients",
}
"""What is measured in what."""


def as_object(session: str, report: Report, liquidations: Mapping[int, Liquidation], per_year: int) -> dict[str, Any]:
    """The whole report; ratios of returns are per year where a year has that many samples, else per sample."""
    assert report.pack is not None
    return {
        "session": session,
        "rules": f"{report.pack.id} {report.pack.version}",
        "started_at": report.started,
        "ended_at": report.ended,
        "records": report.state.seq,
        "options": options_object(report.state.options),
        "units": UNITS,
        "accounts": [_account(report, its, liquidations, per_year) for its in report.accounts.values()],
    }


def _account(
    report: Report, its: AccountReport, liquidations: Mapping[int, Liquidation], per_year: int
) -> dict[str, Any]:
    account = report.state.accounts[its.name]
    terms = {name: contract.terms for name, contract in report.state.contracts.items()}
    return {
        "account": its.name,
        "money": {asset: _money(report, its, asset) for asset in account.wallets},
        "standing": {name: _standing(one, report.sampled, per_year) for name, one in its.standings.items()},
        "instruments": {name: _instrument(one, terms[name]) for name, one in its.instruments.items()},
        "orders": {
            "placed": its.orders.placed,
            "conditional": its.orders.conditional,
            "amended": its.orders.amended,
            "filled": its.orders.filled,
            "cancelled": its.orders.cancelled,
            "expired": dict(sorted(its.orders.expired.items())),
            "refused": dict(sorted(its.orders.refused.items())),
            "orders_per_fill": fraction_text(its.orders.per_fill(its.fills)),
        },
        "fills": its.fills,
        "liquidations": [_liquidation(number, one) for number, one in liquidations.items() if one.account == its.name],
    }


def _money(report: Report, its: AccountReport, asset: Any) -> dict[str, Any]:
    wallet = report.state.accounts[its.name].wallets[asset]
    open_pnl: dict[str, int] = {}
    for p in wallet.positions:
        if p.lots:
            open_pnl[p.contract.id] = open_pnl.get(p.contract.id, 0) + unrealised(p)
    whole = its.whole(asset)
    return {
        **_parts(whole, sum(open_pnl.values())),
        "equity": exact(holdings_of(wallet).equity),
        "by_instrument": {
            name: _parts(parts, open_pnl.get(name, 0)) for name, parts in its.parts.get(asset, {}).items() if name
        },
    }


def _parts(parts: Parts, open_pnl: int) -> dict[str, str]:
    named = {field.name: decimal_text(getattr(parts, field.name)) for field in fields(Parts)}
    sums = {name: decimal_text(getattr(parts, name)) for name in ("brought_in", "fees", "earned")}
    return {**named, **sums, "unrealised": exact(open_pnl), "pnl": exact(parts.earned * UNIT + open_pnl)}


def _standing(its: Standing, every: int, per_year: int) -> dict[str, Any]:
    drawdown, samples = its.drawdown, its.samples
    return {
        "asset": its.asset,
        "started_at": its.started,
        "equity": exact(its.holdings.equity),
        "profit": exact(its.holdings.equity - its.brought),
        "drawdown": {
            "deepest": _decline(drawdown.deepest),
            "steepest": _decline(drawdown.steepest),
            "longest_seconds": seconds_exact(drawdown.longest),
        },
        "exposure": {
            "gross_average": exact(its.average(its.gross_time)),
            "gross_highest": _point(its.gross.highest, exact),
            "net_average": exact(its.average(its.net_time)),
            "net_lowest": _point(its.net.lowest, exact),
            "net_highest": _point(its.net.highest, exact),
            "leverage_average": fraction_text(its.mean_leverage),
            "leverage_highest": _point(its.leverage.highest, decimal_text),
            "open_percent": percent_exact(its.open_time * UNIT // its.lasted if its.lasted else None),
        },
        "margin": {
            "headroom_lowest": _point(its.headroom.lowest, exact),
            "beyond_initial_lowest": _point(its.initial.lowest, exact),
            "margin_ratio_highest": _point(its.ratio.highest, ratio_number),
        },
        "returns": {
            "every_seconds": str(every),
            "samples": samples.count,
            "without_equity": samples.undefined,
            "sharpe": decimal_of(samples.sharpe(per_year)),
            "sortino": decimal_of(samples.sortino(per_year)),
            "is_annualised": per_year > 1,
        },
        "equity_over_time": _series(its.equity),
        "profit_over_time": _series(its.profit),
    }


def _series(series: Series) -> list[list[Any]]:
    return [[point.at, exact(point.value)] for point in series.points()]


def _point(point: Point | None, text: Any) -> dict[str, Any] | None:
    return None if point is None else {"value": text(point.value), "at": point.at, "record": point.record}


def _decline(decline: Decline | None) -> dict[str, Any] | None:
    if decline is None:
        return None
    return {
        "amount": exact(decline.depth),
        "percent": percent_exact(decline.share),
        "peak_at": decline.peak_at,
        "lowest_at": decline.lowest_at,
        "back_at": decline.back_at,
    }


def _instrument(its: InstrumentReport, terms: Instrument) -> dict[str, Any]:
    return {
        "price_unit": str(terms.quote),
        "size_unit": "contracts" if isinstance(terms, Inverse) else str(terms.base),
        "settle": str(terms.settle),
        "fills": {role.value: _fills(figures, terms) for role, figures in its.fills.items()},
        "maker_share_percent": fraction_text(its.maker_share),
        "slippage_bp": _spread(its.slips, lambda value: decimal_text(value * UNIT // 100)),
        "queue": {
            "first_fill_seconds": _spread(its.queue.first, seconds_exact),
            "whole_fill_seconds": _spread(its.queue.whole, seconds_exact),
        },
        "round_trips": _trips(its.all_trips()),
    }


def _fills(figures: FillFigures, terms: Instrument) -> dict[str, Any]:
    return {
        "fills": figures.fills,
        "size": terms.size_text(figures.lots),
        "value": decimal_text(figures.value),
        "at_acceptance": {"mid": _slip(figures.asked_mid), "best": _slip(figures.asked_best)},
        "at_fill": {"mid": _slip(figures.met_mid), "best": _slip(figures.met_best)},
        "after": {f"{seconds}_seconds": _slip(slip) for seconds, slip in figures.after.items()},
    }


def _slip(slip: Slip) -> dict[str, Any]:
    bp, ticks = fraction_text(slip.points), fraction_text(slip.ticks)
    return {"fills": slip.fills, "slip_bp": bp, "slip_ticks": ticks}


def _spread(spread: Spread, text: Any) -> dict[str, Any]:
    found = {f"p{percent}": spread.percentile(percent) for percent in PERCENTILES}
    values = {name: None if value is None else text(value) for name, value in found.items()}
    return {"weight": spread.total, "is_exact": spread.is_exact, **values}


def _trips(trips: Trips) -> dict[str, Any]:
    return {
        "closed": trips.closed,
        "open": trips.still_open,
        "won": trips.won,
        "lost": trips.lost,
        "even": trips.even,
        "gains": decimal_text(trips.gains),
        "losses": decimal_text(trips.losses),
        "best": None if trips.best is None else decimal_text(trips.best),
        "worst": None if trips.worst is None else decimal_text(trips.worst),
        "win_percent": fraction_text(trips.win_percent),
        "average_gain": fraction_text(trips.average_gain),
        "average_loss": fraction_text(trips.average_loss),
        "profit_factor": fraction_text(trips.profit_factor),
        "held_average_seconds": seconds_exact(trips.held_in_all // trips.closed if trips.closed else None),
        "held_seconds": _spread(trips.held, seconds_exact),
    }


def _liquidation(number: int, one: Liquidation) -> dict[str, Any]:
    started = one.started
    return {
        "number": number,
        "pool": one.pool,
        "due_at": one.due_at,
        "ended_at": one.ended_at,
        "outcome": one.outcome.value if one.outcome else None,
        "equity": decimal_text(started.equity) if started else None,
        "maintenance": decimal_text(started.maintenance) if started else None,
    }
