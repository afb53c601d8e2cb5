"""Suites: what is sound passes, every rule that is broken is found, and says in which row."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.contracts.schemas import load
from pipelines.expectations.rules import TABLES, TOPICS, Between, OneOf, Ordered, Rule, Subject, Unique

ROWS = 40

SOUND: dict[str, Any] = {
    "kind": "quote", "flags": 1, "event_ns": 1_700_000_000_000_000_000, "receive_ns": 1_700_000_000_000_000_000,
    "bid": 10.0, "ask": 10.1, "bid_size": 5.0, "ask_size": 5.0, "price": 10.0, "quantity": 3, "side": "buy",
    "reason": "gap", "std": 1.0, "z": 0.5, "open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100.0,
    "trades": 3, "action": "new", "cumulative_quantity": 3, "leaves_quantity": 0, "last_quantity": 3, "amends": "",
}  # fmt: skip
"""A value of each column that rules speak of, for which they hold."""

OF_SUBJECT = {"market.spreads": {"kind": "crossing"}, "spreads": {"kind": "crossing"}, "books": {"side": "bid"}}

EMPTY = {"string": "x", "int": 1, "long": 1, "double": 1.0, "boolean": False, "bytes": b"x"}


def sound(subject: Subject) -> pd.DataFrame:
    """Rows for which all rules hold, of the columns of its record or of its rules."""
    columns: dict[str, Any] = {}
    if subject.record:
        fields: Any = load(subject.record)["fields"]
        columns = {field["name"]: EMPTY.get(str(field["type"]), ()) for field in fields}
    for rule in subject.rules:
        columns |= {name: SOUND.get(name, 1) for name in named(rule)}
    columns |= {name: "x" for name in subject.identity if name not in columns}
    columns |= {name: SOUND[name] for name in columns if name in SOUND} | OF_SUBJECT.get(subject.name, {})
    frame = pd.DataFrame({name: [value] * ROWS for name, value in columns.items()})
    for name in ("sequence", "exec_id"):
        if name in frame:
            frame[name] = range(1, ROWS + 1)
    return frame


def named(rule: Rule) -> tuple[str, ...]:
    match rule:
        case Between(column=column) | OneOf(column=column):
            return (column,)
        case Ordered(smaller=smaller, larger=larger):
            return (smaller, larger)
        case Unique(columns=columns):
            return columns


def broken(frame: pd.DataFrame, rule: Rule, row: int) -> None:
    """Break a rule in a row."""
    if not isinstance(rule, Unique) and ("kind", "==", "trade") in rule.where:
        frame.loc[row, "kind"] = "trade"
    match rule:
        case Between(column=column, low=low, high=high, above=above):
            value = (low if above else low - 1) if low is not None else (high or 0) + 1
            frame[column] = frame[column].astype("float64" if frame[column].dtype.kind == "f" else "int64")
            frame.loc[row, column] = type(SOUND.get(column, 1))(value)
        case OneOf(column=column):
            frame.loc[row, column] = "never heard of"
        case Ordered(smaller=smaller, larger=larger):
            frame.loc[row, smaller] = frame.loc[row, larger] + 1
        case Unique(columns=columns):
            for name in columns:
                frame.loc[row, name] = frame.loc[row - 1, name]


SUBJECTS = [*TOPICS.values(), *TABLES.values()]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_what_is_sound_passes_and_each_rule_that_is_broken_is_told_with_its_row(subject: Subject) -> None:
    from pipelines.expectations.validation import validate

    spoiled = sound(subject)
    for number, rule in enumerate(subject.rules):
        broken(spoiled, rule, 2 * number + 1)
    failures = validate({"sound": (subject, sound(subject)), "spoiled": (subject, spoiled)}).failures
    assert [str(each) for each in failures if each.subject == "sound"] == []
    for number, rule in enumerate(subject.rules):
        (found,) = [each for each in failures if each.subject == "spoiled" and each.says == rule.says]
        name = subject.identity[-1]
        assert any(f"{name} {spoiled.loc[2 * number + 1, name]}" in example for example in found.examples), rule


def test_a_column_too_many_or_of_another_type_is_told() -> None:
    from pipelines.expectations.validation import validate

    subject = TOPICS["market.rejects"]
    frame = sound(subject).assign(surprise=1)
    frame["raw_offset"] = frame["raw_offset"].astype("float64")
    said = [each.says for each in validate({"rejects": (subject, frame)}).failures]
    assert said == ["the columns of helios.market.Reject", "raw_offset is a long"]


def test_data_docs_are_a_page_that_names_what_failed(tmp_path: Path) -> None:
    from pipelines.expectations.validation import validate

    subject = TABLES["fills"]
    frame = sound(subject)
    frame.loc[3, "price"] = -1.0
    done = validate({"fills": (subject, frame)}, tmp_path)
    assert done.docs is not None
    assert done.docs.name == "index.html"
    pages = "".join(page.read_text() for page in done.docs.parent.rglob("*.html"))
    assert "a fill has a price above 0" in pages
    assert str(done.failures[0]) == "fills: a fill has a price above 0: 1 row: venue 1, exec_id 4, price -1.0"
