"""Tests of a signal as they are written: rows in, rows out, in YAML beside it.

    - case: a spread that leaves its band and turns gives one signal
      parameters: {entry_z: 2.0}
      rows: |
        pair   | event_time   | z
        KO-PEP | 10:00:00     | 2.1
        KO-PEP | 10:00:01.500 | 1.9
      expect: |
        pair   | action      | z
        KO-PEP | enter_short | 1.9

Rows are those of `crossings`; one of kind `sample` is of `spreads`. Of other views, by name:

      rows:
        pair_bars: |
          pair   | event_time | correlation
          KO-PEP | 10:01:00   | 0.2

Columns left out have defaults (`case_rows`). What is expected is compared by the columns that are written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.signals.case_rows import CaseError, Row, check_row, time_ns
from pipelines.signals.signal_file import SignalError, nearest
from pipelines.signals.sources import VIEWS
from pipelines.signals.statement import TIMED

KEYS = ("case", "parameters", "rows", "expect")
EXPECTED = (*TIMED, "event_time", "event_id")
"""Columns that a case may expect."""

SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Case:
    """One case: rows in the order of their logs, each with its view, and the rows that should come of them. `place`:
    where it is written, for faults."""

    name: str
    parameters: Mapping[str, object]
    rows: tuple[tuple[str, Row], ...]
    expect: tuple[Row, ...]
    place: str = ""


def load_cases(path: Path) -> list[Case]:
    """The cases of a file. SignalError at file and line, with the case's name."""
    try:
        top = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise SignalError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else f"{path}:1"
        problem = " ".join((getattr(error, "problem", None) or str(error)).split())
        raise SignalError(f"{place}: not YAML: {problem}: indent by blanks, and give tables after `rows: |`") from None
    if not isinstance(top, yaml.SequenceNode) or not top.value:
        raise SignalError(f"{path}:1: a list of cases expected, each `- case: NAME` with rows and expect under it")
    return [_case(path, number, node) for number, node in enumerate(top.value, 1)]


def _case(path: Path, number: int, node: yaml.Node) -> Case:
    place = f"{path}:{node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        raise SignalError(f"{place}: case {number}: fields expected: case, rows and expect")
    fields = {str(key.value): value for key, value in node.value}
    name = str(fields["case"].value) if "case" in fields else f"case {number}"
    for key, _ in node.value:
        if key.value not in KEYS:
            raise SignalError(f"{_line(path, key)}: {name}: field {key.value!r}: {nearest(key.value, KEYS, 'one of')}")
    missing = [key for key in ("rows", "expect") if key not in fields]
    if missing:
        raise SignalError(f'{place}: {name}: {" and ".join(missing)} missing: write a table, or `""` for none')
    return Case(
        name,
        _parameters(path, name, fields.get("parameters")),
        tuple(_rows(path, name, fields["rows"])),
        tuple(_expected(path, name, fields["expect"])),
        place,
    )


def _parameters(path: Path, case: str, node: yaml.Node | None) -> Mapping[str, object]:
    if node is None:
        return {}
    given: Any = yaml.SafeLoader("").construct_object(node, deep=True)
    if not isinstance(given, dict):
        raise SignalError(f"{_line(path, node)}: {case}: parameters: `{{name: value}}` expected")
    return {str(name): value for name, value in given.items()}


def _rows(path: Path, case: str, node: yaml.Node) -> Iterator[tuple[str, Row]]:
    """Of a table, in its order; of several, by view, in the order of their times."""
    if isinstance(node, yaml.ScalarNode):
        for line, row in _table(path, case, node):
            view = "spreads" if row.pop("kind", "") == SAMPLE else "crossings"
            yield view, _checked(path, case, line, view, row)
        return
    if not isinstance(node, yaml.MappingNode):
        raise SignalError(f"{_line(path, node)}: {case}: rows: a table after `|` expected, or tables by name of view")
    found = []
    for key, table in node.value:
        if key.value not in VIEWS:
            raise SignalError(
                f"{_line(path, key)}: {case}: no view {key.value!r}: {nearest(key.value, [*VIEWS], 'one of')}"
            )
        found += [(key.value, _checked(path, case, line, key.value, row)) for line, row in _table(path, case, table)]
    yield from sorted(found, key=lambda each: time_ns(each[1]["event_time"]))


def _checked(path: Path, case: str, line: int, view: str, row: Row) -> Row:
    try:
        check_row(view, row)
    except CaseError as error:
        raise SignalError(f"{path}:{line}: {case}: {error}") from None
    return row


def _expected(path: Path, case: str, node: yaml.Node) -> Iterator[Row]:
    for line, row in _table(path, case, node):
        unknown = next((name for name in row if name not in EXPECTED), "")
        if unknown:
            raise SignalError(
                f"{path}:{line}: {case}: expect: no column {unknown!r} of a signal: "
                f"{nearest(unknown, EXPECTED, 'there are')}"
            )
        yield row


def _table(path: Path, case: str, node: yaml.Node) -> Iterator[tuple[int, Row]]:
    """The rows of a table of cells between bars, each with its line in the file."""
    if not isinstance(node, yaml.ScalarNode):
        raise SignalError(f"{_line(path, node)}: {case}: a table expected: begin it with `|`")
    first = node.start_mark.line + (2 if node.style in ("|", ">") else 1)
    head: list[str] = []
    for number, line in enumerate(str(node.value).splitlines(), first):
        cells = [cell.strip() for cell in line.split("|")]
        if not line.strip():
            continue
        if not head:
            head = cells
        elif len(cells) != len(head):
            raise SignalError(
                f"{path}:{number}: {case}: a row of {len(cells)} cells under {len(head)} columns ({' | '.join(head)}): "
                f"{' | '.join(cells)}"
            )
        else:
            yield number, dict(zip(head, cells, strict=True))


def _line(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}"
