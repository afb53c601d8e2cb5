"""What a command is doing, while it does it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def steps(console: Console, first: str) -> Iterator[Callable[[str], None]]:
    """Give it each step: a spinner on a terminal, a line where the output is kept."""
    if console.is_terminal:
        with console.status(first) as status:
            yield status.update
    else:
        console.print(first)
        yield console.print
