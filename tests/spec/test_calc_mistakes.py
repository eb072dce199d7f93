"""`ringfence calc`: one line for each mistake, which says what is wrong, where, and what to give."""

from __future__ import annotations

import pytest

from tests.command_line import ringfence
from tests.spec.test_calc_cli import ANY, LONG

MISTAKES = [
    (("liq-price", *LONG), "--wallet is missing, or the --leverage that it follows from"),
    (("liq-price", *LONG, "--mode", "cross"), "--wallet is missing, or the --leverage"),
    (("liq-price", *LONG, "--mode", "both", "--leverage", "5"), "--mode: 'both' is neither isolated nor cross"),
    (("liq-price", *LONG, "--leverage", "5", "--other-mm", "7"), "--other-mm goes with --mode cross"),
    (("liq-price", *LONG, "--leverage", "5", "--leg", "short:1:2"), "--leg goes with --mode cross"),
    (("liq-price", *LONG, "--leverage", "x"), "--leverage: 'x' is not a decimal number"),
    (("liq-price", *LONG, "--leverage", "1_0"), "--leverage: '1_0' is not a decimal number"),
    (("liq-price", *LONG, "--leverage", "nan"), "--leverage: 'nan' is not a decimal number"),
    (("liq-price", *LONG, "--leverage", "1/2"), "--leverage: '1/2' is not a decimal number"),
    (("liq-price", *LONG, "--leverage", "0"), "--leverage must be above 0"),
    (("liq-price", *LONG[:-1], "0", "--leverage", "5"), "--entry must be above 0"),
    (("liq-price", *LONG[:-2], "--leverage", "5"), "--entry is missing"),
    (("liq-price", "--symbol", "BTCUSDT", "--entry", "9", "--leverage", "5"), "--side is missing"),
    (("liq-price", *LONG[:4], "--entry", "9", "--leverage", "5"), "--size is missing"),
    (("liq-price", *LONG[:5], "-1", "--entry", "9", "--leverage", "5"), "--size must be above 0"),
    (("liq-price", *LONG[:3], "up", *LONG[4:], "--leverage", "5"), "--side: 'up' is neither long nor short"),
    (("liq-price", "--symbol", "X", *LONG[2:], "--leverage", "5"), "binance-usdm has no 'X': give --mmr and --cum, or"),
    (("liq-price", *LONG[2:], "--leverage", "5"), "--symbol is missing: give --mmr and --cum, or one of BTCUSDT"),
    (("liq-price", "--pack", "mtgox", *LONG, "--leverage", "5"), "no rule pack 'mtgox': take one of binance-coinm"),
    (("liq-price", *LONG, "--leverage", "5", "--cum", "5"), "--cum goes with --mmr"),
    (("liq-price", *LONG, "--leverage", "5", "--mmr", "1"), "a maintenance margin rate (mmr) must be at least 0"),
    (("liq-price", *LONG, "--leverage", "5", "--taker", "1"), "maintenance margin rate and taker fee must be below 1"),
    (
        ("liq-price", *LONG, "--leverage", "5", "--max-leverage", "5"),
        "--max-leverage: maintenance margin of binance-usdm",
    ),
    (("liq-price", *LONG, "--leverage", "5", "--bracket", "1"), "--bracket: '1' is not FLOOR:MMR[:CUM]"),
    (("liq-price", *LONG, "--leverage", "5", "--bracket", "0:x"), "--bracket: 'x' is not a decimal number"),
    (
        ("liq-price", *LONG, "--leverage", "5", "--bracket", "0:0.1", "--bracket", "0:0.2"),
        "the floors of brackets must rise",
    ),
    (
        ("liq-price", *LONG, "--leverage", "5", "--bracket", "0:0.1", "--bracket", "9:0.2:9"),
        "--bracket: only the first one may state its CUM",
    ),
    (
        ("liq-price", *LONG, "--mode", "cross", "--wallet", "9", "--leg", "short:1"),
        "--leg: 'short:1' is not SIDE:SIZE:ENTRY",
    ),
    (
        ("liq-price", *LONG, "--mode", "cross", "--wallet", "9", "--leg", "short:0:1"),
        "--leg: size and entry price must",
    ),
    (
        ("liq-price", *LONG, "--mode", "cross", "--wallet", "9", "--leg", "a:1:1"),
        "--side: 'a' is neither long nor short",
    ),
    (
        ("liq-price", "--pack", "kraken-futures", "--side", "long", "--size", "1", "--entry", "1", "--mmr", "0.1"),
        "kraken-futures has linear and inverse instruments: add --linear or --inverse",
    ),
    (
        ("liq-price", "--pack", "bybit-inverse", *ANY, "--mode", "cross", "--wallet", "1", "--leg", "long:1:1"),
        "the fee at the bankruptcy price is that of one position",
    ),
    (("liq-price", *LONG, "--leverage", "5", "--contract", "0"), "--contract must be above 0"),
    (("margin", *LONG, "--model", "risky"), "--model: 'risky' is none of leverage, standard, leveraged"),
    (("margin", *LONG, "--imr", "0.1"), "--imr goes with --model standard or leveraged"),
    (("margin", "--model", "standard", "--notional", "5"), "the margin model standard needs --imr or --mmr"),
    (("margin", "--symbol", "BTCUSDT", "--size", "5"), "--mark or --price or --entry is missing"),
    (("margin", "--initial-margin-ppm", "0.5"), "--initial-margin-ppm must be a whole number"),
    (("margin", "--initial-margin-ppm=-1"), "initial margin and maintenance fraction must not be below 0"),
    (
        ("margin", "--initial-margin-ppm", "5", "--oi-lower-cap", "2", "--oi-upper-cap", "1"),
        "open interest caps must rise and not be below 0",
    ),
    (("margin", "--collateral", "5", "--position", "1:2"), "--position: '1:2' is not SIZE:OPEN:MARK:SKEW_SCALE[:SKEW]"),
    (("margin", "--collateral", "5", "--position", "1:2:3:-4"), "a skew scale must not be below 0"),
    (("margin", "--imf-factor", "5", "--size-1e9=-1"), "--size-1e9 must not be below 0"),
    (("margin", "--imf-factor", "5", "--size", "1"), "--asset-weight is missing"),
    (("funding", "--size", "5"), "--rate is missing, or what it comes from: --premium, or --mark and --index"),
    (("funding", "--rate", "0.1"), "--size is missing"),
    (("funding", "--rate", "0.1", "--size", "5"), "--mark or --price is missing"),
    (
        ("funding", "--rate", "1", "--size", "1", "--mark", "1", "--hours", "8"),
        "--hours: the rates of binance-usdm are",
    ),
    (("cost", *LONG[:6], "--leverage", "5"), "--mark or --ask is missing"),
    (("cost", *LONG[:6], "--price", "5"), "--leverage is missing"),
    (("max-size", *LONG[:4], "--price", "5", "--leverage", "5"), "--available is missing"),
    (
        ("max-size", *LONG[:4], "--price", "5", "--leverage", "5", "--available=-1"),
        "available balance must not be below",
    ),
    (("pnl", *LONG), "--exit is missing"),
    (("liq-price", *LONG, "--leverage", "1,000"), "--leverage: '1,000' is not a decimal number: write 1000"),
    (("liq-price", *LONG, "--leverage", "20x"), "--leverage: '20x' is not a decimal number: write 20"),
    (
        ("liq-price", *LONG, "--leverage", "20", "--mmr", "0.5%"),
        "--mmr: '0.5%' is not a decimal number: rates are plain",
    ),
    (("liq-price", *LONG, "--leverage", "5", "--inverse"), "--inverse: BTCUSDT of binance-usdm is linear"),
    (
        ("pnl", "--pack", "bybit-inverse", "--symbol", "BTCUSD", *LONG[2:], "--exit", "9", "--linear"),
        "--linear: BTCUSD of bybit-inverse is inverse",
    ),
    (
        ("liq-price", "--pack", "hyperliquid", "--symbol", "X", *LONG[2:]),
        "hyperliquid has no 'X': give --max-leverage, or",
    ),
    (("liq-price", *LONG, "--leverage", "5", "--other", "long:1:2:3:0.1"), "--other goes with --mode cross"),
    (
        ("liq-price", *LONG, "--mode", "cross", "--wallet", "9", "--other", "long:1:2:0:0.1"),
        "--other: the mark must be above 0",
    ),
    (("bankruptcy", "--side", "long", "--entry", "100", "--wallet", "20"), "--size is missing"),
    (("bankruptcy", "--position", "0:5:500"), "--usdc-quote-quantums is missing"),
    (("bankruptcy", "--position", "0:5:500", "--usdc-quote-quantums", "1"), "--perpetual-id is missing"),
    (("bankruptcy", "--position", "0:5:500", "--position", "0:6:500"), "--position: perpetual '0' is given twice"),
    (
        (
            *("bankruptcy", "--position", "0:5:500", "--usdc-quote-quantums", "1"),
            "--perpetual-id",
            "0",
            "--delta-base-quantums=-6",
        ),
        "ErrInvalidPerpetualPositionSizeDelta: -6 does not close perpetual 0, of which the subaccount has 5 base",
    ),
    (
        (
            *("bankruptcy", "--position", "0:5:500", "--usdc-quote-quantums", "1"),
            "--perpetual-id",
            "0",
            "--delta-base-quantums=-5",
        ),
        "the positions of a subaccount need a maintenance margin",
    ),
]


@pytest.mark.parametrize(("words", "line"), MISTAKES, ids=[line for _, line in MISTAKES])
def test_a_mistake_is_one_line_and_exit_status_2(words: tuple[str, ...], line: str) -> None:
    assert ringfence("calc", *words, status=2).complaint.startswith(line)
    assert ringfence("calc", *words, "--json", status=2).complaint.startswith(line)
