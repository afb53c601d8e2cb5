"""A FIX venue without sockets, broker and threads: messages in, messages out, a market made by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipelines.domain.fault_plan import Fault, FaultPlan
from pipelines.domain.market import NS_PER_MS, Kind
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_engine import MARKET_ROW, EngineConfig, MarketRows, VenueEngine
from pipelines.execution.fix.symbols import Symbols
from pipelines.execution.fix.venue_floor import Floor
from pipelines.execution.fix.venue_intake import Came, Gone, Intake, Moved, Work
from pipelines.execution.fix.venue_journal import FixVenueJournal
from pipelines.execution.fix.venue_record import VenueRecord
from pipelines.execution.fix.venue_speech import Speech
from pipelines.execution.fix_time import write_time

START_NS = 1_700_000_000_000_000_000
A = Instrument("A", "sim", "AUSDT", 0.01, 0.5)
B = Instrument("B", "sim", "BUSDT", 0.01, 10.0)
Fields = dict[int, str]


class FixFloor:
    """One venue. `said`: what each comp id heard, MsgType as 35. `restart` is a kill and a new process."""

    def __init__(
        self,
        folder: Path,
        plan: FaultPlan | None = None,
        copies: Mapping[str, Sequence[str]] | None = None,
        config: EngineConfig | None = None,
    ) -> None:
        self._path, self._plan, self._copies = folder / "journal.sqlite3", plan or FaultPlan(), copies or {}
        self._config = config or EngineConfig(min_latency_ns=NS_PER_MS, max_latency_ns=NS_PER_MS)
        self.said: dict[str, list[Fields]] = {}
        self.left_out: list[tuple[str, int]] = []
        self.clock_s = 0.0
        self.kills: set[int] = set()
        """Numbers of messages before which the process is killed: of all that it ever tries to say."""
        self._tried = 0
        self._rows: list[MarketRows] = []
        self._open()

    def _open(self) -> None:
        self.journal = FixVenueJournal(self._path)
        self.record = VenueRecord(self.journal)
        instruments, shard_of = {"A": A, "B": B}, {"A": 0, "B": 0}
        symbols = Symbols(instruments.values())
        self.speech = Speech(
            self._plan, self.journal, self._send, self._copies,
            lambda other, count: self.left_out.append((other, count)), lambda key: None, lambda: self.clock_s,
        )  # fmt: skip
        self.intake = Intake("sim", symbols, self.journal)
        engine = VenueEngine(self._config, instruments, shard_of, self._history)
        self.floor = Floor(engine, self._config, self._plan, symbols, shard_of, self.journal, self.speech)

    def restart(self) -> None:
        """As after SIGKILL: nothing but the journal is left. The market is read again from its beginning."""
        self.journal.close()
        self._open()
        try:
            self.floor.begin()
            for rows in self._rows:
                self.floor.work(Moved(0, rows))
            self.speech.rest()
        except Killed:
            self.restart()

    def work(self, work: Work) -> None:
        """Whatever kills it is followed by a new process."""
        try:
            self.floor.work(work)
            self.speech.rest()
        except Killed:
            self.restart()

    def _send(self, other: str, message: str, fields: Fields) -> None:
        self._tried += 1
        if self._tried in self.kills:
            raise Killed
        self.said.setdefault(other, []).append({35: message} | fields)

    def _history(self, instrument: str, from_ns: int, to_ns: int) -> MarketRows:
        rows = np.concatenate([*self._rows, np.zeros(0, MARKET_ROW)])
        return rows[(rows["time_ns"] >= from_ns) & (rows["time_ns"] < to_ns)]

    def quote(self, ms: int, bid: float = 100.0, ask: float = 100.02, size: float = 50.0, instrument: int = 0) -> None:
        """The market goes on to a time."""
        self._moved(ms, instrument, Kind.QUOTE, bid, size, ask, size)

    def end_of_day(self, ms: int) -> None:
        self._moved(ms, -1, Kind.END, 0.0, 0.0, 0.0, 0.0)

    def _moved(self, ms: int, instrument: int, kind: Kind, *prices: float) -> None:
        rows = np.zeros(1, MARKET_ROW)
        rows[0] = (START_NS + ms * NS_PER_MS, instrument, kind, 0, 0, *prices)
        self._rows.append(rows)
        self.work(Moved(0, rows))

    def hear(self, message: str, participant: str = "DESK", **fields: object) -> None:
        """A message of a participant, fields by tag: `_55="AUSDT"`."""
        made = {int(tag[1:]): str(value) for tag, value in fields.items() if value is not None}
        work = self.intake.receive(participant, {35: message, 34: "7"} | made)
        assert work is not None
        self.work(work)

    def order(self, name: str, units: object = 1, ms: int = 0, participant: str = "DESK", **more: object) -> None:
        """A market order to buy A, but for what `more` says."""
        fields: dict[str, object] = {"_11": name, "_55": "AUSDT", "_54": "1", "_40": "1", "_38": units} | more
        self.hear("D", participant, **{"_60": at(ms)} | fields)

    def limit(self, name: str, price: float, units: object = 1, ms: int = 0, **more: object) -> None:
        self.order(name, units, ms, **{"_40": "2", "_44": price} | more)

    def cancel(self, name: str, of: str, ms: int = 0, participant: str = "DESK") -> None:
        self.hear("F", participant, _11=name, _41=of, _55="AUSDT", _54="1", _60=at(ms))

    def replace(self, name: str, of: str, units: object, price: float, ms: int = 0, **more: object) -> None:
        fields: dict[str, object] = {"_55": "AUSDT", "_54": "1", "_40": "2", "_44": price, "_38": units} | more
        self.hear("G", **{"_11": name, "_41": of, "_60": at(ms)} | fields)

    def come(self, participant: str = "DESK", cancels: bool = False) -> None:
        self.work(Came(participant, cancels))

    def go(self, participant: str = "DESK") -> None:
        self.work(Gone(participant))

    def words(self, *tags: int, other: str = "DESK") -> list[tuple[str, ...]]:
        """What was said, of each message these fields."""
        return [tuple(each.get(tag, "") for tag in tags) for each in self.said.get(other, [])]


class Killed(BaseException):
    """The process ended here."""


def at(ms: int) -> str:
    return write_time(START_NS + ms * NS_PER_MS)


def always(*faults: Fault, **more: object) -> FaultPlan:
    """A plan by which every order meets these faults."""
    return FaultPlan(rates=dict.fromkeys(faults, 1.0), **more)  # type: ignore[arg-type]
