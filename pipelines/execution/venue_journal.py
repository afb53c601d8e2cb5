"""The simulated venue's order of record: every word of the venue is in it before it is said."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from pipelines.domain.trading import TERMINAL, OrderRequest, Report, TradingEvent
from pipelines.execution.journal_file import JournalFile
from pipelines.execution.journal_file import JournalTaken as JournalTaken
from pipelines.execution.protocol import Execution

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    client_order_id TEXT PRIMARY KEY, body BLOB NOT NULL, open INTEGER NOT NULL, received INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS reports (
    exec_id TEXT PRIMARY KEY, client_order_id TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS reports_of_order ON reports (client_order_id, number);
CREATE INDEX IF NOT EXISTS open_orders ON orders (client_order_id) WHERE open = 1;
CREATE TABLE IF NOT EXISTS epoch (one INTEGER PRIMARY KEY CHECK (one = 1), highest INTEGER NOT NULL) STRICT;
"""


class Journal:
    """Orders by client id, reports by exec id, and the highest gateway epoch seen. One process at a time, by a lock."""

    def __init__(self, path: Path) -> None:
        self._file = JournalFile(path, _TABLES)
        self._db = self._file.db

    @property
    def path(self) -> Path:
        return self._file.path

    def close(self) -> None:
        self._file.close()

    def together(self) -> AbstractContextManager[None]:
        """One transaction: all of what is written inside, or nothing."""
        return self._file.together()

    def epoch(self) -> int:
        """The highest seen; -1 before the first logon."""
        row = self._db.execute("SELECT highest FROM epoch").fetchone()
        return int(row[0]) if row else -1

    def raise_epoch(self, epoch: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO epoch VALUES (1, ?)", (epoch,))

    def received_again(self, client_order_id: str) -> bool:
        """Whether an order of this id was taken before; counted."""
        again = self._db.execute(
            "UPDATE orders SET received = received + 1 WHERE client_order_id = ?", (client_order_id,)
        )
        return again.rowcount > 0

    def take(self, order: OrderRequest) -> None:
        self._db.execute("INSERT INTO orders VALUES (?, ?, 1, 1)", (order.client_order_id, msgspec.json.encode(order)))

    def record(self, events: Sequence[TradingEvent]) -> None:
        """Write reports; a terminal one closes its order."""
        for event in events:
            report = event.body
            assert isinstance(report, Report)
            self._db.execute(
                "INSERT INTO reports SELECT ?, ?, count(*), ? FROM reports WHERE client_order_id = ?",
                (
                    report.exec_id,
                    report.client_order_id,
                    msgspec.json.encode(Execution.of(event)),
                    report.client_order_id,
                ),
            )
            if report.status in TERMINAL:
                self._db.execute("UPDATE orders SET open = 0 WHERE client_order_id = ?", (report.client_order_id,))

    def reports(self, client_order_id: str) -> list[TradingEvent]:
        """Every report of an order in the order of their making; none if the order is not known."""
        rows = self._db.execute(
            "SELECT body FROM reports WHERE client_order_id = ? ORDER BY number", (client_order_id,)
        )
        return [msgspec.json.decode(body, type=Execution).event() for (body,) in rows]

    def open_orders(self) -> list[OrderRequest]:
        """Orders without a terminal report, oldest event first."""
        rows = self._db.execute("SELECT body FROM orders WHERE open = 1")
        orders = [msgspec.json.decode(body, type=OrderRequest) for (body,) in rows]
        return sorted(orders, key=lambda order: (order.event_time_ns, order.client_order_id))

    def orders_received(self) -> dict[str, int]:
        """How often each client order id came as a new order: 1 everywhere, or the gateway is at fault."""
        return dict(self._db.execute("SELECT client_order_id, received FROM orders").fetchall())
