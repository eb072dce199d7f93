"""The payloads of market streams: what each event says, as the venue words it.

Source: Binance USD-M, "Websocket Market Streams" and the page of each stream.
"""

from __future__ import annotations

from typing import Any

from events.terms import Terms
from events.units import UNIT
from gateway.binance.market_asking import Asked
from gateway.binance.market_book import agg_trade, texts_of
from gateway.binance.market_quotes import average_of, percent_of
from gateway.binance.texts import Digits, fixed, money
from gateway.serving.tape.candles import DAY, Candle, Interval
from gateway.serving.tape.depth import Change, Top
from gateway.serving.tape.quotes import Forced
from gateway.serving.tape.ticker import Ticker
from gateway.serving.tape.trades import Aggregate, Trade

Words = dict[str, Any]


def trade(of_it: Asked, at: int, one: Trade) -> Words:
    """A trade."""
    digits = of_it.digits
    return {
        "e": "trade", "E": at, "T": one.at, "s": of_it.symbol, "t": one.id, "p": digits.price(one.price),
        "q": digits.size(one.lots), "X": "MARKET", "m": not one.bought,
    }  # fmt: skip


def aggregate(of_it: Asked, at: int, one: Aggregate) -> Words:
    """Trades of one taker at one price."""
    return {"e": "aggTrade", "E": at, "s": of_it.symbol, **agg_trade(of_it.digits, one)}


def book_ticker(of_it: Asked, at: int, top: Top, last: int) -> Words:
    """The best prices."""
    digits = of_it.digits
    return {
        "e": "bookTicker", "u": last, "s": of_it.symbol, "b": digits.price(top.bid), "B": digits.size(top.bid_lots),
        "a": digits.price(top.ask), "A": digits.size(top.ask_lots), "T": at, "E": at,
    }  # fmt: skip


def depth(of_it: Asked, at: int, change: Change) -> Words:
    """Levels: changed ones, or the best ones. U is the u before: so it joins a snapshot of either, or between them."""
    return {
        "e": "depthUpdate", "E": at, "T": of_it.tape.depth.at, "s": of_it.symbol, "U": change.previous,
        "u": change.last, "pu": change.previous, "b": texts_of(of_it.digits, change.bids),
        "a": texts_of(of_it.digits, change.asks),
    }  # fmt: skip


def mark(of_it: Asked, at: int, next_funding: int) -> Words:
    """Mark and index price, and the funding to come."""
    quotes = of_it.tape.quotes
    index = fixed(quotes.index or quotes.mark)
    rate = "" if of_it.tape.terms.expiry else fixed(quotes.rate // quotes.over)
    return {
        "e": "markPriceUpdate", "E": at, "s": of_it.symbol, "p": fixed(quotes.mark), "ap": fixed(quotes.mark),
        "P": index, "i": index, "r": rate, "T": next_funding,
    }  # fmt: skip


def kline(of_it: Asked, at: int, interval: Interval, candle: Candle, is_closed: bool) -> Words:
    """A candle."""
    return {"e": "kline", "E": at, "s": of_it.symbol, "k": {
        "t": candle.start, "T": interval.next(candle.start) - 1, "s": of_it.symbol,
        **_candle(of_it.digits, interval, candle, is_closed),
    }}  # fmt: skip


def continuous_kline(of_it: Asked, at: int, interval: Interval, candle: Candle, is_closed: bool, kind: str) -> Words:
    """A candle of a pair's contract of a type."""
    pair = of_it.tape.terms.base + of_it.tape.terms.quote
    return {"e": "continuous_kline", "E": at, "ps": pair, "ct": kind, "k": {
        "t": candle.start, "T": interval.next(candle.start) - 1,
        **_candle(of_it.digits, interval, candle, is_closed),
    }}  # fmt: skip


def _candle(digits: Digits, interval: Interval, candle: Candle, is_closed: bool) -> Words:
    price = digits.price
    return {
        "i": interval.name, "f": candle.first or -1, "L": candle.last or -1, "o": price(candle.open),
        "c": price(candle.close), "h": price(candle.high), "l": price(candle.low), "v": digits.size(candle.lots),
        "n": candle.trades, "x": is_closed, "q": money(candle.value), "V": digits.size(candle.bought),
        "Q": money(candle.bought_value), "B": "0",
    }  # fmt: skip


def mini_ticker(of_it: Asked, at: int, ticker: Ticker) -> Words:
    """The last 24 hours in short."""
    digits, day = of_it.digits, ticker.day
    return {
        "e": "24hrMiniTicker", "E": at, "s": of_it.symbol, "c": digits.price(day.close), "o": digits.price(day.open),
        "h": digits.price(day.high), "l": digits.price(day.low), "v": digits.size(day.lots), "q": money(day.value),
    }  # fmt: skip


def ticker(of_it: Asked, at: int, one: Ticker) -> Words:
    """The last 24 hours."""
    digits, day = of_it.digits, one.day
    return {
        "e": "24hrTicker", "E": at, "s": of_it.symbol, "p": digits.price(one.change), "P": percent_of(one),
        "w": digits.price(average_of(of_it, one)), "c": digits.price(day.close), "Q": digits.size(one.last_lots),
        "o": digits.price(day.open), "h": digits.price(day.high), "l": digits.price(day.low),
        "v": digits.size(day.lots), "q": money(day.value), "O": one.at - DAY, "C": one.at, "F": day.first,
        "L": day.last, "n": day.trades,
    }  # fmt: skip


def forced(of_it: Asked, at: int, one: Forced) -> Words:
    """A forced order, with what it traded."""
    digits, terms = of_it.digits, of_it.tape.terms
    status = "FILLED" if one.executed == one.lots else "PARTIALLY_FILLED" if one.executed else "EXPIRED"
    return {"e": "forceOrder", "E": at, "o": {
        "s": of_it.symbol, "S": "BUY" if one.sign > 0 else "SELL", "o": "LIMIT", "f": "IOC", "q": digits.size(one.lots),
        "p": digits.price(one.limit), "ap": _average(terms, one), "X": status, "l": digits.size(one.last_lots),
        "z": digits.size(one.executed), "T": one.at,
    }}  # fmt: skip


def _average(terms: Terms, one: Forced) -> str:
    return fixed(one.value * UNIT // (one.executed * terms.lot)) if one.executed else "0"
