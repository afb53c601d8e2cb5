"""Writing and reading at the same time, in order."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Turns:
    """One task at a time in a thread of its own: a batch is written while the next is read. A fault of a task is raised
    by the next `take` or `wait`; leaving waits for the task under way."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "writer")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    def take(self, task: Callable[[], None]) -> None:
        """Begin a task, once the one before is done."""
        self.wait()
        self._under_way = self._thread.submit(task)

    def wait(self) -> None:
        """Until nothing is under way."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()
