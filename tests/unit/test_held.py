"""Values put down once for a kernel: what compiled code finds at their address."""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from infra.settings import ROOT
from pipelines.domain.compiled import compiled
from pipelines.domain.held import Held, held

ROW = np.dtype([("price", "f8"), ("lots", "i8")])


class Book(NamedTuple):
    rows: Any
    mids: Any
    is_open: bool
    patience_ns: int


@cache
def summed(kind: Any) -> Callable[[int], float]:
    @compiled
    def sum_of(address: int) -> float:
        book, factors = held(address, kind)
        total = float(book.patience_ns) if book.is_open else 0.0
        for row in range(book.rows.size):
            total += book.rows[row].price * book.rows[row].lots * factors[row]
            book.rows[row].lots += 1
        return total + book.mids[1, 2]

    return sum_of


def book(rows: int = 2) -> Book:
    return Book(np.array([(1.5, 2), (2.5, 4)][:rows], ROW), np.arange(6.0).reshape(2, 3), True, 100)


def test_a_kernel_finds_what_was_put_down() -> None:
    kept = Held(book(), np.array([1.0, 10.0]))
    assert summed(kept.kind)(kept.address) == 100 + 3 + 100 + 5


def test_what_becomes_of_the_elements_is_seen_on_both_sides() -> None:
    mine = book()
    kept = Held(mine, np.ones(2))
    summed(kept.kind)(kept.address)
    assert mine.rows["lots"].tolist() == [3, 5]
    mine.rows["lots"] = 0
    assert summed(kept.kind)(kept.address) == 105


def test_arrays_live_as_long_as_what_holds_them() -> None:
    kept = [Held(book(rows), np.ones(2)) for rows in (0, 1, 2) for _ in range(100)]
    assert [summed(each.kind)(each.address) for each in kept[::100]] == [105, 108, 118]


@pytest.mark.parametrize(("other", "same"), [(np.zeros(5), True), (np.zeros((2, 2)), False), (np.zeros(2, ROW), False)])
def test_the_kind_is_that_of_the_values(other: Any, same: bool) -> None:
    assert (Held(np.zeros(2)).kind == Held(other).kind) is same


def test_the_code_for_a_kind_is_kept_on_disk_and_that_for_another_apart(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text(
        "from pipelines.domain.compiled import compiled\nfrom pipelines.domain.held import held\n\n"
        "def first_of(kind):\n    @compiled\n    def first(address):\n        return held(address, kind)[0][0]\n"
        "    return first\n"
    )
    program = (
        "import sys, numpy as np, kernels\nfrom pipelines.domain.held import Held\n"
        "kept = Held(np.array([1.5, 2.5], sys.argv[1]))\nfirst = kernels.first_of(kept.kind)\n"
        "print(first(kept.address), sum(first.stats.cache_hits.values()))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program, dtype],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={"PYTHONPATH": f"{ROOT}:{tmp_path}", "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        ).stdout.strip()
        for dtype in ("f8", "i8", "f8", "i8")
    ]
    assert told == ["1.5 0", "1 0", "1.5 1", "1 1"]
