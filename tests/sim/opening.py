"""How a made-up session begins: its rules, first prices, accounts, and what these start with."""

from __future__ import annotations

import msgspec

from events import commands as c
from events.commands import AccountId, Command, FundingSource, RequestId
from events.guards import UNGUARDED, Breaker, PriceGuards
from events.instruments import Instrument, InstrumentId, MarginMode
from events.units import SECOND, UNIT, Nanos, Rate
from exchange.core.state import RULES_VERSION
from tests.sim.traders import NAMES, Traders

HALTING = PriceGuards(breaker=Breaker(Rate(UNIT // 20), Nanos(3600 * SECOND), Nanos(60 * SECOND)))
"""Guards that a session states for itself: whatever the venue has, a leap of 5 % within an hour halts for a minute."""


def opening(t: Traders) -> list[Command]:
    """Commands to a session that is not open yet, then its opening, prices, accounts and what they start with."""
    dice = t.dice
    options = c.SessionOptions(
        dice.choices(list(c.MarkSource), (8, 1, 1))[0],
        dice.choice(list(c.QueueModel)),
        dice.choice(list(c.Impact)),
        FundingSource.FED if t.rules.is_plain else dice.choice(list(FundingSource)),
        t.whims.choice((Rate(0), Rate(0), Rate(0), Rate(UNIT // 100))),
        HALTING if t.whims.random() < 0.1 else UNGUARDED,
        t.opening_auction,
        t.trade_fills,
        t.latency,
    )
    if t.queue_weights:
        options = msgspec.structs.replace(options, queue_model=c.QueueModel.PROPORTIONAL, queue_weights=t.queue_weights)
    contradictory = msgspec.structs.replace(options, max_slippage=Rate(UNIT))
    bad = msgspec.structs.replace(t.pack, max_orders=0)
    early: list[Command] = [
        c.OpenAccount(t.at, NAMES[0], RequestId("early")),
        c.OpenSession(t.at, RULES_VERSION, bad, options),
        c.OpenSession(t.at, RULES_VERSION + 1, t.pack, options),
        c.OpenSession(t.at, RULES_VERSION, t.pack, contradictory),
    ]
    names = NAMES[: dice.randint(3, len(NAMES))]
    owned = 0.8 if t.rules.is_plain else 0.55
    return [
        *(command for command in early if dice.random() < 0.3),
        c.OpenSession(t.at, RULES_VERSION, t.pack, options),
        *(c.SetMarkPrice(t.at, terms.id, t.prices[terms.id]) for terms in t.pack.instruments if dice.random() < 0.95),
        *([] if t.rules.is_plain else _first_indices(t)),
        *(t.gift(c.INSURANCE, asset) for asset in t.assets() if dice.random() < 0.7),
        *_own_funds(t),
        *(c.OpenAccount(t.at, name, t.request()) for name in names),
        *(t.gift(name, asset) for name in names for asset in t.assets() if dice.random() < owned),
        *([] if t.rules.is_plain else [command for name in names for command in _modes(t, name)]),
        *(command for name in names for terms in t.pack.instruments for command in _settings(t, name, terms)),
    ]


def _first_indices(t: Traders) -> list[Command]:
    return [
        c.SetIndexPrice(t.at, InstrumentId(name), price) for name, price in t.indices.items() if t.dice.random() < 0.95
    ]


def _modes(t: Traders, name: AccountId) -> list[Command]:
    hedges = c.SetPositionMode(t.at, name, t.request(), True)
    multi = c.SetCollateralMode(t.at, name, t.request(), True)
    return [command for command in (hedges, multi) if t.dice.random() < 0.5]


def _settings(t: Traders, name: AccountId, terms: Instrument) -> list[Command]:
    leverage = c.SetLeverage(t.at, name, t.request(), terms.id, t.dice.choice((1, 5, 20, 50, 100)))
    mode = c.SetMarginMode(t.at, name, t.request(), terms.id, MarginMode.ISOLATED)
    return [command for command in (leverage, mode) if t.dice.random() < 0.5]


def _own_funds(t: Traders) -> list[Command]:
    """Deposits into the funds of single instruments, where there are such."""
    funds = c.funds_of(t.pack)
    own = [terms for terms in t.pack.instruments if funds[terms.id] != c.INSURANCE]
    return [t.gift(funds[terms.id], terms.settle) for terms in own if t.dice.random() < 0.7]
