"""What a Python operator emitted for a topic as a SQL table, on the JVM and without the topic in between.

The values are decoded by the format that a Kafka table of the topic has, so the rows, their types and their times are
those of such a table. The operator that calls it is `AvroRows.java`.
"""

from pathlib import Path
from typing import Any

from pyflink.datastream import DataStream
from pyflink.java_gateway import get_gateway
from pyflink.table import Schema, StreamTableEnvironment

SOURCE = Path(__file__).with_name("AvroRows.java")


def declare_rows(
    t_env: StreamTableEnvironment, name: str, emitted: DataStream, topic: str, schema: str, registry_url: str
) -> None:
    """Declare the view `name`: the records of `topic` in a stream of `EMITTED` rows, and their time as `event_time`.

    `schema`: the Avro record to read them as, in JSON, with a field `event_time_ms`; its fields are the columns. Within
    a subtask of `emitted` times never fall, and each has one shard.
    """
    rows = _decoded(name, emitted, topic, schema, registry_url)
    declared = (
        Schema.new_builder()
        .column_by_expression("event_time", "TO_TIMESTAMP_LTZ(event_time_ms, 3)")
        .watermark("event_time", "SOURCE_WATERMARK()")
        .build()
    )
    t_env.create_temporary_view(name, rows, declared)


def _decoded(name: str, emitted: DataStream, topic: str, schema: str, registry_url: str) -> DataStream:
    gateway = get_gateway()
    flink = gateway.jvm.org.apache.flink
    avro = flink.formats.avro
    row_type = avro.typeutils.AvroSchemaConverter.convertToDataType(schema).getLogicalType()
    rows = flink.table.runtime.typeutils.InternalTypeInfo.of(row_type)
    confluent = avro.registry.confluent.ConfluentRegistryAvroDeserializationSchema
    parsed = getattr(flink.avro.shaded.org.apache.avro, "Schema$Parser")().parse(schema)
    format_ = avro.AvroRowDataDeserializationSchema(
        confluent.forGeneric(parsed, registry_url),
        avro.AvroToRowDataConverters.createRowConverter(row_type),
        rows,
    )
    references: Any = gateway.new_array(gateway.jvm.Object, 2)
    references[0], references[1] = topic, format_
    operator = flink.table.runtime.generated.GeneratedOperator(
        SOURCE.stem, SOURCE.read_text(encoding="utf-8"), references, flink.configuration.Configuration()
    )
    factory = flink.table.runtime.operators.CodeGenOperatorFactory(operator)
    before = emitted._j_data_stream.getTransformation()
    made = flink.streaming.api.transformations.OneInputTransformation(
        before, f"rows of {name}", factory, rows, before.getParallelism()
    )
    made.setUid(f"rows-{name}")
    env = emitted._j_data_stream.getExecutionEnvironment()
    return DataStream(flink.streaming.api.datastream.DataStream(env, made))
