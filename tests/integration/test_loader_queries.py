"""Questions to a history that a loader has filled."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.settings import Settings
from pipelines.domain.trader_config import Fee
from pipelines.history.queries import History, Listed, Span
from pipelines.history.reader import Batch
from pipelines.history.rows import bar_rows, event_rows, order_rows, spread_rows
from pipelines.history.tca_history import TcaHistory
from pipelines.history.timescale import HistoryError, connect, migrate
from pipelines.history.writer import Writer
from tests.support.accounts import strategy
from tests.support.session_log import INSTRUMENTS, bar, order, report, risk, spread_event, ticks

pytestmark = pytest.mark.stack

MINUTE = timedelta(minutes=1)
START = datetime(2023, 11, 14, 22, 13, tzinfo=UTC)


@pytest.fixture(scope="module")
def dsn(stack: Settings) -> Iterator[str]:
    """A database with two sessions; the newer one holds bars, spreads, ticks and two fills."""
    name = f"history_{uuid4().hex[:12]}"
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"CREATE DATABASE {name}")
    dsn = f"{stack.timescale.dsn.rpartition('/')[0]}/{name}"
    for session in ("a-first", "b-second"):
        with closing(Writer(dsn, session, "")) as writer:
            writer.write(filled(session), {})
            if session == "b-second":
                writer.describe(strategy())
    yield dsn
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def filled(session: str) -> Batch:
    batch = Batch(ticks={("binance", "recording-1"): (INSTRUMENTS, ticks(1000))})
    sold = report(2, quantity=2, side="sell", last_price=101.01)
    produced = [
        *(found for minute in range(10) for found in bar_rows(session, bar(minute, open=float(minute)))),
        *(found for number in range(1, 20) for found in spread_rows(session, spread_event(number))),
        *(found for number in (1, 2) for found in order_rows(session, order(number))),
        *(found for event in (report(1, quantity=5), sold) for found in event_rows(session, event)),
        *(found for number in range(1, 5) for found in event_rows(session, told(number))),
    ]
    for table, row in produced:
        batch.rows[table].append(row)
    return batch


def told(number: int) -> dict[str, Any]:
    """Risk, a millisecond apart: of four days, of which the third was exceeded. PostgreSQL's text holds no NUL."""
    return risk(number, days=number, exceptions=int(number > 2), instruments=["BTCUSDT", "ETHUSDT"])


@pytest.fixture
def history(dsn: str) -> Iterator[History]:
    with History(dsn) as history:
        yield history


def test_the_newest_session_is_asked_unless_one_is_named(history: History) -> None:
    assert history.session(None) == "b-second"
    assert history.session("a-") == "a-first"


def test_an_unknown_session_is_answered_with_those_there_are(history: History) -> None:
    with pytest.raises(HistoryError, match="no session with an id that begins with 'x': the newest are b-second"):
        history.session("x")


def test_bars_are_those_of_the_ticks_and_not_of_the_spreads_job(history: History) -> None:
    answer = history.ohlcv(Listed("b-second", "BTCUSDT"), Span(), MINUTE)
    (first,) = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    assert (first["time"], first["trades"], first["quotes"]) == (START, 0, 250)


def test_the_spread_of_a_pair_comes_in_order(history: History) -> None:
    answer = history.spread("b-second", "BTC-ETH", Span(), 5)
    assert [row[answer.columns.index("sequence")] for row in answer.rows] == [15, 16, 17, 18, 19]


def test_the_spread_of_a_pair_at_any_sampling_is_as_it_stood_at_the_end_of_each_interval(history: History) -> None:
    #  events at 1, 2, ... 19 ms
    answer = history.spread("b-second", "BTC-ETH", Span(), bucket=timedelta(milliseconds=5))
    said = [row[answer.columns.index("said_at")] for row in answer.rows]
    assert [each.microsecond // 1000 for each in said] == [4, 9, 14, 19]


def test_fills_carry_the_pair_of_their_order(history: History) -> None:
    answer = history.fills("b-second", None, "BTC-ETH", Span(), 10)
    assert [row[answer.columns.index("lots")] for row in answer.rows] == [5, 2]


def test_risk_is_as_it_was_told_with_its_lists(history: History) -> None:
    answer = history.risk("b-second", Span(), 2)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    assert [(row["days"], row["exceptions"], row["var"]) for row in rows] == [(3, 1, 100.0), (4, 1, 100.0)]
    assert (rows[0]["pairs"], rows[0]["es_per_lot"]) == (["BTC-ETH"], [30.0, 2.0])
    assert history.risk("b-second", Span(), account="other").why.startswith("no risk updates of this session in that")


def test_risk_at_any_sampling_is_the_last_of_each_interval(history: History) -> None:
    answer = history.risk("b-second", Span(), bucket=timedelta(milliseconds=2))
    assert [row[answer.columns.index("days")] for row in answer.rows] == [1, 3, 4]


def test_days_of_risk_are_read_from_what_was_told(history: History) -> None:
    assert history.risk_days("b-second") == ((False, False, True, False), 0.99)
    with pytest.raises(HistoryError, match="no day of session b-second was held against its value at risk"):
        history.risk_days("b-second", "other")


def test_profit_is_of_the_fills_at_the_last_quote(history: History) -> None:
    #  bought 5 at 100.01, sold 2 at 101.01; the last BTCUSDT quote is tick 1000: 100 + 1000 % 97 / 100 and a cent more
    (pair, total) = history.pnl("b-second", None, None)
    mid = 100 + 1000 % 97 / 100 + 0.005
    assert pair.realised == pytest.approx(2.0)
    assert pair.unrealised == pytest.approx(3 * (mid - 100.01))
    assert total.total == pytest.approx(2.0 + 3 * (mid - 100.01))


def test_profit_before_a_time_knows_nothing_after_it(history: History) -> None:
    #  the second fill is at 2 ms; the last BTCUSDT quote before that is tick 16, at 1.6 ms
    (pair, _) = history.pnl("b-second", None, datetime(2023, 11, 14, 22, 13, 20, 2_000, tzinfo=UTC))
    assert (pair.fills, pair.realised) == (1, 0.0)
    assert pair.unrealised == pytest.approx(5 * (100.16 + 0.005 - 100.01))


def test_an_unknown_instrument_is_answered_with_the_nearest(history: History) -> None:
    with pytest.raises(HistoryError, match="unknown instrument 'BTCUSD': did you mean BTCUSDT"):
        history.ohlcv(Listed("b-second", "BTCUSD"), Span(), MINUTE)


def test_an_unknown_pair_is_answered_with_those_there_are(history: History) -> None:
    with pytest.raises(HistoryError, match="unknown pair 'ETH-BTC'"):
        history.spread("b-second", "ETH-BTC", Span(), 10)


def test_an_empty_answer_says_what_there_is_at_other_times(history: History) -> None:
    answer = history.spread("b-second", "BTC-ETH", Span(datetime(2030, 1, 1, tzinfo=UTC)), 10)
    assert answer.rows == ()
    assert "there are 19, 2023-11-14" in answer.why


def test_an_empty_answer_says_why_there_is_nothing(history: History) -> None:
    assert "the session has 2 orders" in history.fills("b-second", "ETHUSDT", None, Span(), 10).why


def test_a_question_cannot_change_the_history(history: History) -> None:
    with pytest.raises(HistoryError, match="read-only"):
        history._execute("DELETE FROM ticks", {})


def test_a_question_that_takes_too_long_is_ended(dsn: str) -> None:
    with History(dsn, timeout_s=0.2) as history, pytest.raises(HistoryError, match=r"more than 0\.2 s"):
        history._execute("SELECT pg_sleep(5)", {})


def test_no_tables_yet_is_said(stack: Settings) -> None:
    name = f"history_{uuid4().hex[:12]}"
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"CREATE DATABASE {name}")
    dsn = f"{stack.timescale.dsn.rpartition('/')[0]}/{name}"
    with History(dsn) as history, pytest.raises(HistoryError, match="no tables yet"):
        history.session(None)
    with connect(dsn, application="test") as connection:
        migrate(connection)
    with History(dsn) as history, pytest.raises(HistoryError, match="no session has been loaded"):
        history.session(None)
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(HistoryError, match=r"Timescale at 127\.0\.0\.1:1/desk does not answer") as caught:
        History("postgresql://helios:secret@127.0.0.1:1/desk")
    assert "secret" not in str(caught.value)


def test_costs_are_of_orders_with_the_quotes_of_their_times(dsn: str, history: History) -> None:
    with TcaHistory(dsn) as costs:
        orders, left_out = costs.traded("b-second", Span(), "BTC-ETH", {"binance": Fee(bps=1.0)})
        with pytest.raises(HistoryError, match="session b-second has no orders in that time"):
            costs.traded("b-second", Span(START + timedelta(days=1)))
    assert (len(orders), left_out) == (2, 0)
    for each in orders:
        (fill,) = each.fills
        at = START + timedelta(microseconds=fill.time_ns // 1000 - int(START.timestamp()) * 1_000_000)
        answer = history.asof("b-second", [("BTCUSDT", at)])
        quote = dict(zip(answer.columns, answer.rows[0], strict=True))
        assert fill.mid == pytest.approx((quote["bid"] + quote["ask"]) / 2)
        assert (each.arrival, each.spread) == (fill.mid, pytest.approx(0.01))
        assert fill.after == (None,) * 5, "the recording ends within the second"
        assert each.over
    assert {each.fee_bps for each in orders} <= {0.0, 1.0}
