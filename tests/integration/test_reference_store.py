"""A reference file in the history: every version, session and action once, and again when it has changed."""

from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from infra.settings import Settings
from jobs.reference_store import store
from pipelines.contracts.reference_file import load_reference
from tests.contracts.test_reference_file import SOUND
from tests.support.market_history import database

pytestmark = pytest.mark.stack

WEEK = (date(2026, 1, 12), date(2026, 1, 18))
"""Monday to Sunday; New York's exchange is open on five days of it."""


def test_a_reference_file_is_in_the_history_and_changes_there_when_it_changes(stack: Settings, tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(SOUND)
    with database(stack) as dsn:
        first = store(dsn, load_reference(file), *WEEK)
        assert first["venues"] == 2
        assert (first["instrument_versions"], first["corporate_actions"]) == (5, 2)
        assert not any(store(dsn, load_reference(file), *WEEK).values())
        file.write_text(SOUND.replace("tick_size: 0.25", "tick_size: 0.5"))
        assert {name for name, count in store(dsn, load_reference(file), *WEEK).items() if count} == {
            "instrument_versions"
        }
        with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
            symbols = connection.execute(
                "SELECT symbol FROM instrument_versions WHERE instrument = 'META' ORDER BY valid_from"
            ).fetchall()
            assert symbols == [("FB",), ("META",)]
            hours = connection.execute(
                "SELECT opens_at, closes_at FROM calendars WHERE calendar = 'XNYS' ORDER BY session_date"
            ).fetchall()
            assert len(hours) == 5
            assert hours[0] == (datetime(2026, 1, 12, 14, 30, tzinfo=UTC), datetime(2026, 1, 12, 21, tzinfo=UTC))
            split = connection.execute("SELECT ratio FROM corporate_actions WHERE kind = 'split'").fetchall()
            assert split == [(0.125,)]
