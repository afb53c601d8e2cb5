"""Why an order was made, out of Kafka and out of TimescaleDB: the same, as far as the history keeps it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import pytest

from infra.settings import Settings
from jobs.why.explain import explain
from jobs.why.history import HistoryEvidence, session_of
from jobs.why.log import LogEvidence
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import RECORDS
from pipelines.history.kafka_log import KafkaLog
from pipelines.history.order_questions import OrderQuestions
from pipelines.history.queries import History, Span
from pipelines.history.reader import Batch, SessionReader
from pipelines.history.rows import event_rows, order_rows
from pipelines.history.timescale import connect
from pipelines.history.writer import Writer
from tests.conftest import OpenSession, OpenSessions
from tests.support.session_log import (
    SessionLog,
    block,
    command,
    event,
    marks,
    order,
    report,
    signal,
    spread_event,
    ticks,
)

pytestmark = pytest.mark.stack

A, B = "aaaa1111aaaa1111aaaa", "bbbb2222bbbb2222bbbb"


@pytest.fixture
def dsn(stack: Settings) -> Iterator[str]:
    name = f"history_{uuid4().hex[:12]}"
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"CREATE DATABASE {name}")
    yield f"{stack.timescale.dsn.rpartition('/')[0]}/{name}"
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def written(session: OpenSession) -> SessionLog:
    """A session in Kafka: frames, ticks, crossings, a signal, two orders, reports, a command, notices."""
    settings = session.settings
    with closing(SessionLog(settings.kafka.bootstrap, settings.registry.url, session.topics)) as log:
        ids = SchemaRegistry(settings.registry.url).ids()
        frames = [f"frame {number}".encode() for number in range(40)]
        raw = RawFrames("binance", "recording-1", 0, 1, frames=frames, receive_ns=[1] * 40)
        log.send("raw.binance", FramesCodec(ids[RECORDS["raw"]]).encode(raw))
        log.flush()
        log.ticks(*(replace(block(ticks(10, first)), raw_partition=raw_partition(session)) for first in (1, 11, 21)))
        log.write("market.spreads", *(spread_event(number) for number in range(1, 20)))
        log.write(
            "trading.events",
            *(marks(number) for number in range(20)),
            signal(10, first_sequence=8, last_sequence=10),
            command(1),
        )
        log.write(
            "trading.orders",
            order(10, client_order_id=A, cause="signal/10", checks=["collar: 0, limit 1"], strategy="pairs"),
            order(10, client_order_id=B, cause="signal/10", leg=1, instrument="ETHUSDT", side="sell"),
            order(9, client_order_id=A, action="notice", cause="x", reason="reducing: es 9, limit 8"),
        )
        of = {"cause": "signal/10", "strategy": "pairs"}
        worked = order(10, client_order_id=A, order_type="worked", reason="twap: 2 slices over 60 s", **of)
        child = order(12, client_order_id=f"{A}.0", quantity=3, target=A, venue="N", reason="takes 3 at N", **of)
        intents = [event("intent", f"intent/{o['client_order_id']}", o, o["event_time_ns"]) for o in (worked, child)]
        log.write("trading.events", *intents)
        taken_back = report(10, 0, client_order_id=A, amends="exec-9", amended_quantity=5, amended_price=100.01)
        log.write("trading.events", report(9, client_order_id=A), taken_back)
        log.flush()
    return log


def raw_partition(session: OpenSession) -> int:
    """Where the one record of frames went."""
    name = session.topics.raw("binance")
    with closing(KafkaLog(session.settings.kafka.bootstrap, [name], {})) as found:
        return next(partition for (_, partition), end in found.ends().items() if end)


def loaded(session: OpenSession, log: SessionLog, dsn: str) -> None:
    """Its topics in the history."""
    settings = session.settings
    reader = SessionReader.of(log.session_id, session.topics, SchemaRegistry(settings.registry.url))
    with (
        closing(Writer(dsn, log.session_id, session.prefix)) as writer,
        closing(KafkaLog(settings.kafka.bootstrap, reader.names(), {})) as records,
    ):
        while records.behind(records.offsets()):
            writer.write(reader.batch(records.poll(1_000)), {})


def test_log_and_history_tell_the_same_of_an_order(open_session: OpenSessions, dsn: str) -> None:
    session = open_session(("binance",))
    log = written(session)
    settings = session.settings
    with closing(LogEvidence.open(settings.kafka.bootstrap, settings.registry.url, session.prefix)) as evidence:
        live = explain(evidence, A[:8], 20)
    assert live.missing == ()
    assert [each.sequence for each in live.crossings] == [8, 9, 10]
    assert [each.tick.sequence for each in live.ticks if each.role == "made"] == [8, 9, 10]
    assert live.frames[0].payload == b"frame 7"
    assert live.order.checks == ("collar: 0, limit 1",)
    loaded(session, log, dsn)
    with closing(OrderQuestions(dsn)) as questions:
        assert session_of(questions, A[:8]) == log.session_id
        kept = explain(HistoryEvidence(questions, log.session_id), A[:8], 20)
    for name in (
        "order",
        "siblings",
        "causes",
        "notices",
        "signal",
        "crossings",
        "reports",
        "children",
        "cancels",
        "intent",
    ):
        assert getattr(kept, name) == getattr(live, name), name
    bare = [replace(each, tick=replace(each.tick, raw_partition=None, raw_offset=None)) for each in live.ticks]
    assert list(kept.ticks) == bare
    assert [(each.frame, each.payload) for each in kept.frames] == [(each.frame, None) for each in live.frames]
    assert [(each.event_id, each.body.venue, each.body.reason) for each in kept.children] == [
        (f"intent/{A}.0", "N", "takes 3 at N"),
    ]
    assert len(kept.missing) == 1


def test_fills_in_the_history_are_the_position_when_one_is_taken_back_or_corrected(dsn: str) -> None:
    batch = Batch()
    as_told = {"amended_quantity": 5, "amended_price": 100.01}
    after = {"status": "partially_filled", "cumulative_quantity": 4, "leaves_quantity": 1, "last_price": 99.0}
    corrected = report(3, 4, client_order_id="order-2", amends="exec-2", **as_told, **after)
    gone = {"status": "canceled", "cumulative_quantity": 0}
    taken_back = report(4, 0, client_order_id="order-1", amends="exec-1", **as_told, **gone)
    events = (report(1), report(2), corrected, taken_back)
    for table, row in (
        *(found for number in (1, 2) for found in order_rows("s", order(number, checks=["a: 1, limit 2"]))),
        *(found for each in events for found in event_rows("s", each)),
    ):
        batch.rows[table].append(row)
    with closing(Writer(dsn, "s", "")) as writer:
        new = writer.write(batch, {})
        assert writer.write(batch, {}) == 0, "each once"
    assert new == 2 + 4 + 5
    with connect(dsn, application="test") as connection:
        (lots,) = connection.execute("SELECT sum(quantity) FROM fills").fetchone() or (None,)
        status = connection.execute(
            "SELECT client_order_id, status, filled_quantity, average_price, checks FROM order_status ORDER BY 1"
        ).fetchall()
    assert lots == 4
    assert status == [
        ("order-1", "canceled", 0, None, ["a: 1, limit 2"]),
        ("order-2", "partially_filled", 4, pytest.approx(99.0), ["a: 1, limit 2"]),
    ]
    with History(dsn) as history:
        (pair, _) = history.pnl("s", None, None)
        assert (pair.fills, pair.held, pair.realised) == (1, {"BTCUSDT": 4}, 0.0)
        assert len(history.fills("s", None, None, Span(), 100).rows) == 5
