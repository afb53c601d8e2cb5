"""The schema registry: what is asked of it and how its answers are told, against a small one here and the real one."""

import json
import pickle
import shutil
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.parts.part import PartError
from infra.parts.registry import register_schemas
from infra.settings import Settings
from pipelines.contracts.registry import RegistryError, SchemaRegistry, UnknownSchema
from pipelines.contracts.schemas import (
    SCHEMAS_DIR,
    SchemaError,
    avro_json,
    load,
    parse,
    records,
    same_on_the_wire,
)
from pipelines.contracts.wire import BadRecord, Codec, frame

BAR = "helios.market.Bar"


class Answers(BaseHTTPRequestHandler):
    """Gives each request the status and the body set for its method and path, and notes what was asked."""

    by_request: dict[str, tuple[int, str]] = {}  # noqa: RUF012 - one server, one test at a time
    asked: list[str] = []  # noqa: RUF012

    def answer(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        status, body = self.by_request[f"{self.command} {self.path}"]
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = do_PUT = answer

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[SchemaRegistry]:
    Answers.by_request.clear()
    Answers.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield SchemaRegistry(f"http://127.0.0.1:{server.server_port}/v7/")
        server.shutdown()
        thread.join()


def test_a_schema_is_registered_under_the_full_name_of_its_record(registry: SchemaRegistry) -> None:
    Answers.by_request[f"POST /v7/subjects/{BAR}/versions"] = (200, '{"id": 7}')
    assert registry.register_schema(BAR, avro_json(BAR)) == 7


def test_an_incompatible_schema_is_refused_with_what_to_do(registry: SchemaRegistry) -> None:
    said = '{"error_code": 409, "message": "io.apicurio.rules.RuleViolationException: /fields/0 is not an INT"}'
    Answers.by_request[f"POST /v7/subjects/{BAR}/versions"] = (409, said)
    with pytest.raises(RegistryError) as error:
        registry.register_schema(BAR, avro_json(BAR))
    assert str(error.value) == (
        "helios.market.Bar: the schema and a version that is registered do not read each other's records (rule "
        "FULL_TRANSITIVE): /fields/0 is not an INT (HTTP 409). Give new fields a default, keep the type of old ones, "
        "or name a new record"
    )


def test_schemas_that_break_with_a_released_version_do_not_reach_the_registry(
    registry: SchemaRegistry, tmp_path: Path
) -> None:
    shutil.copytree(SCHEMAS_DIR, tmp_path, dirs_exist_ok=True)
    file = tmp_path / f"{BAR}.avsc"
    file.write_text(file.read_text().replace('"name": "close", "type": "double"', '"name": "close", "type": "string"'))
    with pytest.raises(SchemaError, match="Bar: field close: version 1: new code reads old records: double was"):
        registry.register_all(tmp_path)
    assert Answers.asked == []


def test_a_schema_that_is_not_registered_says_which_command_does_it(registry: SchemaRegistry) -> None:
    Answers.by_request[f"POST /v7/subjects/{BAR}"] = (404, '{"message": "no subject"}')
    with pytest.raises(
        RegistryError, match=r"Bar: its schema is not registered at .*: no subject .* `helios schemas register` does it"
    ):
        registry.ids()


def test_a_schema_is_asked_for_once(registry: SchemaRegistry) -> None:
    Answers.by_request["GET /v7/schemas/ids/7"] = (200, json.dumps({"schema": avro_json(BAR)}))
    assert registry.schema(7) == registry.schema(7)
    assert Answers.asked == ["GET /v7/schemas/ids/7"]


def test_an_id_that_the_registry_does_not_know_is_named(registry: SchemaRegistry) -> None:
    Answers.by_request["GET /v7/schemas/ids/8"] = (404, "not json")
    with pytest.raises(UnknownSchema, match=r"schema id 8 is not to be had from http.*: not json \(HTTP 404\)"):
        registry.schema(8)


def test_a_record_of_an_unknown_id_is_bad_but_not_one_that_the_registry_cannot_be_asked_about(
    registry: SchemaRegistry,
) -> None:
    codec = Codec(BAR, 1, registry.schema)
    Answers.by_request["GET /v7/schemas/ids/8"] = (404, '{"message": "none"}')
    with pytest.raises(BadRecord, match=r"helios\.market\.Bar: written with schema id 8: schema id 8 is not to be had"):
        codec.decode(frame(8, b""))
    Answers.by_request["GET /v7/schemas/ids/8"] = (500, "busy")
    with pytest.raises(RegistryError, match=r"busy \(HTTP 500\)"):
        codec.decode(frame(8, b""))


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"schema": 5}', '{"schema": "{"}'])
def test_an_answer_that_is_none_is_an_error_that_names_the_registry(registry: SchemaRegistry, body: str) -> None:
    Answers.by_request["GET /v7/schemas/ids/7"] = (200, body)
    with pytest.raises(RegistryError, match="schema registry http"):
        registry.schema(7)


def test_a_registry_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(RegistryError, match=r"schema registry http://127\.0\.0\.1:1/v7: no answer to PUT config: .*"):
        SchemaRegistry("http://127.0.0.1:1/v7", timeout_s=1).register_all()


def test_a_registry_that_takes_no_schemas_keeps_the_stack_from_coming_up_in_one_line() -> None:
    with pytest.raises(PartError, match=r"^registry: schema registry http://127\.0\.0\.1:1/v7: no answer to PUT .*$"):
        register_schemas("http://127.0.0.1:1/v7")


def test_a_registry_travels_by_pickle(registry: SchemaRegistry) -> None:
    Answers.by_request["GET /v7/schemas/ids/7"] = (200, json.dumps({"schema": avro_json(BAR)}))
    assert pickle.loads(pickle.dumps(registry)).schema(7)["name"] == "Bar"


@pytest.fixture
def real(stack: Settings) -> SchemaRegistry:
    return SchemaRegistry(stack.registry.url)


@pytest.mark.stack
def test_all_schemas_are_registered_and_found_again_under_the_same_ids(real: SchemaRegistry) -> None:
    ids = real.register_all()
    assert ids.keys() == set(records())
    assert real.ids() == real.register_all() == ids
    assert all(same_on_the_wire(parse(real.schema(ids[record])), load(record)) for record in records())


@pytest.mark.stack
def test_the_registry_takes_a_new_field_with_a_default_and_refuses_a_changed_type(real: SchemaRegistry) -> None:
    real.register_all()
    subject = f"helios.test.{uuid.uuid4()}"
    first = real.register_schema(subject, schema_with({"name": "a", "type": "int"}))
    more = {"name": "b", "type": "int", "default": 0}
    assert real.register_schema(subject, schema_with({"name": "a", "type": "int"}, more)) != first
    with pytest.raises(RegistryError, match=rf"{subject}: the schema and a version .* /fields/0/type"):
        real.register_schema(subject, schema_with({"name": "a", "type": "string"}))
    with pytest.raises(RegistryError, match=rf"{subject}: the schema and a version that is registered do not read"):
        real.register_schema(subject, schema_with({"name": "a", "type": "int"}, {"name": "c", "type": "int"}))


@pytest.mark.stack
def test_the_registry_holds_a_schema_against_all_versions_and_both_ways(real: SchemaRegistry) -> None:
    real.register_all()
    subject, a = f"helios.test.{uuid.uuid4()}", {"name": "a", "type": "int"}
    real.register_schema(subject, schema_with(a, {"name": "b", "type": "int", "default": 0}))
    real.register_schema(subject, schema_with(a))
    for broken in (schema_with(a, {"name": "b", "type": "string", "default": ""}), schema_with({**a, "type": "long"})):
        with pytest.raises(RegistryError, match="FULL_TRANSITIVE"):
            real.register_schema(subject, broken)


def schema_with(*fields: dict[str, object]) -> str:
    return json.dumps({"type": "record", "name": "Test", "namespace": "helios.test", "fields": fields})
