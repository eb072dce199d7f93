"""exchangeInfo, ping and time.

Fields and enums are those that old clients can read: no time in force beyond GTC, IOC, FOK, GTX, GTD. Source:
`binance-endpoints`, sections 0 and 1; Binance USD-M, "Exchange Information".
"""

from __future__ import annotations

from typing import Any

import msgspec

from events.instruments import Instrument, Linear
from events.units import decimal_text
from gateway.binance.desk import Desk, Request
from gateway.binance.market_asking import contract_types, traded
from gateway.binance.texts import fixed, places_of
from gateway.serving.limits import USUAL

FOR_EVER, ONBOARD = 4_133_404_800_000, 1_569_398_400_000
"""When a perpetual is delivered, ms, and since when it is traded: what the venue states for its first one."""

ORDER_TYPES = ("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX", "GTD")

TICKS_MAX = 10**8
"""The highest price is so many ticks: the core has none."""


def ping(_desk: Desk, _request: Request) -> bytes:
    """Nothing, but that somebody is there."""
    return b"{}"


def time(desk: Desk, _request: Request) -> bytes:
    """The wall's time, by which signatures are judged."""
    return b'{"serverTime":%d}' % desk.wall()


def exchange_info(desk: Desk, _request: Request) -> bytes:
    """What is traded, and by which rules: those of the session's pack."""
    return b'{"serverTime":%d,' % desk.wall() + msgspec.json.encode(_info(desk))[1:]


def _info(desk: Desk) -> dict[str, Any]:
    rules, pack = desk.limits.rules, desk.venue.pack
    limits = (
        ("REQUEST_WEIGHT", "MINUTE", 1, rules.weight_1m or USUAL.weight_1m),
        ("ORDERS", "MINUTE", 1, rules.orders_1m or USUAL.orders_1m),
        ("ORDERS", "SECOND", 10, rules.orders_10s or USUAL.orders_10s),
    )
    assets = list(dict.fromkeys(terms.settle for terms in pack.instruments if isinstance(terms, Linear)))
    kinds, is_traded = contract_types(desk), frozenset(traded(desk))
    return {
        "timezone": "UTC",
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in limits
        ],
        "exchangeFilters": [],
        "assets": [{"asset": a, "marginAvailable": True, "autoAssetExchange": "-10000"} for a in assets],
        "symbols": [
            _symbol(desk, terms, kinds[terms.id], "TRADING" if terms.id in is_traded else "PENDING_TRADING")
            for terms in pack.instruments
            if isinstance(terms, Linear)
        ],
    }


def _symbol(desk: Desk, terms: Instrument, kind: str, status: str) -> dict[str, Any]:
    return {
        "symbol": terms.id,
        "pair": terms.base + terms.quote,
        "contractType": kind,
        "deliveryDate": desk.ms(terms.expiry) if terms.expiry else FOR_EVER,
        "onboardDate": ONBOARD,
        "status": status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": terms.base,
        "quoteAsset": terms.quote,
        "marginAsset": terms.settle,
        "pricePrecision": places_of(terms.tick),
        "quantityPrecision": places_of(terms.lot),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": fixed(terms.trigger_protect, 4),
        "liquidationFee": fixed(terms.liquidation_fee, 6),
        "marketTakeBound": fixed(terms.market_take_bound, 2),
        "maxMoveOrderLimit": desk.venue.pack.max_amendments,
        "filters": _filters(desk, terms),
        "orderTypes": ORDER_TYPES,
        "timeInForce": TIMES_IN_FORCE,
    }


def _filters(desk: Desk, terms: Instrument) -> list[dict[str, Any]]:
    pack, digits = desk.venue.pack, desk.texts[terms.id]
    lots = {"minQty": digits.size(terms.min_lots), "stepSize": digits.size(1)}
    found: list[dict[str, Any]] = [
        {
            "filterType": "PRICE_FILTER", "minPrice": digits.price(1), "maxPrice": digits.price(TICKS_MAX),
            "tickSize": digits.price(1),
        },
        {"filterType": "LOT_SIZE", **lots, "maxQty": digits.size(terms.max_lots)},
        {"filterType": "MARKET_LOT_SIZE", **lots, "maxQty": digits.size(terms.market_max_lots or terms.max_lots)},
        {"filterType": "MAX_NUM_ORDERS", "limit": pack.max_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": pack.max_triggers or pack.max_orders},
        {"filterType": "MIN_NOTIONAL", "notional": decimal_text(terms.min_notional)},
    ]  # fmt: skip
    if terms.price_up and terms.price_down:
        up, down = fixed(terms.price_up, 4), fixed(terms.price_down, 4)
        found.append(
            {"filterType": "PERCENT_PRICE", "multiplierUp": up, "multiplierDown": down, "multiplierDecimal": "4"}
        )
    return found
