"""A WebSocket and REST server on loopback in a thread of its own, that does to its clients what a test tells it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response


@dataclass
class LiveServer:
    """`port`: where it is; `paths`, `heard`: what clients asked for and said; `rest`: an answer by path."""

    port: int = 0
    paths: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    rest: Callable[[str], tuple[int, bytes, dict[str, str]]] | None = None
    on_connect: list[bytes] = field(default_factory=list)
    _clients: set[ServerConnection] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None
    _server: Server | None = None

    @property
    def stream(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, *frames: bytes) -> None:
        """To every client, as text."""
        self._do(self._send(frames))

    def drop(self) -> None:
        """Cut every connection, without a goodbye."""
        for client in tuple(self._clients):
            assert self._loop is not None
            self._loop.call_soon_threadsafe(client.transport.abort)

    def stop(self) -> None:
        self._do(self._stop())

    def start(self) -> None:
        self._do(self._start())

    async def _send(self, frames: tuple[bytes, ...]) -> None:
        for client in tuple(self._clients):
            for frame in frames:
                await client.send(frame, text=True)

    async def _start(self) -> None:
        self._server = await serve(self._client, "127.0.0.1", self.port, process_request=self._request)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close(close_connections=True)
            await self._server.wait_closed()
            self._server = None

    async def _client(self, client: ServerConnection) -> None:
        self._clients.add(client)
        assert client.request is not None
        self.paths.append(client.request.path)
        try:
            for frame in self.on_connect:
                await client.send(frame, text=True)
            async for message in client:
                self.heard.append(str(message))
        except Exception:
            return
        finally:
            self._clients.discard(client)

    def _request(self, client: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        assert self.rest is not None, request.path
        status, body, headers = self.rest(request.path)
        return Response(status, HTTPStatus(status).phrase, Headers({**headers, "Content-Length": str(len(body))}), body)

    def _do(self, work: Any) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextmanager
def live_server() -> Iterator[LiveServer]:
    """A server that is up."""
    server, ready = LiveServer(), threading.Event()

    def run() -> None:
        server._loop = asyncio.new_event_loop()
        server._loop.call_soon(ready.set)
        server._loop.run_forever()
        server._loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        assert server._loop is not None
        server._loop.call_soon_threadsafe(server._loop.stop)
        thread.join(5)
