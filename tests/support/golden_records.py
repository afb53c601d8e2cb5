"""Records of every released schema version, as bytes kept in text: what is on a wire somewhere, and must stay readable.

    python -m tests.support.golden_records

adds those of versions that have none yet to tests/contracts/golden_records.json; what is there is never made again.
"""

import io
import json
import random
import zlib
from enum import StrEnum
from pathlib import Path
from typing import Any, get_type_hints

from fastavro import schemaless_writer

from pipelines.contracts.evolution.released import released_records, versions
from pipelines.contracts.schemas import Schema, parse
from pipelines.contracts.trading import KINDS

FILE = Path(__file__).resolve().parents[1] / "contracts" / "golden_records.json"
SEED = 20131007
LENGTH = 3
"""Of every array, so that those that go together fit."""

WORDS: dict[tuple[str, str], list[Any]] = {("Tick", "instrument"): [-1, 0, LENGTH - 1]} | {
    (body.__name__, name): list(hint)
    for body in KINDS.values()
    for name, hint in get_type_hints(body).items()
    if isinstance(hint, type) and issubclass(hint, StrEnum)
}
"""Fields that cannot hold anything: by record and field, what they can."""


def main() -> None:
    kept = golden()
    for record in released_records():
        for number, schema in versions(record).items():
            if str(number) not in kept.setdefault(record, {}):
                kept[record][str(number)] = [_encoded(schema, value) for value in values(schema, f"{record}/{number}")]
                print(f"{record} version {number}")
    FILE.write_text(json.dumps({"seed": SEED, "records": kept}, indent=1, ensure_ascii=False) + "\n")


def golden() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Record -> version -> [{value, hex}]. Bytes in a value are {"hex": ...}."""
    kept: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(FILE.read_text())["records"] if FILE.exists() else {}
    return kept


def values(schema: Schema, salt: str) -> list[dict[str, Any]]:
    """Some values of a record, always the same; of a TradingEvent one of each kind, that part filled."""
    rng = random.Random(SEED ^ zlib.crc32(salt.encode()))
    if schema["name"] == "TradingEvent":
        return [_event(schema, kind, rng) for kind in KINDS]
    return [_value(schema, rng) for _ in range(2)]


def _event(schema: Schema, kind: str, rng: random.Random) -> dict[str, Any]:
    value: dict[str, Any] = _value(schema, rng)
    return {name: (kind if name == "kind" else None if name in KINDS and name != kind else it)
            for name, it in value.items()}  # fmt: skip


def _value(kind: Any, rng: random.Random, words: list[Any] | None = None) -> Any:
    match kind:
        case _ if words:
            return str(word) if isinstance(word := rng.choice(words), str) else word
        case ["null", other]:
            return _value(other, rng)
        case {"type": "array", "items": items}:
            return [_value(items, rng) for _ in range(LENGTH)]
        case {"type": "record", "name": name, "fields": fields}:
            return {f["name"]: _value(f["type"], rng, WORDS.get((name, f["name"]))) for f in fields}
        case "int":
            return rng.randint(-(2**31), 2**31 - 1)
        case "long":
            return rng.randint(-(2**63), 2**63 - 1)
        case "double":
            return rng.uniform(-1e6, 1e6)
        case "boolean":
            return rng.random() < 0.5
        case "bytes":
            return rng.randbytes(5)
    assert kind == "string", kind
    return "".join(rng.choice("abcXYZ019-/ äß€") for _ in range(rng.randint(0, 9)))


def _encoded(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    out = io.BytesIO()
    schemaless_writer(out, parse(schema), value)
    return {"value": _plain(value), "hex": out.getvalue().hex()}


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return {"hex": value.hex()}
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
    return value


def from_plain(value: Any) -> Any:
    """A value of the file as the codecs have it."""
    match value:
        case {"hex": str(text)} if len(value) == 1:
            return bytes.fromhex(text)
        case list():
            return [from_plain(each) for each in value]
        case dict():
            return {name: from_plain(each) for name, each in value.items()}
    return value


if __name__ == "__main__":
    main()
