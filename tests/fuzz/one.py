"""One target under atheris: `python -m tests.fuzz.one TARGET [libFuzzer's options]`.

What is Python is instrumented, function by function, once everything is imported: numba would not compile kernels whose
bytecode atheris has changed.
"""

import sys
from collections.abc import Iterator
from types import FunctionType

import atheris

from tests.fuzz.targets import targets

ROOMS = ("pipelines.feeds", "pipelines.contracts", "pipelines.domain.normalise")


def main() -> None:
    name = sys.argv.pop(1)
    target = targets()[name]()
    target(b"")  # what is imported late and compiled comes first
    for function in list(_functions()):
        atheris.instrument_func(function)
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


def _functions() -> Iterator[FunctionType]:
    """Python's own functions of our modules, and the methods of their classes."""
    modules = [module for name, module in sys.modules.items() if name.startswith(ROOMS)]
    for module in modules:
        for found in vars(module).values():
            if isinstance(found, FunctionType) and found.__module__ == module.__name__:
                yield found
            elif isinstance(found, type) and found.__module__ == module.__name__:
                yield from (each for each in vars(found).values() if isinstance(each, FunctionType))


if __name__ == "__main__":
    main()
