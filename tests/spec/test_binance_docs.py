"""The page about the dialect names every endpoint that is served, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.binance.account import ACCOUNT_ROUTES
from gateway.binance.market import MARKET_ROUTES
from gateway.binance.trading import TRADING_ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "binance.md"


def test_every_endpoint_is_named_and_every_name_is_one() -> None:
    served = {path for _, path in (*TRADING_ROUTES, *ACCOUNT_ROUTES, *MARKET_ROUTES)}
    named = set(re.findall(r"`(/(?:fapi|futures)/[\w/]+)`", PAGE.read_text()))
    assert named == served
