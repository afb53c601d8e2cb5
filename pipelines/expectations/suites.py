"""Subjects as suites of Great Expectations: what the schema says of each column, then the domain's rules."""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import and_, eq, gt, ne
from types import MappingProxyType
from typing import Any

import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from pipelines.contracts.schemas import load
from pipelines.expectations.rules import Between, OneOf, Ordered, Rule, Subject, Unique

_COMPARED: Mapping[str, Any] = MappingProxyType({"==": eq, "!=": ne, ">": gt})

_TYPES = {
    "int": ["int", "int32", "int64"],
    "long": ["int", "int64"],
    "double": ["float", "float64"],
    "string": ["str"],
    "boolean": ["bool", "bool_"],
    "bytes": ["bytes"],
}
"""What a column of an Avro type holds in pandas."""


def expectations(subject: Subject) -> list[Any]:
    """The suite's expectations, each with a note that says in words what it holds."""
    return [*(_of_schema(subject.record) if subject.record else ()), *map(_of_rule, subject.rules)]


def _of_schema(record: str) -> Iterator[Any]:
    fields: Any = load(record)["fields"]
    names = [field["name"] for field in fields]
    yield gxe.ExpectTableColumnsToMatchSet(column_set=names, exact_match=True, notes=f"the columns of {record}")
    for field in fields:
        name, kind, doc = field["name"], field["type"], field["doc"]
        if not isinstance(kind, str):
            continue
        yield gxe.ExpectColumnValuesToNotBeNull(column=name, notes=f"{name} is always there: {doc}")
        if kind in _TYPES:
            yield gxe.ExpectColumnValuesToBeInTypeList(column=name, type_list=_TYPES[kind], notes=f"{name} is a {kind}")
        if kind == "int":
            said = f"{name} fits into an int"
            yield gxe.ExpectColumnValuesToBeBetween(column=name, min_value=-(2**31), max_value=2**31 - 1, notes=said)


def _of_rule(rule: Rule) -> Any:
    condition: dict[str, Any] = {"notes": rule.says}
    if not isinstance(rule, Unique) and rule.where:
        condition["row_condition"] = reduce(
            and_, (_COMPARED[how](Column(name), value) for name, how, value in rule.where)
        )
    match rule:
        case Between(column=column, low=low, high=high, above=above):
            return gxe.ExpectColumnValuesToBeBetween(
                column=column, min_value=low, max_value=high, strict_min=above, **condition
            )
        case OneOf(column=column, values=values):
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(values), **condition)
        case Ordered(smaller=smaller, larger=larger):
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=larger, column_B=smaller, or_equal=True, **condition
            )
        case Unique(columns=columns):
            return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(columns), **condition)
