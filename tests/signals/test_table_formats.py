"""Flink itself takes the tables that we make: the columns, and the schema by which their records are read."""

from typing import Any

import pytest

from infra.parts.flink import CONNECTORS
from pipelines.contracts.ddl import table_ddl
from pipelines.contracts.schemas import avro_json, records
from pipelines.contracts.topics import Topics
from pipelines.operators.flink import environment
from pipelines.signals.sources import VIEWS
from pipelines.signals.tables import Wires

HERE = {"bootstrap": "127.0.0.1:9", "registry_url": "http://127.0.0.1:9"}

pytestmark = pytest.mark.skipif(not list(CONNECTORS.glob("*.jar")), reason=f"no jars in {CONNECTORS}: make setup")


@pytest.fixture(scope="module")
def t_env() -> Any:
    made = environment()[1]
    for jar in CONNECTORS.glob("flink-sql-*.jar"):
        made.execute_sql(f"ADD JAR '{jar}'")
    return made


@pytest.mark.parametrize("record", records())
def test_every_record_is_a_table_that_can_be_read(t_env: Any, record: str) -> None:
    name = record.rpartition(".")[2]
    t_env.execute_sql(table_ddl(name, record, "topic", **HERE))
    assert name in t_env.explain_sql(f"SELECT * FROM `{name}`")


def test_a_schema_of_other_columns_is_what_flink_refuses(t_env: Any) -> None:
    other = {"avro-confluent.schema": avro_json("helios.market.Tick")}
    t_env.execute_sql(table_ddl("other", "helios.market.Bar", "topic", **HERE, options=other))
    with pytest.raises(Exception, match="Schema provided for 'avro-confluent' format does not match the table"):
        t_env.explain_sql("SELECT * FROM `other`")


def test_the_tables_and_views_of_signals_can_be_read(t_env: Any) -> None:
    for definition in Wires(HERE["bootstrap"], HERE["registry_url"], Topics(), "signals").definitions():
        t_env.execute_sql(definition)
    for view in VIEWS:
        assert "TableSourceScan" in t_env.explain_sql(f"SELECT * FROM `{view}`")
