"""The trading log on the wire."""

import pickle
from typing import Any

import pytest

from pipelines.contracts.trading import EVENT, KINDS, ORDER, EventCodec, OrderCodec
from pipelines.contracts.wire import BadRecord, Codec
from pipelines.domain.trading import (
    Action,
    Body,
    Command,
    Decision,
    Marks,
    OrderRequest,
    OrderStatus,
    Report,
    RiskUpdate,
    Side,
    Signal,
    TradingEvent,
)

SIGNAL = Signal("reversion", "1f", "KO-PEP", Action.ENTER_LONG, -2.1, 0.5, 1.1, 60.0, 54.0, 1, 10, 14)
ORDER_OUT = OrderRequest(
    "0123", Decision.NEW, "paper", 1_999_999, "sim", "KO", Side.BUY, 3, "market", 0.0, "KO-PEP", 0, "signal/x", ""
)
BODIES: list[Body] = [
    SIGNAL,
    Marks(1, 4, ("KO", "PEP"), (1.0, 2.0), (1.5, 2.5), (5, 6)),
    ORDER_OUT,
    Report("sim", "e1", "0123", OrderStatus.PARTIALLY_FILLED, "KO", Side.SELL, 1, 60.5, 1, 2, ""),
    Command("kill", "paper", "me", "because"),
    RiskUpdate(9, 100.0, 150.0, ("KO",), (1.25,)),
]
CODEC = EventCodec(5)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_an_event_is_read_as_it_was_written(body: Body) -> None:
    event = TradingEvent("id", "paper", 1_700_000_000_123_456_789, body)
    read = CODEC.decode(CODEC.encode(event))
    assert read == event
    assert [type(value) for value in fields_of(read.body)] == [type(value) for value in fields_of(body)]


def fields_of(body: Body) -> list[Any]:
    return [getattr(body, name) for name in type(body).__dataclass_fields__]


def test_every_kind_of_event_has_its_test() -> None:
    assert {type(body) for body in BODIES} == set(KINDS.values())


def test_on_the_wire_an_event_has_its_kind_that_part_alone_and_its_time_in_ms_too() -> None:
    record = Codec(EVENT, 5).decode(CODEC.encode(TradingEvent("id", "paper", 1_999_999, SIGNAL)))
    assert record["kind"] == "signal"
    assert record["event_time_ms"] == 1
    assert [kind for kind in KINDS if record[kind] is not None] == ["signal"]


def test_an_order_is_read_as_it_was_written() -> None:
    assert OrderCodec(6).decode(OrderCodec(6).encode(ORDER_OUT)) == ORDER_OUT
    assert Codec(ORDER, 6).decode(OrderCodec(6).encode(ORDER_OUT))["event_time_ms"] == 1


def changed(**changes: Any) -> bytes:
    record = Codec(EVENT, 5).decode(CODEC.encode(TradingEvent("id", "paper", 1, SIGNAL)))
    return Codec(EVENT, 5).encode(record | changes)


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadRecord, match="TradingEvent id: kind 'rumour': one of signal, marks, intent, report"):
        CODEC.decode(changed(kind="rumour"))


def test_an_event_whose_part_is_not_filled_is_refused() -> None:
    with pytest.raises(BadRecord, match=r"of kind marks, but marks is null; filled: \['signal'\]"):
        CODEC.decode(changed(kind="marks"))


def test_an_unknown_word_in_a_part_is_refused_with_those_there_are() -> None:
    record = Codec(EVENT, 5).decode(CODEC.encode(TradingEvent("id", "paper", 1, SIGNAL)))
    expected = r"id: signal\.action: 'buy' is not a valid Action: one of enter_long, enter_short, exit expected"
    with pytest.raises(BadRecord, match=expected):
        CODEC.decode(changed(signal=record["signal"] | {"action": "buy"}))


def test_codecs_travel_by_pickle() -> None:
    event = TradingEvent("id", "paper", 1, SIGNAL)
    assert pickle.loads(pickle.dumps(CODEC)).decode(CODEC.encode(event)) == event
