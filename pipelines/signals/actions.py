"""Which actions a signal may give: the texts that its plan puts into the column, traced back from the sink."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.domain.trading import Action
from pipelines.signals.signal_file import BoundSignal, SignalError, nearest
from pipelines.signals.statement import IDENTIFIED

_PASSED_ON = ("union", "exchange", "watermark-assigner", "sink")
_HANDED_ON = ("$CAST$1", "$FINAL$1", "$LAST$1", "$FIRST$1", "$COALESCE$1")
"""Calls whose value is that of an operand."""


def check_actions(signal: BoundSignal, plan: Mapping[str, Any]) -> None:
    """Raises SignalError for an action that is none, where the text spells it out: a compiled plan says so."""
    nodes = {node["id"]: node for node in plan["nodes"]}
    inputs: dict[int, list[int]] = {}
    for edge in plan["edges"]:
        inputs.setdefault(edge["target"], []).append(edge["source"])
    sink = next(node["id"] for node in plan["nodes"] if "-sink_" in node["type"])
    for action in _texts(nodes, inputs, sink, list(IDENTIFIED).index("action")):
        if action is None:
            raise SignalError(f"{signal.path}:{signal.first_line}: action may be NULL: end its CASE with an ELSE")
        if action not in [*Action]:
            raise SignalError(
                f"{signal.place_at(signal.sql.find(repr(action)))}: {action!r} is no action: "
                f"{nearest(action, [*Action], 'there are')}"
            )


def _texts(nodes: Mapping[int, Any], inputs: Mapping[int, list[int]], of: int, column: int) -> Iterator[str | None]:
    """The texts that may be in a column of a node's output; None for NULL. What is not spelled out is passed over."""
    node = nodes[of]
    kind = re.sub(r"^stream-exec-|_\d+$", "", node["type"])
    if kind in _PASSED_ON:
        for before in inputs[of]:
            yield from _texts(nodes, inputs, before, column)
        return
    told = None
    if kind == "calc":
        told = node["projection"][column]
    if kind == "match":
        names = re.findall(r"`(\w+)` ", node["outputType"]) if isinstance(node["outputType"], str) else []
        told = node["matchSpec"]["measures"].get(names[column]) if column < len(names) else None
    for value in _values(told):
        if value["kind"] == "LITERAL":
            yield value.get("value")
        elif kind == "calc":
            for before in inputs[of]:
                yield from _texts(nodes, inputs, before, value["inputIndex"])


def _values(expression: Any) -> Iterator[Any]:
    """The literals and the columns that an expression may be."""
    match expression:
        case {"kind": "LITERAL" | "INPUT_REF"}:
            yield expression
        case {"internalName": "$CASE$1", "operands": [*operands]}:
            for operand in (*operands[1:-1:2], operands[-1]):
                yield from _values(operand)
        case {"internalName": name, "operands": [*operands]} if name in _HANDED_ON:
            yield from _values(operands[0])
