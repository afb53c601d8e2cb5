"""A trading day of TotalView-ITCH 5.0: the directory of locate codes, the books, and how far they can be trusted.

A day's books are whole when it was read from its first message (S, event O), and an instrument's when its directory
message (R) was the first word of it: directories are sent before the system opens. Of a session that is joined later,
or in which messages were lost, there is no snapshot. Its books start empty, with BOOK_LOST, and what they hold counts
for certain only where the flow itself proves it (`order_book`): BOOK_BACK says that a best quote is proven, BOOK_LOST
that it no longer is.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.decoding import Fault, Reason
from pipelines.domain.market import NS_PER_S, Status
from pipelines.domain.order_book import NOTHING_KNOWN
from pipelines.domain.order_books import OrderBooks
from pipelines.feeds.protocols.itch50.faults import told
from pipelines.feeds.protocols.itch50.kernel import Stop, read_messages
from pipelines.feeds.protocols.itch50.layouts import LENGTHS, PRICE_UNIT, offset, time_ns
from pipelines.feeds.protocols.itch50.orders import STOCK
from pipelines.feeds.protocols.itch50.output import Output
from pipelines.feeds.protocols.itch50.wire import (
    AT,
    BOOK,
    EVENT_NS,
    FRAME,
    LEFT,
    LOCATE,
    ROWS,
    TOP,
    Frames,
    Integers,
    Market,
)

NEW_YORK = ZoneInfo("America/New_York")

SYSTEM_OPENS_NS = 4 * 3600 * NS_PER_S
"""Orders are taken from 4:00 in New York on: before it nothing can rest."""

UNDATED = date(1970, 1, 1)
"""The date of frames of which nobody knows when they were received."""

_LENGTHS = np.zeros(256, np.int64)
_LENGTHS[list(LENGTHS)] = list(LENGTHS.values())


def midnight_ns(day: date) -> int:
    """When a day begins in New York, UTC ns."""
    return int(datetime.combine(day, time(), NEW_YORK).timestamp()) * NS_PER_S


class Itch50Session:
    """Reads the messages of one feed, a day after the other."""

    def __init__(self, index: Mapping[str, int], levels: bool) -> None:
        self._index = index
        self._levels = levels
        self.day_ns, self.next_day_ns = 0, 0
        self._forget()

    def _forget(self) -> None:
        self.books = OrderBooks()
        self.market = Market(np.zeros(1 << 16, LOCATE), np.zeros(64, TOP))
        self.symbols: list[str] = []
        self.locate_of: dict[str, int] = {}
        self.whole = self.gapped = False
        self.event_ns = 0

    def depth(self, symbol: str, ask: bool) -> list[tuple[float, int, int]]:
        """A side of a symbol's book from the best on: price, shares, orders."""
        book = self._book(symbol)
        found = self.books.depth(book, ask) if book >= 0 else []
        return [(price / PRICE_UNIT, total, orders) for price, total, orders in found]

    def queue(self, symbol: str, ask: bool, price: float) -> list[tuple[int, int]]:
        """The orders of a symbol at a price in order of arrival: reference number, shares."""
        book = self._book(symbol)
        return self.books.queue(book, ask, round(price * PRICE_UNIT)) if book >= 0 else []

    def restore(self, books: OrderBooks, tops: NDArray[np.void], whole: bool, gapped: bool, event_ns: int) -> None:
        """Take up books of before; `rename` then says whose they are."""
        self._forget()
        self.books, self.whole, self.gapped, self.event_ns = books, whole, gapped, event_ns
        self.market = self.market._replace(tops=np.concatenate((tops, np.zeros(64, TOP))))
        self.symbols = [""] * books.count

    def rename(self, locate: int, symbol: str, book: int) -> None:
        """A locate code of before, and its book, -1 for none."""
        self._remember(locate, symbol)
        instrument = self._index.get(symbol, -1)
        if book < 0 and instrument >= 0:
            self._open(locate, symbol, instrument, whole=False)
        elif book >= 0 and instrument < 0:
            self.books.lose(book)
        elif book >= 0:
            self.symbols[book] = symbol
            self.market.locates["book"][locate] = book
            self.market.tops["instrument"][book] = instrument

    def _book(self, symbol: str) -> int:
        """The book of a symbol; -1 where it has none."""
        return int(self.market.locates["book"][self.locate_of[symbol]]) if symbol in self.locate_of else -1

    def read(
        self, buffer: bytes, bases: Integers, starts: Integers, ends: Integers, counts: Integers,
        receive_ns: Sequence[int], positions: Integers, output: Output,
    ) -> None:  # fmt: skip
        """Read frames that lie in a buffer. `bases`: where each begins, `starts`: its messages; others as `Frames`."""
        octets = np.frombuffer(buffer, np.uint8)
        first = 0
        while first < len(starts):
            last = self._same_day(receive_ns, first)
            part = slice(first, last)
            days = np.full(last - first, self.day_ns, np.int64)
            frames = Frames(octets, starts[part], ends[part], counts[part], days, positions[part], _LENGTHS)
            self._run(frames, bases[part], output)
            first = last

    def _same_day(self, receive_ns: Sequence[int], first: int) -> int:
        """Where frames of the day of the first one end. A new day forgets the one before."""
        received = receive_ns[first]
        if not (self.day_ns <= received < self.next_day_ns) and (received or not self.day_ns):
            day = datetime.fromtimestamp(received // NS_PER_S, NEW_YORK).date() if received else UNDATED
            if self.day_ns:
                self._forget()
            self.day_ns, self.next_day_ns = midnight_ns(day), midnight_ns(day + timedelta(days=1))
        low, high = self.day_ns, self.next_day_ns
        for place in range(first + 1, len(receive_ns)):
            if receive_ns[place] and not low <= receive_ns[place] < high:
                return place
        return len(receive_ns)

    def _run(self, frames: Frames, bases: Integers, output: Output) -> None:
        progress = np.zeros(7, np.int64)
        progress[AT], progress[ROWS], progress[EVENT_NS] = -1, output.rows, self.event_ns
        while True:
            stop = read_messages(frames, self.market, self.books.memory, output.made, progress, self._levels)
            match stop:
                case Stop.DONE | Stop.FAULTS_FULL:
                    output.take_faults(progress, frames, bases, self.symbols)
                    if stop == Stop.DONE:
                        break
                case Stop.ROWS_FULL:
                    output.grow_rows()
                case Stop.BOOKS_FULL:
                    self.books.grow()
                case Stop.NEW_SYMBOL:
                    self._name(frames, bases, progress, output)
                case Stop.DAY_STARTS:
                    self._start(frames, progress, output)
                case Stop.BOOK_WRONG:
                    self._lose(int(progress[BOOK]), frames, progress, output)
                case _:
                    self.gapped, self.whole = True, False
                    self._lose_all(int(frames.positions[progress[FRAME]]), progress, output)
        output.rows, self.event_ns = int(progress[ROWS]), int(progress[EVENT_NS])

    def _name(self, frames: Frames, bases: Integers, progress: Integers, output: Output) -> None:
        """Take in the symbol of a locate code that was not named before; a message that misnames it is passed over."""
        at, frame = int(progress[AT]), int(progress[FRAME])
        size = int.from_bytes(frames.buffer[at : at + 2].tobytes(), "big")
        message = frames.buffer[at + 2 : at + 2 + size].tobytes()
        kind, locate = chr(message[0]), int.from_bytes(message[1:3], "big")
        stock_at = offset(kind, "stock")
        text = message[stock_at : stock_at + 8]
        symbol = text.rstrip(b" ").decode("latin-1")
        if not symbol or not all("!" <= letter <= "~" for letter in symbol) or symbol in self.locate_of:
            output.take_faults(progress, frames, bases, self.symbols)
            detail = told(STOCK, stock_at, frames.buffer[at : at + 2 + size].tobytes())
            place = at - int(bases[frame]) + 2 + stock_at
            output.faults.append(Fault(int(frames.positions[frame]), Reason.UNDECODABLE, detail, place))
            progress[AT] += 2 + size
            progress[LEFT] -= 1
            return
        self._remember(locate, symbol)
        instrument = self._index.get(symbol, -1)
        if instrument < 0:
            return
        event_ns = self.day_ns + time_ns(message)
        directory = kind == "R" and (not self.gapped or max(event_ns, self.event_ns) < self.day_ns + SYSTEM_OPENS_NS)
        self._open(locate, symbol, instrument, self.whole or directory)

    def _remember(self, locate: int, symbol: str) -> None:
        self.locate_of[symbol] = locate
        row = self.market.locates[locate]
        row["symbol"] = int.from_bytes(symbol.encode().ljust(8), "big", signed=True)
        row["known"], row["book"] = 1, -1

    def _open(self, locate: int, symbol: str, instrument: int, whole: bool) -> None:
        book = self.books.open(whole)
        self.symbols.append(symbol)
        if book == len(self.market.tops):
            self.market = self.market._replace(tops=np.concatenate((self.market.tops, np.zeros(book, TOP))))
        self.market.locates["book"][locate] = book
        top = self.market.tops[book]
        top["instrument"], top["whole"], top["sure"] = instrument, whole, 1  # until the first doubt, which is then told

    def _start(self, frames: Frames, progress: Integers, output: Output) -> None:
        """The first message of a day. With orders on the books and after 4:00 it is none of this feed: passed over."""
        early = progress[EVENT_NS] < self.day_ns + SYSTEM_OPENS_NS
        if self.books.orders and not early:
            detail = f"S event: 'O' with {self.books.orders} orders on the books: expected before the first one"
            position = int(frames.positions[progress[FRAME]])
            output.faults.append(Fault(position, Reason.UNDECODABLE, detail))
            return
        event_ns = int(progress[EVENT_NS])
        if self.locate_of:
            self._forget()
        self.whole, self.event_ns = True, event_ns

    def _lose(self, book: int, frames: Frames, progress: Integers, output: Output) -> None:
        """What is read contradicts a book: nothing of it counts any more."""
        self.books.lose(book)
        top = self.market.tops[book]
        if top["sure"]:
            position = int(frames.positions[progress[FRAME]])
            output.status(progress, position, int(top["instrument"]), Status.BOOK_LOST, int(progress[EVENT_NS]))
        top["whole"] = top["sure"] = 0

    def lose(self, position: int, output: Output) -> None:
        """Messages are missing before the next frame: no book counts any more. Rows say so at `position`."""
        progress = np.zeros(7, np.int64)
        progress[ROWS], progress[EVENT_NS] = output.rows, self.event_ns
        self.gapped, self.whole = True, False
        self._lose_all(position, progress, output)
        output.rows = int(progress[ROWS])

    def _lose_all(self, position: int, progress: Integers, output: Output) -> None:
        tops = self.market.tops[: self.books.count]
        for book in self.books.filled():
            self.books.lose(book)
        self.books.memory.ladders["bound"][: 2 * self.books.count] = NOTHING_KNOWN
        for instrument in sorted(tops["instrument"][tops["sure"] > 0].tolist()):
            output.status(progress, position, instrument, Status.BOOK_LOST, int(progress[EVENT_NS]))
        for name in ("whole", "sure", "told"):
            tops[name] = 0
