"""What compiled writers owe to a schema that is ahead of them: its newer fields, each as its default."""

import io

from pipelines.contracts.schemas import load
from pipelines.contracts.wire import write_body


def tail(record: str, written: tuple[str, ...]) -> bytes:
    """The Avro bytes of a record's fields after those that compiled code writes.

    TypeError where the record does not begin with these: what the code writes would be read as something else.
    """
    schema = load(record)
    fields = schema["fields"]
    assert isinstance(fields, list)
    names = tuple(str(field["name"]) for field in fields if isinstance(field, dict))
    if names[: len(written)] != written:
        raise TypeError(
            f"{record}: its writer writes {', '.join(written)}, and the schema has {', '.join(names)}: "
            "add fields at the end, or have the writer follow"
        )
    out = io.BytesIO()
    write_body(out, schema | {"fields": fields[len(written) :]}, {})
    return out.getvalue()
