"""What is amiss, in the log of the process: line by line, but of a flood so many lines a second, and then a count."""

import logging
import threading

MOST_PER_S = 20


class Notes:
    """Any thread tells. `about` is what lines are counted by, a venue for instance."""

    def __init__(self, log: logging.Logger, most_per_s: int = MOST_PER_S) -> None:
        self._log = log
        self._most = most_per_s
        self._lock = threading.Lock()
        self._seconds: dict[str, tuple[int, int]] = {}

    def tell(self, about: str, text: str, now_s: float) -> None:
        """`now_s`: of a steady clock."""
        second = int(now_s)
        with self._lock:
            last, told = self._seconds.get(about, (second, 0))
            left_out, told = (max(0, told - self._most), 0) if second != last else (0, told)
            self._seconds[about] = (second, told + 1)
        if left_out:
            self._log.warning("venue=%s notes_left_out=%d", about, left_out)
        if told < self._most:
            self._log.warning("venue=%s note=%r", about, text)
