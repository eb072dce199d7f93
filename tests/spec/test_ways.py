"""What results say of the rules by which orders met a recorded market: above all, each of them tells impact `none`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import ringfence
from tests.playing import capture, market, still_market

TAKEN_AGAIN = "none: what an account took of history's book was there again for the next order"


def replayed(folder: Path, *options: str) -> str:
    out = ("--out", folder / "s.db", "--account", "ann:cross:10:1000")
    return ringfence("replay", still_market(folder), *out, *options).out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--impact", "none"), {"impact": TAKEN_AGAIN}),
        (
            ("--queue-model", "ahead"),
            {"queue": "what left a price without a trade left from ahead of resting orders (ahead)"},
        ),
        (
            ("--queue-model", "behind"),
            {"queue": "what left a price without a trade left from behind resting orders (behind)"},
        ),
        (("--queue-model", "1,4"), {"queue": "what left a price without a trade left by weights (1,4)"}),
        (
            ("--latency", "5ms", "--feed-latency", "data", "--latency-jitter", "1ms", "--latency-seed", "7"),
            {"latency": "orders 5ms and up to 1ms more (seed 7), news as long as the rows of the data"},
        ),
        ((), {}),
    ],
    ids=["impact", "ahead", "behind", "weights", "latency", "the ordinary way"],
)
def test_a_replay_and_its_report_say_what_is_not_the_ordinary_way(
    tmp_path: Path, options: tuple[str, ...], words: dict[str, str]
) -> None:
    told = replayed(tmp_path, *options).splitlines()
    report = " ".join(ringfence("report", tmp_path / "s.db").out.partition("\n\n")[0].split())
    for word in ("book", "queue", "impact", "latency"):
        said = [line.removeprefix(f"{word:9}") for line in told if line.startswith(f"{word:9}")]
        assert said == [words[word]] if word in words else not said
        assert (f" {word}: {words.get(word, '')}" in report) is (word in words)


def test_the_page_says_it(tmp_path: Path) -> None:
    replayed(tmp_path, "--impact", "none")
    page = tmp_path / "page.html"
    ringfence("report", tmp_path / "s.db", "--html", page)
    assert "<p>impact: none: what an account took of history&#x27;s book was there again" in page.read_text()


def test_the_objects_have_all_of_it(tmp_path: Path) -> None:
    of_replay = ringfence(
        "replay", capture(tmp_path, market(5)), "--impact", "none", "--queue-model", "1,4", "--latency", "data",
        "--feed-latency", "2ms", "--account", "ann:cross:10:1000", "--out", tmp_path / "s.db", "--json",
    ).json["options"]  # fmt: skip
    assert of_replay == ringfence("report", tmp_path / "s.db", "--json").json["options"]
    assert of_replay == {
        "mark": "data", "queue_model": [1, 4], "impact": "none", "trade_fills": "book",
        "latency_ns": None, "feed_latency_ns": 2_000_000, "latency_jitter_ns": 0, "latency_seed": 0,
    }  # fmt: skip
