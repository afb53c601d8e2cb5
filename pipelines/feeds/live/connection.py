"""One live connection: made, subscribed, read until it is dead or told to stop, and made again, later each time."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_base, wait_random_exponential
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from pipelines.feeds.live.venues import Addresses, Fetch, LiveVenue, Send

log = logging.getLogger("helios.feed")

HEALTHY_S = 30.0
"""A connection that lived so long was a good one: the next is made at once, and its failures are counted anew."""

BACKOFF = wait_random_exponential(multiplier=0.5, max=60)
"""Full jitter: somewhere between nothing and 0.5 s, 1 s, 2 s, ... 60 s."""

MOST_FRAME_BYTES = 64 << 20


class Dropped(Exception):
    """A connection ended early, or was not made: why."""


class Taker(Protocol):
    """Who gets what comes."""

    def connected(self) -> None: ...

    def frame(self, receive_ns: int, frame: bytes) -> None: ...

    def lost_books(self) -> Sequence[str]:
        """Symbols whose book is to be got back, since the last time it was asked."""

    def dropped(self, why: str) -> None: ...


@dataclass(slots=True)
class Connection:
    """A venue's frames for some symbols, for as long as it is not cancelled."""

    venue: LiveVenue
    symbols: tuple[str, ...]
    taker: Taker
    addresses: Addresses
    silent_s: float
    backoff: wait_base = BACKOFF
    clock_ns: Callable[[], int] = time.time_ns
    _asked: dict[str, float] = field(default_factory=dict, init=False)

    async def run(self) -> None:
        """Never returns by itself."""
        while True:
            async for attempt in AsyncRetrying(
                wait=self.backoff, retry=retry_if_exception_type(Dropped), before_sleep=self._say_wait
            ):
                with attempt:
                    await self._live()

    async def _live(self) -> None:
        """Returns when a connection that was good ended; Dropped when it ended early."""
        began = time.monotonic()
        why = "closed by the venue"
        self._asked.clear()
        try:
            async with (
                connect(
                    self.addresses.stream + self.venue.path(self.symbols),
                    max_size=MOST_FRAME_BYTES,
                    max_queue=4096,
                    ping_interval=20,
                    ping_timeout=20,
                    close_timeout=2,
                ) as socket,
                httpx.AsyncClient(base_url=self.addresses.rest, timeout=10) as rest,
            ):
                self.taker.connected()
                await self._send(socket, self.venue.subscribe(self.symbols))
                await self._read(socket, rest)
        except TimeoutError:
            why = f"no frame for {self.silent_s:g} s"
        except (OSError, WebSocketException) as error:
            why = " ".join(str(error).split()) or type(error).__name__
        self.taker.dropped(why)
        if time.monotonic() - began < HEALTHY_S:
            raise Dropped(why)

    async def _read(self, socket: ClientConnection, rest: httpx.AsyncClient) -> None:
        recovering = asyncio.create_task(self._recover(socket, rest))
        try:
            async for message in self._messages(socket):
                self.taker.frame(self.clock_ns(), message.encode() if isinstance(message, str) else message)
                if recovering.done():
                    break
        finally:
            recovering.cancel()
            with suppress(asyncio.CancelledError):
                await recovering

    async def _messages(self, socket: ClientConnection) -> AsyncIterator[str | bytes]:
        """What is received; TimeoutError after too long a silence."""
        while True:
            async with asyncio.timeout(self.silent_s):
                message = await socket.recv()
            yield message

    async def _recover(self, socket: ClientConnection, rest: httpx.AsyncClient) -> None:
        """Ask for lost books, each again only after a while, as slowly as the venue bears."""
        while True:
            for symbol in self.taker.lost_books():
                if time.monotonic() - self._asked.get(symbol, -1e9) < self.venue.limits.patience_s:
                    continue
                self._asked[symbol] = time.monotonic()
                for step in self.venue.recover(symbol):
                    if isinstance(step, Send):
                        await self._send(socket, (step,))
                    else:
                        await self._fetch(rest, step)
            await asyncio.sleep(0.02)

    async def _send(self, socket: ClientConnection, messages: Sequence[Send]) -> None:
        for message in messages:
            await socket.send(message.text)
            await asyncio.sleep(1 / self.venue.limits.sends_per_second)

    async def _fetch(self, rest: httpx.AsyncClient, step: Fetch) -> None:
        try:
            answer = await rest.get(step.path)
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            wait_s = _retry_after(error.response)
            log.warning("%s: HTTP %s; next in %g s", step.path, error.response.status_code, wait_s)
            await asyncio.sleep(wait_s)
            return
        except httpx.HTTPError as error:
            log.warning("%s: %s", step.path, " ".join(str(error).split()) or type(error).__name__)
            return
        self.taker.frame(self.clock_ns(), step.frame(answer.content))
        await asyncio.sleep(1 / self.venue.limits.fetches_per_second)

    def _say_wait(self, state: RetryCallState) -> None:
        wait_s = state.next_action.sleep if state.next_action else 0.0
        log.warning("%s: next try, the %d. in a row, in %.1f s", self.addresses.stream, state.attempt_number, wait_s)


def _retry_after(response: httpx.Response) -> float:
    """Seconds that the venue wants to be left alone (HTTP 429, 418), by its header; 10 where it does not say."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), 600.0) if text.isdigit() else 10.0
