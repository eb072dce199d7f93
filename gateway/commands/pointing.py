"""How to point clients at a server: text to paste, which works as it is."""

from __future__ import annotations

import json
from pathlib import Path

KEY, SECRET = "YOUR_KEY", "YOUR_SECRET"


def apis(root: str) -> dict[str, str]:
    """The addresses by which ccxt calls the parts of the API of USD-M Futures."""
    names = {"fapiPublic": "v1", "fapiPrivate": "v1", "fapiPublicV2": "v2", "fapiPrivateV2": "v2"}
    names |= {"fapiPublicV3": "v3", "fapiPrivateV3": "v3"}
    return {**{name: f"{root}/fapi/{version}" for name, version in names.items()}, "fapiData": f"{root}/futures/data"}


def ccxt_config(port: int, tls_port: int, authority: Path | None, key: str, secret: str) -> dict[str, object]:
    """What `ccxt.binanceusdm(...)` is made with, sync, async or pro.

    ccxt knows its table of errors by how the address begins: `https://demo-fapi` before the @ is for it alone. It hands
    `validateServerSsl` to requests and `cafile` to aiohttp.
    """
    host = "127.0.0.1"
    root, streams = f"http://{host}:{port}", f"ws://{host}:{port}"
    config: dict[str, object] = {"apiKey": key, "secret": secret}
    if authority is not None:
        root, streams = f"https://demo-fapi@{host}:{tls_port}", f"wss://{host}:{tls_port}"
        config |= {"validateServerSsl": str(authority.resolve()), "cafile": str(authority.resolve())}
    sockets = {"linear": f"{streams}/ws", "ws-api": {"linear": f"{streams}/ws-fapi/v1"}}
    options = {"defaultType": "swap", "fetchCurrencies": False, "fetchMargins": False}
    return {
        **config,
        "options": {**options, "fetchMarkets": {"types": ["linear"]}},
        "urls": {"api": {**apis(root), "ws": sockets}},
    }


def ccxt_text(config: dict[str, object], symbol: str) -> str:
    """A program for ccxt."""
    shown = json.dumps(config, indent=4).replace(": false", ": False").replace(": true", ": True")
    return f"import ccxt\n\nexchange = ccxt.binanceusdm({shown})\nprint(exchange.fetch_ticker({symbol!r})['last'])\n"


def freqtrade_text(config: dict[str, object], symbol: str) -> str:
    """The part of freqtrade's configuration that is about the exchange."""
    shared = {name: value for name, value in config.items() if name not in ("apiKey", "secret")}
    exchange = {
        "name": "binance", "key": config["apiKey"], "secret": config["secret"], "only_from_ccxt": True,
        "ccxt_config": shared, "pair_whitelist": [symbol],
    }  # fmt: skip
    whole = {"dry_run": False, "trading_mode": "futures", "margin_mode": "isolated", "stake_currency": "USDT"}
    return json.dumps({**whole, "exchange": exchange}, indent=4) + "\n"
