"""What a durable batch means to the accounts whose user streams are heard, as it is gathered: event after event.

What a batch did to wallets and positions is told once for each reason, where it is said first, by the figures that held
once all of the batch was decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from events.commands import AccountId, OrderNumber
from events.instruments import InstrumentId, Terms, instrument_of, position_name
from gateway.binance.sockets_account import Update, account_update
from gateway.binance.sockets_look import Holdings, Seen
from gateway.binance.sockets_orders import algo_update, order_update
from gateway.binance.texts import Texts
from gateway.serving.blotter import Blotter, Fill, OrderRow
from gateway.serving.blotter_rows import Held
from gateway.serving.models import Moment

Event = dict[str, Any]
Shown = Callable[[int], int]


class Tale:
    """The events of one batch by account, as far as they are told.

    seen is what accounts held after it, realised what each of their positions did in all up to it, atoms.
    """

    def __init__(
        self, terms: Mapping[str, Terms], texts: Texts, blotter: Blotter, accounts: Collection[AccountId], shown: Shown,
        moment: Moment, seen: Seen, realised: Mapping[AccountId, Counter[str]],
    ) -> None:  # fmt: skip
        self._terms = terms
        self.texts = texts
        self._blotter = blotter
        self._accounts = accounts
        self._shown = shown
        self.at = moment.batch.at
        self._first_seq = moment.batch.first_seq
        self._seen = seen
        self._realised = realised
        self._told: dict[AccountId, list[Event | Update]] = {}
        self._updates: dict[tuple[AccountId, str, str], Update] = {}
        self._fills: dict[AccountId, list[Fill]] = {}

    def events(self) -> dict[AccountId, list[Event]]:
        """The events of each account, in order."""
        return {account: self._rendered(account) for account in self._told}

    @property
    def at_ms(self) -> int:
        """When it was, as it is shown."""
        return self._shown(self.at)

    def hears(self, account: AccountId) -> bool:
        """Whether the account is told anything."""
        return account in self._accounts

    def held(self, account: AccountId) -> Holdings | None:
        """What the account held after the batch, None where nobody looked."""
        return self._seen.get(account)

    def row(self, account: AccountId, number: int) -> OrderRow | None:
        """The order, if its account is told anything; as it is after the batch."""
        return self._blotter.order(account, OrderNumber(number)) if account in self._accounts else None

    def fills(self, account: AccountId) -> list[Fill]:
        """The account's fills of this batch, in order."""
        if (fills := self._fills.get(account)) is None:
            fills = self._fills[account] = self._blotter.fills_since(account, self._first_seq)
        return fills

    def asset(self, pool: str) -> str:
        """The asset that a pool is counted in."""
        terms = self._terms.get(instrument_of(pool))
        return terms.settle if terms else pool

    def realise(self, account: AccountId, fill: Fill) -> None:
        """Count what a fill realised."""
        self._realised[account][position_name(InstrumentId(fill.instrument), fill.leg)] += fill.realized

    def tell(self, account: AccountId, event: Event | Update) -> None:
        """Tell this next."""
        self._told.setdefault(account, []).append(event)

    def order(
        self, account: AccountId, row: OrderRow, execution: str, status: str, executed: int, value: int,
        fill: Fill | None = None,
    ) -> None:  # fmt: skip
        """Tell what happened to an order."""
        digits, asset = self.texts[row.instrument], self.asset(row.instrument)
        event = order_update(
            row, digits, self._shown, self.at, execution, status, executed, value, fill, asset
        )  # fmt: skip
        self.tell(account, event)

    def algo(self, account: AccountId, row: OrderRow, status: str, is_placed: bool, reason: str = "") -> None:
        """Tell what happened to a conditional order."""
        digits = self.texts[row.instrument]
        self.tell(account, algo_update(row, digits, self._shown, self.at, status, is_placed, reason))

    def update(self, account: AccountId, reason: str, symbol: str = "") -> Update:
        """What is told of wallets and positions for that reason, from this place on."""
        key = account, reason, symbol
        if (update := self._updates.get(key)) is None:
            update = self._updates[key] = Update(reason, symbol)
            self.tell(account, update)
        return update

    def gain(self, account: AccountId, reason: str, asset: str, amount: int) -> None:
        """A wallet changed for that reason by so much."""
        if account in self._accounts:
            self.update(account, reason).gain(asset, amount)

    def _rendered(self, account: AccountId) -> list[Event]:
        events = (
            entry if isinstance(entry, dict) else self._account_update(account, entry) for entry in self._told[account]
        )
        return [event for event in events if event is not None]

    def _account_update(self, account: AccountId, update: Update) -> Event | None:
        held = self._seen.get(account)
        if held is None:
            return None

        def made(name: str) -> tuple[Held, int]:
            seen = held.positions[name]
            return self._blotter.held(account, seen.instrument, seen.leg), self._realised[account][name]

        return account_update(update, held, self.texts, made, self.at_ms)
