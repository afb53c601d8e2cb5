"""Kernels: functions over arrays that numba compiles once and keeps on disk, and that run without Python's lock."""

import hashlib
from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar

from numba import njit
from numba.core.caching import IndexDataCacheFile
from numba.core.registry import CPUDispatcher

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function, *, inline: bool = False, within: bool = False) -> Function:
    """Compile for kernels that allocate nothing: they read and write the arrays that they are given.

    Division by zero gives inf or NaN, as in IEEE 754. `_nrt=False` leaves numba's reference counts out: counted, each
    array taken out of a tuple costs two atomic writes, and the spread kernel 200 ns a tick instead of 60. A kernel that
    does allocate does not compile.
    """
    options = {"forceinline": inline, "no_cpython_wrapper": within}
    made = njit(nogil=True, cache=True, error_model="numpy", _nrt=False, **options)(function)
    if within:
        made.__class__ = _Part
    kept = made._cache._cache_file
    kept.__class__, kept.kernel = _Kept, made
    kernel: Function = made
    return kernel


class _Kept(IndexDataCacheFile):  # type: ignore[misc]
    """Compiled code on disk, under a stamp that is what the kernel says.

    numba forgets it when the file of the function changes, but not when that of a function that it calls does, nor when
    the file is the same with another date, as in a copy. Asked for when code is looked for: then all that the kernel
    calls is there, also what is defined after it.
    """

    kernel: Any

    def load(self, key: Any) -> Any:
        """What is kept under a key, None for nothing: as for code made when a module of it had another name."""
        try:
            return super().load(self._known(key))
        except (ImportError, AttributeError):
            return None

    def save(self, key: Any, data: Any) -> None:
        super().save(self._known(key), data)

    def _known(self, key: Any) -> Any:
        """numba tells closures apart by their values pickled, which are not the same in every process."""
        signature, machine, _ = key
        cells = self.kernel.py_func.__closure__ or ()
        return signature, machine, repr([cell.cell_contents for cell in cells])

    @property
    def _source_stamp(self) -> str:
        return stamp(self.kernel)


def inlined(function: Function) -> Function:
    """`compiled`, for the small parts of a hot loop: not inlined, they take arrays by value and double its time."""
    return compiled(function, inline=True)


def part(function: Function) -> Function:
    """`compiled`, for what kernels alone call: the way in from Python, for forty arrays, is a third of compiling."""
    return compiled(function, within=True)


def inlined_part(function: Function) -> Function:
    """`inlined`, for what kernels alone call."""
    return compiled(function, inline=True, within=True)


class _Part(CPUDispatcher):  # type: ignore[misc]
    def __call__(self, *_: object, **__: object) -> None:
        """Not numba's: it would jump to an entry that is not there."""
        raise TypeError(f"{self.py_func.__qualname__}: a part of kernels, which Python cannot call")


def stamp(kernel: Any, callers: tuple[Any, ...] = ()) -> str:
    """A digest of a kernel's bytecode, the constants that it names, and the kernels that it calls.

    A name may also be that of a record's field: then a kernel seems to call what calls it, which is passed over.
    """
    function = kernel.py_func
    text = _text(function.__code__, function.__globals__, (*callers, kernel))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _text(code: CodeType, names: dict[str, Any], callers: tuple[Any, ...]) -> str:
    parts = [code.co_code.hex(), repr(code.co_names), repr([each for each in code.co_consts if _plain(each)])]
    for name in code.co_names:
        value = names.get(name)
        if hasattr(value, "py_func"):
            if value not in callers:
                parts.append(stamp(value, callers))
        elif _plain(value):
            parts.append(repr(value))
    return "\n".join(parts)


def _plain(value: object) -> bool:
    return isinstance(value, int | float | str | tuple)
