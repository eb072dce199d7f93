"""What all handlers of the dialect share: the venue, its read models, keys and limits, and a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from events.commands import AccountId, TradersCommand
from events.instruments import InstrumentId
from events.record import Batch
from events.refusals import Reason
from exchange.committer import Acknowledgement
from exchange.core.contract import Contract
from exchange.core.state import Account
from gateway.binance.errors import BinanceError, bad_symbol, key_unknown
from gateway.binance.listen_keys import ListenKeys
from gateway.binance.params import Params
from gateway.binance.refusals import error_of
from gateway.binance.texts import Texts
from gateway.serving.blotter import Blotter
from gateway.serving.keys import Key, KeyRing, Scope
from gateway.serving.limits import Limits, wall_ms
from gateway.serving.venue import Venue


@dataclass
class Desk:
    """What handlers share. wall is the wall's time in ms, by which signatures and keys of streams are judged.

    strict_algo answers conditional orders on POST /fapi/v1/order as the venue does since December 2025: -4120.
    """

    venue: Venue
    blotter: Blotter
    tape: Any
    keys: KeyRing
    limits: Limits
    wall: Callable[[], int] = wall_ms
    strict_algo: bool = False
    listen_keys: ListenKeys = field(init=False)
    texts: Texts = field(init=False)
    flying: set[tuple[AccountId, str]] = field(default_factory=set)
    fee_burn: dict[AccountId, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listen_keys = ListenKeys(self.wall, self.keys)
        self.texts = Texts(self.venue.pack)

    def contract(self, symbol: str) -> Contract:
        """The instrument of that symbol. Raises BinanceError."""
        contract = self.venue.state.contracts.get(InstrumentId(symbol))
        if contract is None:
            raise bad_symbol()
        return contract

    def account(self, name: AccountId) -> Account:
        """The account, as decided: wait for `venue.settled` before its figures are shown. Raises BinanceError."""
        account = self.venue.state.accounts.get(name)
        if account is None or account.is_reserved:
            raise key_unknown()
        return account

    def ms(self, at: int) -> int:
        """A session time as clients see it."""
        return self.venue.calendar.shown_ms(at)

    async def ask(self, command: TradersCommand) -> Acknowledgement:
        """Have it decided, durably. Raises BinanceError where it is refused."""
        acknowledged = await self.venue.ask(command)
        if acknowledged.reason is not None:
            raise self.refused(acknowledged.reason, command)
        return acknowledged

    def refused(self, reason: Reason, command: Any) -> BinanceError:
        """The answer to a command, or an item of a batch, that was refused."""
        contract = self.venue.state.contracts.get(getattr(command, "instrument", InstrumentId("")))
        return error_of(reason, command, contract)

    async def tell(self, command: TradersCommand) -> Batch | None:
        """As `ask`, the batch of it alone."""
        return (await self.ask(command)).batch


class Request(NamedTuple):
    """What a client asks: its parameters, its key where the endpoint wants one, the address it comes from."""

    params: Params
    key: Key | None = None
    address: str = ""

    @property
    def account(self) -> AccountId:
        """Whose account it is about."""
        assert self.key is not None, "the route of this handler wants no key"
        return self.key.account


class Security(Enum):
    """What a request has to prove: nothing, that it has a key, or that the key's owner signed it just now."""

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


Handler = Callable[[Desk, Request], Any | Awaitable[Any]]
"""Answers a request: bytes as they are, anything else as JSON. Raises BinanceError."""


class Route(NamedTuple):
    """Who answers, what it weighs, what the client has to prove and may have to be allowed, how many orders it is."""

    handler: Handler
    weight: int | Callable[[Params], int] = 1
    security: Security = Security.NONE
    scope: Scope = Scope.READ
    orders: int = 0


Routes = dict[tuple[str, str], Route]
"""(method, path) -> route."""

H = TypeVar("H", bound=Handler)


def signed(handler: Handler, weight: int | Callable[[Params], int] = 1, orders: int = 0) -> Route:
    """A route that reads what is of an account."""
    return Route(handler, weight, Security.SIGNED, Scope.READ, orders)


def trading(handler: Handler, weight: int | Callable[[Params], int] = 1, orders: int = 0) -> Route:
    """A route that changes what is of an account."""
    return Route(handler, weight, Security.SIGNED, Scope.TRADE, orders)
