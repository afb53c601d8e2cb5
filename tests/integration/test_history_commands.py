"""helios history as it is typed: each command against a database with a market in it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from typer.testing import CliRunner

from infra.settings import Settings
from jobs.cli.history import app
from pipelines.history.timescale import connect, migrate
from tests.support.market_history import database, market, write_shuffled

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def address(stack: Settings) -> Iterator[str]:
    with database(stack) as dsn:
        write_shuffled(dsn, market(5_000))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HELIOS_TIMESCALE_DSN", dsn)
            yield dsn


def asked(*words: str) -> list[dict[str, object]]:
    done = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert isinstance(rows, list)
    return rows


@pytest.mark.parametrize(
    ("words", "column"),
    [
        ("sessions", "session_id"),
        ("ohlcv --instrument KO --every 5m", "vwap"),
        ("ohlcv --instrument KO --every 250ms --from 2026-01-05T14:31 --to 2026-01-05T14:32", "open"),
        ("vwap --instrument KO", "notional"),
        ("asof --instrument KO --at 2026-01-05T14:31:00.25", "age_s"),
        ("volatility --instrument KO --every 10s --by 1h --year-hours 1638", "annualised"),
        ("volume-profile --instrument KO --every 1m --zone America/New_York", "share"),
        ("ticks --instrument KO --kind trade --limit 5", "bid_size"),
        ("retention --show", "keep"),
    ],
)
def test_a_command_answers_in_json(address: str, words: str, column: str) -> None:
    rows = asked(*words.split())
    assert rows
    assert column in rows[0]


def test_a_command_draws_a_table_whose_times_are_utc(address: str) -> None:
    done = CliRunner().invoke(app, ["ohlcv", "--instrument", "KO"], catch_exceptions=False)
    assert "of_trades" in done.stdout
    assert "2026-01-05 14:30:00" in done.stdout


def test_fills_are_asked_for_the_quotes_of_their_times(address: str, tmp_path: Path) -> None:
    times, quotes = tmp_path / "fills.csv", tmp_path / "quotes.parquet"
    times.write_text("time,instrument\n2026-01-05T14:31,KO\n2026-01-05T14:31:30,PEP\n")
    words = ["asof", "--times", str(times), "--parquet", str(quotes)]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    assert pd.read_parquet(quotes)["instrument"].tolist() == ["KO", "PEP"]


def test_a_file_holds_all_rows_and_a_screen_sixty(address: str, tmp_path: Path) -> None:
    words = ["ohlcv", "--instrument", "KO", "--every", "1s"]
    assert len(asked(*words)) == 60
    CliRunner().invoke(app, [*words, "--csv", str(tmp_path / "bars.csv")], catch_exceptions=False)
    assert len(pd.read_csv(tmp_path / "bars.csv")) > 60


def test_who_keeps_the_roll_ups_is_told(address: str) -> None:
    assert CliRunner().invoke(app, ["rollups"], catch_exceptions=False).stdout == "the loader\n"


def test_the_local_stack_has_a_role_that_questions_go_by_and_that_may_only_read(stack: Settings) -> None:
    if not stack.timescale.local:
        pytest.skip("TimescaleDB is not the local stack's: its roles are its owner's")
    with connect(stack.timescale.dsn, application="test") as owner:
        migrate(owner)
    with connect(stack.timescale.reader_dsn, application="test") as reader:
        assert reader.info.user == "helios_reader"
        assert reader.execute("SHOW statement_timeout").fetchone() == ("1min",)
        reader.execute("SELECT count(*) FROM ticks")
        reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("DELETE FROM ticks")
