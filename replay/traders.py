"""The traders of a replay: their accounts, and what their strategies are told, when, and in which order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappop
from itertools import count

from events import commands as c
from events.facts import AnyFact, MarkPriceMoved, Refused, Traded
from events.instruments import AssetId, InstrumentId, MarginMode
from events.observations import Observations
from events.record import Batch
from events.refusals import Reason
from events.triggers import PriceSource
from events.units import UNIT, Atoms, Nanos, units_of
from exchange.core.state import State
from exchange.failures import SequencerError
from exchange.projections.results import margin_ratio
from replay.latency import Outbox
from replay.loading import StrategyError, failure
from replay.parameters import nanos
from replay.strategy import Context, Strategy
from replay.waking import PRINT, Alarms, Bars, Print, bar_end, changes_book

MARK, LAST = PriceSource.MARK, PriceSource.LAST

BARS_FIRST = -1
"""Bars that end at a time are told before anybody's timer of that time."""


WAKES_MAX = 10_000
"""An account that is woken so often at one time, and once more, asks for it for ever."""

OPENS = "open-"
"""What the requests begin with by which an account is set up; those of its strategy are numbers alone."""


class SetupError(Exception):
    """A session or an account that cannot be set up as asked; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Trader:
    """An account of the replay, as it is set up before the first row. params are those that its strategy was made with,
    where they were given as text.
    """

    name: c.AccountId
    mode: MarginMode
    leverage: int
    deposit: Decimal
    strategy: Strategy
    multi: bool = False
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """A trader as he is told things: his context, his place among traders, his strategy, the bars that he wants, and
    whether he wants to hear of orders or other facts.
    """

    context: Context
    order: int
    strategy: Strategy
    bars: Nanos
    listens: bool


class Traders:
    """Opens the accounts of traders and tells their strategies, in the order in which they were given.

    deeds are what accounts do beside: seconds from the first row on, who, and what.
    """

    def __init__(
        self, traders: Iterable[Trader], state: Callable[[], State], send: Callable[[c.Command], object],
        deeds: Iterable[tuple[Decimal, c.AccountId, Callable[[Context], object]]] = (),
    ) -> None:  # fmt: skip
        self._traders = tuple(traders)
        self._deeds = tuple(deeds)
        self._state_now = state
        self._send = send
        self._told: dict[c.AccountId, Told] = {}
        self._requests: dict[c.AccountId, Iterator[c.RequestId]] = {}
        self._news: deque[Batch] = deque()
        self.alarms = Alarms()
        self.outbox = Outbox()

    @property
    def next_at(self) -> Nanos | None:
        """When somebody is woken by a time, or something asked arrives at the exchange; None for never."""
        arrival, alarm = self.outbox.next_at, self.alarms.next_at
        if arrival is None or alarm is None:
            return alarm if arrival is None else arrival
        return min(arrival, alarm)

    @property
    def has_news(self) -> bool:
        """Whether somebody is to be told of something."""
        return bool(self._news)

    @property
    def _state(self) -> State:
        return self._state_now()

    # Setting up

    def open(self, at: Nanos, instruments: tuple[InstrumentId, ...], assets: tuple[AssetId, ...]) -> None:
        """Open all accounts, then start all strategies. Raises SetupError."""
        for order, trader in enumerate(self._traders):
            self._open_account(at, order, trader, instruments, assets)
        self.start(at)

    def rejoin(self, at: Nanos, instruments: tuple[InstrumentId, ...], assets: tuple[AssetId, ...]) -> None:
        """Let strategies go on with the accounts that they have, open those that are new, then start all. Raises
        SetupError.
        """
        for order, trader in enumerate(self._traders):
            if trader.name not in self._state.accounts:
                self._open_account(at, order, trader, instruments, assets)
                continue
            known = self._state.accounts[trader.name].outcomes
            opened = _last(request.removeprefix(OPENS) for request in known if request.startswith(OPENS))
            self._requests[trader.name] = (c.RequestId(f"{OPENS}{n}") for n in count(opened + 1))
            self.join(trader.name, order, trader.strategy).resume(_last(known))
            self.follow(trader.name, instruments)
        self.start(at)

    def start(self, at: Nanos) -> None:
        """Start all strategies, whose accounts are open."""
        for told in tuple(self._told.values()):
            call(told.strategy.on_start, told.context)
            self._wake_first(at, told.order, told)
        for seconds, account, deed in self._deeds:
            self._told[account].context.wake.at(at + nanos("seconds", seconds), deed)
        for bars in dict.fromkeys(told.bars for told in self._told.values() if told.bars):
            self.alarms.wake_at(bar_end(at, bars), BARS_FIRST, c.MARKET, bars)

    def _open_account(
        self, at: Nanos, order: int, trader: Trader, instruments: tuple[InstrumentId, ...], assets: tuple[AssetId, ...]
    ) -> None:
        name = trader.name
        request = self._requests[name] = (c.RequestId(f"{OPENS}{n}") for n in count(1))
        self._send(c.OpenAccount(at, name, next(request)))
        self._equip(at, trader, instruments, assets)
        if trader.multi:
            self._join(at, trader, next(request))
        self.join(name, order, trader.strategy)
        self.follow(name, instruments)

    def meet(self, at: Nanos, instruments: tuple[InstrumentId, ...], assets: tuple[AssetId, ...]) -> None:
        """Set all accounts up for instruments that a file came to only now. Raises SetupError."""
        for trader in self._traders:
            self._equip(at, trader, instruments, assets)
            self.follow(trader.name, instruments)

    def _equip(
        self, at: Nanos, trader: Trader, instruments: tuple[InstrumentId, ...], assets: tuple[AssetId, ...]
    ) -> None:
        """Pay an account its deposit in each asset, and set its mode and leverage for each instrument."""
        name, request = trader.name, self._requests[trader.name]
        for asset in assets if trader.deposit else ():
            self._send(c.Deposit(at, name, next(request), asset, atoms(trader.deposit)))
        for instrument in instruments:
            self._send(c.SetMarginMode(at, name, next(request), instrument, trader.mode))
            max_leverage = self._state.contracts[instrument].rules.brackets.max_leverage
            if not 1 <= trader.leverage <= max_leverage:
                raise SetupError(
                    f"account {name}: {instrument} cannot be traded at {trader.leverage}x; give 1 to {max_leverage}"
                )
            self._send(c.SetLeverage(at, name, next(request), instrument, trader.leverage))

    def join(self, name: c.AccountId, order: int, strategy: Strategy) -> Context:
        """Let a strategy trade an account that is open; its context. Raises StrategyError."""
        if (told := self._state.options.latency) != self.outbox.latency:
            self.outbox, self.alarms.lag = Outbox(told), told.feed
        send = self.outbox.post if self.outbox.is_used else self._send
        context = Context(self._state_now, name, send, self.alarms, order, self.outbox)
        self._told[name] = self._listening(context, order, strategy)
        return context

    def follow(self, name: c.AccountId, instruments: tuple[InstrumentId, ...]) -> None:
        """Show instruments to a strategy, and make its bars of them."""
        told = self._told[name]
        told.context.instruments += instruments
        for instrument in instruments if told.bars else ():
            self.alarms.bars[instrument].setdefault(told.bars, Bars())

    def _listening(self, context: Context, order: int, strategy: Strategy) -> Told:
        """Note which rows the strategy wants to see."""
        self.alarms.sees_books |= type(strategy).on_book is not Strategy.on_book
        self.alarms.sees_prints |= type(strategy).on_trade is not Strategy.on_trade
        listens = _is_own(strategy, "on_order") or _is_own(strategy, "on_fact")
        return Told(context, order, strategy, _whole(strategy, "bars", strategy.bars), listens)

    def _join(self, at: Nanos, trader: Trader, request: c.RequestId) -> None:
        """Let all wallets of an account answer for all its positions."""
        batch = self._send(c.SetCollateralMode(at, trader.name, request, True))
        if isinstance(batch, Batch):
            for fact in batch.facts:
                if isinstance(fact, Refused):
                    raise SetupError(
                        f"account {trader.name}: no multi-asset mode ({fact.reason.value}); "
                        "give the index price of its assets, e.g. --index USDTUSD=1, under a pack with collateral"
                    )

    def context(self, account: c.AccountId) -> Context:
        """What the account's strategy trades with. Raises KeyError."""
        return self._told[account].context

    # Telling

    def note(self, batch: Batch) -> None:
        """Keep a batch until everybody can be told."""
        if self._told and len(batch.records) > 1:
            self._news.append(batch)

    def tell(self, sample: Callable[[], None]) -> None:
        """Tell what happened to the accounts, until nothing new happens; `sample` is called where a mark moved."""
        while self._news:
            batch = self._news.popleft()
            marked = False
            for fact in batch.facts:
                kind = type(fact)
                if kind is MarkPriceMoved:
                    marked = True
                    self._reached(fact.instrument, MARK, fact.mark)  # type: ignore[union-attr]
                elif kind is Traded:
                    self._tell_fill(fact)  # type: ignore[arg-type]
                elif kind is Refused:
                    self._tell_refusal(batch.command, fact.reason)  # type: ignore[arg-type, union-attr]
                elif (told := self._told.get(getattr(fact, "account", c.MARKET))) is not None and told.listens:
                    self._tell_fact(told, fact)
            if self.alarms.ratios:
                self._look_at_ratios()
            if marked:
                sample()

    def finish(self) -> None:
        """Say that the last row was applied: what is asked by now still arrives, and what is asked later does not."""
        for told in self._told.values():
            call(told.strategy.on_finish, told.context)
        self.outbox.close()

    def _tell_fill(self, fact: Traded) -> None:
        for name in {fact.maker: None, fact.taker: None}:
            if told := self._told.get(name):
                call(told.strategy.on_fill, told.context, fact)
        self._reached(fact.instrument, LAST, fact.price)

    def _tell_fact(self, told: Told, fact: AnyFact) -> None:
        if hasattr(fact, "number"):
            call(told.strategy.on_order, told.context, fact)
        call(told.strategy.on_fact, told.context, fact)

    def _tell_refusal(self, command: c.Command, reason: Reason) -> None:
        if isinstance(command, c.TradersCommand) and (told := self._told.get(command.account)):
            call(told.strategy.on_refused, told.context, command, reason)

    def _reached(self, instrument: InstrumentId, source: PriceSource, price: int) -> None:
        levels = self.alarms.levels.get((instrument, source)) if self.alarms.levels else None
        if levels and levels.is_reached(price):
            unit = 1 if source is MARK else self._state.contracts[instrument].tick
            for name in levels.reached(price):
                told = self._told[name]
                call(told.strategy.on_price, told.context, instrument, Decimal(price * unit) / UNIT)

    def _look_at_ratios(self) -> None:
        for name in tuple(self.alarms.ratios):
            ratio = margin_ratio(self._state, name)
            if self.alarms.ratio_rises(name, ratio) and ratio is not None:
                told = self._told[name]
                call(told.strategy.on_margin, told.context, ratio)

    # Rows and times

    def applied(self, chunk: Observations, first: int, last: int) -> None:
        """Rows of history were applied: fold their prints, and tell those who wait for the last of them."""
        instrument, alarms = chunk.instrument, self.alarms
        if self.outbox.is_used:
            self.outbox.measure(chunk, last)
        if alarms.bars:
            alarms.fold(chunk, first, last)
        if (
            alarms.levels
            and alarms.levels.get((instrument, LAST))
            and (price := self._state.contracts[instrument].feed.last_price)
        ):
            self._reached(instrument, LAST, price)
        if alarms.sees_books and changes_book(chunk, last):
            for told in self._told.values():
                call(told.strategy.on_book, told.context, instrument)
        if alarms.sees_prints and chunk.kind[last] == PRINT:
            trade = self._print(chunk, chunk.index[last])
            for told in self._told.values():
                call(told.strategy.on_trade, told.context, instrument, trade)

    def _print(self, chunk: Observations, i: int) -> Print:
        contract = self._state.contracts[chunk.instrument]
        price, size = chunk.print_price[i] * contract.tick, chunk.print_lots[i] * contract.lot
        return Print(Decimal(price) / UNIT, Decimal(size) / UNIT, chunk.print_side[i] > 0)

    def wake(self) -> None:
        """Let what arrives next arrive, or wake whoever is the next to be woken by a time."""
        if self.outbox.next_at is not None and self.outbox.next_at == self.next_at:
            self.deliver()
            return
        alarm = heappop(self.alarms.times)
        if alarm.bars:
            self._end_bars(alarm.at, alarm.bars)
            return
        told = self._told[alarm.account]
        if self.alarms.wakes(alarm) > WAKES_MAX:
            why = f"account {alarm.account} was woken {WAKES_MAX:,} times at one time"
            raise StrategyError(f"strategy {_name_of(told.strategy)}: {why}; have it wake later than context.now")
        told.context.woken_at = Nanos(alarm.at + self.alarms.lag)
        call(alarm.deed or told.strategy.on_timer, told.context)
        if alarm.repeats:
            self._wake_again(alarm.at, alarm.order, told)

    def deliver(self) -> None:
        """Let what is next on its way arrive at the exchange."""
        self._send(self.outbox.arrived())

    def _end_bars(self, at: Nanos, length: Nanos) -> None:
        """Tell the bars of this length that end now, and begin the next ones."""
        self.alarms.wake_at(Nanos(at + length), BARS_FIRST, c.MARKET, length)
        for instrument, makers in self.alarms.bars.items():
            contract = self._state.contracts[instrument]
            tick, lot = Decimal(contract.tick) / UNIT, Decimal(contract.lot) / UNIT
            if bar := makers[length].end(Nanos(at - length), tick, lot) if length in makers else None:
                for told in self._told.values():
                    if told.bars == length:
                        told.context.woken_at = Nanos(at + self.alarms.lag)
                        call(told.strategy.on_bar, told.context, instrument, bar)

    def _wake_first(self, at: Nanos, order: int, told: Told) -> None:
        """Its timer goes from the first row on, and for the first time once it has heard of that row."""
        lag, every = self.alarms.lag, _whole(told.strategy, "every", told.strategy.every)
        missed = max(0, -(-lag // every) - 1) * every if every else 0
        self._wake_again(Nanos(at + missed - lag), order, told)

    def _wake_again(self, at: Nanos, order: int, told: Told) -> None:
        if every := _whole(told.strategy, "every", told.strategy.every):
            self.alarms.wake_at(Nanos(at + every), order, told.context.account, repeats=True)


def _is_own(strategy: Strategy, method: str) -> bool:
    """Whether a strategy has this method of its own, and not the one that does nothing."""
    found = getattr(strategy, method)
    return getattr(found, "__func__", found) is not getattr(Strategy, method)


def _last(requests: Iterable[str]) -> int:
    """The greatest of the requests that are numbers, else 0."""
    return max((int(request) for request in requests if request.isdecimal()), default=0)


def _whole(strategy: Strategy, name: str, value: Nanos) -> Nanos:
    """A stretch of time as a strategy states it. Raises StrategyError."""
    if type(value) is not int or value < 0:
        of = _name_of(strategy)
        raise StrategyError(f"strategy {of}: {name} is {value!r}; make it whole nanoseconds, 0 for never")
    return value


def _name_of(strategy: Strategy) -> str:
    return f"{type(strategy).__module__}:{type(strategy).__qualname__}"


def atoms(amount: Decimal) -> Atoms:
    """An amount in atoms. Raises SetupError where it is finer than that."""
    units = units_of(format(amount, "f"))
    if units is None:
        raise SetupError(f"a deposit of {amount}: money has 8 decimals at most")
    return Atoms(units)


def call(method: Callable[..., object], *arguments: object) -> None:
    """Call a strategy; a fault of its own is told with its place, one of ours goes on as it is."""
    try:
        method(*arguments)
    except (AssertionError, SequencerError):
        raise
    except Exception as error:
        raise StrategyError(f"{method.__qualname__} failed: {failure(error)}; mend the strategy") from error
