"""The SQL of the history against the code that uses it."""

import re
from pathlib import Path

import pytest

from pipelines.history.queries import QUERIES_DIR, sql
from pipelines.history.tables import TABLES, Table
from pipelines.history.timescale import HistoryError, migrations, place


def declared(table: str) -> tuple[list[str], set[str]]:
    """The columns of a table in the migrations, and those of its primary key."""
    text = "\n".join(re.sub(r"--.*", "", each.text) for each in migrations())
    (body,) = re.findall(rf"CREATE TABLE {table} \((.*?)\n\)", text, flags=re.S)
    columns = [
        line.split()[0] for line in body.splitlines() if line.strip() and not line.lstrip().startswith("PRIMARY")
    ]
    (key,) = re.findall(r"PRIMARY KEY \((.*?)\)", body)
    columns += re.findall(rf"ALTER TABLE {table} ADD COLUMN (\w+)", text)
    key = [key, *re.findall(rf"ALTER TABLE {table} ADD PRIMARY KEY \((.*?)\)", text)][-1]
    return columns, {name.strip() for name in key.split(",")}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_columns_that_the_loader_fills(table: Table) -> None:
    assert sorted(declared(table.name)[0]) == sorted(table.columns)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_key_of_a_table_is_the_session_and_the_id_of_the_event(table: Table) -> None:
    key = declared(table.name)[1]
    assert table.columns[0] == "session_id"
    assert key - {"event_time"} == set(table.columns[: table.key])


@pytest.mark.parametrize("path", sorted(QUERIES_DIR.glob("*.sql")), ids=lambda path: path.stem)
def test_a_query_says_what_it_is_about_and_takes_its_values_as_parameters(path: Path) -> None:
    assert path.read_text().startswith("-- about: ")
    text = sql(path.stem)
    assert "--" not in text
    assert re.findall(r"%(?!\(\w+\)s)", text) == []
    assert "session_id" in text or "%(session)s" in text


def test_migrations_are_applied_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("010_late", "002_second", "001_first"):
        (tmp_path / f"{name}.sql").write_text(f"SELECT '{name}'")
    assert [each.name for each in migrations(tmp_path)] == ["first", "second", "late"]


def test_two_migrations_of_one_number_are_an_error(tmp_path: Path) -> None:
    for name in ("001_a", "1_b"):
        (tmp_path / f"{name}.sql").write_text("SELECT 1")
    with pytest.raises(HistoryError, match="two migrations have the number 1"):
        migrations(tmp_path)


def test_a_migration_without_a_number_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tables.sql").write_text("SELECT 1")
    with pytest.raises(HistoryError, match="<number>_<name>"):
        migrations(tmp_path)


@pytest.mark.parametrize(
    "dsn", ["postgresql://helios:secret@db:5432/desk", "host=db port=5432 dbname=desk password=secret"]
)
def test_a_place_is_shown_without_its_password(dsn: str) -> None:
    assert place(dsn) == "db:5432/desk"
