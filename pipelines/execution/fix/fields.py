"""The fields of a message as it is on the wire."""

from collections.abc import Mapping

Fields = Mapping[int, str]


def read_fields(message: str) -> dict[int, str]:
    """Of a message as it is on the wire; of a tag that comes twice the first one."""
    fields: dict[int, str] = {}
    for each in message.split("\x01"):
        tag, _, value = each.partition("=")
        if tag.isascii() and tag.isdigit():
            fields.setdefault(int(tag), value)
    return fields
