"""The player: rows in the order of time, strategies at theirs, and a log that says nothing of where and when it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from events.commands import (
    AdvanceMarket,
    Deposit,
    MarkSource,
    OpenAccount,
    OpenSession,
    PlaceOrder,
    SessionOptions,
    SetLeverage,
    SetMarginMode,
)
from events.facts import (
    CountdownEnded,
    LiquidationDue,
    LiquidationEnded,
    LiquidationStarted,
    MarketAdvanced,
    MarkPriceMoved,
    Refused,
    TakenOver,
    Traded,
)
from events.observations import Observations
from events.units import SECOND
from replay.loading import StrategyError
from replay.player import Player
from replay.sources import SourceError, open_source
from replay.synth import generated
from replay.traders import SetupError
from tests import captures
from tests.captures import PACK
from tests.playing import Played, capture, market, play, trader
from tests.strategies import Backwards, Diary, Failing, Gambler

BTC = "BTCUSDT"


def columns_of(*files: Path) -> dict[str, Observations]:
    """The chunks of these files by the instrument and the first time in them."""
    chunks = [chunk for file in files for chunk in open_source(file, PACK)]
    return {f"{chunk.instrument} {chunk.at[0]}": chunk for chunk in chunks}


def figures(played: Played) -> tuple[int, int, int, int]:
    feed = played.state.contracts[BTC].feed  # type: ignore[index]
    return feed.prints, feed.volume, feed.equal, feed.different


# Time


def test_every_batch_of_market_data_has_the_time_of_its_last_row_and_only_that_row_has_consequences(
    tmp_path: Path,
) -> None:
    file = capture(tmp_path)
    played = play(file, traders=[trader(Gambler())])
    rows = [at for chunk in open_source(file, PACK) for at in chunk.at]
    applied = 0
    for batch in played.batches:
        if isinstance(command := batch.command, AdvanceMarket):
            applied += command.last_row - command.first_row + 1
            assert batch.at == rows[applied - 1]
            advanced = [fact for fact in batch.facts if isinstance(fact, MarketAdvanced)]
            assert [(fact.first_row, fact.last_row) for fact in advanced] == [(command.first_row, command.last_row)]
    assert applied == len(rows) == played.player.progress.observations


def test_a_mark_is_recorded_at_the_time_at_which_it_was_captured(tmp_path: Path) -> None:
    lines = [captures.mark(at_ms=at, p=f"{price}") for at, price in ((0, 100), (1_250, 101), (1_251, 102))]
    played = play(capture(tmp_path, lines))
    moved = [(b.at - captures.START, f.mark) for b in played.batches for f in b.facts if isinstance(f, MarkPriceMoved)]
    assert moved == [(0, 100 * 10**8), (1_250 * 10**6, 101 * 10**8), (1_251 * 10**6, 102 * 10**8)]


def test_time_never_falls_and_a_row_that_is_older_than_the_one_before_takes_its_time(tmp_path: Path) -> None:
    played = play(capture(tmp_path, list(captures.back_in_time(market(), 500))), traders=[trader(Gambler())])
    times = [batch.at for batch in played.batches]
    assert times == sorted(times)
    assert figures(played) == figures(play(capture(tmp_path)))


# Strategies


def test_a_strategy_is_woken_whenever_its_time_has_passed_and_its_commands_carry_that_time(tmp_path: Path) -> None:
    every = 700_000_000
    diary = Diary({n: lambda context: context.buy(BTC, "0.010") for n in (1, 4, 20)}, every)
    played = play(capture(tmp_path), traders=[trader(diary)])
    first, last = played.player.first_at, played.player.progress.at
    assert diary.wakes == list(range(first + every, last + 1, every))
    orders = [batch.command.at for batch in played.batches if isinstance(batch.command, PlaceOrder)]
    assert orders == [diary.wakes[0], diary.wakes[3], diary.wakes[19]]


def test_a_strategy_sees_all_rows_before_its_wake_and_none_from_then_on(tmp_path: Path) -> None:
    lines = [captures.mark(at_ms=at, p=f"{price}") for at, price in ((0, 100), (999, 101), (1_000, 102), (1_001, 103))]
    seen: list[object] = []
    play(capture(tmp_path, lines), traders=[trader(Diary({1: lambda context: seen.append(context.mark(BTC))}))])
    assert seen == [101]


def test_strategies_that_wake_at_the_same_time_do_so_in_the_order_of_their_accounts(tmp_path: Path) -> None:
    order: list[str] = []
    diaries = [Diary({1: lambda context: order.append(context.account)}) for _ in range(3)]
    play(capture(tmp_path), traders=[trader(diary, name) for diary, name in zip(diaries, "cab", strict=True)])
    assert order == ["c", "a", "b"]


def test_a_strategy_is_told_each_fill_once_at_the_time_of_the_fill(tmp_path: Path) -> None:
    def rest_at_the_best_bid(context):  # type: ignore[no-untyped-def]
        context.buy(BTC, "0.010", context.quote(BTC).bid)

    maker = Diary(dict.fromkeys(range(1, 10), rest_at_the_best_bid))
    taker = Diary({n: lambda context: context.buy(BTC, "0.020") for n in range(2, 6)})
    played = play(capture(tmp_path), traders=[trader(maker, "maker"), trader(taker, "taker")])
    trades = [(batch.at, fact) for batch in played.batches for fact in batch.facts if isinstance(fact, Traded)]
    for name, diary in (("maker", maker), ("taker", taker)):
        own = [(at, trade) for at, trade in trades if name in (trade.maker, trade.taker)]
        assert own
        assert diary.fills == own
    assert {trade.maker for _, trade in trades} == {"MARKET", "maker"}


def test_a_strategy_is_told_each_fact_of_its_liquidation_once_and_nothing_of_another_account(tmp_path: Path) -> None:
    gambler, onlooker = Gambler(), Diary()
    played = play(
        capture(tmp_path), traders=[trader(gambler, "ann", leverage=20), trader(onlooker, "bob")], insurance=100_000
    )
    kinds = (LiquidationDue, LiquidationStarted, TakenOver, LiquidationEnded)
    recorded = played.facts(*kinds)
    assert {type(fact) for fact in recorded} == set(kinds)
    assert [fact for _, fact in gambler.facts if isinstance(fact, kinds)] == recorded
    forced = [fact for fact in played.facts(Traded) if fact.taker == "ann" and not fact.taker_order]  # type: ignore[union-attr]
    assert [fact for _, fact in gambler.fills if not fact.taker_order] == forced
    assert onlooker.fills == []
    assert {fact.account for _, fact in onlooker.facts} == {"bob"}  # type: ignore[union-attr]


def test_a_strategy_hears_of_its_start_before_and_of_its_finish_after_everything_else(tmp_path: Path) -> None:
    diary = Diary({1: lambda context: context.buy(BTC, "0.010")})
    play(capture(tmp_path), traders=[trader(diary)])
    assert diary.calls == ["start", "timer", "fill", *["timer"] * (len(diary.wakes) - 1), "finish"]


def test_what_a_strategy_does_when_it_is_told_of_a_fill_happens_at_the_time_of_that_fill(tmp_path: Path) -> None:
    class Closer(Diary):
        def on_fill(self, context, trade):  # type: ignore[no-untyped-def]
            super().on_fill(context, trade)
            if context.position(BTC) > 0:
                context.sell(BTC, context.position(BTC), reduce_only=True)

    closer = Closer({1: lambda context: context.buy(BTC, "0.010")})
    played = play(capture(tmp_path), traders=[trader(closer)])
    assert [at for at, _ in closer.fills] == [closer.wakes[0]] * 2
    assert played.state.accounts["ann"].positions[BTC].lots == 0  # type: ignore[index]


def test_a_strategy_that_stops_asking_to_be_woken_sleeps_to_the_end(tmp_path: Path) -> None:
    diary = Diary()
    diary.plan = {3: lambda context: setattr(diary, "every", 0)}
    play(capture(tmp_path), traders=[trader(diary)])
    assert len(diary.wakes) == 3


def test_a_strategy_that_fails_is_told_with_the_place_in_it_and_ends_the_replay(tmp_path: Path) -> None:
    place = r"(?s)^Failing\.on_timer failed: ValueError at .*strategies\.py:\d+: no idea.*; mend the strategy$"
    with pytest.raises(StrategyError, match=place):
        play(capture(tmp_path), traders=[trader(Failing())])
    with pytest.raises(StrategyError, match=r"Backwards: every is -1; make it whole nanoseconds, 0 for never$"):
        play(capture(tmp_path), traders=[trader(Backwards())])


def test_an_assertion_is_a_bug_and_is_never_blamed_on_the_strategy(tmp_path: Path) -> None:
    def broken(_context: object) -> None:
        raise AssertionError("ours")

    with pytest.raises(AssertionError, match=r"^ours$"):
        play(capture(tmp_path), traders=[trader(Diary({1: broken}))])


# Setting up


def test_accounts_are_open_funded_and_set_as_asked_before_the_first_row(tmp_path: Path) -> None:
    played = play(capture(tmp_path), traders=[trader(None, "ann", "isolated", 25, 1_000)], insurance=500)
    first = [type(batch.command) for batch in played.batches[:7]]
    assert first == [OpenSession, Deposit, OpenAccount, Deposit, SetMarginMode, SetLeverage, AdvanceMarket]
    assert not played.facts(Refused)
    position = played.state.accounts["ann"].positions[BTC]  # type: ignore[index]
    assert (position.mode.value, position.leverage) == ("isolated", 25)


def test_an_account_without_a_deposit_opens_without_money(tmp_path: Path) -> None:
    played = play(capture(tmp_path), traders=[trader(deposit=0)])
    assert not played.facts(Refused)
    assert "ann" in played.state.accounts


@pytest.mark.parametrize("leverage", [0, 126])
def test_leverage_beyond_the_brackets_of_an_instrument_ends_the_replay_before_it_begins(
    tmp_path: Path, leverage: int
) -> None:
    with pytest.raises(SetupError, match=f"^account ann: BTCUSDT cannot be traded at {leverage}x; give 1 to 125$"):
        play(capture(tmp_path), traders=[trader(leverage=leverage)])


@pytest.mark.parametrize("source", [MarkSource.MID, MarkSource.LAST])
def test_marks_that_the_data_does_not_state_are_sampled_once_a_second(tmp_path: Path, source: MarkSource) -> None:
    lines = [line for line in market() if "markPrice" not in line]
    played = play(capture(tmp_path, lines), options=SessionOptions(mark_source=source))
    seconds = [b.at // SECOND for b in played.batches for fact in b.facts if isinstance(fact, MarkPriceMoved)]
    assert len(set(seconds)) == len(seconds) >= 19


# Several sources


def test_two_sources_are_merged_by_time(tmp_path: Path) -> None:
    ether = capture(tmp_path, list(generated(5, seconds=20, symbol="ETHUSDT", price="3000")), "ether")
    bitcoin = capture(tmp_path)
    played = play(bitcoin, ether, traders=[trader()])
    advances = [batch for batch in played.batches if isinstance(batch.command, AdvanceMarket)]
    assert all(one.at <= other.at for one, other in pairwise(advances))
    assert {batch.command.instrument for batch in advances} == {BTC, "ETHUSDT"}  # type: ignore[attr-defined]
    alone = figures(play(bitcoin))
    assert figures(played) == alone
    for instrument in (BTC, "ETHUSDT"):
        chunks = {key: chunk for key, chunk in columns_of(bitcoin, ether).items() if key.startswith(instrument)}
        feed = played.state.contracts[instrument].feed  # type: ignore[index]
        assert feed.observations == sum(map(len, chunks.values()))


def test_rows_of_the_same_time_come_in_the_order_of_the_sources(tmp_path: Path) -> None:
    names = {"BTCUSDT": "100", "ETHUSDT": "10"}
    files = [capture(tmp_path, [captures.mark(s=name, p=price)], name) for name, price in names.items()]
    for order in (files, files[::-1]):
        moved = [fact.instrument for fact in play(*order).facts(MarkPriceMoved)]  # type: ignore[union-attr]
        assert moved == [file.name for file in order]


def test_a_capture_in_two_files_gives_the_market_of_the_whole(tmp_path: Path) -> None:
    lines = market()
    halves = [capture(tmp_path, lines[:1_000], "one"), capture(tmp_path, lines[1_000:], "two")]
    assert figures(play(*halves)) == figures(play(capture(tmp_path, lines)))


def test_one_file_given_twice_is_refused(tmp_path: Path) -> None:
    one, other = capture(tmp_path), capture(tmp_path, name="copy")
    with pytest.raises(SourceError, match=f"^{other}: holds what {one} holds; name each file once$"):
        play(one, other)


def test_sources_without_a_row_are_told_with_the_first_reason(tmp_path: Path) -> None:
    unknown = capture(tmp_path, [captures.trade(s="PEPEUSDT")] * 3)
    with pytest.raises(SourceError, match=f"^nothing to replay: {unknown}:1: unknown symbol 'PEPEUSDT'"):
        play(unknown)
    idle = capture(tmp_path, [captures.trade(X="INSURANCE_FUND")] * 3)
    with pytest.raises(
        SourceError,
        match=f"^nothing to replay: {idle} holds 3 trade_insurance_fund; give a file with depth, trades or marks$",
    ):
        play(idle)


# Sameness


def test_the_same_file_from_another_folder_under_another_name_gives_the_same_head(tmp_path: Path) -> None:
    heads = set()
    for folder, name in (("here", "market"), ("there", "another name.gz")):
        (tmp_path / folder).mkdir()
        heads.add(play(capture(tmp_path / folder, name=name), traders=[trader(Gambler(), leverage=20)]).head)
    assert len(heads) == 1


def test_no_record_names_a_path_or_a_time_outside_of_the_session(tmp_path: Path) -> None:
    file = capture(tmp_path, name="my-capture")
    played = play(file, traders=[trader(Gambler(), leverage=20)], insurance=1_000)
    text = b"\n".join(batch.body for batch in played.stored).decode("ascii")
    for name in (str(tmp_path), tmp_path.name, file.name):
        assert name not in text
    times = {int(number) for number in re.findall(r"(?<!\"expiry\":)\b\d{19}\b", text)}
    assert played.player.first_at == min(times)
    assert played.player.progress.at == max(times)


# Defects


AFTER = 500
DIFFS = [
    line for line, text in enumerate(market(), 1) if line > AFTER and '"depthUpdate"' in text and '"b":[["' in text
]
BOOK = "and no fills until it is whole again; fetch the file again"


@pytest.mark.parametrize(
    ("spoil", "line", "what"),
    [
        (captures.gap, DIFFS[1] - 1, f"gap in update ids, {BOOK}"),
        (captures.crossed, DIFFS[0], f"crossed book, {BOOK}"),
        (captures.malformed, AFTER + 1, "JSON is malformed"),
    ],
)
def test_a_strict_replay_stops_at_the_first_defect_and_names_file_and_line(
    tmp_path: Path, spoil: Callable[..., Iterable[str]], line: int, what: str
) -> None:
    file = capture(tmp_path, list(spoil(market(), AFTER)))
    with pytest.raises(SourceError, match=rf"^{file}:{line}: {what}"):
        play(file, strict=True)


def test_a_patient_replay_counts_each_defect_of_the_book_and_tells_the_first_of_a_kind(tmp_path: Path) -> None:
    file = capture(tmp_path, list(captures.crossed(market(), 500)))
    player: Player = play(file).player
    assert player.defects["crossed_book"] > len(player.problems) == 20
    assert all(problem.startswith(f"{file}:") for problem in player.problems)


# What falls due by time


def test_what_falls_due_by_time_happens_at_its_time_and_before_every_later_row(tmp_path: Path) -> None:
    lines = [
        captures.body(10, [("99.9", "5")], [("100.1", "5")], s=BTC, symbol=BTC),
        captures.mark(p="100"),
        *(captures.trade(price, "1", at_ms=at) for at, price in ((900, "100.0"), (1_700, "98.0"), (2_600, "97.0"))),
    ]
    plan = {1: lambda context: (context.buy(BTC, "2", "99.0"), context.set_countdown(BTC, 1))}
    diary = Diary(plan, every=500 * captures.MS)
    played = play(capture(tmp_path, lines), traders=[trader(diary)])
    ended = [
        (batch.at - captures.START) // captures.MS
        for batch in played.batches
        for fact in batch.facts
        if isinstance(fact, CountdownEnded)
    ]
    assert ended == [1_500]
    assert not played.facts(Traded)
