"""A venue on loopback that replays a recording to whoever connects, and does to them what venues do: falls over, falls
silent, loses updates, sends garbage. The venue's time goes on whether anybody listens or not.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from pipelines.domain.market import NS_PER_S
from pipelines.feeds.live.replayed_books import Dialect

log = logging.getLogger("helios.replay")

GARBAGE = (b"{", b"\x00\x01", b"[1,", b'{"stream":"x","data":null}', b"null", b"<html>502 Bad Gateway</html>")


SNAPSHOT_BYTES = 500
"""A longer answer to a subscription is a book."""


@dataclass(frozen=True, slots=True)
class Mischief:
    """What goes wrong, by seed. Rates are shares of frames; times are wall seconds, 0 for never. A stall sends nothing
    for `stall_s`; a kill closes the port for `down_s`; what would have been sent meanwhile is never sent."""

    seed: int = 1
    drop_rate: float = 0.0
    garbage_rate: float = 0.0
    stall_every_s: float = 0.0
    stall_s: float = 1.0
    kill_every_s: float = 0.0
    down_s: float = 1.0


@dataclass(slots=True)
class Done:
    """What it has done."""

    sent: int = 0
    dropped: int = 0
    garbage: int = 0
    stalls: int = 0
    kills: int = 0
    snapshots: int = 0
    finished: bool = False


@dataclass(slots=True, eq=False)
class _Client:
    """What is to be sent lies in one queue, so that a snapshot and the updates after it keep their order."""

    connection: ServerConnection
    topics: set[str]
    queue: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    async def send(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                await self.connection.send(await self.queue.get(), text=True)


@dataclass
class ReplayVenue:
    """Frames with their times (UTC ns), at `speed`, on a port (0: one that is free; `port` says which)."""

    dialect: Dialect
    frames: Sequence[tuple[int, bytes]]
    speed: float = 1.0
    port: int = 0
    mischief: Mischief = field(default_factory=Mischief)
    wait_for_client: bool = True
    done: Done = field(default_factory=Done, init=False)
    _clients: list[_Client] = field(default_factory=list, init=False)
    _server: Server | None = field(default=None, init=False)
    _connected: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _stalled_until: float = field(default=0.0, init=False)

    async def run(self) -> None:
        """Until the recording is over. The port stays open then, until `close`."""
        await self.open()
        if self.wait_for_client:
            await self._connected.wait()
        rng = np.random.default_rng(self.mischief.seed)
        tasks = [asyncio.create_task(self._stall()), asyncio.create_task(self._kill())]
        began = time.monotonic()
        first_ns = self.frames[0][0] if self.frames else 0
        try:
            for time_ns, frame in self.frames:
                wait_s = began + (time_ns - first_ns) / NS_PER_S / self.speed - time.monotonic()
                if wait_s > 0.001:
                    await asyncio.sleep(wait_s)
                self.dialect.take(frame)
                self._publish(frame, rng)
                await asyncio.sleep(0)
        finally:
            for task in tasks:
                task.cancel()
        if self._server is None:
            await self.open()
        self.done.finished = True

    async def open(self) -> None:
        """Take the port."""
        self._server = await serve(
            self._client, "127.0.0.1", self.port, process_request=self._request, ping_interval=None, compression=None
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        """Cut every connection and give the port back."""
        if self._server is None:
            return
        server, self._server = self._server, None
        for client in self._clients:
            client.connection.transport.abort()
        self._clients.clear()
        server.close(close_connections=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 5)

    def _publish(self, frame: bytes, rng: np.random.Generator) -> None:
        topic = self.dialect.topic(frame)
        wanted = [client for client in self._clients if topic in client.topics] if topic else []
        if not wanted:
            return
        if time.monotonic() < self._stalled_until or rng.random() < self.mischief.drop_rate:
            self.done.dropped += 1
            return
        if rng.random() < self.mischief.garbage_rate:
            self.done.garbage += 1
            self._send(wanted, GARBAGE[int(rng.integers(len(GARBAGE)))])
        self.done.sent += 1
        self._send(wanted, frame)

    def _send(self, clients: Sequence[_Client], frame: bytes) -> None:
        for client in clients:
            client.queue.put_nowait(frame)

    async def _client(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        topics, first = self.dialect.opened(connection.request.path)
        client = _Client(connection, topics)
        sending = asyncio.create_task(client.send())
        try:
            for frame in first:
                client.queue.put_nowait(frame)
            self._clients.append(client)
            self._connected.set()
            async for message in connection:
                for answer in self.dialect.asked(str(message), client.topics):
                    self.done.snapshots += len(answer) > SNAPSHOT_BYTES
                    client.queue.put_nowait(answer)
        except ConnectionClosed:
            pass
        finally:
            sending.cancel()
            if client in self._clients:
                self._clients.remove(client)

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        body = self.dialect.answer(request.path)
        status = HTTPStatus.OK if body is not None else HTTPStatus.NOT_FOUND
        self.done.snapshots += body is not None
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body or b""))})
        return Response(status, status.phrase, headers, body or b"")

    async def _stall(self) -> None:
        while self.mischief.stall_every_s:
            await asyncio.sleep(self.mischief.stall_every_s)
            self.done.stalls += 1
            self._stalled_until = time.monotonic() + self.mischief.stall_s

    async def _kill(self) -> None:
        while self.mischief.kill_every_s:
            await asyncio.sleep(self.mischief.kill_every_s)
            self.done.kills += 1
            await self.close()
            await asyncio.sleep(self.mischief.down_s)
            await self.open()
