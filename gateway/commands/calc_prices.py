"""Prices of a position: where it is due, where nothing is left, and what it is worth."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from events.rules import ExitFee, MaintenanceBasis
from events.units import UNIT
from exchange.calculator import (
    Holding,
    Liquidation,
    Pool,
    Rules,
    bankruptcy_price,
    cross_wallet,
    flat,
    initial_margin,
    isolated_wallet,
    liquidation,
    maintenance,
    result_of,
    rounded_to_be_safe,
    tier_at,
)
from gateway.commands.calc_given import Given, number_of
from gateway.commands.calc_subaccount import of_subaccount
from gateway.commands.calc_text import Answer
from gateway.errors import UsageError


def liq_price(given: Given) -> tuple[Answer, str]:
    """Liquidation price: as the venue shows it, exactly, and the first due mark."""
    pool = pool_of(given, given.rules())
    leg, found = pool.legs[0], liquidation(pool)
    bankrupt = bankruptcy_of(given, pool) if len(pool.legs) == 1 else None
    at = given.maybe("mark") or leg.entry
    is_reached = found.trigger is not None or found.is_always_due
    answer = {
        "liquidation_price": found.shown if is_reached else None,
        "liquidation_price_exact": found.exact,
        "liquidation_trigger": None if found.trigger is None else Fraction(found.trigger, UNIT),
        "bankruptcy_price": bankrupt if bankrupt is not None and bankrupt >= 0 else None,
        "notional": leg.value(at),
        **({"initial_margin": initial_margin(leg.entry_value, given.leverage())} if "leverage" in given else {}),
        "maintenance_margin": pool.leg_maintenance(leg, at),
        **_bracket(pool, leg.entry_value if pool.rules.basis is MaintenanceBasis.ENTRY else leg.value(at), found),
        "wallet": pool.wallet,
    }
    if found.is_always_due:
        return answer, "No liquidation price: the position is due at every mark."
    return answer, "" if is_reached else "No liquidation price: no mark makes the position due."


def _bracket(pool: Pool, notional: Fraction, found: Liquidation) -> dict[str, Fraction]:
    """The bracket of the maintenance margin, and that at the liquidation price where it is another one."""
    here = tier_at(pool.rules.schedule, notional)
    answer = {"mmr": here.mmr, "cum": here.cum}
    if found.trigger is not None and (here.mmr, here.cum) != (found.mmr, found.cum):
        answer |= {"mmr_at_liquidation": found.mmr, "cum_at_liquidation": found.cum}
    return answer


def bankruptcy(given: Given) -> tuple[Answer, str]:
    """Bankruptcy price, exact and on the tick that leaves no debt; of a dYdX subaccount in quote quantums."""
    if any(name in given for name in ("usdc_quote_quantums", "position", "delta_base_quantums")):
        return of_subaccount(given), ""
    taker = given.taker_fee()
    known = given.terms is not None or any(name in given for name in ("mmr", "bracket", "max_leverage"))
    rules = given.rules() if known else Rules((), exit_fee=given.pack.exit_fee, taker_fee=taker)
    pool = pool_of(given, rules, default_size=1)
    exact, tick = bankruptcy_of(given, pool), given.tick()
    has_price = exact is not None and exact >= 0
    answer: dict[str, Fraction | None] = {"bankruptcy_price": exact if has_price else None}
    if tick is not None and exact is not None and has_price:
        answer["bankruptcy_price_on_tick"] = rounded_to_be_safe(exact, pool.legs[0].sign, tick)
    answer["wallet"] = pool.wallet
    return answer, "" if has_price else "No bankruptcy price: no price uses up the wallet."


def pnl(given: Given) -> tuple[Answer, str]:
    """PnL, and what closing at that price realises."""
    leg, close = given.holding("entry"), given.positive("exit")
    fees = {name: given.number(name, given.taker_fee()) for name in ("open_fee", "close_fee")}
    result = result_of(leg, close, **fees, penalty=given.number("penalty"), funding=given.number("funding"))
    if "total_fee" in given:
        result = result._replace(open_fee=given.need("total_fee") - result.close_fee)
    return {
        "pnl": result.pnl,
        "open_fee": result.open_fee,
        "close_fee": result.close_fee,
        "total_fee": result.fees,
        "funding": result.funding,
        "liquidation_penalty": result.liquidation_penalty,
        "realised_pnl": result.realised,
        "entry_value": leg.entry_value,
        "notional": leg.value(close),
    }, ""


def pool_of(given: Given, rules: Rules, default_size: int | None = None) -> Pool:
    """The pool that answers for the position that was given."""
    if any(name in given for name in ("wallet", "extra_margin", "order_margin")):
        default_size = None
    leg = given.holding("entry", default_size=default_size)
    extra = given.number("extra_margin") - given.number("order_margin")
    others = [name for name in ("other_mm", "other_upnl") if given.number(name)]
    others += [name for name in ("other", "leg") if name in given]
    if "wallet" not in given and "leverage" not in given:
        raise UsageError("--wallet is missing, or the --leverage that it follows from")
    if given.mode == "cross":
        wallet = given.need("wallet") + extra if "wallet" in given else isolated_wallet(leg, given.leverage(), extra)
        legs = (leg, *(_leg(given, *parts) for parts in given.parts("leg", "SIDE:SIZE:ENTRY")))
        rows = [_other(given, *parts) for parts in given.parts("other", "SIDE:SIZE:ENTRY:MARK:MMR[:CUM]")]
        other_mm = sum((mm for mm, _ in rows), given.number("other_mm"))
        return Pool(wallet, legs, rules, other_mm, sum((upnl for _, upnl in rows), given.number("other_upnl")))
    if others:
        raise UsageError(f"--{others[0].replace('_', '-')} goes with --mode cross: an isolated position stands alone")
    if "wallet" in given:
        return Pool(given.need("wallet") + extra, (leg,), rules)
    # A position opened by its leverage has the fee to close it put aside beside this wallet.
    fee = ExitFee.NONE if rules.exit_fee is ExitFee.AT_BANKRUPTCY else rules.exit_fee
    return Pool(isolated_wallet(leg, given.leverage(), extra), (leg,), replace(rules, exit_fee=fee))


def bankruptcy_of(given: Given, pool: Pool) -> Fraction | None:
    """The bankruptcy price of the pool's position, by its share of the equity where a mark was given."""
    leg, rules, mark = pool.legs[0], pool.rules, given.maybe("mark")
    fee = rules.taker_fee if rules.exit_fee is ExitFee.AT_BANKRUPTCY else Fraction(0)
    if given.mode == "isolated" or mark is None or not pool.other_maintenance:
        return bankruptcy_price(leg, pool.backing, fee)
    if not rules.schedule:
        raise UsageError("the share of a cross position needs its maintenance margin: give --mmr")
    own = pool.leg_maintenance(leg, mark)
    return bankruptcy_price(leg, cross_wallet(leg, mark, pool.equity(mark), own, pool.other_maintenance), fee)


def _leg(given: Given, side: str, size: str, entry: str, option: str = "--leg") -> Holding:
    other = Given({"side": side, "size": size, "entry": entry})
    if any(number_of(part, option) <= 0 for part in (size, entry)):
        raise UsageError(f"{option}: size and entry price must be above 0")
    return Holding(other.sign(), other.size(), other.need("entry"), given.contract, given.is_inverse)


def _other(given: Given, side: str, size: str, entry: str, *rest: str) -> tuple[Fraction, Fraction]:
    """Maintenance margin and unrealised PnL of a position in another symbol."""
    leg = _leg(given, side, size, entry, "--other")
    mark, mmr, cum = (number_of(part, "--other") for part in (*rest, "0")[:3])
    if mark <= 0:
        raise UsageError("--other: the mark must be above 0")
    return maintenance(flat(mmr, cum), leg.value(mark)), leg.pnl(mark)
