"""The order of record of a simulated venue that speaks FIX: every order, request and word is in it before it is said.

Orders go by participant and the client order id that they came with. A word is `said` once it was given to its session:
the ones that are not when the process begins are said then, perhaps again, with the same ExecID.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

import msgspec

from pipelines.domain.venue_orders import VenueCancel, VenueOrder, VenueReplace, VenueReport
from pipelines.execution.fix.standing import Standing
from pipelines.execution.fix.venue_answers import Message, OrderNames
from pipelines.execution.journal_file import JournalFile

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    participant TEXT NOT NULL, client_order_id TEXT NOT NULL,
    received INTEGER NOT NULL DEFAULT 1, resent INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL, cumulative INTEGER NOT NULL, open INTEGER NOT NULL, last_ns INTEGER NOT NULL,
    amend_ns INTEGER, names BLOB NOT NULL, body BLOB NOT NULL, standing BLOB NOT NULL,
    PRIMARY KEY (participant, client_order_id)
) STRICT;
CREATE TABLE IF NOT EXISTS requests (
    participant TEXT NOT NULL, client_order_id TEXT NOT NULL, of_order TEXT NOT NULL,
    received INTEGER NOT NULL DEFAULT 1, own INTEGER NOT NULL, replaces INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (participant, client_order_id)
) STRICT;
CREATE INDEX IF NOT EXISTS requests_of_order ON requests (participant, of_order);
CREATE TABLE IF NOT EXISTS words (
    place INTEGER PRIMARY KEY AUTOINCREMENT, participant TEXT NOT NULL, client_order_id TEXT NOT NULL,
    kind TEXT NOT NULL, exec_id TEXT NOT NULL, refers TEXT NOT NULL, request TEXT NOT NULL,
    last_quantity INTEGER NOT NULL, last_price REAL NOT NULL, time_ns INTEGER NOT NULL,
    said INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL, fields BLOB NOT NULL, report BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS words_of_order ON words (participant, client_order_id, place);
CREATE INDEX IF NOT EXISTS words_of_request ON words (participant, request) WHERE request <> '';
CREATE INDEX IF NOT EXISTS open_orders ON orders (last_ns) WHERE open = 1;
CREATE INDEX IF NOT EXISTS words_not_said ON words (place) WHERE said = 0;
CREATE INDEX IF NOT EXISTS orders_to_amend ON orders (amend_ns) WHERE amend_ns IS NOT NULL;
CREATE TABLE IF NOT EXISTS cancels_when_gone (participant TEXT PRIMARY KEY) STRICT;
"""

Request = VenueCancel | VenueReplace
Key = tuple[str, str]
Row = tuple[Any, ...]


class Said(IntEnum):
    """NEVER: kept back on purpose."""

    NOT_YET = 0
    YES = 1
    NEVER = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """An order as the journal has it. `order` None: it could not be read, and was rejected."""

    names: OrderNames
    standing: Standing
    order: VenueOrder | None = None

    @property
    def key(self) -> Key:
        return self.names.participant, self.names.client_order_id


@dataclass(frozen=True, slots=True)
class Telling:
    """A word on its way out. `place`: in the journal, 0 before it is there."""

    key: Key
    kind: str
    message: str
    fields: Message
    time_ns: int
    last_quantity: int = 0
    last_price: float = 0.0
    request: str = ""
    report: VenueReport | None = None
    place: int = 0


class FixVenueJournal:
    """Raises JournalTaken. What writes is called inside `together`, by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._file = JournalFile(path, _TABLES)
        self._db = self._file.db
        self.path = path

    def close(self) -> None:
        self._file.close()

    def together(self) -> AbstractContextManager[None]:
        """One transaction of one thread: all of what is written inside, or nothing."""
        return self._file.together()

    def take(self, entry: Entry) -> None:
        """A new order."""
        order = msgspec.json.encode(entry.order)
        row = (*entry.key, *_columns(entry.standing), msgspec.json.encode(entry.names), order)
        self._db.execute(
            "INSERT INTO orders (participant, client_order_id, state, cumulative, open, last_ns, standing, names, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )

    def ask(self, request: Request, of_order: str, *, own: bool = False) -> None:
        """A request about an order. `own`: made by the venue itself."""
        row = (request.participant, request.client_order_id, of_order, own, isinstance(request, VenueReplace))
        self._db.execute(
            "INSERT INTO requests (participant, client_order_id, of_order, own, replaces, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*row, msgspec.json.encode(request)),
        )

    def came_again(self, key: Key, *, resent: bool) -> bool:
        """Whether an order of this id was taken before; counted, apart where a session resends it."""
        column = "resent" if resent else "received"
        where = "participant = ? AND client_order_id = ?"
        return self._db.execute(f"UPDATE orders SET {column} = {column} + 1 WHERE {where}", key).rowcount > 0

    def asked_again(self, key: Key) -> bool:
        """Whether a request of this id was taken before; counted."""
        where = "participant = ? AND client_order_id = ?"
        return self._db.execute(f"UPDATE requests SET received = received + 1 WHERE {where}", key).rowcount > 0

    def tell(self, telling: Telling, standing: Standing) -> Telling:
        """A word, and how the order stands after it; the word with its place."""
        exec_id, refers = telling.fields.get(17, ""), telling.fields.get(19, "")
        report = None if telling.report is None else msgspec.json.encode(telling.report)
        found = self._db.execute(
            "INSERT INTO words (participant, client_order_id, kind, exec_id, refers, request, last_quantity,"
            " last_price, time_ns, message, fields, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *telling.key, telling.kind, exec_id, refers, telling.request, telling.last_quantity,
                telling.last_price, telling.time_ns, telling.message, msgspec.json.encode(telling.fields), report,
            ),
        )  # fmt: skip
        self._db.execute(
            "UPDATE orders SET state = ?, cumulative = ?, open = ?, last_ns = ?, standing = ?"
            " WHERE participant = ? AND client_order_id = ?",
            (*_columns(standing), *telling.key),
        )
        return replace(telling, place=found.lastrowid or 0)

    def said(self, places: Iterable[tuple[int, Said]]) -> None:
        """Words that were given to their sessions, or never will be."""
        self._db.executemany("UPDATE words SET said = ? WHERE place = ?", [(int(how), place) for place, how in places])

    def amend_at(self, key: Key, time_ns: int | None) -> None:
        """When executions of an order are amended; None: no more."""
        self._db.execute(
            "UPDATE orders SET amend_ns = ? WHERE participant = ? AND client_order_id = ?", (time_ns, *key)
        )

    def cancel_when_gone(self, participant: str, wanted: bool) -> None:
        """Whether a participant's open orders are to be canceled when its session goes."""
        self._db.execute("DELETE FROM cancels_when_gone WHERE participant = ?", (participant,))
        if wanted:
            self._db.execute("INSERT INTO cancels_when_gone VALUES (?)", (participant,))

    def rows(self, query: str, *of: object) -> list[Row]:
        """What a query finds, for those who read the journal."""
        with self._file.reading():
            return self._db.execute(query, of).fetchall()


def _columns(standing: Standing) -> tuple[str, int, int, int, bytes]:
    body = msgspec.json.encode(standing)
    return standing.status.value, standing.cumulative, int(not standing.over), standing.time_ns, body
