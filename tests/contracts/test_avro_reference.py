"""Avro's own test data: pairs of schemas with a published verdict, and one file in many codecs.

From apache/avro (lang/py and share/test), in shared/data/avro beside the checkout; skipped where that is not there.
"""

import contextlib
import io
import json
import tarfile
import zlib
from pathlib import Path
from typing import Any

import fastavro
import pytest
from backports.zstd import ZstdError
from fastavro.schema import fingerprint, to_parsing_canonical_form
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.evolution.compatibility import obstacles, verdict
from pipelines.contracts.schemas import Schema, parse
from pipelines.contracts.wire import BadRecord, read_body, write_body

DATA = Path(__file__).resolve().parents[3] / "shared/data/avro"
ARCHIVE, PAIRS = DATA / "apache_avro_share_test.tar.gz", DATA / "schema_compat_pairs.json"
WEATHER = ("weather", "weather-deflate", "weather-snappy", "weather-zstd", "weather-sorted")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not here: Avro's own test data")


def pairs() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(PAIRS.read_text()) if PAIRS.is_file() else []
    return found


@pytest.fixture(scope="module")
def share() -> dict[str, bytes]:
    """Avro's share/test/data, by file name."""
    with tarfile.open(ARCHIVE) as archive:
        files = [each for each in archive.getmembers() if each.isfile() and "/data/" in each.name]
        return {Path(each.name).name: archive.extractfile(each).read() for each in files}  # type: ignore[union-attr]


def test_there_are_pairs_of_both_verdicts() -> None:
    assert [sum(each["compatible"] is told for each in pairs()) for told in (True, False)] == [33, 38]


@pytest.mark.parametrize("number", range(len(pairs())))
def test_a_pair_of_schemas_has_the_published_verdict(number: int) -> None:
    pair = pairs()[number]
    found = verdict(pair["reader"], pair["writer"])
    assert found.compatible is pair["compatible"]
    assert sorted(found.messages) == sorted(pair["messages"])
    assert (obstacles(pair["reader"], pair["writer"]) == []) is pair["compatible"]


@pytest.mark.parametrize("name", WEATHER)
def test_the_weather_is_read_in_every_codec_there_is(share: dict[str, bytes], name: str) -> None:
    expected = [json.loads(line) for line in share["weather.json"].splitlines()]
    if name == "weather-sorted":
        expected.sort(key=lambda row: row["time"])
    assert read_file(share, name) == expected


def read_file(share: dict[str, bytes], name: str) -> list[Any]:
    try:
        return list(fastavro.reader(io.BytesIO(share[f"{name}.avro"])))
    except ValueError as error:
        if "codec is supported but you need to install" in str(error):
            pytest.skip(f"{name}: {error}")
        raise


@pytest.fixture(scope="module")
def weather(share: dict[str, bytes]) -> tuple[Schema, list[bytes]]:
    """The writer's schema of the weather, and each record as a body on the wire."""
    source = fastavro.reader(io.BytesIO(share["weather.avro"]))
    schema = parse(source.writer_schema)  # type: ignore[arg-type]
    bodies = []
    for row in source:
        out = io.BytesIO()
        write_body(out, schema, row)  # type: ignore[arg-type]
        bodies.append(out.getvalue())
    return schema, bodies


def test_a_truncated_record_is_refused_wherever_it_is_cut(weather: tuple[Schema, list[bytes]]) -> None:
    schema, bodies = weather
    assert bodies
    for body in bodies:
        for size in range(len(body)):
            with pytest.raises(BadRecord, match=r"Weather \(schema id 1\): field \w+ \(from byte \d+ of \d+\)"):
                read_body(io.BytesIO(body[:size]), schema, 1)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 4), st.integers(0, 200), st.integers(0, 7))
def test_a_record_with_a_flipped_bit_is_a_record_or_refused(
    weather: tuple[Schema, list[bytes]], row: int, place: int, bit: int
) -> None:
    schema, bodies = weather
    body = bytearray(bodies[row % len(bodies)])
    body[place % len(body)] ^= 1 << bit
    try:
        value = read_body(io.BytesIO(bytes(body)), schema, 1)
    except BadRecord as fault:
        told = str(fault)
    else:
        told = "Weather (schema id 1): " if value.keys() == {"station", "time", "temp"} else ""
    assert "Weather (schema id 1): " in told


@pytest.mark.parametrize("name", ["weather", "weather-deflate", "weather-zstd"])
def test_a_file_cut_anywhere_never_gives_other_rows(share: dict[str, bytes], name: str) -> None:
    whole = read_file(share, name)
    data = share[f"{name}.avro"]
    for size in range(len(data)):
        rows = []
        with contextlib.suppress(ValueError, EOFError, LookupError, zlib.error, ZstdError):
            for row in fastavro.reader(io.BytesIO(data[:size])):
                rows.append(row)  # those before the cut count
        assert rows == whole[: len(rows)]


def schema_tests(share: dict[str, bytes]) -> list[dict[str, str]]:
    """Cases of schema-tests.txt: lines `<<INPUT ...`, `<<canonical ...`, `<<fingerprint ...`, or here-documents."""
    cases: list[dict[str, str]] = []
    lines = iter(share["schema-tests.txt"].decode().splitlines())
    for line in lines:
        if not line.startswith("<<"):
            continue
        word, _, text = line[2:].partition(" ")
        if not text:
            text = "".join(iter(lambda: next(lines), word))
        if word == "INPUT":
            cases.append({})
        cases[-1][word] = text
    return cases


def test_canonical_forms_by_which_schemas_are_the_same_on_the_wire_are_avros(share: dict[str, bytes]) -> None:
    cases = [case for case in schema_tests(share) if "canonical" in case]
    assert len(cases) > 20
    for case in cases:
        assert to_parsing_canonical_form(json.loads(case["INPUT"])) == case["canonical"]


def test_fingerprints_are_avros(share: dict[str, bytes]) -> None:
    cases = [case for case in schema_tests(share) if "fingerprint" in case]
    assert len(cases) > 10
    for case in cases:
        data = bytes.fromhex(fingerprint(case.get("canonical", case["INPUT"]), "CRC-64-AVRO"))
        assert int.from_bytes(data, "little", signed=True) == int(case["fingerprint"])
