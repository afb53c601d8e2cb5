"""The simulated venue's threads: one hears each connection, one reads the market, one matches what has become due."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable

from pipelines.execution.market import Market, MarketSilent
from pipelines.execution.protocol import BadMessage, FromVenue, Lines, Reject, encode
from pipelines.execution.venue import Venue, Waiting

_SEND_TIMEOUT_S = 2.0
_LOOK_S = 0.5

log = logging.getLogger("helios.venue")


class VenueServer:
    """Serves one venue on one address until stopped. Every word is sent under the lock that wrote it to the journal,
    so words of one order leave in the order of their making."""

    def __init__(self, venue: Venue, market: Market, host: str, port: int) -> None:
        self._venue = venue
        self._market = market
        self._listener = socket.create_server((host, port), backlog=16)
        self._lock = threading.Lock()
        self._work = threading.Condition()
        self._news = True
        self._stopped = threading.Event()
        self._connections: dict[int, socket.socket] = {}
        self._failure: Exception | None = None

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def stop(self) -> None:
        self._stopped.set()
        self._wake()

    def run(self) -> None:
        """Until stopped; raises what a thread died of."""
        threads = [
            threading.Thread(target=self._guarded, args=(target,), name=name, daemon=True)
            for name, target in (("market", self._read_market), ("accept", self._accept))
        ]
        for thread in threads:
            thread.start()
        try:
            self._match()
        finally:
            self._stopped.set()
            self._listener.close()
            threads[0].join(timeout=5)
            with self._lock:
                for connection in self._connections.values():
                    _shut(connection)
        if self._failure:
            raise self._failure

    def _guarded(self, target: Callable[[], None]) -> None:
        try:
            target()
        except Exception as error:
            if not self._stopped.is_set():
                self._failure = error
                self.stop()

    def _read_market(self) -> None:
        self._market.run(self._stopped, self._wake)

    def _wake(self) -> None:
        with self._work:
            self._news = True
            self._work.notify_all()

    def _match(self) -> None:
        while not self._stopped.is_set():
            with self._work:
                self._work.wait_for(lambda: self._news, timeout=_LOOK_S)
                self._news = False
            for shard in range(self._venue.strategy.shards):
                with self._lock:
                    due = self._venue.due(shard, self._market.time_ns(shard))
                for waiting in due:
                    if not self._stopped.is_set():
                        self._fill(waiting)

    def _fill(self, waiting: Waiting) -> None:
        order = waiting.order
        try:
            quote = self._market.quote(waiting.shard, order.instrument, waiting.match_time_ns)
        except MarketSilent as silent:
            log.warning("order=%s state=waiting reason=%r", order.client_order_id, str(silent))
            with self._lock:
                self._venue.put_back(waiting)
            return
        with self._lock:
            self._send(self._venue.current, self._venue.matched(waiting, quote))

    def _accept(self) -> None:
        number = 0
        while True:
            connection, peer = self._listener.accept()
            connection.settimeout(_SEND_TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections[number] = connection
            threading.Thread(target=self._hear, args=(number, connection, f"{peer[0]}:{peer[1]}"), daemon=True).start()
            number += 1

    def _hear(self, number: int, connection: socket.socket, peer: str) -> None:
        lines = Lines()
        try:
            while not self._stopped.is_set():
                try:
                    data = connection.recv(1 << 18)
                except TimeoutError:
                    continue
                if not data or not self._take(number, list(lines.feed(data)), peer):
                    return
        except OSError as error:
            log.info("connection=%d peer=%s state=lost reason=%r", number, peer, str(error))
        except Exception as error:
            self._failure = error
            self.stop()
        finally:
            with self._lock:
                self._connections.pop(number, None)
                if self._venue.current == number:
                    log.info("connection=%d peer=%s state=closed", number, peer)
            connection.close()

    def _take(self, number: int, lines: list[bytes | BadMessage], peer: str) -> bool:
        """Answer one piece of what a connection said; whether to go on with it."""
        if not lines:
            return True
        with self._lock:
            before = self._venue.current
            answers = self._venue.receive(number, lines)
            current = self._venue.current
            if current != before:
                log.info("connection=%d peer=%s state=logged_on replaces=%s", number, peer, before)
                if before in self._connections:
                    _shut(self._connections[before])
            self._send(number, answers)
        for answer in answers:
            if isinstance(answer, Reject):
                log.warning(
                    "connection=%d peer=%s reject=%r order=%s", number, peer, answer.reason, answer.client_order_id
                )
        self._wake()
        return not any(isinstance(answer, Reject) and answer.final for answer in answers)

    def _send(self, number: int | None, words: Iterable[FromVenue]) -> None:
        """To one connection; one that does not listen is dropped, and asks again when it is back."""
        connection = None if number is None else self._connections.get(number)
        data = encode(*words)
        if connection is None or not data:
            return
        try:
            connection.sendall(data)
        except OSError as error:
            log.info("connection=%s state=dropped reason=%r", number, str(error))
            _shut(connection)


def _shut(connection: socket.socket) -> None:
    """Wake the thread that reads it; that one closes it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
