"""What a session over recorded files is made of, and which files and strategies do not go together."""

import zipfile
from pathlib import Path

import pytest

from jobs.demo import DemoError
from jobs.replay_plans import replayed_plan
from pipelines.contracts.strategy_file import REPOSITORY, load_strategy
from pipelines.signals.of_strategy import bound_signals

ES_SPY = REPOSITORY / "examples/es-spy.yaml"


def bars(folder: Path, below: str, name: str, *lines: str) -> Path:
    path = folder / below / "20131008_quote.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "\n".join(lines))
    return path


def es(folder: Path, expiry: str = "201312") -> Path:
    line = "0,1667,1668,1666,1667,5,1668,1669,1667,1668,5"
    return bars(
        folder, "future/cme/minute/es", f"20131008_es_minute_quote_{expiry}.csv", line, line.replace("0,", "60000,", 1)
    )


def spy(folder: Path) -> Path:
    line = "0,1670000,1670000,1670000,1670000,5,1670100,1670100,1670100,1670100,5"
    return bars(folder, "equity/usa/minute/spy", "20131008_spy_minute_quote.csv", line)


@pytest.mark.parametrize("file", sorted((REPOSITORY / "examples").glob("*.yaml")), ids=lambda file: file.stem)
def test_an_example_is_a_strategy_whose_signals_can_be_bound(file: Path) -> None:
    assert bound_signals(load_strategy(file))


def test_files_of_two_markets_are_one_feed_of_the_strategy_s_venue_and_symbols(tmp_path: Path) -> None:
    files = [es(tmp_path), spy(tmp_path)]
    plan, feed = replayed_plan(ES_SPY, files, 1000)
    assert plan.strategy_file == ES_SPY
    assert feed.arguments[:3] == ("files", *map(str, files))
    words = dict(zip(feed.arguments[3::2], feed.arguments[4::2], strict=True))
    assert (words["--venue"], words["--symbols"], words["--heartbeat-ms"]) == ("us", "ES201312,SPY", "20000")
    assert feed.expected_ticks == 3


def test_a_strategy_alone_asks_for_files() -> None:
    with pytest.raises(DemoError, match="give --replay FILES"):
        replayed_plan(ES_SPY, [], 1)


def test_files_without_an_instrument_of_the_strategy_say_what_is_in_them(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="no ES201312 in these files: there is ES201403, SPY"):
        replayed_plan(ES_SPY, [es(tmp_path, "201403"), spy(tmp_path)], 1)


def test_a_strategy_of_two_venues_is_told_that_files_are_one_feed(tmp_path: Path) -> None:
    strategy = tmp_path / "two.yaml"
    text = ES_SPY.read_text().replace("venues:\n", "venues:\n  cme: {protocol: lean}\n")
    strategy.write_text(text.replace("bar_reversion.sql", str(ES_SPY.parent / "bar_reversion.sql")))
    with pytest.raises(DemoError, match="venues cme, us: files are one feed"):
        replayed_plan(strategy, [spy(tmp_path)], 1)


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"nothing")
    with pytest.raises(DemoError, match="of no format known"):
        replayed_plan(ES_SPY, [tmp_path / "a.zip"], 1)
