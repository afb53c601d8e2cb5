"""A day of a stock, as the tape had it, through Kafka, Flink and TimescaleDB: its minutes are LEAN's own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from infra.settings import Settings
from jobs.feed import Destination, run
from jobs.submit import submit
from pipelines.contracts.strategy_file import load_strategy
from pipelines.domain.decoding import DECODED, DecodedRows
from pipelines.domain.market import Kind
from pipelines.feeds.file_source import FileSource
from pipelines.feeds.files.formats import open_session
from pipelines.feeds.files.lean_bars import read_bars
from pipelines.feeds.files.reading import read_through
from pipelines.feeds.handler import AS_FAST
from pipelines.history.loader import Loader, LoaderConfig
from tests.conftest import OpenSession, OpenSessions
from tests.support.lean_minutes import RECORDINGS, quote_minutes, trade_minutes

pytestmark = pytest.mark.stack

TICKS = RECORDINGS / "equity_ticks/tick/bac"
MINUTES = RECORDINGS / "equity_ticks/minute/bac"
DAY = "20131009"

STRATEGY = """
strategy: equities
account: paper
shards: 1
venues:
  us: {protocol: lean, quality: {crossed: flag, stale: pass}}
instruments:
  - {id: BAC, venue: us, symbol: BAC, tick_size: 0.01, lot_size: 1, currency: USD}
sizing: {leg_notional: 10000}
limits: {position_lots: 1000, stale_marks_ms: 2000}
"""

AUCTIONS = {9 * 60 + 30, 9 * 60 + 31, 15 * 60 + 59, 16 * 60, 16 * 60 + 1}
"""Minutes of the day, New York, into which LEAN moves what the auctions printed."""

AVERAGE_PRICED = {9 * 60 + 40}
"""Of this day: a trade at an average price that lacks the usual second flag sets the low of ours."""


@pytest.fixture
def equities(open_session: OpenSessions, tmp_path: Path) -> tuple[OpenSession, Path]:
    if not TICKS.is_dir():
        pytest.skip(f"no recordings {TICKS}")
    strategy = tmp_path / "equities.yaml"
    strategy.write_text(STRATEGY)
    return open_session(("us",), 1), strategy


@contextmanager
def loading(settings: Settings, session: OpenSession, strategy: Path) -> Iterator[None]:
    stop = Event()
    config = LoaderConfig(
        settings.kafka.bootstrap, settings.registry.url, settings.timescale.dsn, session.topics, load_strategy(strategy)
    )
    thread = Thread(target=Loader(config, stop).run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def stored(dsn: str, session_id: str) -> DecodedRows:
    """The session's quotes and trades, in the order in which they came."""
    columns = ("flags", "code", "event_ns", "bid", "bid_size", "ask", "ask_size")
    with psycopg.connect(dsn) as connection:
        asked = f"SELECT kind, {', '.join(columns)} FROM ticks WHERE session_id = %s ORDER BY sequence"
        found = connection.execute(asked.encode(), (session_id,)).fetchall()
    rows = np.zeros(len(found), DECODED)
    rows["kind"] = [Kind[row[0].upper()] for row in found]
    for place, name in enumerate(columns, start=1):
        rows[name] = [row[place] for row in found]
    return rows


def known(kind: str) -> NDArray[np.void]:
    return read_bars(MINUTES / f"{DAY}_{kind}.zip")[0].bars


def at_known(made: NDArray[np.void], bars: NDArray[np.void]) -> NDArray[np.void]:
    """Our bars of the minutes that LEAN has."""
    assert np.isin(bars["start_ns"], made["start_ns"]).all()
    return made[np.searchsorted(made["start_ns"], bars["start_ns"])]


def test_a_day_of_the_tape_gives_the_minutes_that_lean_has(equities: tuple[OpenSession, Path]) -> None:
    session, strategy = equities
    settings = session.settings
    source = FileSource(open_session(sorted(TICKS.glob(f"{DAY}_*.zip"))), "us")
    submit(settings, ["market"], strategy, session.prefix)
    with loading(settings, session, strategy):
        to = Destination(settings.kafka.bootstrap, settings.registry.url, session.prefix)
        handled = run(source, AS_FAST, to, quiet=True)
        assert handled.finished
        rows = _all(settings.timescale.dsn, session.session_id, _expected(source))
    quotes, trades = at_known(quote_minutes(rows), known("quote")), at_known(trade_minutes(rows), known("trade"))
    assert (quotes == known("quote")).all()
    differ = trades != known("trade")
    minutes = {int(start) // 60_000_000_000 % 1440 - 4 * 60 for start in known("trade")["start_ns"][differ]}
    assert minutes <= AUCTIONS | AVERAGE_PRICED


def _expected(source: FileSource) -> int:
    """Quotes and trades that the decoder alone finds in the files, crossed ones too."""
    found = read_through(source.file)
    return sum(found.ticks.values()) + found.rejects["crossed"]


def _all(dsn: str, session_id: str, expected: int) -> DecodedRows:
    end = time.monotonic() + 120
    while True:
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM ticks WHERE session_id = %s", (session_id,)).fetchone()
        count = row[0] if row else 0
        if count >= expected:
            rows = stored(dsn, session_id)
            assert len(rows) == expected
            return rows
        assert time.monotonic() < end, f"{count:,} of {expected:,} ticks are in the history"
        time.sleep(0.5)
