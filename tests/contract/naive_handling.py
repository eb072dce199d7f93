"""What a naive exchange does with several orders at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events import commands as c
from events.facts import Expiry
from events.refusals import Reason
from tests.contract.naive_links import settle

if TYPE_CHECKING:
    from tests.contract.naive_exchange import NaiveExchange


def set_countdown(exchange: NaiveExchange, command: c.SetCountdown) -> None:
    """What the account has open ends after so long; 0: it does not."""
    until = command.at + command.after if command.after else 0
    exchange.countdowns.pop(command.account, None)
    if until:
        exchange.countdowns[command.account] = until
    exchange.said.append(("countdown", command.account, until))


def run_down(exchange: NaiveExchange, account: str) -> None:
    """All that the account has open ends with its countdown."""
    for one in exchange.all_of(account):
        exchange.expire(one, Expiry.COUNTDOWN)
    del exchange.countdowns[account]
    exchange.said.append(("ran down", account))


def cancel_all(exchange: NaiveExchange, command: c.CancelAll) -> None:
    """Cancel all that the account has open, unless an auction trades with it."""
    if exchange.crossing and exchange.open_of(command.account):
        exchange.said.append(("refused", Reason.AUCTION_UNCROSSES))
        return
    for one in exchange.all_of(command.account):
        exchange.cancel_one(one)
    exchange.said.append(("all cancelled", command.account, 0))


def submit(exchange: NaiveExchange, command: c.SubmitBatch) -> None:
    """Decide item after item."""
    for number, item in enumerate(command.items):
        exchange.decide(item)
        if exchange.said[-1][0] == "refused":
            exchange.said[-1] = ("item refused", command.account, number, exchange.said[-1][1])
        settle(exchange)
