"""Plans of sweeps: what a grid is, and what a mistaken one is told, with file, key and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.commands import SessionOptions
from replay.latency import latency
from replay.sweep import Keep, SweepError
from replay.sweep.options import stated
from replay.sweep.plan import Plan
from replay.sweep.task import Files, Generated
from tests.sweeping import PLAN, planned

MARKET = "[[market]]\ngenerated = { seconds = 3 }\n"
SEED = "[grid]\nseed = 1\n"


# What a plan says


def test_every_value_meets_every_other(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    found = [(task.mode, task.params["size"]) for task in plan.tasks]
    assert found == [("isolated", "0.01"), ("isolated", "0.5"), ("cross", "0.01"), ("cross", "0.5")]
    assert plan.varies == ("mode", "param.size")


def test_a_plan_of_nothing_but_a_market_is_one_task_of_an_account_that_does_nothing(tmp_path: Path) -> None:
    (task,) = planned(tmp_path, SEED + MARKET).tasks
    assert (task.strategy, task.mode, task.leverage, task.deposit, task.pack) == (
        "",
        "cross",
        20,
        "10000",
        "binance-usdm",
    )


def test_whole_numbers_may_be_a_range(tmp_path: Path) -> None:
    text = "[grid]\nseed = { from = 1, to = 3 }\nleverage = { from = 5, to = 11, step = 3 }\n" + MARKET
    found = [
        (task.market.seed, task.leverage)
        for task in planned(tmp_path, text).tasks
        if isinstance(task.market, Generated)
    ]
    assert found == [(seed, leverage) for seed in (1, 2, 3) for leverage in (5, 8, 11)]


def test_options_of_a_session_are_named_as_on_the_command_line(tmp_path: Path) -> None:
    text = (
        '[grid]\nseed = 1\nmark = ["auto", "mid"]\nqueue_model = "ahead"\nimpact = "none"\nmax_slippage = 0.02\n'
        "opening_auction = 2\n[index]\nUSDTUSD = 1\n" + MARKET
    )
    first, second = planned(tmp_path, text).tasks
    assert first.options["mark_source"] == "auto"
    assert second.options == {
        "mark_source": "mid", "queue_model": "ahead", "impact": "none", "max_slippage": "0.02", "opening_auction": "2"
    }  # fmt: skip
    assert first.indices == {"USDTUSD": "1"}


def test_latencies_are_named_as_on_the_command_line(tmp_path: Path) -> None:
    text = (
        '[grid]\nseed = 1\nlatency = ["0", "5ms"]\nfeed_latency = "1ms"\nlatency_jitter = "1ms"\nlatency_seed = 3\n'
        'trade_fills = "touch"\n' + MARKET
    )
    _, task = planned(tmp_path, text).tasks
    options = stated(task.options)
    assert (options.latency, options.trade_fills.value) == (latency("5ms", "1ms", "1ms", 3), "touch")


def test_what_may_be_found_out_is_not_stated(tmp_path: Path) -> None:
    (task,) = planned(tmp_path, '[grid]\nseed = 1\nmark = "auto"\ntrade_fills = "auto"\n' + MARKET).tasks
    assert stated(task.options) == SessionOptions()


def test_decimals_are_those_that_are_written(tmp_path: Path) -> None:
    plan = planned(
        tmp_path, PLAN.replace('[0.01, "0.5"]', "[0.10, 1e-3, 7]").replace("leverage", "deposit = 2e3\nleverage")
    )
    assert [task.params["size"] for task in plan.tasks[:3]] == ["0.10", "0.001", "7"]
    assert plan.tasks[0].deposit == "2000"


def test_the_same_task_said_twice_is_one(tmp_path: Path) -> None:
    assert len(planned(tmp_path, PLAN.replace('"isolated", "cross"', '"cross", "cross"')).tasks) == 2


def files(tmp_path: Path, market: str) -> Plan:
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text(name)
    return planned(tmp_path, f"[[market]]\n{market}\n")


def test_files_together_are_one_market(tmp_path: Path) -> None:
    (task,) = files(tmp_path, 'files = ["b.csv", "a.csv"]\nsymbol = "BTCUSDT"\nstrict = true').tasks
    assert isinstance(task.market, Files)
    assert [file.path for file in task.market.files] == ["b.csv", "a.csv"]
    assert (task.market.symbol, task.market.strict) == ("BTCUSDT", True)


def test_each_file_of_a_pattern_is_a_market_of_its_own(tmp_path: Path) -> None:
    plan = files(tmp_path, 'each = "*.csv"')
    markets = [task.market for task in plan.tasks]
    assert [file.path for market in markets if isinstance(market, Files) for file in market.files] == ["a.csv", "b.csv"]
    assert plan.varies == ("market",)


def test_seeds_go_with_generated_markets_only(tmp_path: Path) -> None:
    plan = files(tmp_path, 'files = ["a.csv"]\n[[market]]\ngenerated = {}\n[grid]\nseed = [1, 2]')
    assert [type(task.market) for task in plan.tasks] == [Files, Generated, Generated]
    assert plan.varies == ("market", "seed")


def test_what_to_keep_and_where_is_the_plan_s_matter(tmp_path: Path) -> None:
    plan = planned(tmp_path, 'keep = "liquidated"\ninto = "out"\n' + SEED + MARKET)
    assert (plan.keep, plan.into) == (Keep.LIQUIDATED, tmp_path / "out")
    assert planned(tmp_path, SEED + MARKET).into == tmp_path / "plan.sweep"


# What it must not say


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[grid\n", "is no TOML: Expected ']' at the end of a table declaration (at line 1, column 6); mend it"),
        ("[gird]\n", "gird: there is no such key; the nearest is 'grid'"),
        ("grid = 1\n", "grid: 1 will not do; make it a table, [grid]"),
        ("keep = 'some'\n", "keep: 'some' will not do; give none, all or liquidated"),
        ("into = 3\n", "into: 3 will not do; give the name of a folder"),
        ("[grid]\nlevrage = 3\n", "grid.levrage: there is no such key; the nearest is 'leverage'"),
        ("[grid]\nmark_source = 'mid'\n", "grid.mark_source: there is no such key; "),
        ("[grid]\nmode = 'isolatd'\n", "grid.mode: 'isolatd' will not do; give isolated, cross or multi"),
        ("[grid]\nmode = []\n", "grid.mode: [] will not do; give a value at least, or leave the key out"),
        ("[grid]\nmode = [['cross']]\n", "grid.mode: ['cross'] will not do; give a number, text, true or false, or a"),
        ("[grid]\nleverage = 2.5\n", "grid.leverage: '2.5' will not do; give a whole number from 1"),
        ("[grid]\nleverage = { from = 1 }\n", "grid.leverage: give whole numbers as { from = 1, to = 10 }, and step ="),
        ("[grid]\nleverage = { form = 1 }\n", "grid.leverage.form: there is no such key; the nearest is 'from'"),
        ("[grid]\nleverage = { from = 1, to = 2000000 }\n", "grid.leverage: there are more than 1,000,000 of them;"),
        ("[grid]\ndeposit = 'much'\n", "grid.deposit: 'much' will not do; give a number from 0 with at most 8"),
        ("[grid]\ndeposit = true\n", "grid.deposit: True will not do; give a number from 0 with at most 8 decimals"),
        ("[grid]\ndeposit = inf\n", "grid.deposit: Infinity will not do; give a number, text, true or false, or a"),
        ("[grid]\nmark = 'middle'\n", "grid.mark: 'middle' will not do; mark_source 'middle': give data, mid or last"),
        ("[grid]\nmax_slippage = 2\n", "grid.max_slippage: 2 will not do; options: max_slippage lies from 0"),
        ("[grid]\nlatency = '5'\n", "grid.latency: '5' will not do; latency "),
        ("[grid]\nlatency_seed = 'x'\n", "grid.latency_seed: 'x' will not do; latency_seed: give a whole number"),
        ("[grid]\nseed = -1\n", "grid.seed: -1 will not do; give a whole number from 0"),
        ("[grid]\npack = 'binance'\nseed = 1\n" + MARKET, "grid.pack: no rule pack 'binance': take one of"),
        ("[grid]\npack = ['']\n", "grid.pack: '' will not do; give a name"),
        ("[grid]\npack = 'drift'\nseed = 1\n" + MARKET, "grid.pack: drift has no BTCUSDT; generate one of its own, as"),
        ("[grid]\nseed = 1\n", "has no [[market]]; give one, with files = [...] or generated = { seconds = 60 }"),
        ("[market]\ngenerated = {}\n", "has no [[market]]; give one, with files = [...] or generated = { seconds = 60"),
        (MARKET, "grid.seed: markets are generated from seeds; give some, as seed = [1, 2, 3]"),
        ("[[market]]\n", 'market: give either files = [...], each = "*.zip" or generated = { seconds = 60 }'),
        ("[[market]]\nfile = 'a'\n", "market.file: there is no such key; the nearest is 'files'"),
        ("[[market]]\nfiles = 'a'\n", "market.files: 'a' will not do; give a list of files, as files ="),
        ("[[market]]\nfiles = ['a']\n", "market: a: No such file or directory; give a file from the folder of the"),
        ("[[market]]\neach = '*.zip'\n", "market.each: '*.zip' will not do; no file in {folder} is called so"),
        ("[[market]]\neach = '/x'\n", "market.each: '/x' will not do; give a pattern from the folder of the plan on"),
        ("[[market]]\neach = '*.toml'\nstrict = 1\n", "market.strict: 1 will not do; give true or false"),
        ("[[market]]\neach = '*.toml'\nsymbol = 1\n", "market.symbol: 1 will not do; give text"),
        ("[[market]]\neach = '*.toml'\n" + SEED, "grid.seed: no market is generated; leave it out, or give the seed"),
        (SEED + "[[market]]\ngenerated = true\n", "market.generated: True will not do; give options of ringfence"),
        (SEED + "[[market]]\ngenerated = { minutes = 1 }\n", "market.generated.minutes: there is no such key; give"),
        (
            SEED + "[[market]]\ngenerated = { seconds = 'long' }\n",
            "market.generated: Expected `int`, got `str` - at `$.seconds`; see ringfence synth --help",
        ),
        (SEED + MARKET + "[params]\nsize = 1\n", "params: parameters of what? give grid.strategy, as module:Class"),
        (PLAN.replace("Knob", "Knub"), "grid.strategy: strategy 'tests.strategies:Knub': module 'tests.strategies'"),
        (PLAN.replace("size", "szie"), "params.szie: strategy tests.strategies:Knob: no parameter 'szie'; the nearest"),
        (
            PLAN.replace("0.01", "'big'"),
            "params.size: strategy tests.strategies:Knob: parameter 'size' is 'big'; give a number",
        ),
        (
            PLAN.replace("Knob", "NeedsMore").replace("size", "other"),
            "params.other: strategy tests.strategies:NeedsMore: no parameter 'other'; give secret",
        ),
        (
            PLAN.replace("Knob", "NeedsMore").partition("[params]")[0] + MARKET,
            "params: strategy tests.strategies:NeedsMore: parameter 'secret' has no default; give it",
        ),
        ("[index]\nUSDTUSD = 'x'\n" + SEED + MARKET, "index.USDTUSD: 'x' will not do; give a number from 0"),
        (
            "[grid]\nseed = { from = 1, to = 2000 }\nleverage = { from = 1, to = 1000 }\n" + MARKET,
            "makes 2,000,000 tasks, and 1,000,000 are the most; give fewer values",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_key_and_what_to_do(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SweepError) as raised:
        planned(tmp_path, text)
    told = str(raised.value)
    assert "\n" not in told
    assert told.startswith(f"{tmp_path / 'plan.toml'}: {complaint.replace('{folder}', str(tmp_path))}")
