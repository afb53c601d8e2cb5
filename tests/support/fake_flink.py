"""A KeyedProcessFunction run without a JVM: keyed state, contexts, timers and restarts, in plain Python.

    operator = KeyedHarness(Spreads(strategy, config), key_by=lambda row: row.key)
    rows = operator.feed(record(value, key="shard-0-1", offset=7))
    saved = operator.snapshot()
    operator = KeyedHarness(Spreads(strategy, config), key_by=..., snapshot=saved)      # a restart

State of `Types.PICKLED_BYTE_ARRAY()` takes nothing but `bytes`, as in our jobs: anything else is an AssertionError.
The function is pickled by cloudpickle first, as Flink does, so that one that cannot travel fails here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
from pyflink.common import Row
from pyflink.common.typeinfo import PickledBytesTypeInfo
from pyflink.datastream import RuntimeContext
from pyflink.datastream.functions import KeyedProcessFunction

Snapshot = dict[str, dict[str, Any]]
"""State by its name, then by key."""


def record(value: bytes, *, key: str = "", partition: int = 0, offset: int = 0, timestamp: int = 0) -> Row:
    """A row as `raw_source` gives it: one Kafka record, its key as text, `timestamp` in ms."""
    return Row(value=value, partition=partition, offset=offset, timestamp=timestamp, key=key)


def record_key(row: Row) -> str:
    """The usual key of a keyed stream of Kafka records: the record's own."""
    return str(row.key)


def emitted(rows: Iterable[Row]) -> list[tuple[str, str, bytes, int]]:
    """Rows made by `emit` as the records that Kafka would get, in order: (topic, key, value, time in ms)."""
    return [(row[0], row[1], value, time_ms) for row in rows for value, time_ms in zip(row[2], row[3], strict=True)]


@dataclass
class _Keyed:
    """What one state descriptor holds, by key; `current` is the key being worked on."""

    name: str
    values: dict[str, Any]
    current: Callable[[], str]
    only_bytes: bool


class FakeValueState(_Keyed):
    def value(self) -> Any:
        return self.values.get(self.current())

    def update(self, value: Any) -> None:
        if self.only_bytes:
            assert type(value) is bytes, f"state {self.name}: {type(value).__name__} given, only bytes may be kept"
        self.values[self.current()] = value

    def clear(self) -> None:
        self.values.pop(self.current(), None)


class FakeListState(_Keyed):
    def get(self) -> Iterator[Any]:
        return iter(list(self.values.get(self.current(), ())))

    def add(self, value: Any) -> None:
        self.values.setdefault(self.current(), []).append(value)

    def add_all(self, values: Iterable[Any]) -> None:
        self.values.setdefault(self.current(), []).extend(values)

    def update(self, values: Iterable[Any]) -> None:
        self.values[self.current()] = list(values)

    def clear(self) -> None:
        self.values.pop(self.current(), None)


class FakeMapState(_Keyed):
    def _map(self) -> dict[Any, Any]:
        found: dict[Any, Any] = self.values.setdefault(self.current(), {})
        return found

    def get(self, key: Any) -> Any:
        return self._map().get(key)

    def put(self, key: Any, value: Any) -> None:
        self._map()[key] = value

    def contains(self, key: Any) -> bool:
        return key in self._map()

    def remove(self, key: Any) -> None:
        self._map().pop(key, None)

    def keys(self) -> list[Any]:
        return list(self._map())

    def items(self) -> list[tuple[Any, Any]]:
        return list(self._map().items())

    def is_empty(self) -> bool:
        return not self._map()

    def clear(self) -> None:
        self.values.pop(self.current(), None)


class FakeCounter:
    def __init__(self) -> None:
        self.count = 0

    def inc(self, n: int = 1) -> None:
        self.count += n

    def dec(self, n: int = 1) -> None:
        self.count -= n

    def get_count(self) -> int:
        return self.count

    def update(self, value: int) -> None:
        """As a distribution, and `mark_event` as a meter: the last value is kept."""
        self.count = value

    def mark_event(self, n: int = 1) -> None:
        self.count += n


@dataclass
class FakeMetrics:
    """Every counter, meter, distribution and gauge by its name, groups ignored."""

    found: dict[str, Any] = field(default_factory=dict)

    def add_group(self, *_names: str) -> "FakeMetrics":
        return self

    def counter(self, name: str) -> FakeCounter:
        made: FakeCounter = self.found.setdefault(name, FakeCounter())
        return made

    def meter(self, name: str, _seconds: int = 60) -> FakeCounter:
        return self.counter(name)

    def distribution(self, name: str) -> FakeCounter:
        return self.counter(name)

    def gauge(self, name: str, read: Callable[[], int]) -> None:
        self.found[name] = read


class FakeRuntimeContext(RuntimeContext):  # type: ignore[misc]
    """Gives keyed state by its descriptor. `key` is set by the harness before each element."""

    def __init__(self, snapshot: Snapshot, subtask: int = 0, parallelism: int = 1) -> None:
        self.key = ""
        self.snapshot = snapshot
        self.metrics = FakeMetrics()
        self._subtask = subtask
        self._parallelism = parallelism

    def _arguments(self, descriptor: Any) -> tuple[str, dict[str, Any], Callable[[], str], bool]:
        name = descriptor.get_name()
        only_bytes = isinstance(descriptor.type_info, PickledBytesTypeInfo)
        return name, self.snapshot.setdefault(name, {}), lambda: self.key, only_bytes

    def get_state(self, state_descriptor: Any) -> FakeValueState:
        return FakeValueState(*self._arguments(state_descriptor))

    def get_list_state(self, state_descriptor: Any) -> FakeListState:
        return FakeListState(*self._arguments(state_descriptor))

    def get_map_state(self, state_descriptor: Any) -> FakeMapState:
        return FakeMapState(*self._arguments(state_descriptor))

    def get_reducing_state(self, state_descriptor: Any) -> Any:
        raise NotImplementedError(f"{state_descriptor.get_name()}: our operators keep no reducing state")

    def get_aggregating_state(self, state_descriptor: Any) -> Any:
        raise NotImplementedError(f"{state_descriptor.get_name()}: our operators keep no aggregating state")

    def get_task_name(self) -> str:
        return "fake"

    def get_number_of_parallel_subtasks(self) -> int:
        return self._parallelism

    def get_max_number_of_parallel_subtasks(self) -> int:
        return 128

    def get_index_of_this_subtask(self) -> int:
        return self._subtask

    def get_attempt_number(self) -> int:
        return 0

    def get_task_name_with_subtasks(self) -> str:
        return f"fake ({self._subtask + 1}/{self._parallelism})"

    def get_job_parameter(self, key: str, default_value: str) -> str:
        return default_value

    def get_metrics_group(self) -> FakeMetrics:
        return self.metrics


@dataclass
class FakeTimers:
    """Registers timers; nothing fires them but `KeyedHarness.advance`."""

    watermark: int = -(2**63)
    event_time: set[tuple[int, str]] = field(default_factory=set)
    key: str = ""

    def current_watermark(self) -> int:
        return self.watermark

    def register_event_time_timer(self, timestamp: int) -> None:
        self.event_time.add((timestamp, self.key))

    def delete_event_time_timer(self, timestamp: int) -> None:
        self.event_time.discard((timestamp, self.key))


@dataclass
class FakeContext:
    """The context of one element (or timer): its key and Kafka timestamp."""

    key: str
    time_ms: int | None
    timers: FakeTimers

    def timestamp(self) -> int | None:
        return self.time_ms

    def get_current_key(self) -> str:
        return self.key

    def timer_service(self) -> FakeTimers:
        return self.timers


class KeyedHarness:
    """Runs one KeyedProcessFunction as Flink would in one subtask: opened, given rows by key, its state kept."""

    def __init__(
        self,
        function: KeyedProcessFunction,
        key_by: Callable[[Row], str] = record_key,
        snapshot: Snapshot | None = None,
        subtask: int = 0,
        parallelism: int = 1,
    ) -> None:
        self.function: KeyedProcessFunction = cloudpickle.loads(cloudpickle.dumps(function))
        self.key_by = key_by
        self.timers = FakeTimers()
        self.context = FakeRuntimeContext(cloudpickle.loads(cloudpickle.dumps(snapshot or {})), subtask, parallelism)
        self.function.open(self.context)

    def feed(self, row: Row) -> list[Any]:
        """What the function yields for one row (side outputs come as (tag, value), as Flink has them)."""
        key = self._enter(self.key_by(row))
        made = self.function.process_element(row, FakeContext(key, getattr(row, "timestamp", None), self.timers))
        return list(made or ())

    def feed_all(self, rows: Iterable[Row]) -> list[Any]:
        return [made for row in rows for made in self.feed(row)]

    def advance(self, watermark_ms: int) -> list[Any]:
        """Move event time; what the timers due by then yield, in time order."""
        self.timers.watermark = watermark_ms
        due = sorted(timer for timer in self.timers.event_time if timer[0] <= watermark_ms)
        self.timers.event_time -= set(due)
        made: list[Any] = []
        for time_ms, key in due:
            context = FakeContext(self._enter(key), time_ms, self.timers)
            made.extend(self.function.on_timer(time_ms, context) or ())
        return made

    def snapshot(self) -> Snapshot:
        """All state as a checkpoint would have it: a copy that later work does not touch."""
        copied: Snapshot = cloudpickle.loads(cloudpickle.dumps(self.context.snapshot))
        return copied

    def state(self, name: str, key: str) -> Any:
        return self.context.snapshot.get(name, {}).get(key)

    def close(self) -> None:
        self.function.close()

    def _enter(self, key: str) -> str:
        self.context.key = self.timers.key = key
        return key
