"""An sqlite file that a simulated venue writes every word to before it says it. One process at a time, by a lock.

Kept with `synchronous=NORMAL`: safe against a kill of the process at any point, not against a loss of power.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class JournalTaken(RuntimeError):
    """Another process of this venue runs on this journal."""


class JournalFile:
    """`db` is in autocommit; any thread may use it inside `together`. Raises JournalTaken."""

    def __init__(self, path: Path, tables: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = _lock(path.with_suffix(".lock"))
        self._turn = threading.RLock()
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(tables)

    def close(self) -> None:
        self.db.close()
        self._lock.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Nobody else writes meanwhile."""
        with self._turn:
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction of one thread: all of what is written inside, or nothing."""
        with self._turn:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")


def _lock(path: Path) -> TextIO:
    """Hold a lock for as long as this process lives."""
    handle = path.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise JournalTaken(
            f"this venue already runs, as process {holder}, on {path.with_suffix('.sqlite3')}: "
            "stop it, or give this one another --data-dir"
        ) from error
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle
