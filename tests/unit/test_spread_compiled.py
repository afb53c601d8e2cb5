"""The stamp under which numba keeps a compiled kernel on disk."""

from collections.abc import Callable
from types import SimpleNamespace

from pipelines.domain.compiled import stamp


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
