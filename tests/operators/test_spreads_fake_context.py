"""The fake Flink context behaves as Flink's does where our operators lean on it."""

from collections.abc import Iterator
from typing import Any

import pytest
from pyflink.common import Row, Types
from pyflink.datastream import RuntimeContext
from pyflink.datastream.functions import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor

from tests.support.fake_flink import KeyedHarness, record


class CountByKey(KeyedProcessFunction):  # type: ignore[misc]
    def __init__(self, keep: type = bytes) -> None:
        self.keep = keep

    def open(self, context: RuntimeContext) -> None:
        self.count = context.get_state(ValueStateDescriptor("count", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, row: Row, context: Any) -> Iterator[tuple[str, int]]:
        seen = int(self.count.value() or b"0") + 1
        self.count.update(b"%d" % seen if self.keep is bytes else seen)
        yield context.get_current_key(), seen


def test_state_is_kept_by_key() -> None:
    operator = KeyedHarness(CountByKey())
    rows = [record(b"", key=key) for key in ("a", "b", "a")]
    assert operator.feed_all(rows) == [("a", 1), ("b", 1), ("a", 2)]


def test_a_restart_goes_on_from_its_snapshot_and_leaves_that_unchanged() -> None:
    first = KeyedHarness(CountByKey())
    first.feed(record(b"", key="a"))
    saved = first.snapshot()
    for _ in range(2):
        assert KeyedHarness(CountByKey(), snapshot=saved).feed(record(b"", key="a")) == [("a", 2)]


def test_byte_state_refuses_what_is_not_bytes() -> None:
    with pytest.raises(AssertionError, match="only bytes"):
        KeyedHarness(CountByKey(keep=int)).feed(record(b"", key="a"))
