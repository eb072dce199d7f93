"""`ringfence synth`: a seed and a length make one market, always the same."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from replay.synth import generated
from tests.command_line import ringfence


def test_a_seed_and_a_length_give_one_file_and_other_ones_another(tmp_path: Path) -> None:
    def text(*options: object) -> str:
        ringfence("synth", tmp_path / "market", "--seconds", 3, *options)
        return (tmp_path / "market").read_text()

    assert text() == text() == "".join(generated(7, seconds=3))
    assert len({text(), text("--seed", 8), text("--no-crash"), text("--symbol", "ETHUSDT"), text("--seconds", 4)}) == 5


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    file = tmp_path / "market"
    said = ringfence("synth", file, "--seed", 5, "--seconds", 2)
    assert (said.out, said.err) == (f"{file}: 2 s of BTCUSDT, seed 5, with a crash\n", "")
    said = ringfence("synth", file, "--seed", 5, "--seconds", 2, "--no-crash")
    assert said.out == f"{file}: 2 s of BTCUSDT, seed 5\n"


def test_a_name_that_ends_in_gz_is_packed_and_holds_the_same(tmp_path: Path) -> None:
    for name in ("market", "market.gz"):
        ringfence("synth", tmp_path / name, "--seconds", 2)
    assert gzip.decompress((tmp_path / "market.gz").read_bytes()) == (tmp_path / "market").read_bytes()


@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT"])
def test_what_it_writes_can_be_replayed_without_a_defect(tmp_path: Path, symbol: str) -> None:
    file = tmp_path / "market"
    ringfence("synth", file, "--seconds", 5, "--symbol", symbol)
    said = ringfence("replay", file, "--strict", "--json").json
    assert said["trades"] > 0
    assert said["top_of_book"][1] == 0
    assert set(said["skipped"]) == {"before_snapshot"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("market", "--seconds", 0), "--seconds 0: give at least 1"),
        (("market", "--seconds", -5), "--seconds -5: give at least 1"),
        (("nowhere/market",), "nowhere/market: the folder nowhere does not exist; create it first"),
        ((".",), ".: Is a directory; check the path, the rights to it and the room on the disk"),
    ],
)
def test_what_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ringfence("synth", *arguments, status=2).complaint == complaint
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_symbol_is_told_with_those_of_the_pack(tmp_path: Path) -> None:
    said = ringfence("synth", tmp_path / "market", "--symbol", "PEPEUSDT", status=2)
    assert said.complaint.startswith("rule pack binance-usdm has no PEPEUSDT; it has BTCUSDT, ETHUSDT, ")
