"""The clients that strangers wrote, pointed at the server by what they are configured with, and nothing else."""

from __future__ import annotations

import warnings
from typing import Any

from events.commands import ApplyFunding
from events.units import Rate
from tests.clients.running import Credentials, Running
from tests.serving import BTC

__all__ = [
    "BinanceAPIException", "ClientError", "ccxt", "ccxt_of", "connector", "move", "pay_funding", "python_binance",
]  # fmt: skip

TIMEOUT_S = 5
"""No client is given more patience."""

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import ccxt
    from binance.client import Client
    from binance.error import ClientError
    from binance.exceptions import BinanceAPIException
    from binance.um_futures import UMFutures


def ccxt_of(server: Running, who: Credentials, base: str | None = None) -> Any:
    """ccxt, by plain HTTP unless another base is given."""
    root = f"{base or server.http}/fapi"
    versions = {"": "v1", "V2": "v2", "V3": "v3"}
    urls = {f"fapi{part}{name}": f"{root}/{path}" for part in ("Public", "Private") for name, path in versions.items()}
    urls["fapiData"] = f"{base or server.http}/futures/data"
    return ccxt.binanceusdm(
        {
            "apiKey": who.key,
            "secret": who.secret,
            "timeout": TIMEOUT_S * 1000,
            "enableRateLimit": False,
            "verify": False,
            "options": {"defaultType": "swap", "fetchCurrencies": False, "fetchMarkets": {"types": ["linear"]}},
            "urls": {"api": urls},
        }
    )


def python_binance(server: Running, who: Credentials) -> Any:
    """python-binance."""
    kind = type("Pointed", (Client,), {"FUTURES_URL": f"{server.http}/fapi"})
    return kind(who.key, who.secret, {"timeout": TIMEOUT_S}, ping=False)


def connector(server: Running, who: Credentials) -> Any:
    """The venue's connector of old."""
    return UMFutures(who.key, who.secret, base_url=server.http, timeout=TIMEOUT_S)


def pay_funding(server: Running) -> None:
    """Have every position pay, or receive, a ten-thousandth of its notional, and wait until that is durable."""

    async def paid() -> None:
        venue = server.session.venue
        server.session.sequencer.decide(ApplyFunding(venue.now, BTC, Rate(10_000)))
        await venue.settled()

    server.run(paid())


def move(server: Running, price: str) -> None:
    """Move the market there, and wait until all that follows is durable."""

    async def moved() -> None:
        server.session.move(price)
        await server.session.venue.settled()

    server.run(moved())
