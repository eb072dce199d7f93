"""Accounts over the native API: what they hold, their settings, money, and the keys that speak for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from events import commands as c
from events.commands import AccountId
from events.instruments import AssetId
from events.units import Atoms
from gateway.native.desk import Client
from gateway.native.messages import Account, KeyTold, MarginChange, Money, NewAccount, NewKey, Outcome, Setting
from gateway.native.orders import fills_of, income_of
from gateway.native.problems import Asked, refused
from gateway.native.standing import account_of
from gateway.serving.keys import Key, KeyKind, Scope
from replay.parameters import atoms

READ, TRADE, WITHDRAW, ADMIN = ({"scope": scope.value} for scope in Scope)
MOST = 1_000
"""So many rows are answered at most."""


@get("/account", opt=READ)
async def show_account(client: NamedDependency[Client]) -> Account:
    """The account as it stands: wallets, positions with their liquidation prices, open orders."""
    venue = client.desk.venue
    await venue.settled()
    return account_of(venue.state, client.account, venue.calendar.shown(venue.now))


@get("/fills", opt=READ)
async def list_fills(
    client: NamedDependency[Client],
    instrument: FromQuery[str] = "",
    limit: FromQuery[int] = 100,
    after: FromQuery[int] = 0,
) -> list[Any]:
    """Fills, oldest first: the newest ones, or those after a record."""
    await client.desk.venue.settled()
    return fills_of(client, instrument, max(1, min(limit, MOST)), after)


@get("/income", opt=READ)
async def list_income(
    client: NamedDependency[Client],
    instrument: FromQuery[str] = "",
    limit: FromQuery[int] = 100,
    after: FromQuery[int] = 0,
) -> list[Any]:
    """Realised PnL, fees, funding, transfers, oldest first: the newest ones, or those after a record."""
    await client.desk.venue.settled()
    return income_of(client, instrument, max(1, min(limit, MOST)), after)


@post("/margin", opt=TRADE, status_code=200)
async def move_margin(client: NamedDependency[Client], data: JSONBody[MarginChange]) -> Outcome:
    """Move money to the isolated wallet of a position, or back."""
    return await client.ask(client.made(lambda context: context.add_margin(data.instrument, data.amount, data.leg)))  # type: ignore[arg-type]


@put("/settings", opt=TRADE)
async def change_settings(client: NamedDependency[Client], data: JSONBody[Setting]) -> list[Outcome]:
    """Change leverage, margin mode, position mode and the like: all that is given, one after the other."""
    settings = {
        "leverage": lambda context: context.set_leverage(data.instrument, data.leverage),
        "mode": lambda context: context.set_margin_mode(data.instrument, data.mode),
        "auto_add_margin": lambda context: context.auto_add_margin(data.instrument, data.auto_add_margin),
        "hedges": lambda context: context.use_legs(data.hedges),
        "multi_asset": lambda context: context.use_all_assets(data.multi_asset),
    }
    asked = [make for name, make in settings.items() if getattr(data, name) is not None]
    if not asked:
        raise Asked("bad_request", f"nothing to change; give one of {', '.join(settings)}")
    return [await client.ask(client.made(make)) for make in asked]


@post("/withdrawals", opt=WITHDRAW, status_code=200)
async def withdraw(client: NamedDependency[Client], data: JSONBody[Money]) -> Outcome:
    """Take money out that no position and no order needs."""
    return await client.ask(_money(client, c.Withdraw, data))


@post("/transfers", opt=WITHDRAW, status_code=200)
async def transfer(client: NamedDependency[Client], data: JSONBody[Money]) -> Outcome:
    """Move money to another account, `to`."""
    return await client.ask(client.made(lambda context: context.transfer(data.asset, data.amount, data.to)))


@post("/deposits", opt=ADMIN, status_code=200)
async def deposit(client: NamedDependency[Client], data: JSONBody[Money]) -> Outcome:
    """Pay money in."""
    return await client.ask(_money(client, c.Deposit, data))


def _money(client: Client, kind: type[c.Deposit] | type[c.Withdraw], data: Money) -> c.TradersCommand:
    with refused():
        amount: Atoms = atoms("amount", Decimal(data.amount))
    return kind(client.desk.venue.now, client.account, client.request(), AssetId(data.asset), amount)


@get("/accounts", opt=ADMIN)
async def list_accounts(client: NamedDependency[Client]) -> list[str]:
    """The names of all accounts."""
    return [name for name, account in client.desk.venue.state.accounts.items() if not account.is_reserved]


@post("/accounts", opt=ADMIN, status_code=201)
async def open_account(client: NamedDependency[Client], data: JSONBody[NewAccount]) -> list[Outcome]:
    """Open an account and pay in."""
    if not (data.name and data.name.isascii() and data.name.isprintable()):
        raise Asked("bad_request", "name: give printable ASCII")
    new = Client(client.desk, client.key, AccountId(data.name), client.idempotency)
    outcomes = [await new.ask(c.OpenAccount(client.desk.venue.now, new.account, new.request()))]
    for asset, amount in data.deposit.items():
        outcomes.append(await new.ask(_money(new, c.Deposit, Money(asset=asset, amount=amount))))
    return outcomes


@get("/keys", opt=ADMIN)
async def list_keys(client: NamedDependency[Client]) -> list[KeyTold]:
    """All keys, without their secrets."""
    return [_told(key) for key in client.desk.keys.keys()]  # noqa: SIM118 - it is no dict


@post("/keys", opt=ADMIN, status_code=201)
async def make_key(client: NamedDependency[Client], data: JSONBody[NewKey]) -> KeyTold:
    """Make a key for an account. The answer is the only place where its secret is told."""
    if data.account not in client.desk.venue.state.accounts:
        raise Asked("unknown_account", f"there is no account {data.account!r}; open it first", 404)
    scopes = [Scope(scope) for scope in data.scopes]
    with refused():
        key, secret = client.desk.keys.create(
            AccountId(data.account), scopes, KeyKind(data.kind), data.public_key, data.label
        )
    return _told(key, secret)


@delete("/keys/{id:str}", opt=ADMIN, status_code=200)
async def revoke_key(client: NamedDependency[Client], id: FromPath[str]) -> dict[str, bool]:
    """Take a key out of use."""
    if not client.desk.keys.revoke(id):
        raise Asked("unknown_key", f"there is no key {id!r}", 404)
    return {"revoked": True}


def _told(key: Key, secret: str = "") -> KeyTold:
    return KeyTold(
        id=key.id, account=key.account, scopes=[scope.value for scope in key.scopes], kind=key.kind.value,
        label=key.label, created=key.created, secret=secret,
    )  # fmt: skip


HANDLERS = [
    show_account, list_fills, list_income, move_margin, change_settings, withdraw, transfer, deposit, list_accounts,
    open_account, list_keys, make_key, revoke_key,
]  # fmt: skip
