"""What fills the history beside the loader, what is kept of it, and who may read it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from infra.settings import Settings
from pipelines.domain.market import NS_PER_S, Ticks
from pipelines.history.backfill import Backfill, Progress, SourceFile
from pipelines.history.queries import History, Listed, Span
from pipelines.history.reader import Batch
from pipelines.history.reference import Reference, store_reference
from pipelines.history.retention import Rule, drop_old, offers_policies, rules, set_rules
from pipelines.history.roles import make_reader
from pipelines.history.server_rollups import hand_to_server
from pipelines.history.timescale import Connection, HistoryError, connect, migrate
from pipelines.history.writer import Writer
from tests.integration.test_history_market import KEPT, ROLLED_UP
from tests.support.market_history import FEED, NAMES, SESSION, database, market, write_shuffled

pytestmark = pytest.mark.stack

FILE = SourceFile("sim-archive", "2026-01-05.dat", "abc")
TICKS = market(10_000)


@pytest.fixture
def dsn(stack: Settings) -> Iterator[str]:
    with database(stack) as dsn:
        yield dsn


@pytest.fixture
def owner(dsn: str) -> Iterator[Connection]:
    with closing(connect(dsn, application="test")) as connection:
        migrate(connection)
        yield connection


def pieces(ticks: Ticks) -> Iterator[Ticks]:
    yield from np.array_split(ticks, 23)


def one(connection: Connection, question: str) -> int:
    row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_backfill_goes_on_where_it_broke_off_and_counts_every_row_once(owner: Connection, dsn: str) -> None:
    with Backfill(dsn, FILE, "sim", batch_rows=1_000) as backfill:
        for piece in list(pieces(TICKS))[:12]:
            backfill.take(piece, NAMES)
    before = one(owner, "SELECT rows_taken FROM backfill_files")
    assert 0 < before < len(TICKS)
    assert one(owner, "SELECT count(*) FROM ticks") == before
    with Backfill(dsn, FILE, "sim", batch_rows=1_000) as backfill:
        assert backfill.progress.rows_taken == before
        for piece in pieces(TICKS):
            backfill.take(piece, NAMES)
        assert backfill.finish() == Progress(len(TICKS), len(TICKS), True)
    for table, length in (("ohlcv_1s", "1 second"), ("ohlcv_1m", "1 minute"), ("ohlcv_1d", "1 day")):
        kept = set(owner.execute(KEPT.format(table=table).encode()))
        assert kept == set(owner.execute(ROLLED_UP.format(length=length).encode()))


def test_a_file_that_is_done_is_not_loaded_again(dsn: str) -> None:
    for _ in range(2):
        with Backfill(dsn, FILE, "sim") as backfill:
            backfill.take(TICKS[:500], NAMES)
            assert backfill.finish() == Progress(500, 500, True)


def test_a_file_with_another_content_under_the_same_name_is_refused(dsn: str) -> None:
    with Backfill(dsn, FILE, "sim") as backfill:
        backfill.finish()
    with pytest.raises(HistoryError, match="was loaded with another content"):
        Backfill(dsn, replace(FILE, digest="xyz"), "sim")


def test_a_file_that_broke_off_goes_on_when_it_is_whole(dsn: str) -> None:
    with Backfill(dsn, FILE, "sim") as backfill:
        backfill.take(TICKS[:300], NAMES)
        assert backfill.finish(broken=True) == Progress(300, 300, False)
    with Backfill(dsn, replace(FILE, digest="whole"), "sim") as backfill:
        backfill.take(TICKS[:500], NAMES)
        assert backfill.finish() == Progress(500, 500, True)


def test_two_backfills_of_one_file_do_not_both_write(dsn: str) -> None:
    with Backfill(dsn, FILE, "sim", batch_rows=1) as first, Backfill(dsn, FILE, "sim", batch_rows=1) as second:
        first.take(TICKS[:10], NAMES)
        first.finish()
        second.take(TICKS[:10], NAMES)
        with pytest.raises(HistoryError, match="is being loaded by another process"):
            second.finish()


def test_what_was_backfilled_is_asked_by_its_session(dsn: str) -> None:
    with closing(Writer(dsn, SESSION, "")) as writer:
        writer.write(Batch(ticks={FEED: (NAMES, TICKS[:10])}), {})
    with Backfill(dsn, FILE, "sim") as backfill:
        backfill.take(TICKS, NAMES)
        backfill.finish()
    with History(dsn) as history:
        assert history.session(None) == SESSION
        bars = history.ohlcv(Listed(history.session("archive"), "KO"), Span(), timedelta(days=1)).rows
        assert len(bars) == 1


def test_a_file_knows_its_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    first = SourceFile.of("s", tmp_path / "a")
    assert first == SourceFile.of("s", tmp_path / "a")
    assert first.digest != SourceFile.of("s", tmp_path / "b").digest


def test_old_chunks_go_and_younger_ones_stay(owner: Connection, dsn: str) -> None:
    if offers_policies(owner):
        pytest.skip("the server drops them itself")
    old, young = TICKS[:100].copy(), TICKS[100:200].copy()
    now_ns = int(datetime.now(UTC).timestamp()) * NS_PER_S
    old["event_ns"] = now_ns - 40 * 86_400 * NS_PER_S
    young["event_ns"] = now_ns
    with closing(Writer(dsn, SESSION, "")) as writer:
        writer.write(Batch(ticks={FEED: (NAMES, np.concatenate([old, young]))}), {})
        set_rules(owner, [Rule("ticks", keep=timedelta(days=30))])
        assert writer.drop_old() == {"ticks": 1}
        assert writer.drop_old() == {}
    assert one(owner, "SELECT count(*) FROM ticks") == 100
    assert one(owner, "SELECT sum(trades + quotes + left_out) FROM ohlcv_1s") == 200
    assert rules(owner)["ticks"].keep == timedelta(days=30)


def test_what_was_backfilled_does_not_go_unless_that_is_said(owner: Connection, dsn: str) -> None:
    past = TICKS[:100].copy()
    past["event_ns"] -= 4_000 * 86_400 * NS_PER_S
    with Backfill(dsn, FILE, "sim") as backfill:
        backfill.take(past, NAMES)
        backfill.finish()
    with pytest.raises(HistoryError, match="backfilled rows from 2015-01-23 on are older than 30 days and would go"):
        set_rules(owner, [Rule("books"), Rule("ticks", keep=timedelta(days=30))])
    assert one(owner, "SELECT count(*) FROM retention") == 0
    set_rules(owner, [Rule("ticks", keep=timedelta(days=30))], drop_archive=True)
    drop_old(owner)
    assert one(owner, "SELECT count(*) FROM ticks") == 0 or offers_policies(owner)
    with Backfill(dsn, replace(FILE, name="again"), "sim") as backfill:
        backfill.take(past, NAMES)
        with pytest.raises(HistoryError, match="rows of 2015-01-23 would not stay: ticks is kept for 30 days"):
            backfill.finish()


def test_a_server_that_keeps_the_roll_ups_says_what_the_loader_would(owner: Connection, dsn: str) -> None:
    if not offers_policies(owner):
        with pytest.raises(HistoryError, match="Apache edition, without continuous aggregates"):
            hand_to_server(owner)
        pytest.skip("this server has no continuous aggregates: one of the Timescale edition shows them")
    write_shuffled(dsn, TICKS[:5_000])
    hand_to_server(owner)
    write_shuffled(dsn, TICKS)
    for table, length in (("ohlcv_1s", "1 second"), ("ohlcv_1m", "1 minute"), ("ohlcv_1d", "1 day")):
        owner.execute("CALL refresh_continuous_aggregate(%s::regclass, NULL, NULL)", (table,))
        kept = set(owner.execute(KEPT.format(table=table).encode()))
        assert kept == set(owner.execute(ROLLED_UP.format(length=length).encode()))
    set_rules(owner, [Rule("ticks", keep=timedelta(days=3_650)), Rule("ohlcv_1s", compress_after=timedelta(days=7))])
    with History(dsn) as history:
        assert len(history.ohlcv(Listed(SESSION, "KO"), Span(), timedelta(days=1)).rows) == 1


def test_a_rule_that_cannot_be_is_refused(owner: Connection) -> None:
    with pytest.raises(HistoryError, match="no table 'fills' has a retention"):
        set_rules(owner, [Rule("fills", keep=timedelta(days=1))])
    wrong = Rule("ticks", keep=timedelta(days=1), compress_after=timedelta(days=2))
    with pytest.raises(HistoryError, match=r"gone before it is compressed|does not compress"):
        set_rules(owner, [wrong])


def test_a_reader_reads_what_there_is_and_will_be_and_changes_nothing(owner: Connection, dsn: str) -> None:
    name = f"reader_{uuid4().hex[:8]}"
    make_reader(owner, name, "secret", timeout_s=1)
    try:
        with Backfill(dsn, FILE, "sim") as backfill:
            backfill.take(TICKS, NAMES)
            backfill.finish()
        owner.execute("CREATE TABLE made_later AS SELECT 1 AS one")
        parts = psycopg.conninfo.conninfo_to_dict(dsn) | {"user": name, "password": "secret"}
        with connect(psycopg.conninfo.make_conninfo(**parts), application="test") as reader:
            assert one(reader, "SELECT count(*) FROM ticks") == len(TICKS)
            assert one(reader, "SELECT one FROM made_later") == 1
            reader.execute("SET default_transaction_read_only = off")
            for change in ("DELETE FROM ticks", "CREATE TABLE mine (x int)", "INSERT INTO retention VALUES ('ticks')"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(change.encode())
            with pytest.raises(psycopg.errors.QueryCanceled):
                reader.execute("SELECT pg_sleep(5)")
        make_reader(owner, name, "another", timeout_s=1)
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(psycopg.conninfo.make_conninfo(**parts), application="test")
    finally:
        owner.execute(f"DROP OWNED BY {name}".encode())
        owner.execute(f"DROP ROLE {name}".encode())


def test_a_role_that_may_write_is_not_made_a_reader(owner: Connection) -> None:
    with pytest.raises(HistoryError, match=r"role \w+ is there and may do more than read"):
        make_reader(owner, owner.info.user, "secret")
    with pytest.raises(HistoryError, match="is not a name for a role"):
        make_reader(owner, "drop table", "secret")


def version(valid_from: str, valid_to: str = "infinity", **values: object) -> dict[str, object]:
    terms = {"venue": "sim", "symbol": "KO", "kind": "equity", "tick_size": 0.01, "lot_size": 1.0, "multiplier": 1.0}
    return (
        {"instrument": "KO", "valid_from": valid_from, "valid_to": valid_to, "currency": "USD", "calendar": "XNYS"}
        | terms
        | values
    )


def test_reference_data_is_stored_once_and_changed_where_it_changed(owner: Connection) -> None:
    split = {"instrument": "KO", "ex_date": date(2012, 8, 13), "kind": "split", "ratio": 2.0, "currency": "USD"}
    first = Reference(instrument_versions=[version("2000-01-01Z", "2020-01-01Z"), version("2020-01-01Z")])
    assert store_reference(owner, first)["instrument_versions"] == 2
    assert store_reference(owner, first)["instrument_versions"] == 0
    second = Reference(instrument_versions=[version("2020-01-01Z", tick_size=0.001)], corporate_actions=[split])
    assert store_reference(owner, second) == {
        "venues": 0,
        "calendars": 0,
        "instrument_versions": 1,
        "corporate_actions": 1,
    }


def test_versions_that_are_valid_at_one_time_are_refused_and_nothing_is_stored(owner: Connection) -> None:
    clash = Reference(instrument_versions=[version("2000-01-01Z"), version("2020-01-01Z")])
    with pytest.raises(HistoryError, match="instrument KO: its versions from 2000-01-01 and from 2020-01-01 are valid"):
        store_reference(owner, clash)
    assert one(owner, "SELECT count(*) FROM instrument_versions") == 0
