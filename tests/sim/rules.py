"""The rules of made-up sessions: binance-usdm with some terms changed, a pack as it is shipped, or rules by chance.

Prices, of instruments and of spot pairs, are in mark units; worth is what one whole of an asset is worth in dollars.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import msgspec

from events.instruments import AssetId, Bracket, RulePack, load_pack, pack_names
from events.units import SECOND, UNIT
from tests.full_batches import USUAL
from tests.sim.chance import NONE, Dice, by_chance, worth_of
from tests.sim.themes import theme_of

START = 1_700_000_000 * SECOND
PRICES = {"BTCUSDT": 60_000 * UNIT, "ETHUSDT": 3_000 * UNIT, "DOGEUSDT": UNIT // 8}
CHEAP = {"DOGE": UNIT // 8, "AUD": 2 * UNIT // 3}

SHIPPED = [name for name in pack_names() if not load_pack(name).beyond_sessions()]
"""The packs that sessions know."""


class Rules(NamedTuple):
    """A pack, and where prices start; plain ones know nothing but linear perpetuals and the default flags."""

    pack: RulePack
    prices: dict[str, int]
    is_plain: bool


def rules(seed: int, rich: int) -> Rules:
    """The rules of a seed, in rotation: of four seeds one by chance, one by chance but for a theme, one plain, and
    one as the next venue has them.
    """
    turn, dice = seed % 4, Dice(f"{seed} rules")
    if turn == 1:
        pack = plain(dice, rich)
    elif turn == 3:
        pack = shipped(dice, SHIPPED[seed // 4 % len(SHIPPED)])
    else:
        pack = by_chance(dice, rich, START, theme_of(seed) or NONE)
    prices = {terms.id: PRICES.get(terms.id) or price_of(terms.base) for terms in pack.instruments}
    prices |= {pair.id: price_of(pair.base) for pair in pack.spot}
    return Rules(pack, prices, turn == 1)


def batch_facts(seed: int) -> int:
    """How many facts a batch of the session holds: in one of four so few that batches are full now and then."""
    dice, theme = Dice(f"{seed} batches"), theme_of(seed)
    if theme is not None and theme.batch_facts:
        return theme.batch_facts
    return dice.choice((4, 6, 9, 14)) if dice.random() < 0.25 else USUAL


def price_of(base: str) -> int:
    """A price of an asset in dollars, mark units."""
    return CHEAP.get(base) or worth_of(base, 10) * UNIT


def plain(dice: Random, rich: int) -> RulePack:
    """Two or three instruments of the default pack, some terms changed: settle asset, rebate, sizes for the rich."""
    whole = load_pack("binance-usdm")
    scale = max(1, rich // dice.choice((100_000, 10_000_000)))
    chosen = []
    for terms in whole.instruments:
        if terms.id in PRICES and (terms.id != "ETHUSDT" or dice.random() < 0.6):
            settle = AssetId("USDC") if terms.id == "DOGEUSDT" and dice.random() < 0.3 else terms.settle
            chosen.append(
                msgspec.structs.replace(
                    terms,
                    settle=settle,
                    quote=settle,
                    maker_fee=dice.choice((terms.maker_fee, terms.maker_fee, 0, -5_000)),
                    min_lots=dice.choice((1, 1, 2)),
                    max_lots=terms.max_lots * scale,
                    brackets=tuple(scaled(bracket, scale) for bracket in terms.brackets),
                )
            )
    return msgspec.structs.replace(whole, instruments=tuple(chosen), max_orders=dice.choice((3, 8, 200))).check()


def scaled(bracket: Bracket, by: int) -> Bracket:
    """A bracket with all its amounts multiplied."""
    return msgspec.structs.replace(bracket, floor=bracket.floor * by, cap=bracket.cap * by, cum=bracket.cum * by)


def shipped(dice: Random, name: str) -> RulePack:
    """Some instruments of a venue, under its own rules."""
    whole = load_pack(name)
    chosen = dice.sample(whole.instruments, min(len(whole.instruments), dice.randint(1, 3)))
    return msgspec.structs.replace(whole, instruments=tuple(chosen)).check()
