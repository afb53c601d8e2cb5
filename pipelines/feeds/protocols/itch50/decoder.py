"""Nasdaq TotalView-ITCH 5.0: frames of messages, each behind its length in two bytes, as BinaryFILE has them.

Source: "Nasdaq TotalView-ITCH 5.0" (specification). Kept are orders as books (levels, best quotes), trades, auctions,
halts, short sale rules and broken trades. All others are counted alone, by their letter; of a market-wide circuit
breaker (W) too, because Nasdaq halts each instrument by an H of its own. The feed is a broadcast: what is not listed is
passed over.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.domain.decoding import Decoded
from pipelines.feeds.protocols.itch50.output import Output
from pipelines.feeds.protocols.itch50.session import Itch50Session
from pipelines.feeds.protocols.itch50.state import dump_session, load_session


class Itch50:
    """The decoder of a session. `levels`: whether each change of a price's total is a row; quotes and trades always
    are. Event times are of the date in New York on which a frame was received, 1970-01-01 where nobody knows."""

    def __init__(self, index: Mapping[str, int], levels: bool = True) -> None:
        self._session = Itch50Session(index, levels)
        self._output = Output()

    def decode(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> Decoded:
        if not frames:
            return self._output.decoded()
        sizes = np.fromiter(map(len, frames), np.int64, len(frames))
        ends = np.cumsum(sizes)
        starts = ends - sizes
        unsaid, positions = np.full(len(frames), -1, np.int64), np.arange(len(frames))
        buffer = frames[0] if len(frames) == 1 else b"".join(frames)
        self._session.read(buffer, starts, starts, ends, unsaid, receive_ns, positions, self._output)
        return self._output.decoded()

    def depth(self, symbol: str, ask: bool) -> list[tuple[float, int, int]]:
        """A side of a symbol's book from the best on: price, shares, orders."""
        return self._session.depth(symbol, ask)

    def queue(self, symbol: str, ask: bool, price: float) -> list[tuple[int, int]]:
        """The orders of a symbol at a price in order of arrival: reference number, shares."""
        return self._session.queue(symbol, ask, price)

    def dump(self) -> bytes:
        return dump_session(self._session)

    def load(self, data: bytes) -> None:
        load_session(self._session, data)
