"""The stamp under which numba keeps a compiled kernel on disk."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.settings import ROOT
from pipelines.domain.compiled import compiled, part, stamp


@part
def doubled(x: int) -> int:
    return 2 * x


@compiled
def fourfold(x: int) -> int:
    return doubled(doubled(x))


def kernel(text: str, **names: object) -> SimpleNamespace:
    """As numba holds one: the function that it was made of is its `py_func`."""
    function: Callable[..., object] = eval(text, names)
    return SimpleNamespace(py_func=function)


def test_the_same_text_has_the_same_stamp() -> None:
    assert stamp(kernel("lambda x: x + step", step=1)) == stamp(kernel("lambda x: x + step", step=1))


def test_another_constant_changes_the_stamp() -> None:
    assert stamp(kernel("lambda x: x + 1")) != stamp(kernel("lambda x: x + 2"))
    assert stamp(kernel("lambda x: x + step", step=1)) != stamp(kernel("lambda x: x + step", step=2))


def test_another_callee_changes_the_stamp() -> None:
    one, other = kernel("lambda x: x + 1"), kernel("lambda x: x - 1")
    assert stamp(kernel("lambda x: inner(x)", inner=one)) != stamp(kernel("lambda x: inner(x)", inner=other))


def test_code_on_disk_is_not_used_when_a_callee_that_is_defined_later_has_changed(tmp_path: Path) -> None:
    told = []
    for step in (1, 2, 2):
        (tmp_path / "kernels.py").write_text(
            "from pipelines.domain.compiled import compiled\n\n@compiled\ndef outer(x):\n    return inner(x)\n\n"
            f"@compiled\ndef inner(x):\n    return x + {step}\n"
        )
        program = "import kernels; print(kernels.outer(1), sum(kernels.outer.stats.cache_hits.values()))"
        run = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={
                "PYTHONPATH": f"{ROOT}:{tmp_path}",
                "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
                "PYTHONDONTWRITEBYTECODE": "1",  # Python tells files of one second and one size not apart
            },
        )
        told.append(run.stdout.strip())
    assert told == ["2 0", "3 0", "3 1"]


def test_a_kernel_that_names_itself_as_a_field_has_a_stamp() -> None:
    outer = kernel("lambda x: x.outer + inner(x)", inner=kernel("lambda x: x"))
    outer.py_func.__globals__["outer"] = outer
    assert stamp(outer) == stamp(outer)


def test_a_part_is_for_kernels_and_not_for_python() -> None:
    assert fourfold(2) == 8
    with pytest.raises(TypeError, match="doubled: a part of kernels"):
        doubled(2)
