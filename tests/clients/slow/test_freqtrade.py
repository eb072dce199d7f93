"""freqtrade in live mode, unmodified: through a whole trade, with a stop that waits on the exchange."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ccxt
import pytest

from gateway.commands.pointing import ccxt_config, freqtrade_config
from tests.clients.slow.serving import CLIENTS, serving, wait_until

pytestmark = pytest.mark.slow

SYMBOL = "BTC/USDT:USDT"
OWN = {
    "max_open_trades": 1, "stake_amount": 500, "timeframe": "1m", "initial_state": "running", "bot_name": "probe",
    "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "pairlists": [{"method": "StaticPairList"}], "internals": {"process_throttle_secs": 3},
    "unfilledtimeout": {"entry": 1, "exit": 1},
}  # fmt: skip


@contextmanager
def trading(folder: Path, said: dict[str, Any]) -> Iterator[Path]:
    """freqtrade at the server; the file that it logs to."""
    ours = ccxt_config("127.0.0.1", _port(said), Path(said["authority"]))
    (folder / "user").mkdir()
    held = {"own": {**OWN, "db_url": f"sqlite:///{folder}/trades.sqlite", "user_data_dir": str(folder / "user")}}
    for name, config in (held | {"ringfence": freqtrade_config(ours)}).items():
        (folder / f"{name}.json").write_text(json.dumps(config))
    log = folder / "freqtrade.log"
    options = [f"--config={folder / 'own.json'}", f"--config={folder / 'ringfence.json'}"]
    options += ["--strategy=ProbeStrategy", f"--strategy-path={Path(__file__).parent}"]
    keys = {"FREQTRADE__EXCHANGE__KEY": said["key"], "FREQTRADE__EXCHANGE__SECRET": said["secret"]}
    command = [f"{CLIENTS}/bin/freqtrade", "trade", *options]
    with log.open("w") as out:
        process = subprocess.Popen(command, env={**os.environ, **keys}, stdout=out, stderr=out)
    try:
        yield log
    finally:
        process.terminate()
        process.wait(60)


def _port(said: dict[str, Any]) -> int:
    return int(said["https"].rpartition(":")[2])


def test_freqtrade_goes_through_a_trade_with_a_stop_on_the_exchange(tmp_path: Path) -> None:
    with serving(tmp_path) as said, trading(tmp_path, said) as log:
        config = ccxt_config("127.0.0.1", _port(said), Path(said["authority"]))
        exchange = ccxt.binanceusdm({**config, "apiKey": said["key"], "secret": said["secret"]})

        def told(text: str) -> bool:
            return log.exists() and text in log.read_text()

        def stops() -> Any:
            return exchange.fapiPrivateGetOpenAlgoOrders()

        def held() -> Any:
            return [p for p in exchange.fetch_positions([SYMBOL]) if p["contracts"]]

        (position,) = wait_until(held, 90)
        assert position["side"] == "long"
        assert position["marginMode"] == "isolated"
        (stop,) = wait_until(stops, 30)
        assert stop["orderType"] == "STOP_MARKET"
        assert float(stop["quantity"]) == position["contracts"]
        assert float(stop["triggerPrice"]) < position["entryPrice"]
        wait_until(lambda: not held(), 120)
        wait_until(lambda: not stops(), 30)
        wait_until(lambda: told("exit_fill"), 30)
        entered, left = exchange.fetch_my_trades(SYMBOL)[0], exchange.fetch_my_trades(SYMBOL)[-1]
        assert (entered["side"], left["side"]) == ("buy", "sell")
        lines = log.read_text().splitlines()
        assert not [line for line in lines if " ERROR " in line or "Traceback" in line], "\n".join(lines[-50:])
