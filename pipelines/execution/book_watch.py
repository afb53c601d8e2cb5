"""What venues displayed as of an event time, for orders that are worked: told once the market has passed it."""

import logging
import math
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from kafka.errors import KafkaError

from pipelines.domain.matching import Quote
from pipelines.domain.parent_rules import STEP_NS
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_books import Level, VenueBook
from pipelines.execution.plan import Input, Moved
from pipelines.execution.tick_log import MarketSilent

log = logging.getLogger("helios.gateway")

_RETRY_S = 1.0


class Quotes(Protocol):
    """The market as it is read: `market.Market`."""

    def time_ns(self, shard: int) -> int: ...

    def quote(self, shard: int, instrument: str, at_ns: int) -> Quote | None: ...

    def traded(self, shard: int, instrument: str, after_ns: int, until_ns: int) -> float: ...

    def run(self, stopped: threading.Event, moved: Callable[[], None]) -> None: ...


class BookWatch:
    """`want` a time, and the books of instruments as of it are heard once, as soon as the market has passed it.

    One thread reads the market, another asks it. `shard_of`: the home shard of each instrument. `volumes`: whether to
    tell what was traded too, in the step that ends at the time.
    """

    def __init__(
        self,
        quotes: Quotes,
        instruments: Mapping[str, Instrument],
        shard_of: Mapping[str, int],
        *,
        volumes: bool = False,
    ) -> None:
        self._volumes = volumes
        self._quotes = quotes
        self._instruments = instruments
        self._shard_of = shard_of
        self._changed = threading.Condition()
        self._wanted_ns: int | None = None
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, hear: Callable[[Input | Exception], None]) -> None:
        for name, work in (("market", self._read), ("books", self._ask)):
            thread = threading.Thread(target=self._guarded, args=(work, hear), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def want(self, time_ns: int | None) -> None:
        """The event time as of which books are wanted next; None: none are. A later call takes the place of this."""
        with self._changed:
            self._wanted_ns = time_ns
            self._changed.notify_all()

    def stop(self) -> None:
        self._stopped.set()
        self._wake()
        for thread in self._threads:
            thread.join(timeout=5)

    def books(self, time_ns: int) -> dict[str, VenueBook]:
        """Of every instrument that had quoted by then. Raises MarketSilent."""
        found = {}
        for name, instrument in self._instruments.items():
            quote = self._quotes.quote(self._shard_of[name], name, time_ns)
            if quote is not None:
                found[name] = book_of(quote, instrument)
        return found

    def volumes(self, time_ns: int) -> dict[str, float]:
        """Units traded in the step that ends at a time; empty where none ends then. Raises MarketSilent."""
        if not self._volumes or time_ns % STEP_NS:
            return {}
        return {
            name: self._quotes.traded(self._shard_of[name], name, time_ns - STEP_NS, time_ns)
            for name in self._instruments
        }

    def _guarded(
        self, work: Callable[[Callable[[Input], None]], None], hear: Callable[[Input | Exception], None]
    ) -> None:
        try:
            work(hear)
        except (KafkaError, OSError) as error:
            hear(RuntimeError(f"cannot read the market: {type(error).__name__}: {error}"))

    def _read(self, hear: Callable[[Input], None]) -> None:
        self._quotes.run(self._stopped, self._wake)

    def _ask(self, hear: Callable[[Input], None]) -> None:
        while not self._stopped.is_set():
            with self._changed:
                wanted_ns = self._wanted_ns
                if wanted_ns is None or not self._passed(wanted_ns):
                    self._changed.wait(_RETRY_S)
                    continue
            try:
                moved = Moved(wanted_ns, self.books(wanted_ns), self.volumes(wanted_ns))
            except MarketSilent as silent:
                log.warning("state=market_silent error=%r", str(silent))
                self._stopped.wait(_RETRY_S)
                continue
            with self._changed:
                if self._wanted_ns != wanted_ns:
                    continue
                self._wanted_ns = None
            hear(moved)

    def _passed(self, time_ns: int) -> bool:
        return all(self._quotes.time_ns(shard) > time_ns for shard in set(self._shard_of.values()))

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def book_of(quote: Quote, instrument: Instrument) -> VenueBook:
    """The touch of an instrument in its venue's ticks and whole lots; a side without either is empty."""
    bids = _level(quote.bid, quote.bid_size, instrument)
    asks = _level(quote.ask, quote.ask_size, instrument)
    return VenueBook(instrument.venue, bids, asks)


def _level(price: float, size: float, instrument: Instrument) -> tuple[Level, ...]:
    if not (0 < price < math.inf and 0 < size < math.inf):
        return ()
    lots = math.floor(size / instrument.lot_size + 1e-9)
    return (Level(round(price / instrument.tick_size), lots),) if lots else ()
