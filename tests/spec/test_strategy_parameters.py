"""Parameters of strategies: declared as keyword arguments, given as text, made what each of them is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from events.commands import Side
from examples.quoter import Quoter
from replay.arguments import ArgumentError, arguments
from replay.loading import StrategyError, make_strategy
from replay.strategy import Strategy
from tests.command_line import ringfence


class Tuned(Strategy):
    def __init__(
        self, size: Decimal = Decimal(1), levels: int = 3, share: float = 0.5, name: str = "", *, side: Side = Side.BUY,
        way: Literal["up", "down"] = "up", stop: Decimal | None = None, is_shy: bool = False, guessed=7, left=None,  # type: ignore[no-untyped-def]
    ) -> None:  # fmt: skip
        self.given = dict(vars())


class Open(Strategy):
    def __init__(self, **more: Any) -> None:
        self.more = more


class Odd(Strategy):
    def __init__(self, sizes: tuple[Decimal, ...] = ()) -> None:
        self.sizes = sizes


class Plain(Strategy):
    pass


class Heir(Tuned):
    pass


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("size", "0.010", Decimal("0.010")),
        ("levels", "-4", -4),
        ("share", "1e-3", 0.001),
        ("name", "0.5", "0.5"),
        ("side", "sell", Side.SELL),
        ("way", "down", "down"),
        ("stop", "55000", Decimal(55000)),
        ("stop", "none", None),
        ("is_shy", "true", True),
        ("guessed", "8", 8),
        ("left", "here", "here"),
    ],
)
def test_text_becomes_what_the_parameter_is(name: str, text: str, value: object) -> None:
    made = arguments(Tuned, {name: text})
    assert made == {name: value}
    assert type(made[name]) is type(value)


def test_a_subclass_has_the_parameters_of_its_base() -> None:
    assert arguments(Heir, {"levels": "2"}) == {"levels": 2}


def test_who_takes_any_name_gets_text() -> None:
    assert arguments(Open, {"whatever": "1"}) == {"whatever": "1"}


def test_what_is_not_given_is_left_at_its_default() -> None:
    assert arguments(Tuned, {}) == {}
    assert arguments(Plain, {}) == {}


@pytest.mark.parametrize(
    ("make", "given", "why"),
    [
        (Tuned, {"sise": "1"}, "no parameter 'sise'; the nearest is 'size'"),
        (Quoter, {"zzz": "1"}, "no parameter 'zzz'; give size or most"),
        (Plain, {"size": "1"}, "no parameter 'size'; it has no parameters"),
        (Tuned, {"levels": "3.5"}, "parameter 'levels' is '3.5'; give a whole number"),
        (Tuned, {"size": "much"}, "parameter 'size' is 'much'; give a number"),
        (Tuned, {"is_shy": "1"}, "parameter 'is_shy' is '1'; give true or false"),
        (Tuned, {"side": "long"}, "parameter 'side' is 'long'; give buy or sell"),
        (Tuned, {"way": "left"}, "parameter 'way' is 'left'; give up or down"),
        (Tuned, {"stop": "x"}, "parameter 'stop' is 'x'; give a number or none"),
        (
            Odd,
            {"sizes": "1"},
            "parameter 'sizes' is a tuple[decimal.Decimal, ...], which no text stands for; let it be a number or text",
        ),
    ],
)
def test_what_will_not_do_is_told_with_what_may_be_given(make: type, given: dict[str, str], why: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        arguments(make, given)
    assert str(raised.value) == why


def test_a_strategy_is_made_with_its_parameters() -> None:
    made = make_strategy("examples.quoter:Quoter", {"size": "0.05"})
    assert isinstance(made, Quoter)
    assert (made.size, made.most) == (Decimal("0.05"), Decimal(1))
    with pytest.raises(StrategyError, match=r"^strategy 'examples\.quoter:Quoter': no parameter 'szie'; the nearest"):
        make_strategy("examples.quoter:Quoter", {"szie": "0.05"})


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("market") / "market.dat"
    ringfence("synth", path, "--seconds", 30, "--seed", 2)
    return path


def test_a_replay_gives_its_strategy_the_parameters(market: Path) -> None:
    quoting = ("replay", market, "--strategy", "examples.quoter:Quoter", "--account", "ann:cross:10:10000", "--json")
    small, large = (ringfence(*quoting, "--param", f"size={size}").json for size in ("0.01", "0.1"))
    assert 0 < Decimal(small["accounts"]["ann"]["fees"]) < Decimal(large["accounts"]["ann"]["fees"])


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (("--param", "size"), "--param size: write NAME=VALUE, e.g. size=0.01"),
        (("--param", "size=1", "--param", "size=2"), "--param size=2: size is given already, as 1; give it once"),
        (
            ("--param", "siez=1"),
            "strategy 'examples.quoter:Quoter': no parameter 'siez'; the nearest is 'size'",
        ),
        (
            ("--param", "size=big"),
            "strategy 'examples.quoter:Quoter': parameter 'size' is 'big'; give a number",
        ),
    ],
)
def test_a_mistaken_parameter_is_told_in_one_line(market: Path, more: tuple[str, ...], complaint: str) -> None:
    said = ringfence(
        "replay", market, "--strategy", "examples.quoter:Quoter", "--account", "ann:cross:10:10000", *more, status=2
    )
    assert said.complaint == complaint


def test_a_parameter_without_a_strategy_is_told(market: Path) -> None:
    said = ringfence("replay", market, "--param", "size=1", status=2)
    assert said.complaint == "--param size=1 needs a strategy: add --strategy module:Class"
