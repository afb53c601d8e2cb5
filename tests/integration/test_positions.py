"""Where pairs stand, from the trading job to a signal that reads it: the log of positions joined with the samples."""

from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaProducer

from jobs.submit import submit
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.contracts.topics import RECORDS, shard_key
from pipelines.contracts.trading import PositionCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Action, Signal
from pipelines.domain.universe import SignalUse
from tests.conftest import OpenSession
from tests.integration.test_trading import Log
from tests.support.accounts import T0, filled, marks, signal, strategy
from tests.support.session_log import samples

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SECOND_NS = 1_000_000_000
WRITTEN = 2 + 1 + 2 + 12
"""Events that the test writes: marks, a signal, fills, marks."""
TAKE_PROFIT = """-- signal: take_profit
-- about: leave a pair that is held long once its spread is above the mean
-- inputs: spreads, positions
SELECT s.pair, s.event_time_ns, 'exit' AS action, s.z, s.beta, s.mid_a, s.mid_b, s.shard
FROM spreads AS s JOIN positions AS p ON s.pair = p.pair
  AND p.event_time BETWEEN s.event_time - INTERVAL '1' HOUR AND s.event_time
WHERE p.stance = 'long' AND s.z > 0
"""


def test_a_signal_leaves_what_the_trader_says_is_held(trading_session: OpenSession, tmp_path: Path) -> None:
    log = Log(trading_session)
    (tmp_path / "take_profit.sql").write_text(TAKE_PROFIT)
    used = SignalUse(str(tmp_path / "take_profit.sql"), {}, "take_profit")
    file = tmp_path / "strategy.yaml"
    file.write_text(dump_strategy(replace(strategy(), signals=(used,))))
    submit(trading_session.settings, ["trading", "signals"], file, trading_session.prefix)

    log.write(marks(0, 1), marks(1, 1), signal("A-B", Action.ENTER_LONG, 1))
    log.write(*(filled(order) for order in log.decided(2)))
    for number in range(2, 8):  # marks go on: the account's time does, and with it the watermark of positions
        log.write(*(marks(shard, number, T0 + number * SECOND_NS) for shard in (0, 1)))
    write_samples(trading_session, {3: 0.5, 5: -0.5, 6: 0.75, 7: 0.0})

    events = [log.events.decode(value) for value in log.read(trading_session.topics.events, WRITTEN + 2)]
    exits = [each.body for each in events if isinstance(each.body, Signal) and each.body.name == "take_profit"]
    assert [(body.pair, body.action, body.z) for body in exits] == [
        ("A-B", Action.EXIT, 0.5),
        ("A-B", Action.EXIT, 0.75),
    ]
    assert [body.last_sequence - T0 for body in exits] == [3 * SECOND_NS, 6 * SECOND_NS]

    codec = PositionCodec(SchemaRegistry(trading_session.settings.registry.url).ids()[RECORDS["trading.positions"]])
    told = [codec.decode(value) for value in log.read(trading_session.topics.positions, 8)]
    assert [each.sequence for each in told] == list(range(1, len(told) + 1))
    assert [each.stance for each in told if each.kind == "position"][:3] == ["entering", "entering", "long"]
    assert {each.kind for each in told} == {"position", "heartbeat"}


def write_samples(session: OpenSession, z_at: dict[int, float]) -> None:
    """A sample of A-B in shard 0 at each of these seconds, and one a second of shard 1, so that time goes on there."""
    record = RECORDS["market.samples"]
    codec = Codec(record, SchemaRegistry(session.settings.registry.url).ids()[record])
    producer = KafkaProducer(bootstrap_servers=[session.settings.kafka.bootstrap], acks="all")
    for second in range(1, 9):
        for shard in (0, 1):
            told = samples(second, *(["A-B"] if shard == 0 and second in z_at else []))
            at_ns = T0 + second * SECOND_NS
            told |= {"shard": shard, "event_time_ns": at_ns, "event_time_ms": at_ns // NS_PER_MS}
            told["samples"] = [each | {"z": z_at[second]} for each in told["samples"]]
            key = shard_key(shard, 2).encode()
            producer.send(session.topics.samples, codec.encode(told), key, timestamp_ms=at_ns // NS_PER_MS)
    producer.close()
