"""What the logs of a session tell of an order, in memory, through the real codecs."""

import numpy as np
import pytest

from jobs.why.chain import NotThere
from jobs.why.explain import explain
from jobs.why.log import LogEvidence
from pipelines.contracts.frames import RawFrames
from pipelines.contracts.topics import Topics
from pipelines.domain.market import TICK, Flag
from tests.support.memory_log import IDS, MemoryLog
from tests.support.session_log import (
    INSTRUMENTS,
    T0_NS,
    block,
    event,
    marks,
    order,
    report,
    samples,
    signal,
    spread_event,
)

A, B = "aaaa1111aaaa1111aaaa", "bbbb2222bbbb2222bbbb"
MS = 1_000_000


def evidence(log: MemoryLog) -> LogEvidence:
    return LogEvidence(log, Topics(), "session-1", IDS)


def quotes(*rows: tuple[int, str, float, int]) -> np.ndarray:  # type: ignore[type-arg]
    """Of (sequence, instrument, bid, ms): a tick each, its frame the one before its number."""
    made = np.zeros(len(rows), TICK)
    for row, (sequence, instrument, bid, at_ms) in zip(made, rows, strict=True):
        row["sequence"], row["frame"], row["instrument"] = sequence, sequence - 1, INSTRUMENTS.index(instrument)
        row["event_ns"], row["bid"], row["ask"], row["flags"] = T0_NS + at_ms * MS, bid, bid + 1, int(Flag.HOME)
    return made


def session(first: int = 0) -> MemoryLog:
    """Frames 0..4 in one record, ticks in two blocks, crossings 3 and 4, a signal of both, two orders, a fill."""
    log = MemoryLog(first)
    log.write("trading.orders", order(7, client_order_id="9999", pair="X-Y"))
    log.write("trading.events", *(marks(number) for number in range(5)))
    log.write("market.spreads", spread_event(2), spread_event(3), spread_event(3, pair="SOL-X"))
    frames = [f"frame {number}".encode() for number in range(5)]
    at = log.raw(RawFrames("binance", "recording-1", 0, T0_NS, frames=frames, receive_ns=[T0_NS] * 5))
    for rows in (
        quotes((1, "BTCUSDT", 100.0, 1), (2, "ETHUSDT", 200.0, 1)),
        quotes((3, "BTCUSDT", 101.0, 3), (4, "BTCUSDT", 102.0, 4), (5, "ETHUSDT", 203.0, 5)),
    ):
        made = block(rows)
        log.block(type(made)("binance", "recording-1", 0, 0, at, INSTRUMENTS, rows))
    log.write("market.spreads", spread_event(4), spread_event(4, kind="heartbeat", pair=""))
    log.write("trading.events", signal(4, first_sequence=3, last_sequence=4))
    log.write(
        "trading.orders",
        order(4, client_order_id=A, cause="signal/4", checks=["collar: 0, limit 1"]),
        order(4, client_order_id=B, cause="signal/4", leg=1, instrument="ETHUSDT", side="sell"),
    )
    log.write("trading.events", event("intent", f"intent/{A}", order(4, client_order_id=A), T0_NS + 4 * MS))
    log.write(
        "trading.events", report(5, client_order_id=A), report(5, client_order_id=A), report(6, client_order_id=B)
    )
    return log


@pytest.mark.parametrize("first", [0, 1_000_000])
def test_an_order_is_followed_to_the_frames_behind_it(first: int) -> None:
    chain = explain(evidence(session(first)), A[:9], 20)
    assert chain.missing == ()
    assert chain.order.checks == ("collar: 0, limit 1",)
    assert [each.client_order_id for each in chain.siblings] == [B]
    assert [(each.sequence, each.pair) for each in chain.crossings] == [(3, "BTC-ETH"), (4, "BTC-ETH")]
    ticks = [(each.crossing, each.role, each.tick.instrument, each.tick.bid) for each in chain.ticks]
    assert ticks == [
        (3, "made", "BTCUSDT", 101.0), (3, "a", "BTCUSDT", 101.0), (3, "b", "ETHUSDT", 200.0),
        (4, "made", "BTCUSDT", 102.0), (4, "a", "BTCUSDT", 102.0), (4, "b", "ETHUSDT", 200.0),
    ]  # fmt: skip
    assert [(each.frame, each.index, each.payload) for each in chain.frames] == [
        (2, 2, b"frame 2"), (1, 1, b"frame 1"), (3, 3, b"frame 3"),
    ]  # fmt: skip
    assert chain.intent is not None
    assert [each.event_id for each in chain.reports] == ["report/sim/exec-5"]


def test_a_refused_order_finds_its_legs_in_what_was_decided_before() -> None:
    log = session()
    log.write("trading.events", signal(5, first_sequence=4, last_sequence=4))
    log.write("trading.orders", order(5, client_order_id="cccc3333", action="refused", cause="signal/5", reason="no"))
    chain = explain(evidence(log), "cccc3333", 20)
    assert [each.role for each in chain.ticks] == ["made", "a", "b"]
    assert chain.reports == ()


def test_a_signal_of_samples_is_told_by_them() -> None:
    log = session()
    log.write("market.samples", samples(8, "BTC-ETH", "SOL-X"), samples(9, "BTC-ETH"))
    log.write("trading.events", signal(9, first_sequence=8, last_sequence=9))
    log.write("trading.orders", order(9, client_order_id="cccc3333", cause="signal/9"))
    chain = explain(evidence(log), "cccc3333", 20)
    assert [(each.kind, each.sequence) for each in chain.crossings] == [("sample", 8), ("sample", 9)]
    assert chain.ticks == ()


def test_notices_at_or_before_an_order_are_told() -> None:
    log = session()
    for number, reason in ((4, "halting: es 9, limit 8"), (5, "reducing: gross_notional 12, limit 10")):
        notice = order(number, client_order_id=f"n{number}", action="notice", reason=reason, cause="x")
        log.write("trading.orders", notice)
    log.write("trading.orders", order(6, client_order_id="cccc3333", cause="marks/0/3"))
    log.write("trading.orders", order(7, client_order_id="n7", action="notice", reason="normal", cause="y"))
    chain = explain(evidence(log), "cccc3333", 20)
    assert [each.reason for each in chain.notices] == ["reducing: gross_notional 12, limit 10"]
    assert chain.causes[0].event is not None


def test_what_a_log_has_dropped_is_said() -> None:
    log = MemoryLog(50)
    log.write("trading.events", signal(4))
    log.write(
        "trading.orders", order(4, client_order_id=A, cause="signal/4"), order(5, client_order_id=B, cause="gone")
    )
    for topic in ("market.spreads", "market.samples", "market.ticks"):
        log.partitions(topic)
    assert explain(evidence(log), A, 20).missing == (
        "crossings: market.spreads has no event 5 of BTC-ETH any more",
    )  # fmt: skip
    assert explain(evidence(log), B, 20).missing == ("cause: gone is not in trading.events",)


def test_a_record_that_cannot_be_read_is_passed_over() -> None:
    log = session()
    log.add("trading.orders", b"\x00garbage " + A.encode(), T0_NS)
    log.add("trading.events", b"\x00garbage " + A.encode(), T0_NS)
    assert explain(evidence(log), A, 20).order.client_order_id == A


def test_an_order_of_no_session_is_not_there() -> None:
    with pytest.raises(NotThere, match="no order with an id that begins with 'dddd4444' in session session-1"):
        explain(evidence(session()), "dddd4444", 20)
