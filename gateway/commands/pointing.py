"""How to point clients at a server: files that hold all but the key, and the lines to paste, which work as they are."""

from __future__ import annotations

import json
from pathlib import Path

KEY, SECRET = "YOUR_KEY", "YOUR_SECRET"
SYMBOL = "BTC/USDT:USDT"


def write(folder: Path, host: str, port: int, authority: Path) -> None:
    """Write `ccxt.json` and `freqtrade.json` for the server at that port of TLS. Raises OSError."""
    folder.mkdir(exist_ok=True)
    config = ccxt_config(host, port, authority)
    for name, held in (("ccxt", config), ("freqtrade", freqtrade_config(config))):
        (folder / f"{name}.json").write_text(json.dumps(held, indent=4) + "\n", "utf-8")


def apis(root: str) -> dict[str, str]:
    """The addresses by which ccxt calls the parts of the API of USD-M Futures."""
    names = {"fapiPublic": "v1", "fapiPrivate": "v1", "fapiPublicV2": "v2", "fapiPrivateV2": "v2"}
    names |= {"fapiPublicV3": "v3", "fapiPrivateV3": "v3"}
    return {**{name: f"{root}/fapi/{version}" for name, version in names.items()}, "fapiData": f"{root}/futures/data"}


def ccxt_config(host: str, port: int, authority: Path) -> dict[str, object]:
    """What `ccxt.binanceusdm(...)` is made with, sync, async or pro, besides the key.

    ccxt knows its table of errors by how the address begins: `https://demo-fapi` before the @ is for it alone. It hands
    `validateServerSsl` to requests and `cafile` to aiohttp.
    """
    trusted, streams = str(authority.resolve()), f"wss://{host}:{port}"
    sockets = {"linear": f"{streams}/ws", "ws-api": {"linear": f"{streams}/ws-fapi/v1"}}
    options = {"defaultType": "swap", "fetchCurrencies": False, "fetchMargins": False}
    return {
        "validateServerSsl": trusted,
        "cafile": trusted,
        "options": {**options, "fetchMarkets": {"types": ["linear"]}},
        "urls": {"api": {**apis(f"https://demo-fapi@{host}:{port}"), "ws": sockets}},
    }


def freqtrade_config(ccxt: dict[str, object]) -> dict[str, object]:
    """What freqtrade is to be told in a configuration beside one's own."""
    exchange = {"name": "binance", "only_from_ccxt": True, "ccxt_config": ccxt, "pair_whitelist": [SYMBOL]}
    whole = {"dry_run": False, "trading_mode": "futures", "margin_mode": "isolated", "stake_currency": "USDT"}
    return {**whole, "exchange": exchange}


def lines(folder: Path, key: str = KEY, secret: str = SECRET) -> list[str]:
    """How to use the files."""
    path = folder.resolve()
    signed = f'"apiKey": "{key}", "secret": "{secret}"'
    return [
        "# ccxt",
        "import ccxt, json, pathlib",
        f'config = json.loads(pathlib.Path("{path / "ccxt.json"}").read_text())',
        f"exchange = ccxt.binanceusdm({{**config, {signed}}})",
        f'print(exchange.fetch_ticker("{SYMBOL}")["last"], exchange.fetch_balance()["USDT"])',
        "",
        "# freqtrade",
        f"FREQTRADE__EXCHANGE__KEY={key} FREQTRADE__EXCHANGE__SECRET={secret} \\",
        f"freqtrade trade --config YOURS.json --config {path / 'freqtrade.json'} --strategy YOURS",
    ]
