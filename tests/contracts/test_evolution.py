"""What may change in a schema and what may not, held on folders of schemas with released versions of their own."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines.contracts.evolution.changes import changes
from pipelines.contracts.evolution.check import Direction, check, differences, release, require
from pipelines.contracts.evolution.compatibility import obstacles, verdict
from pipelines.contracts.evolution.released import broken_seals, versions
from pipelines.contracts.schemas import SchemaError, expanded, parse
from pipelines.contracts.wire import read_body, write_body

QUOTE, BOOK = "desk.Quote", "desk.Book"
BID = {"name": "bid", "type": "double", "doc": "Best bid"}
SIZE = {"name": "size", "type": "long", "default": 0, "doc": "Lots at the bid"}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "doc": "A field"} | more


def quote(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "Quote", "namespace": "desk", "doc": "A quote", "fields": list(fields)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A quote, and a book of quotes, each with one released version."""
    write(tmp_path, quote(BID, SIZE))
    book = quote(field("levels", {"type": "array", "items": QUOTE}), field("best", ["null", QUOTE], default=None))
    write(tmp_path, book | {"name": "Book"})
    assert release(tmp_path) == {BOOK: 1, QUOTE: 1}
    return tmp_path


def write(folder: Path, schema: dict[str, Any]) -> None:
    (folder / f"desk.{schema['name']}.avsc").write_text(json.dumps(schema))


def faults(folder: Path, *fields: dict[str, Any]) -> list[str]:
    """What is wrong with a quote of these fields, its book aside."""
    write(folder, quote(*fields))
    return [str(fault) for fault in check(folder).faults if fault.record == QUOTE]


def differs(folder: Path, record: str = QUOTE) -> list[tuple[str, str]]:
    return [(it.field, str(it)) for it in differences(folder)[record][1]]


def test_schemas_as_released_are_neither_faulty_nor_different(folder: Path) -> None:
    assert check(folder).faults == ()
    assert differences(folder) == {}
    assert release(folder) == {}


def test_a_field_with_a_default_may_be_added_and_is_told_of_in_every_record_that_holds_it(folder: Path) -> None:
    assert faults(folder, BID, SIZE, field("code", "int", default=0)) == []
    assert differs(folder) == [("code", "added: int = 0")]
    assert differs(folder, BOOK) == [("levels[].code", "added: int = 0")]
    assert check(folder).unreleased == {BOOK: 1, QUOTE: 1}
    assert release(folder) == {BOOK: 2, QUOTE: 2}
    assert check(folder).unreleased == {}


def test_a_field_without_a_default_cannot_be_added_as_old_records_lack_it(folder: Path) -> None:
    why = "it was not written, and the reader has no default for it"
    assert faults(folder, BID, SIZE, field("code", "int")) == [
        f"desk.Quote: field code: version 1: new code reads old records: {why}"
    ]
    book = [fault for fault in check(folder).faults if fault.record == BOOK]
    assert [(fault.field, fault.version, fault.direction) for fault in book] == [
        ("levels[].code", 1, Direction.BACKWARD),
        ("best.code", 1, Direction.BACKWARD),
    ]


def test_a_field_with_a_default_may_go_but_one_without_is_missed_by_old_code(folder: Path) -> None:
    assert faults(folder, BID) == []
    assert differs(folder) == [("size", "removed: it was long = 0")]
    assert faults(folder, SIZE) == [
        "desk.Quote: field bid: version 1: old code reads new records: "
        "it was not written, and the reader has no default for it"
    ]


@pytest.mark.parametrize(
    ("kind", "default", "said"),
    [
        ("float", 0.0, "old code reads new records: float was written where the reader has long"),
        ("int", 0, "new code reads old records: long was written where the reader has int"),
        (["null", "long"], None, "old code reads new records: [null, long] was written where the reader has long"),
    ],
)
def test_a_field_keeps_its_type(folder: Path, kind: Any, default: Any, said: str) -> None:
    assert faults(folder, BID, SIZE | {"type": kind, "default": default}) == [
        f"desk.Quote: field size: version 1: {said}"
    ]


def test_text_for_bytes_is_refused_though_avro_reads_it(folder: Path) -> None:
    write(folder, quote(BID, field("note", "string", default="")))
    release(folder)
    assert faults(folder, BID, field("note", "bytes", default="")) == [
        "desk.Quote: field note: version 2: retyped from string to bytes: columns and SQL have one type for a field"
    ]


def test_a_rename_is_refused_as_old_code_would_not_find_the_values(folder: Path) -> None:
    lots = SIZE | {"name": "lots", "aliases": ["size"]}
    assert faults(folder, BID, lots) == [
        "desk.Quote: field lots: version 1: renamed from size: old code would take its default for every value written"
    ]
    assert differs(folder) == [("lots", "renamed: from size to lots")]
    offer = BID | {"name": "offer", "aliases": ["bid"]}
    assert any("field bid: version 1: old code reads new records" in fault for fault in faults(folder, offer, SIZE))


def test_the_default_of_a_field_that_old_records_lack_stays(folder: Path) -> None:
    write(folder, quote(BID, SIZE, field("code", "int", default=0)))
    release(folder)
    assert faults(folder, BID, SIZE, field("code", "int", default=-1)) == [
        "desk.Quote: field code: version 2: default changed: from 0 to -1: "
        "records of version 1 lack the field and would replay differently"
    ]
    assert faults(folder, BID, SIZE | {"default": 1}, field("code", "int", default=0)) == []
    assert differs(folder) == [("size", "default changed: from 0 to 1")]


def test_every_released_version_counts_not_the_newest_alone(folder: Path) -> None:
    write(folder, quote(BID))
    release(folder)
    found = faults(folder, BID, SIZE | {"type": "string", "default": ""})
    assert found
    assert all("version 1: " in fault for fault in found)


def test_words_and_order_are_differences_that_break_nothing(folder: Path) -> None:
    assert faults(folder, SIZE, BID | {"doc": "Best bid, USD"}) == []
    assert differs(folder) == [("bid", "doc only"), ("bid", "moved")]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (field("kind", {"type": "enum", "name": "K", "symbols": ["A"]}, default="A"), "plain types expected"),
        (field("more", {"type": "map", "values": "int"}, default={}), "plain types expected"),
        (field("any", ["null", "int", "string"], default=None), "field any: the only unions are [null, x]"),
        (field("any", ["int", "null"], default=0), "field any: the only unions are [null, x]"),
        (field("mute", "int", default=0, doc=""), "field mute: it has no doc"),
        (field("odd", "uuid", default=""), "field odd: of type uuid: use int, long,"),
        (field("code", "int", default="zero"), "Default value <zero> must match schema type: int"),
        ({"name": "code"}, "field 3: an object with name, type and doc expected"),
    ],
)
def test_what_sql_or_a_reader_cannot_use_is_refused(folder: Path, bad: dict[str, Any], said: str) -> None:
    found = faults(folder, BID, SIZE, bad)
    assert found
    assert said in " ".join(found)


def test_a_release_is_refused_whole_where_one_record_breaks(folder: Path) -> None:
    write(folder, quote(BID, SIZE, field("code", "int")))
    with pytest.raises(SchemaError, match=r"(?s)desk\.Quote: field code: .*a breaking change is a new record on a new"):
        release(folder)
    assert list(versions(QUOTE, folder)) == [1]


def test_a_new_record_is_free_and_a_retired_one_stays_known(folder: Path) -> None:
    write(folder, quote(BID) | {"name": "Quote2"})
    (folder / f"{BOOK}.avsc").unlink()
    found = check(folder)
    assert (found.faults, found.unreleased, found.retired) == ((), {"desk.Quote2": 0}, (BOOK,))


def test_a_released_file_that_was_edited_lost_or_slipped_in_is_told(folder: Path) -> None:
    first, home = folder / "released" / QUOTE / "1.avsc", folder / "released"
    text = first.read_text()
    first.write_text(text.replace("Best bid", "best bid"))
    assert broken_seals(folder)[0][:2] == (QUOTE, 1)
    with pytest.raises(SchemaError, match=r"desk\.Quote: version 1: 1\.avsc was changed after its release"):
        require(folder)
    first.write_text(text)
    assert broken_seals(folder) == []
    (home / QUOTE / "2.avsc").write_text(text)
    assert "2.avsc is not in SHA256SUMS" in broken_seals(folder)[0][2]
    (home / QUOTE / "2.avsc").unlink()
    first.unlink()
    assert "1.avsc is gone" in broken_seals(folder)[0][2]


def test_the_digests_are_those_of_sha256sum(folder: Path) -> None:
    for line in (folder / "released" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / "released" / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2",
        '{"type": "record"}',
        '"int"',
        "[" * 100_000,
        '{"type": "record", "name": "Quote", "namespace": "desk"}',
    ],
)
def test_a_file_that_is_no_schema_is_a_fault_of_that_file(folder: Path, text: str) -> None:
    (folder / f"{QUOTE}.avsc").write_text(text)
    assert any("desk.Quote.avsc" in str(fault) for fault in check(folder).faults)
    with pytest.raises(SchemaError, match=r"desk\.Quote\.avsc"):
        differences(folder)
    write(folder, quote(BID, SIZE))
    (folder / "released" / QUOTE / "1.avsc").write_text(text)
    assert any(str(Path(QUOTE) / "1.avsc") in str(fault) for fault in check(folder).faults)


PLAIN = st.sampled_from(["int", "long", "float", "double", "boolean", "string", "bytes"])
ZERO = {"int": 0, "long": 0, "float": 0.0, "double": 0.0, "boolean": False, "string": "", "bytes": ""}
SOME = {"int": 3, "long": 4, "float": 0.5, "double": 1.5, "boolean": True, "string": "s", "bytes": b"b"}
QUOTES = st.dictionaries(st.sampled_from("abcde"), st.tuples(PLAIN, st.booleans()), min_size=1).map(
    lambda kinds: quote(*(field(n, k, **({"default": ZERO[k]} if d else {})) for n, (k, d) in kinds.items()))
)


@settings(max_examples=200, deadline=None)
@given(QUOTES, QUOTES)
def test_obstacles_are_found_exactly_where_avro_says_that_it_cannot_be_read(reader: Any, writer: Any) -> None:
    found = obstacles(reader, writer)
    assert verdict(reader, writer).compatible is (not found)
    assert {it.field for it in found} <= {each["name"] for each in reader["fields"]}


def kin(reader: dict[str, Any], dropped: set[int], added: set[str]) -> dict[str, Any]:
    """A schema that is a release or two away: some fields fewer, some more."""
    kept = [each for number, each in enumerate(reader["fields"]) if number not in dropped]
    return quote(*(field(name, "long", default=7) for name in sorted(added)), *kept)


@settings(max_examples=200, deadline=None)
@given(QUOTES, st.sets(st.integers(0, 4)), st.sets(st.sampled_from("vwxyz")))
def test_what_the_check_lets_pass_is_read_by_name_with_defaults(
    reader: dict[str, Any], dropped: set[int], added: set[str]
) -> None:
    writer = kin(reader, dropped, added)
    assume(not obstacles(reader, writer))
    value = {each["name"]: SOME[each["type"]] for each in writer["fields"]}
    out = io.BytesIO()
    write_body(out, parse(writer), value)
    read = read_body(io.BytesIO(out.getvalue()), parse(writer), 1, parse(reader))
    lacking = {each["name"]: each["default"] for each in reader["fields"] if each["name"] not in value}
    assert {name: b"" if it == "" and read[name] == b"" else it for name, it in lacking.items()}.items() <= read.items()
    assert {name: it for name, it in read.items() if name in value}.items() <= value.items()
    assert read.keys() == {each["name"] for each in reader["fields"]}


@settings(max_examples=200, deadline=None)
@given(QUOTES, QUOTES)
def test_changes_are_none_exactly_between_equal_schemas(before: Any, after: Any) -> None:
    assert (changes(before, after) == []) is (before == after)


def test_a_schema_that_names_another_is_compared_written_out(folder: Path) -> None:
    assert verdict(expanded(BOOK, folder), versions(BOOK, folder)[1]).compatible
