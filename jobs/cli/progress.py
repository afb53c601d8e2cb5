"""How far a long reading is, on a terminal's last line; nowhere else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

AFTER_S = 1.0
"""What is done sooner says nothing."""


@contextmanager
def counting(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """Something to call with how many are done, of how many."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    began = time.monotonic()
    with console.status("") as status:

        def tell(done: int, of: int) -> None:
            if time.monotonic() - began > AFTER_S:
                status.update(f"{done:,} of {of:,} {what}")

        yield tell
