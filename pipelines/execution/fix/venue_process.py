"""A simulated venue's threads: QuickFIX hears the sessions, one reads the market, and one does all the work in turn."""

import logging
import os
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.contracts.fix_venue_file import FixVenueFile
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_config import EngineConfig
from pipelines.domain.venue_engine import VenueEngine
from pipelines.domain.venue_rows import MarketRows
from pipelines.execution.fix.message_log import MessageLog
from pipelines.execution.fix.symbols import Symbols
from pipelines.execution.fix.venue_floor import Floor
from pipelines.execution.fix.venue_intake import Intake, Moved, Work
from pipelines.execution.fix.venue_journal import FixVenueJournal
from pipelines.execution.fix.venue_market import VenueMarket
from pipelines.execution.fix.venue_sessions import VenueSessions
from pipelines.execution.fix.venue_speech import Speech
from pipelines.execution.tick_log import TickLog

_LOOK_S = 0.5
_MARKET_AHEAD = 16
"""Pieces of the market that may wait for the floor; its reader waits while there are as many."""

log = logging.getLogger("helios.venue")


@dataclass(frozen=True, slots=True)
class VenuePlace:
    """Where a venue lives. `instruments`: its own, by id; `shard_of`: the shard whose log tells of each."""

    name: str
    instruments: Mapping[str, Instrument]
    shard_of: Mapping[str, int]
    ticks: TickLog
    journal: Path
    store: Path
    messages: Path


class VenueProcess:
    """One venue. Raises JournalTaken, NoSecret, NoEngine and ValueError."""

    def __init__(self, file: FixVenueFile, place: VenuePlace, window_ns: int) -> None:
        symbols = Symbols(place.instruments.values())
        self.config = _config(file, window_ns)
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(_MARKET_AHEAD)
        self._stopped = threading.Event()
        self._failure: Exception | None = None
        self.journal = FixVenueJournal(place.journal)
        self._market = VenueMarket(
            place.ticks, place.name, tuple(place.instruments), place.shard_of, self.config.window_ns
        )
        intake = Intake(place.name, symbols, self.journal)
        self._sessions = VenueSessions(file, intake, MessageLog(place.messages), self._work.put, place.store)
        sessions, copies = self._sessions, _copies(file)
        self._speech = Speech(file.faults, self.journal, sessions.send, copies, sessions.leave_out, sessions.spoken)
        engine = VenueEngine(self.config, place.instruments, place.shard_of, self._market.history)
        self._floor = Floor(engine, self.config, file.faults, symbols, place.shard_of, self.journal, self._speech)

    def start(self) -> int:
        """Go on from the journal and listen; the number of orders that are open."""
        waiting = self._floor.begin()
        self._sessions.start()
        return waiting

    def stop(self) -> None:
        self._stopped.set()
        self._work.put(None)

    def run(self) -> None:
        """Until stopped; raises what a thread died of."""
        market = threading.Thread(target=self._guarded, args=(self._read_market,), name="market", daemon=True)
        market.start()
        while not self._stopped.is_set():
            self._do()
        self._speech.rest()
        market.join(timeout=5)
        if self._failure:
            raise self._failure

    def end(self, code: int) -> None:
        """Log the sessions out and end the process: what comes in meanwhile is in the journal."""
        self._sessions.log_out()
        self.journal.close()
        logging.shutdown()
        os._exit(code)

    def _do(self) -> None:
        """One piece of work, and what was held back until now."""
        if self._work.empty():
            self._speech.rest()
        wait_s = self._speech.wait_s()
        try:
            work = self._work.get(timeout=_LOOK_S if wait_s is None else min(wait_s, _LOOK_S))
        except queue.Empty:
            work = None
        if work is not None:
            if isinstance(work, Moved):
                self._room.release()
            self._floor.work(work)
        self._speech.release()

    def _read_market(self) -> None:
        self._market.run(self._stopped, self._moved)

    def _moved(self, shard: int, rows: MarketRows) -> None:
        while not self._room.acquire(timeout=_LOOK_S):
            if self._stopped.is_set():
                return
        self._work.put(Moved(shard, rows))

    def _guarded(self, target: Callable[[], None]) -> None:
        try:
            target()
        except Exception as error:
            if not self._stopped.is_set():
                self._failure = error
                self.stop()


def _config(file: FixVenueFile, window_ns: int) -> EngineConfig:
    usual = EngineConfig()
    return EngineConfig(
        seed=file.seed,
        min_latency_ns=file.min_latency_ns,
        max_latency_ns=file.max_latency_ns,
        levels=file.levels,
        midpoint=file.fill_chance is not None,
        fill_chance=usual.fill_chance if file.fill_chance is None else file.fill_chance,
        impact=file.impact,
        half_life_ns=file.half_life_ns,
        window_ns=window_ns,
    )


def _copies(file: FixVenueFile) -> dict[str, list[str]]:
    """Comp ids of the drop copies of each participant."""
    return {
        each.comp_id: [copy.comp_id for copy in file.drop_copies if each.comp_id in copy.of]
        for each in file.participants
    }
