"""The schema registry: which id each of our schemas has, and which schema an id is (Confluent's API)."""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from pipelines.contracts.schemas import SCHEMAS_DIR, Json, Schema, avro_json, records

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
NOT_FOUND, INCOMPATIBLE = 404, 409
RULE = "FULL_TRANSITIVE"
"""Of the registry: a schema and every version before it read each other's records. As `evolution.check` has it."""

_JAVA_CLASS = re.compile(r"^(?:\w+\.)+\w+: ")


class RegistryError(Exception):
    """The registry gave no answer, does not know what was asked, or refused a schema: says which, and the way out."""


class UnknownSchema(RegistryError, LookupError):
    """The registry answers, and has no schema of that id: what was written under it is bad, now and later."""


@dataclass(slots=True)
class SchemaRegistry:
    """A registry at `url`, e.g. http://127.0.0.1:18080/apis/ccompat/v7. Subjects are the full names of records."""

    url: str
    timeout_s: float = 10.0
    _schemas: dict[int, Schema] = field(default_factory=dict, init=False, repr=False, compare=False)

    def register_all(self, folder: Path = SCHEMAS_DIR) -> dict[str, int]:
        """Check every record of a folder, set the rule and register them, where they are new; the ids by record.

        SchemaError, a line a fault, if one may not go out: then nothing is registered. RegistryError if the registry
        refuses one: it may hold versions that were never released.
        """
        from pipelines.contracts.evolution.check import require  # Avro's own package: only those who register need it

        require(folder)
        self._ask("PUT", "config", {"compatibility": RULE})
        return {record: self.register_schema(record, avro_json(record, folder)) for record in records(folder)}

    def register_schema(self, subject: str, text: str) -> int:
        """Register the text of a schema under a subject and give its id: unchecked, but by the registry's own rule."""
        try:
            return _id(self._ask("POST", f"subjects/{quote(subject)}/versions", {"schema": text}))
        except _Refused as refused:
            if refused.status == INCOMPATIBLE:
                raise RegistryError(
                    f"{subject}: the schema and a version that is registered do not read each other's records (rule "
                    f"{RULE}): {refused}. Give new fields a default, keep the type of old ones, or name a new record"
                ) from refused
            raise RegistryError(f"{subject}: not registered: {refused}") from refused

    def ids(self) -> dict[str, int]:
        """The ids under which our schemas are registered, by record. RegistryError where one is not."""
        return {record: self._registered(record) for record in records()}

    def schema(self, schema_id: int) -> Schema:
        """The schema of an id, remembered. Raises UnknownSchema where there is none."""
        if schema_id not in self._schemas:
            try:
                answer = self._ask("GET", f"schemas/ids/{schema_id}")
            except _Refused as refused:
                kind = UnknownSchema if refused.status == NOT_FOUND else RegistryError
                raise kind(f"schema id {schema_id} is not to be had from {self.url}: {refused}") from refused
            self._schemas[schema_id] = self._parsed(answer)
        return self._schemas[schema_id]

    def _parsed(self, answer: dict[str, Json]) -> Schema:
        try:
            schema = json.loads(str(answer["schema"]))
        except (KeyError, json.JSONDecodeError):
            schema = None
        if not isinstance(schema, dict):
            raise RegistryError(f"schema registry {self.url}: a record schema expected in {answer}")
        return schema

    def _registered(self, record: str) -> int:
        try:
            return _id(self._ask("POST", f"subjects/{quote(record)}", {"schema": avro_json(record)}))
        except _Refused as refused:
            raise RegistryError(
                f"{record}: its schema is not registered at {self.url}: {refused}. `helios schemas register` does it"
            ) from refused

    def _ask(self, method: str, path: str, body: Json = None) -> dict[str, Json]:
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                parsed = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise _Refused(error.code, _message(error)) from error
        except (OSError, json.JSONDecodeError) as error:
            raise RegistryError(f"schema registry {self.url}: no answer to {method} {path}: {error}") from error
        if not isinstance(parsed, dict):
            raise RegistryError(f"schema registry {self.url}: {method} {path} gave {parsed!r}: an object expected")
        return parsed


class _Refused(Exception):
    """An answer of 400 or more."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{message} (HTTP {status})")
        self.status = status


def _id(answer: dict[str, Json]) -> int:
    found = answer.get("id")
    if not isinstance(found, int):
        raise RegistryError(f"schema registry: an id expected in {answer}")
    return found


def _message(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return _JAVA_CLASS.sub("", str(json.loads(text).get("message", text)))
    except (json.JSONDecodeError, AttributeError):
        return text or str(error.reason)
