"""NautilusTrader's Binance adapter, unmodified: a trading node at the server, from its start to a clean stop."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest

from gateway.commands.pointing import ccxt_config
from tests.clients.slow.serving import CLIENTS, serving

pytestmark = pytest.mark.slow

LIMIT_SECONDS = 90
ETH = "ETH/USDT:USDT"
PROBE = Path(__file__).with_name("probe_nautilus.py")


def facts_of(folder: Path, said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the node saw, by what each fact is called; it must end in time, and by itself."""
    where = {"http": said["http"], "ws": said["http"].replace("http", "ws", 1), "folder": str(folder)}
    asked = json.dumps(where | {name: said[name] for name in ("key", "secret")})
    command = [f"{CLIENTS}/bin/python", str(PROBE), asked]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    assert (ended.returncode, lines[-1]["fact"]) == (0, "stopped cleanly"), ended.stdout + ended.stderr
    return {line.pop("fact"): line for line in lines}


def trade_before(said: dict[str, Any]) -> Decimal:
    """Have a position and an order in ETHUSDT before the node comes; the price of the order."""
    config = ccxt_config("127.0.0.1", int(said["https"].rpartition(":")[2]), Path(said["authority"]))
    exchange = ccxt.binanceusdm({**config, "apiKey": said["key"], "secret": said["secret"]})
    average = exchange.create_order(ETH, "market", "buy", 0.1)["average"]
    order = exchange.create_order(ETH, "limit", "buy", 0.2, exchange.price_to_precision(ETH, average * 0.97))
    return Decimal(str(order["price"]))


def not_answered_well(log: Path) -> list[tuple[str, str, int]]:
    """The requests that the server refused."""
    lines = map(json.loads, log.read_text().splitlines())
    requests = [line for line in lines if line["event"] == "request"]
    return [(line["method"], line["path"], line["status"]) for line in requests if line["status"] != 200]


def errors_of(log: Path) -> list[str]:
    """What the node's log holds of errors."""
    lines = map(json.loads, log.read_text().splitlines())
    return [line["message"] for line in lines if line["level"] == "ERROR"]


def test_a_node_watches_trades_and_stops(tmp_path: Path) -> None:
    with serving(tmp_path, "--log", str(tmp_path / "requests.jsonl")) as said:
        price = trade_before(said)
        facts = facts_of(tmp_path, said)
    assert "failed" not in facts, facts
    assert errors_of(tmp_path / "nautilus.jsonl") == []
    assert not_answered_well(tmp_path / "requests.jsonl") == [("POST", "/fapi/v1/order", 400)]
    _knows_what_was_there(facts, price)
    _sees_the_market(facts)
    _leads_orders(facts)
    _holds_a_position(facts)


def _knows_what_was_there(facts: dict[str, dict[str, Any]], price: Decimal) -> None:
    ((held, size, _),) = facts["reconciled"]["positions"]
    assert (held, size) == ("ETHUSDT-PERP.BINANCE", 0.1)
    ((rests, quantity, at),) = facts["reconciled"]["orders"]
    assert (rests, Decimal(quantity), Decimal(at)) == ("ETHUSDT-PERP.BINANCE", Decimal("0.2"), price)
    instrument = facts["instrument"]
    assert {"BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE"} <= set(instrument["ids"])
    assert (instrument["tick"], instrument["step"]) == ("0.1", "0.001")
    assert 9_900 < Decimal(facts["account"]["usdt"]) < 10_000
    assert facts["account"]["leverage"] == "7"


def _sees_the_market(facts: dict[str, dict[str, Any]]) -> None:
    quote, book = facts["quote"], facts["book"]
    assert Decimal(quote["bid"]) < Decimal(quote["ask"])
    assert Decimal(book["bid"]) < Decimal(book["ask"])
    assert min(book["levels"]) > 20
    assert Decimal(facts["trade"]["size"]) > 0
    assert abs(Decimal(facts["mark"]["price"]) / Decimal(quote["bid"]) - 1) < Decimal("0.01")
    assert facts["past"]["bars"] >= 25
    bar = facts["bar"]
    assert Decimal(bar["low"]) <= Decimal(bar["high"])
    assert Decimal(bar["volume"]) > 0


def _leads_orders(facts: dict[str, dict[str, Any]]) -> None:
    assert facts["accepted"]["mine"] is True
    assert facts["updated"] == {"quantity": "0.020", "moved": True}
    assert facts["cancelled"]["status"] == facts["stopped"]["status"] == "CANCELED"
    assert facts["refused"]["post_only"] is True
    assert facts["fired"] == {"mine": True, "quantity": "0.010"}


def _holds_a_position(facts: dict[str, dict[str, Any]]) -> None:
    filled, closed = facts["filled"], facts["closed"]
    assert (filled["is_long"], filled["quantity"], filled["is_taker"]) == (True, "0.010", True)
    fee = Decimal(filled["fee"])
    value = Decimal(str(filled["price"])) * Decimal("0.01")
    assert fee == pytest.approx(value * Decimal("0.0005"), abs=Decimal("1e-7"))
    assert Decimal(facts["charged"]["usdt"]) == Decimal(facts["charged"]["before"]) - fee
    assert closed["flat"] is True
    assert Decimal(closed["realized"]) < -fee
    assert "flat" in facts
