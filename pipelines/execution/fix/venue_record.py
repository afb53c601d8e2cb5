"""Questions to a venue's journal: what an order is by any of its names, what was said of it, what is to be done."""

import msgspec

from pipelines.domain.venue_orders import VenueCancel, VenueOrder, VenueReplace, VenueReport
from pipelines.execution.fix.standing import Standing
from pipelines.execution.fix.venue_answers import Message, OrderNames
from pipelines.execution.fix.venue_journal import Entry, FixVenueJournal, Key, Request, Row, Said, Telling

_ENTRY = "SELECT names, standing, body FROM orders"
_WORD = (
    "SELECT participant, client_order_id, kind, message, fields, time_ns, last_quantity, last_price, request, report,"
    " place FROM words"
)
_ORDER = "participant = ? AND client_order_id = ?"


class VenueRecord:
    """Reads a journal; any thread may."""

    def __init__(self, journal: FixVenueJournal) -> None:
        self._rows = journal.rows

    def entry(self, participant: str, name: str) -> Entry | None:
        """The order that a participant calls so: by the id that it came with, or that of a replacement of it."""
        found = self._rows(f"{_ENTRY} WHERE {_ORDER}", participant, name)
        if not found:
            of = "client_order_id = (SELECT of_order FROM requests WHERE replaces = 1 AND"
            query = f"{_ENTRY} WHERE participant = ? AND {of} {_ORDER})"
            found = self._rows(query, participant, participant, name)
        return _entry(found[0]) if found else None

    def open_entries(self, participant: str) -> list[Entry]:
        """Orders that are not over, in the order that they came in."""
        return list(map(_entry, self._rows(f"{_ENTRY} WHERE open = 1 AND participant = ? ORDER BY rowid", participant)))

    def open_orders(self) -> int:
        """How many orders are not over."""
        return int(self._rows("SELECT count(*) FROM orders WHERE open = 1")[0][0])

    def request(self, participant: str, name: str) -> Request | None:
        found = self._rows(f"SELECT replaces, body FROM requests WHERE {_ORDER}", participant, name)
        return _request(found[0]) if found else None

    def is_own(self, participant: str, name: str) -> bool:
        """Whether the venue made a request itself."""
        return bool(self._rows(f"SELECT 1 FROM requests WHERE own = 1 AND {_ORDER}", participant, name))

    def answer(self, participant: str, request: str) -> Telling | None:
        """The word that answered a request."""
        found = self._rows(
            f"{_WORD} WHERE participant = ? AND request = ? ORDER BY place LIMIT 1", participant, request
        )
        return _telling(found[0]) if found else None

    def last_word(self, key: Key) -> Message | None:
        """The fields of the last execution report of an order."""
        found = self._rows(f"{_WORD} WHERE {_ORDER} AND message = '8' ORDER BY place DESC LIMIT 1", *key)
        return _telling(found[0]).fields if found else None

    def fills(self, key: Key) -> list[VenueReport]:
        """Fills of an order as they were told at first."""
        return [
            _report(row[0])
            for row in self._rows(f"SELECT report FROM words WHERE {_ORDER} AND kind = 'fill' ORDER BY place", *key)
        ]

    def not_said(self) -> list[Telling]:
        """Words that were not given to their sessions, in the order of their making."""
        return list(map(_telling, self._rows(f"{_WORD} WHERE said = ? ORDER BY place", int(Said.NOT_YET))))

    def lately(self, within_ns: int) -> list[tuple[VenueOrder, list[VenueReport]]]:
        """Orders that are open, or were so within so many ns of event time of the last fill, each with all that the
        engine said of it, in the order that they came in."""
        since = "SELECT coalesce(max(time_ns), 0) - ? FROM words WHERE kind = 'fill'"
        rows = self._rows(
            f"SELECT participant, client_order_id, body FROM orders WHERE open = 1 OR last_ns >= ({since})"
            " ORDER BY rowid",
            within_ns,
        )
        query = f"SELECT report FROM words WHERE {_ORDER} AND report IS NOT NULL ORDER BY place"
        orders = [(row[:2], msgspec.json.decode(row[2], type=VenueOrder | None)) for row in rows]
        return [(order, [_report(row[0]) for row in self._rows(query, *key)]) for key, order in orders if order]

    def requests_of(self, key: Key) -> list[Request]:
        """Requests about an order that the engine has answered, or will, in the order that they came in."""
        query = (
            "SELECT replaces, body FROM requests WHERE participant = ? AND of_order = ? AND NOT EXISTS (SELECT 1"
            " FROM words WHERE words.participant = requests.participant AND request = requests.client_order_id"
            " AND report IS NULL) ORDER BY rowid"
        )
        return list(map(_request, self._rows(query, *key)))

    def to_amend(self) -> list[tuple[int, Key]]:
        """When executions of which orders are to be amended."""
        query = "SELECT amend_ns, participant, client_order_id FROM orders WHERE amend_ns IS NOT NULL"
        return [(row[0], (row[1], row[2])) for row in self._rows(query)]

    def cancels_when_gone(self) -> list[str]:
        """Participants whose open orders are to be canceled when their session goes."""
        return [row[0] for row in self._rows("SELECT participant FROM cancels_when_gone")]

    def orders_received(self) -> dict[Key, int]:
        """How often each client order id came as a new order: 1 everywhere, or its sender is at fault."""
        rows = self._rows("SELECT participant, client_order_id, received FROM orders")
        return {(row[0], row[1]): row[2] for row in rows}


def _entry(row: Row) -> Entry:
    names, standing = (msgspec.json.decode(row[0], type=OrderNames), msgspec.json.decode(row[1], type=Standing))
    return Entry(names, standing, msgspec.json.decode(row[2], type=VenueOrder | None))


def _request(row: Row) -> Request:
    if row[0]:
        return msgspec.json.decode(row[1], type=VenueReplace)
    return msgspec.json.decode(row[1], type=VenueCancel)


def _report(body: bytes) -> VenueReport:
    return msgspec.json.decode(body, type=VenueReport)


def _telling(row: Row) -> Telling:
    participant, client_order_id, kind, message, fields, time_ns, quantity, price, request, report, place = row
    said = msgspec.json.decode(fields, type=dict[int, str])
    told = None if report is None else _report(report)
    return Telling((participant, client_order_id), kind, message, said, time_ns, quantity, price, request, told, place)
