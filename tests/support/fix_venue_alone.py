"""A FIX venue's process without a broker: QuickFIX, journal and floor are the real ones, the market is made as it goes.

As a program it is that process; `AloneSession` starts it, kills it, and moves its market by a file.
"""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from infra.settings import ROOT
from pipelines.contracts.blocks import TickBlock
from pipelines.contracts.fix_venue_file import load_fix_venue
from pipelines.domain.market import NS_PER_MS, NS_PER_S, TICK, Kind
from pipelines.domain.universe import Instrument
from pipelines.execution.fix.venue_process import VenuePlace, VenueProcess
from pipelines.execution.shard_clock import BEGINNING_NS
from pipelines.execution.tick_log import TickLog
from tests.support.fix_desk import FixDesk

START_NS = 1_700_000_000_000_000_000
STEP_MS = 20
END_MS = -1
"""In the file of the market: the day is over."""

NAMES = ("A", "B")
SECRET = "a-se!cret"
VENUE = """
comp_id: XSIM
port: {port}
participants:
  - {{comp_id: DESK, username: desk, password: {{environment: DESK_PASSWORD}}}}
  - {{comp_id: SECOND, username: second, password: {{environment: DESK_PASSWORD}}}}
drop_copies:
  - {{comp_id: RISK, username: risk, password: {{environment: DESK_PASSWORD}}, of: [DESK]}}
"""
PATIENCE_S = 30.0


class MadeLog(TickLog):
    """A block every 20 ms of event time, each instrument quoted twice in it, as far as the file says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._place: dict[int, int] = {}

    def consumer(self) -> Any:
        made = SimpleNamespace(assign=lambda partitions: None, close=lambda: None)
        made.seek = lambda partition, offset: self._place.__setitem__(id(made), offset)
        made.poll = lambda timeout_ms: self._poll(id(made))
        return made

    def partition(self, shard: int) -> Any:
        return shard

    def recent(self, consumer: Any, partition: Any, window_ns: int) -> tuple[int, int]:
        return 0, BEGINNING_NS

    def since(self, consumer: Any, partition: Any, since_ns: int | None) -> tuple[int, int]:
        place = 0 if since_ns is None else max(0, (since_ns - START_NS) // (STEP_MS * NS_PER_MS))
        return place, BEGINNING_NS if since_ns is None else since_ns

    def block(self, record: Any) -> TickBlock | None:
        ticks = np.zeros(4, TICK)
        ticks["sequence"] = 4 * abs(record) + np.arange(4)
        ticks["instrument"] = np.arange(4) % 2
        ticks["event_ns"] = START_NS + record * STEP_MS * NS_PER_MS + np.arange(4) * 5 * NS_PER_MS
        ticks["bid"] = 100 + np.random.default_rng(abs(record)).integers(-5, 5, 4) / 100
        ticks["ask"], ticks["bid_size"], ticks["ask_size"] = ticks["bid"] + 0.02, 5, 5
        if record < 0:
            ticks["kind"], ticks["instrument"], ticks["sequence"] = Kind.END, -1, 2**40
            ticks["event_ns"] = START_NS + 86_400 * NS_PER_S
        return TickBlock("sim", "s1", 0, 0, 0, NAMES, ticks)

    def _poll(self, consumer: int) -> dict[Any, list[int]]:
        words = self._file.read_text().split()
        told, over = int(words[0]) // STEP_MS, len(words) > 1
        place = self._place.get(consumer, 0)
        self._place[consumer] = upto = min(told, place + 50)
        if place < told:
            return {0: list(range(place, upto))}
        if over and place == told:
            self._place[consumer] = told + 1
            return {0: [-1]}
        time.sleep(0.01)
        return {}


class AloneSession:
    """One venue and its desks. `clock_ns`: event time that its market has come to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ms = folder, 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.file = folder / "venue.yaml"
        self.file.write_text(VENUE.format(port=self.port))
        self.desks: list[FixDesk] = []
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.market(0)

    @property
    def clock_ns(self) -> int:
        return START_NS + self.ms * NS_PER_MS

    def market(self, ms: int, over: bool = False) -> None:
        """The market goes on for so long, or ends."""
        self.ms += ms
        new = self.folder / "market.new"
        new.write_text(f"{self.ms}{' over' if over else ''}")
        new.rename(self.folder / "market")

    def faults(self, text: str) -> None:
        """Faults that the venue puts in, as its file says them."""
        with self.file.open("a") as file:
            file.write(f"faults:\n  {text}\n")

    def start(self, name: str = "venue") -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "DESK_PASSWORD": SECRET}
        command = [sys.executable, "-m", "tests.support.fix_venue_alone", str(self.folder)]
        with (self.folder / f"{name}.log").open("ab") as output:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment
            )

    def log_of(self, name: str = "venue") -> str:
        return (self.folder / f"{name}.log").read_text()

    def kill(self, name: str = "venue", number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; the exit status."""
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(timeout=PATIENCE_S)

    def desk(self, name: str = "DESK", password: str = SECRET, logon: dict[int, str] | None = None) -> FixDesk:
        desk = FixDesk(self.folder / f"store-{name}", self.port, name, password, logon)
        self.desks.append(desk)
        return desk

    def journal(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.folder}/journal.sqlite3?mode=ro", uri=True) as database:
            return database.execute(query).fetchall()

    def until(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            dead = [name for name, process in self.processes.items() if process.poll() is not None]
            assert not dead, f"{dead}: {self.log_of(dead[0])}"
            assert time.monotonic() < deadline, f"{what}: {self.log_of()}"
            time.sleep(0.02)

    def close(self) -> None:
        for desk in self.desks:
            desk.stop()
        for name in list(self.processes):
            self.kill(name)


def main(folder: Path) -> int:
    import logging

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stdout)
    instruments = {name: Instrument(name, "sim", f"{name}USDT", 0.01, 1.0) for name in NAMES}
    place = VenuePlace(
        "sim",
        instruments,
        dict.fromkeys(instruments, 0),
        MadeLog(folder / "market"),
        folder / "journal.sqlite3",
        folder / "venue-store",
        folder / "messages.log",
    )
    try:
        venue = VenueProcess(load_fix_venue(folder / "venue.yaml"), place, 2 * NS_PER_S)
    except Exception as error:
        print(error)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: venue.stop())
    try:
        logging.getLogger("helios.venue").info("state=started waiting=%d", venue.start())
        venue.run()
    except Exception:
        logging.exception("state=failed")
        venue.end(1)
    venue.end(0)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
