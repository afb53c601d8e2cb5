"""A signal to begin with, and its cases."""

import re
from pathlib import Path

from pipelines.signals.signal_file import SignalError

SQL = """-- signal: {name}
-- about: {about}
-- owner: {owner}
-- version: 1
-- inputs: crossings
-- param: entry_z  z = 2.0            range 0.5..10
-- param: exit_z   z = 0.5            range 0..6
-- levels: exit_z, entry_z..
--
-- `crossings` has a row when a pair's z passes a level, `spreads` one a second of every pair. What is selected becomes
-- a signal: action is one of enter_long, enter_short, exit.
SELECT pair, event_time_ns, z, spread, beta, mid_a, mid_b, shard, `sequence` AS last_sequence,
  CASE WHEN ABS(z) <= :exit_z THEN 'exit' WHEN z > 0 THEN 'enter_short' ELSE 'enter_long' END AS action
FROM crossings
WHERE (ABS(z) >= :entry_z AND ABS(z_before) < :entry_z) OR (ABS(z) <= :exit_z AND ABS(z_before) > :exit_z)
"""

CASES = """- case: a spread that leaves its band is entered, and left at the mean
  rows: |
    pair   | event_time | z
    KO-PEP | 10:00:00   | 1.9
    KO-PEP | 10:00:01   | 2.1
    KO-PEP | 10:00:02   | 0.4
  expect: |
    pair   | action      | last_sequence
    KO-PEP | enter_short | 2
    KO-PEP | exit        | 3
"""

_NAME = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)


def write_template(folder: Path, name: str, about: str = "", owner: str = "") -> tuple[Path, Path]:
    """`NAME.sql` and `NAME.test.yaml` in a folder. SignalError where one is there, or the name is none."""
    if not _NAME.fullmatch(name):
        raise SignalError(f"{name!r}: a name begins with a letter and has letters, digits and _ alone")
    for said in (about, owner):
        if not said.isprintable():
            raise SignalError(f"{said!r}: give one line of text")
    paths = folder / f"{name}.sql", folder / f"{name}.test.yaml"
    for path in paths:
        if path.exists():
            raise SignalError(f"{path}: is there already: take another name")
    text = SQL.format(
        name=name, about=about or "say in a line what it looks for", owner=owner or "who is asked about it"
    )
    for path, content in zip(paths, (text, CASES), strict=True):
        path.write_text(content, encoding="utf-8")
    return paths
