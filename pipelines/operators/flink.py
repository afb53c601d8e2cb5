"""The PyFlink edge: environment, Kafka in and out as raw bytes, state as bytes. The only module where types end.

PyFlink is untyped; what jobs and operators use of it is given names and types here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pyflink.common import Configuration, Types
from pyflink.common import Row as _Row
from pyflink.common.typeinfo import TypeInformation
from pyflink.datastream import DataStream, KeyedStream, StreamExecutionEnvironment
from pyflink.datastream.functions import KeyedProcessFunction as _KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor
from pyflink.java_gateway import get_gateway
from pyflink.table import PlanReference, StreamTableEnvironment

from pipelines.contracts.topics import MAX_PARALLELISM, Topics

if TYPE_CHECKING:

    class KeyedProcessFunction:
        """PyFlink's, with types: `open` is called once a subtask, `process_element` once a record."""

        def open(self, runtime_context: "RuntimeContext") -> None: ...

        def process_element(self, value: "RawRecord", ctx: "Context") -> Iterator["Emitted"]: ...

else:
    KeyedProcessFunction = _KeyedProcessFunction


class RawRecord(Protocol):
    """A Kafka record as `raw_source` gives it. `timestamp` in ms; `key` is the UTF-8 text."""

    value: bytes
    partition: int
    offset: int
    timestamp: int
    key: str


class BytesState(Protocol):
    """A ValueState that holds bytes of our own format, first byte its version; None before the first update."""

    def value(self) -> bytes | None: ...

    def update(self, value: bytes) -> None: ...

    def clear(self) -> None: ...


class BytesListState(Protocol):
    """A ListState of bytes; empty before the first `add`."""

    def get(self) -> Iterable[bytes]: ...

    def add(self, value: bytes) -> None: ...

    def clear(self) -> None: ...


class RuntimeContext(Protocol):
    def get_state(self, state_descriptor: Any) -> BytesState: ...

    def get_list_state(self, state_descriptor: Any) -> BytesListState: ...

    def get_metrics_group(self) -> Any: ...


class Context(Protocol):
    def get_current_key(self) -> Any: ...


Emitted = Any
"""A row made by `emit`."""

EMITTED: TypeInformation = Types.ROW_NAMED(
    ["topic", "key", "vals", "times"],
    [
        Types.STRING(),
        Types.STRING(),
        Types.OBJECT_ARRAY(Types.PRIMITIVE_ARRAY(Types.BYTE())),
        Types.OBJECT_ARRAY(Types.LONG()),
    ],
)
"""Type of a stream of `emit` rows: give it as `output_type` of `process`."""


def emit(topic: str, key: str, values: Sequence[bytes], times_ms: Sequence[int]) -> Emitted:
    """One row for any number of records of one topic and key, written in this order with these Kafka timestamps (ms).

    A row crosses from Python to the JVM once, so many values cost little more than one.
    """
    if len(values) != len(times_ms):
        raise ValueError(f"emit to {topic}: {len(values)} values but {len(times_ms)} times: give each value its time")
    return _Row(topic, key, values, times_ms)


@dataclass(frozen=True, slots=True)
class JobConfig:
    """What a job has to know besides its strategy: where Kafka and the registry are, and whose session it serves."""

    bootstrap: str
    registry_url: str
    session_id: str
    schema_ids: Mapping[str, int]
    prefix: str = ""
    parallelism: int = 1
    skip: tuple[tuple[int, int], ...] = ()
    """Records of market.spreads, by partition and offset, that a SQL job leaves out: they cannot be decoded."""
    linger_ms: int = 1
    """How long a record may wait for others on its way into Kafka."""
    savepoint: str = ""
    """Where the job goes on from; empty for the beginning of its topics."""

    @property
    def topics(self) -> Topics:
        return Topics(self.prefix)


def environment(parallelism: int = 1, savepoint: str = "") -> tuple[StreamExecutionEnvironment, StreamTableEnvironment]:
    """Thread mode, stable ids, a checkpoint every 2 s: what every job here stands on. One job an environment.

    `savepoint`: where the job takes its state from.
    """
    config = Configuration()
    if savepoint:
        config.set_string("execution.state-recovery.path", savepoint)
    for name, value in {
        "python.execution-mode": "thread",
        # Thread mode has no bundles, and yet a timer that looks for one: an hour apart it costs nothing.
        "python.fn-execution.bundle.time": "3600000",
        # A record is a block of ticks, or what came of one: sent on at once, and no thread that looks for it.
        "execution.buffer-timeout.interval": "0ms",
        "pipeline.auto-watermark-interval": "5ms",
        "pipeline.max-parallelism": str(MAX_PARALLELISM),
        # Without it each row that UNNEST opens is copied with the whole array: 200 records took 2.3 ms, now 0.6.
        "pipeline.object-reuse": "true",
        "table.exec.uid.generation": "ALWAYS",
        "table.local-time-zone": "UTC",
        "parallelism.default": str(parallelism),
        "execution.checkpointing.interval": "2s",
        "state.backend.type": "hashmap",
        # A job never gives up: what stops it is shown by its exceptions, and heals or is mended while it tries.
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "200ms",
        "restart-strategy.exponential-delay.max-backoff": "10s",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1min",
        "execution.checkpointing.tolerable-failed-checkpoints": "1000",
    }.items():
        config.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(config)
    t_env = StreamTableEnvironment.create(env)
    number_plan_from_one()
    return env, t_env


def number_plan_from_one() -> None:
    """The planner numbers its nodes through the life of a client, and state hangs on those numbers.

    Without this, a job submitted alone would not find the state that it left when it was submitted as the third.
    """
    classes = get_gateway().jvm.java.lang.Class
    module = classes.forName("org.apache.flink.table.planner.loader.PlannerModule")
    loaded = module.getDeclaredMethod("getInstance", None).invoke(None, None)
    loader = module.getDeclaredField("submoduleClassLoader")
    loader.setAccessible(True)
    context = loader.get(loaded).loadClass("org.apache.flink.table.planner.plan.nodes.exec.ExecNodeContext")
    context.getDeclaredMethod("resetIdCounter", None).invoke(None, None)


def run_plan(t_env: StreamTableEnvironment, plan: str, name: str) -> str:
    """Hand a compiled plan to the cluster as a job of this name; its Flink id."""
    t_env.get_config().set("pipeline.name", name)
    # By the Java plan: PyFlink 2.2.1 gives its own one the Java environment, and then asks that for a Python method.
    compiled = t_env.load_plan(PlanReference.from_json_string(plan))._j_compiled_plan
    return str(compiled.execute().getJobClient().get().getJobID().toString())


RECORD: TypeInformation = Types.ROW_NAMED(
    ["value", "partition", "offset", "timestamp", "key"],
    [Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.INT(), Types.LONG(), Types.LONG(), Types.STRING()],
)
KEYED_RECORD: TypeInformation = Types.ROW_NAMED(["_key", "record"], [Types.STRING(), RECORD])


def raw_source(
    t_env: StreamTableEnvironment, topics: Sequence[str], group: str, config: JobConfig, under: str = ""
) -> KeyedStream:
    """The records of topics, from their beginning (or the checkpoint), as `RawRecord`s keyed by their Kafka key, or all
    of them keyed by `under`.

    Committed records only; one without a key has the key ''.
    """
    table = f"{group}_in"
    key = "'" + under.replace("'", "''") + "'" if under else "COALESCE(`key`, '')"
    t_env.execute_sql(
        f"""
        CREATE TEMPORARY TABLE `{table}` (
          `key` STRING, `value` BYTES,
          `partition` INT NOT NULL METADATA VIRTUAL, `offset` BIGINT NOT NULL METADATA VIRTUAL,
          `at` TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL
        ) WITH (
          'connector' = 'kafka', 'topic' = '{";".join(topics)}', 'scan.startup.mode' = 'earliest-offset',
          'properties.bootstrap.servers' = '{config.bootstrap}', 'properties.group.id' = '{config.prefix}{group}',
          'properties.isolation.level' = 'read_committed', 'properties.max.partition.fetch.bytes' = '8388608',
          'format' = 'raw', 'key.format' = 'raw', 'key.fields' = 'key', 'value.fields-include' = 'EXCEPT_KEY'
        )"""
    )
    rows = t_env.sql_query(
        f"""SELECT {key} AS `_key`, CAST(ROW(COALESCE(`value`, X''), `partition`, `offset`,
          CAST(1000 AS BIGINT) * TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(0, 3), `at`) + EXTRACT(MILLISECOND FROM `at`),
          COALESCE(`key`, ''))
          AS ROW<`value` BYTES, `partition` INT, `offset` BIGINT, `timestamp` BIGINT, `key` STRING>) AS `record`
        FROM `{table}`"""
    )
    return _keyed(t_env.to_append_stream(rows, KEYED_RECORD), config.parallelism)


def _keyed(stream: DataStream, parallelism: int) -> KeyedStream:
    """Rows of (key, record) as a stream of records keyed on the JVM.

    `DataStream.key_by` asks a Python function for each key, in an operator of its own: half the cost of a job. A job of
    one subtask has nothing to partition: taken as keyed where they are, records go on in the thread that reads them,
    and 30 kB blocks are neither serialised nor handed over.
    """
    jvm, key = get_gateway().jvm, Types.ROW([Types.STRING()]).get_java_type_info()
    selector = jvm.KeyByKeySelector()
    if parallelism == 1:
        streams = jvm.org.apache.flink.streaming.api.datastream
        keyed = streams.DataStreamUtils.reinterpretAsKeyedStream(stream._j_data_stream, selector, key)
    else:
        keyed = stream._j_data_stream.keyBy(selector, key)
    return KeyedStream(keyed, RECORD, stream)


def raw_sink(
    t_env: StreamTableEnvironment, stream: DataStream, topics: Sequence[str], config: JobConfig, name: str = "out"
) -> None:
    """Write `EMITTED` rows to their topics, record by record, in order, at least once. `topics`: all that may be named.

    The rows are opened on the JVM: a Python call that gives 200 records costs one crossing. `name`: one a sink.
    """
    t_env.create_temporary_view(f"{name}_emitted", stream)
    t_env.execute_sql(
        f"""
        CREATE TEMPORARY TABLE `{name}` (
          `key` STRING, `value` BYTES,
          `topic` STRING METADATA FROM 'topic', `at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'
        ) WITH (
          'connector' = 'kafka', 'topic' = '{";".join(topics)}', 'properties.bootstrap.servers' = '{config.bootstrap}',
          'properties.acks' = 'all', 'properties.linger.ms' = '{config.linger_ms}', 'properties.batch.size' = '524288',
          'properties.max.request.size' = '16777216', 'sink.delivery-guarantee' = 'at-least-once',
          'format' = 'raw', 'key.format' = 'raw', 'key.fields' = 'key', 'value.fields-include' = 'EXCEPT_KEY'
        )"""
    )
    statements = t_env.create_statement_set()
    statements.add_insert_sql(
        f"""INSERT INTO `{name}` SELECT `key`, opened.v, `topic`, TO_TIMESTAMP_LTZ(times[opened.i], 3)
        FROM `{name}_emitted` CROSS JOIN UNNEST(vals) WITH ORDINALITY AS opened(v, i)"""
    )
    statements.attach_as_datastream()


def bytes_state(name: str) -> ValueStateDescriptor:
    """State of bytes and of nothing else, though PyFlink pickles it: its byte arrays are broken in thread mode."""
    return ValueStateDescriptor(name, Types.PICKLED_BYTE_ARRAY())


def bytes_list_state(name: str) -> ListStateDescriptor:
    """A list of bytes in state, under the same rule."""
    return ListStateDescriptor(name, Types.PICKLED_BYTE_ARRAY())
