"""What traders do with their accounts: money in and out and across, modes, leverage, margin."""

from __future__ import annotations

from events import commands as c
from events.commands import Command
from events.instruments import AssetId, MarginMode
from tests.sim.traders import Traders


def deposit(t: Traders) -> Command:
    """Money comes in."""
    account = t.dice.choices((t.account(), c.INSURANCE), (9, 1))[0]
    funds = t.world.state.house()[1:]
    return t.gift(t.dice.choice(funds) if account == c.INSURANCE and len(funds) > 1 else account, t.asset())


def withdraw(t: Traders) -> Command:
    """Money goes out: some, all that is free, or more than that."""
    account, asset = t.account(), t.asset()
    return c.Withdraw(t.at, account, t.request(), asset, _most(t, account, asset))


def transfer(t: Traders) -> Command:
    """Money goes to another account, or a little too much of it."""
    account, asset = t.account(), t.asset()
    return c.Transfer(t.at, account, t.request(), asset, _most(t, account, asset), t.account())


def exchange(t: Traders) -> Command:
    """An asset becomes another one: some of it, or all."""
    account, asset, into = t.account(), t.asset(), t.asset()
    wallet = t.world.state.accounts[account].wallets.get(asset) if account in t.world.state.accounts else None
    balance = max(0, wallet.balance) if wallet else 0
    amount = t.dice.choice((1, balance // 10, balance // 2, balance, _most(t, account, asset)))
    return c.ExchangeAsset(t.at, account, t.request(), asset, amount, into)


def _most(t: Traders, account: c.AccountId, asset: AssetId) -> int:
    return t.free(account, asset) * t.dice.choice((1, 2, 2, 3)) // 2 + t.dice.randint(-1, 1)


def trickle(t: Traders) -> Command:
    """Money comes in drop by drop to somebody who holds something, at times very often: the triggers move each time."""
    held = [p for a in t.accounts() for p in a.positions.values() if p.lots and not p.is_isolated]
    if not held:
        return deposit(t)
    alone = [p for p in held if p.wallet.multi is None and sum(q.lots != 0 for q in p.wallet.positions) == 1]
    position = t.dice.choice(alone or held)
    name, asset, drop = position.account, position.contract.settle, 1 + abs(position.entry_value) // 10**6
    t.planned = [lambda t: c.Deposit(t.at, name, t.request(), asset, drop)] * t.dice.choice((3, 3, 3, 3, 110))
    return c.Deposit(t.at, name, t.request(), asset, drop)


def leverage(t: Traders) -> Command:
    """Another leverage."""
    wanted = t.dice.choice((0, 1, 2, 3, 10, 20, 50, 75, 100, 125, 126))
    return c.SetLeverage(t.at, t.account(), t.request(), t.terms().id, wanted)


def mode(t: Traders) -> Command:
    """Another margin mode."""
    wanted = t.dice.choice((MarginMode.ISOLATED, MarginMode.ISOLATED, MarginMode.CROSS))
    return c.SetMarginMode(t.at, t.account(), t.request(), t.terms().id, wanted)


def other_mode(t: Traders) -> Command:
    """The other margin mode for what is held, which some venues allow."""
    held = [p for a in t.accounts() for p in a.positions.values() if p.lots and not p.open_orders]
    if not held:
        return mode(t)
    position = t.dice.choice(held)
    wanted = MarginMode.CROSS if position.is_isolated else MarginMode.ISOLATED
    return c.SetMarginMode(t.at, position.account, t.request(), position.contract.id, wanted)


def position_mode(t: Traders) -> Command:
    """One position an instrument or two legs: of an account that holds nothing, where there is one."""
    flat = [a for a in t.accounts() if not a.orders and not any(p.lots for p in a.positions.values())]
    account = t.dice.choice(flat or t.accounts() or [None])
    name = account.name if account else t.account()
    return c.SetPositionMode(t.at, name, t.request(), t.dice.random() < 0.7)


def collateral_mode(t: Traders) -> Command:
    """All wallets together, or each for itself."""
    calm = [a for a in t.accounts() if not a.orders and not any(p.lots for p in a.positions.values())]
    name = t.dice.choice(calm).name if calm and t.dice.random() < 0.5 else t.account()
    if any(a.name == name and a.multi for a in calm):
        factor = t.dice.choice((3, 30))
        t.planned = [
            lambda t, pair=pair: c.SetIndexPrice(t.at, pair.id, t.indices[pair.id] * factor // 10)
            for pair in t.pack.spot
        ]
        return c.SetCollateralMode(t.at, name, t.request(), False)
    return c.SetCollateralMode(t.at, name, t.request(), t.dice.random() < 0.6)


def auto_add(t: Traders) -> Command:
    """Margin added by itself, or not."""
    isolated = [p for a in t.accounts() for p in a.positions.values() if p.is_isolated and p.lots]
    position = t.dice.choice(isolated) if isolated and t.dice.random() < 0.8 else None
    name, instrument = (position.account, position.contract.id) if position else (t.account(), t.terms().id)
    return c.SetAutoAddMargin(t.at, name, t.request(), instrument, t.dice.random() < 0.7)


def margin(t: Traders) -> Command:
    """Margin moves to or from an isolated position."""
    account, terms, leg = t.account(), t.terms(), t.leg()
    isolated = [p for a in t.accounts() for p in a.positions.values() if p.is_isolated and p.lots]
    if isolated and t.dice.random() < 0.9:
        position = t.dice.choice(isolated)
        account, terms, leg = position.account, position.contract.terms, position.leg
    most = max(1, t.free(account, terms.settle) // t.dice.choice((1, 3, 50)))
    amount = t.dice.choice((1, most, t.dice.randint(0, most)))
    return t.dice.choice((c.AddMargin, c.RemoveMargin))(t.at, account, t.request(), terms.id, amount, leg)
