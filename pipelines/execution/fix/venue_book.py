"""A simulated venue's book of orders, read from its journal while or after it runs."""

import sqlite3
from decimal import Decimal
from pathlib import Path

from pipelines.domain.fault_plan import Fault
from pipelines.domain.fix_words import OrdStatus
from pipelines.domain.trading import OrderStatus
from pipelines.domain.venue_orders import VenueWord
from pipelines.execution.book_comparison import BookedOrder
from pipelines.execution.fix.dialect import STATUS


class NoBook(RuntimeError):
    """A journal is not there, or is none."""


def read_book(journal: Path, participant: str) -> dict[str, BookedOrder]:
    """Orders of a participant by client order id, each with its executions as they stand. Raises NoBook."""
    try:
        with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as database:
            orders = database.execute(
                "SELECT client_order_id, state, received FROM orders WHERE participant = ?", (participant,)
            ).fetchall()
            words = database.execute(
                "SELECT client_order_id, kind, exec_id, refers, last_quantity, last_price FROM words"
                " WHERE participant = ? AND kind IN (?, ?, ?) ORDER BY place",
                (participant, VenueWord.FILL, Fault.BUST, Fault.CORRECT),
            ).fetchall()
    except sqlite3.Error as error:
        raise NoBook(f"{journal}: not a venue's journal: {error}") from error
    book = {
        identity: BookedOrder(STATUS.get(OrdStatus(state), OrderStatus.UNKNOWN), received)
        for identity, state, received in orders
    }
    for identity, kind, exec_id, refers, lots, price in words:
        executions = book[identity].executions
        was = executions.pop(refers, (0, Decimal(0)))
        if kind == VenueWord.FILL:
            executions[exec_id] = (lots, Decimal(str(price)))
        elif kind == Fault.CORRECT:
            executions[exec_id] = (was[0], Decimal(str(price)))
    return book
