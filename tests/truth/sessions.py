"""Sessions of the core in which published cases are lived through: commands in, facts and figures out.

Prices, sizes and money are Fractions as the cases state them; `ann` is whom a case is about, `bob` her counterparty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from events import commands as c
from events.commands import FundingSource, SessionOptions, Side
from events.facts import Fact, LiquidationDue, LiquidationOrderPlaced, Refused
from events.instruments import Bracket, Instrument, InstrumentId, Inverse, Leg, MarginMode, RulePack, load_pack
from events.record import Batch
from events.units import UNIT, Atoms, Rate
from exchange.calculator import Holding, Pool, liquidation, rules_of
from exchange.core.invariants import check_end_of_batch
from exchange.core.margin.model import available_atoms, cross_positions, maintenance_margin, unrealised
from exchange.core.state import RULES_VERSION, Position, State, Wallet
from exchange.core.step import step

ENDLESS = Fraction(10**12)
"""More money than any case needs."""

GRAINS = UNIT**2
"""So many grains are one of the settle asset."""

SIDES = {"long": Side.BUY, "short": Side.SELL}
OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}

SomeFact = TypeVar("SomeFact")


def units(amount: Fraction) -> int:
    """10^-8 of it, what is finer left out."""
    return int(amount * UNIT)


class Held(NamedTuple):
    """A position as a case states it: size in base asset or contracts, entry price, and its leg in hedge mode."""

    symbol: str
    side: Side
    size: Fraction
    entry: Fraction
    leg: Leg = Leg.NET


class Session:
    """A session of the core under a pack: every command of it is accepted, every batch checked."""

    def __init__(self, pack: RulePack, funding: FundingSource = FundingSource.FED) -> None:
        self.state = State()
        self._asked = 0
        self._orders = 0
        self.ask(c.OpenSession, rules_version=RULES_VERSION, pack=pack, options=SessionOptions(funding=funding))
        for name in ("ann", "bob"):
            self.ask(c.OpenAccount, account=name)
        for asset in dict.fromkeys(terms.settle for terms in pack.instruments):
            self.deposit("bob", ENDLESS, asset)

    # Asking

    def ask(self, kind: type[c.Command], at: int = 0, **fields: Any) -> Sequence[Fact]:
        """Ask one command, a nanosecond after the last one or at the given time: the facts that follow."""
        self._asked += 1
        if issubclass(kind, c.TradersCommand):
            fields["request"] = f"request {self._asked}"
        build: Callable[..., c.Command] = kind
        batch = step(self.state, build(at=max(at, self.state.now + 1), **fields))
        assert isinstance(batch, Batch)
        refusals = [fact.reason for fact in batch.facts if isinstance(fact, Refused)]
        assert not refusals, f"{kind.__name__} {fields} is refused: {refusals}"
        check_end_of_batch(self.state)
        return batch.facts

    def deposit(self, account: str, amount: Fraction, asset: str) -> None:
        """Bring money in."""
        self.ask(c.Deposit, account=account, asset=asset, amount=units(amount))

    def top_up(self, held: Held, wallet: Fraction) -> None:
        """Bring ann's cross wallet up to what the case says."""
        if missing := units(wallet) - self.wallet(held).balance:
            self.deposit("ann", Fraction(missing, UNIT), self.wallet(held).asset)

    def add_margin(self, held: Held, amount: int) -> None:
        """Add atoms to ann's isolated wallet, where there are any to add."""
        if amount > 0:
            self.ask(c.AddMargin, account="ann", instrument=held.symbol, amount=amount, leg=held.leg)

    def leverage(self, held: Held, leverage: int) -> None:
        """Set ann's leverage."""
        self.ask(c.SetLeverage, account="ann", instrument=held.symbol, leverage=leverage)

    def mark(self, symbol: str, price: Fraction) -> Sequence[Fact]:
        """State the mark price."""
        return self.ask(c.SetMarkPrice, instrument=symbol, mark=units(price))

    def index(self, symbol: str, price: Fraction) -> Sequence[Fact]:
        """State the index price."""
        return self.ask(c.SetIndexPrice, instrument=symbol, index=units(price))

    def order(self, account: str, symbol: str, side: Side, lots: int, ticks: int, leg: Leg = Leg.NET) -> None:
        """Place a limit order."""
        self._orders += 1
        self.ask(
            c.PlaceOrder, account=account, number=self._orders, instrument=symbol, side=side, lots=lots, price=ticks,
            leg=leg,
        )  # fmt: skip

    def bid(self, held: Held, price: Fraction) -> None:
        """Let bob want all of ann's position at a price, which is on a tick."""
        contract = self.state.contracts[InstrumentId(held.symbol)]
        assert units(price) % contract.tick == 0
        lots, ticks = units(held.size) // contract.lot, units(price) // contract.tick
        self.order("bob", held.symbol, held.side, lots, ticks)

    def proceed(self) -> list[Fact]:
        """Do all due work."""
        facts: list[Fact] = []
        while self.state.due:
            facts += self.ask(c.Proceed, limit=4096)
        return facts

    def enter(self, held: Held, taker: str = "ann", maker: str = "bob") -> None:
        """Let the taker open the position against the maker.

        A linear one at the two ticks around the entry price, so many lots at each that the entry value is exact.
        """
        contract = self.state.contracts[InstrumentId(held.symbol)]
        lots = units(held.size) // contract.lot
        if contract.is_inverse:
            trades = [(units(held.entry) // contract.tick, lots)]
        else:
            ticks, above = divmod(units(held.size * held.entry) // contract.per_tick_lot, lots)
            trades = [(ticks, lots - above), (ticks + 1, above)]
        for price, part in trades:
            if part:
                self.order(maker, held.symbol, OTHER[held.side], part, price)
                self.order(taker, held.symbol, held.side, part, price, held.leg)

    # Looking

    def position(self, held: Held, account: str = "ann") -> Position:
        """The position of an account."""
        state = self.state
        contract = state.contracts[InstrumentId(held.symbol)]
        return state.position(state.accounts[c.AccountId(account)], contract, held.leg)

    def wallet(self, held: Held, account: str = "ann") -> Wallet:
        """The cross wallet that carries, or would carry, the position."""
        return self.position(held, account).wallet

    def available(self, held: Held) -> Fraction:
        """Ann's available balance."""
        return Fraction(available_atoms(self.wallet(held)), UNIT)

    def is_due(self, held: Held, mark: int) -> bool:
        """Whether the mark, 10^-8, brings ann down."""
        facts = self.ask(c.SetMarkPrice, instrument=held.symbol, mark=mark)
        return any(isinstance(fact, LiquidationDue) and fact.account == "ann" for fact in facts)

    def assert_due_at(self, held: Held, price: Fraction, tolerance: Fraction, tick: Fraction = Fraction(0)) -> None:
        """Ann is due at a mark as near to the price as stated, not one unit before, and where the formula says so.

        tick is that of a venue which shows the tick where the position is due first.
        """
        low, high = (price - tolerance) * UNIT, (price + tolerance) * UNIT
        long = held.side is Side.BUY
        before = math.ceil(high) if long else math.floor(low)
        beyond = math.floor(low - tick * UNIT) if long else math.ceil(high + tick * UNIT)
        assert not self.would_be_due(held, before, before), f"{held} is due at {before}, published is {float(price)}"
        assert self.would_be_due(held, beyond, before), f"{held} is not due at {beyond}, published is {float(price)}"
        safe, due = before, beyond
        while abs(safe - due) > 1:
            middle = (safe + due) // 2
            if self.would_be_due(held, middle, before):
                due = middle
            else:
                safe = middle
        assert not self.is_due(held, safe)
        assert self.is_due(held, due)
        assert due == self.trigger(held), f"{held} is due at {due}, by its formula at {self.trigger(held)}"

    def would_be_due(self, held: Held, mark: int, safe: int) -> bool:
        """Whether ann would be due at a mark, which then goes back to one where she is safe."""
        found = self.is_due(held, mark)
        self.ask(c.SetMarkPrice, instrument=held.symbol, mark=safe)
        self.proceed()
        return found

    def trigger(self, held: Held) -> int | None:
        """The first due mark by the calculator, of what ann holds now."""
        position, contract = self.position(held), self.state.contracts[InstrumentId(held.symbol)]
        assert self.state.pack is not None
        face = Fraction(contract.terms.contract_value, UNIT) if isinstance(contract.terms, Inverse) else Fraction(1)
        value = Fraction(abs(position.entry_value), UNIT)
        entry = held.size * face / value if contract.is_inverse else value / held.size
        leg = Holding(1 if held.side is Side.BUY else -1, held.size, entry, face, contract.is_inverse)
        rules = rules_of(self.state.pack, contract.terms)
        if position.is_isolated:
            return liquidation(Pool(Fraction(position.isolated, UNIT), (leg,), rules)).trigger
        others = [other for other in cross_positions(position.wallet) if other is not position]
        needed, gained = sum(map(maintenance_margin, others)), sum(map(unrealised, others))
        wallet = Fraction(position.wallet.balance, UNIT)
        return liquidation(Pool(wallet, (leg,), rules, Fraction(needed, GRAINS), Fraction(gained, GRAINS))).trigger

    def forced(self, held: Held, mark: Fraction) -> tuple[LiquidationOrderPlaced, list[Fact]]:
        """Liquidate ann at a mark: the first forced order, and all facts."""
        assert self.is_due(held, units(mark))
        facts = self.proceed()
        return first(LiquidationOrderPlaced, facts), facts


def first(kind: type[SomeFact], facts: Sequence[Fact]) -> SomeFact:
    """The first fact of a kind."""
    found = [fact for fact in facts if isinstance(fact, kind)]
    assert found, f"no {kind.__name__} followed"
    return found[0]


# Packs


def flags_of(shipped: str, *terms: Instrument, **figures: Any) -> RulePack:
    """A shipped pack's flags over instruments that a case describes."""
    pack = load_pack(shipped)
    bare: dict[str, Any] = {"valuation": "", "collateral": (), "spot": (), "interest_interval": 0, "fee_tiers": ()}
    return replace(pack, instruments=terms or pack.instruments, **bare | figures).check()


def terms_of(shipped: str, held: Held, number: int = 0, **figures: Any) -> Instrument:
    """An instrument of a shipped pack in which the position is a whole number of lots, and without fees unless given.

    An inverse one keeps its lot.
    """
    terms = load_pack(shipped).instruments[number]
    free = {"id": held.symbol, "maker_fee": 0, "taker_fee": 0, "liquidation_fee": 0, "min_lots": 1, "max_lots": 10**15}
    if hasattr(terms, "contract_value"):
        grain = {"tick": UNIT // held.entry.denominator}
    else:
        grain = {"tick": held.size.denominator, "lot": UNIT // held.size.denominator}
    return replace(terms, **free | grain | {"min_notional": 0} | figures)


def brackets_with(mmr: Fraction, cum: Fraction = Fraction(0)) -> tuple[Bracket, ...]:
    """Brackets in which a position is maintained at this rate, less this amount where the case states one."""
    rate, amount, endless = Rate(units(mmr)), Atoms(units(cum)), Atoms(units(ENDLESS))
    if not amount:
        return (Bracket(Atoms(0), endless, 125, rate, amount),)
    below = Rate(rate // 2)
    floor = Atoms(amount * UNIT // (rate - below))
    return Bracket(Atoms(0), floor, 125, below, Atoms(0)), Bracket(floor, endless, 125, rate, amount)


# Situations


def in_cross(pack: RulePack, wallet: Fraction, positions: Sequence[Held]) -> Session:
    """Ann holds the positions in cross mode, and her wallet is what the case says once their fees are paid."""
    session = Session(pack)
    asset = pack.instruments[0].settle
    session.deposit("ann", wallet, asset)
    for held in positions:
        session.mark(held.symbol, held.entry)
        session.enter(held)
        session.top_up(held, wallet)
    return session


def isolated(pack: RulePack, held: Held, leverage: int, *, hedged: bool = False) -> Session:
    """Ann holds the position in isolated mode, with the margin that its leverage asks for."""
    session = Session(pack)
    session.deposit("ann", ENDLESS, pack.instruments[0].settle)
    if hedged:
        session.ask(c.SetPositionMode, account="ann", hedges=True)
    session.ask(c.SetMarginMode, account="ann", instrument=held.symbol, mode=MarginMode.ISOLATED)
    session.leverage(held, leverage)
    session.mark(held.symbol, held.entry)
    session.enter(held)
    return session


def isolated_with(pack: RulePack, held: Held, wallet: Fraction, leverage: int = 1, *, hedged: bool = False) -> Session:
    """As `isolated`; margin is added up to the isolated wallet of the case, at the first leverage that leaves room."""
    while True:
        session = isolated(pack, held, leverage, hedged=hedged)
        missing = units(wallet) - session.position(held).isolated
        session.add_margin(held, missing)
        if missing >= -1:
            return session
        leverage += 1
