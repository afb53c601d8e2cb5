"""Simulated moves written as Binance's USD-M frames (combined streams), faults mixed in."""

import numpy as np

from pipelines.domain.decoding import Reason
from pipelines.domain.market import NS_PER_MS, Kind
from pipelines.feeds.simulated_faults import CROSSED, DUPLICATE, GAP, GARBAGE, garbage
from pipelines.feeds.simulated_prices import Ints, Moves
from pipelines.feeds.source import Run

LATENCY_NS = 250_000
"""From the venue's clock to our receipt."""


class Scribe:
    """Writes moves as Binance's frames: update ids of the session, trade ids by symbol, faults."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.traded = np.zeros(len(symbols), np.bool_)
        self._update_id = 1_000_000
        self._trade_id = [1000 * (place + 1) for place in range(len(symbols))]
        self._varieties = 0
        streams = [symbol.lower() for symbol in symbols]
        self._quote_head = [f'{{"stream":"{s}@bookTicker","data":{{"e":"bookTicker","u":' for s in streams]
        self._trade_head = [f'{{"stream":"{s}@trade","data":{{"e":"trade","E":' for s in streams]
        self._symbol = [f',"s":"{symbol}"' for symbol in symbols]

    def write(
        self,
        moves: Moves,
        event_ns: Ints,
        faults: Ints,
        seen_at: dict[int, int],
    ) -> tuple[Run, list[tuple[int, Reason]]]:
        """The frames of some events (times in UTC ns, faults as drawn), and each fault's place in them with the reason
        that it must be rejected for."""
        frames: list[bytes] = []
        lengths: list[int] = []
        injected: list[tuple[int, Reason]] = []
        gaps = set(seen_at.values())
        columns = (moves.instrument, moves.kind, moves.side, moves.bid, moves.ask, moves.bid_size, moves.ask_size)
        rows = zip(
            *(column.tolist() for column in columns), (event_ns // NS_PER_MS).tolist(), faults.tolist(), strict=True
        )
        for place, (leg, kind, side, bid, ask, bid_size, ask_size, ms, fault) in enumerate(rows):
            before = len(frames)
            if kind == Kind.TRADE:
                trade_id = self._trade_id[leg] = self._trade_id[leg] + 1
                if fault == GAP:
                    lengths.append(0)
                    continue
                text = (
                    f'{self._trade_head[leg]}{ms},"T":{ms}{self._symbol[leg]},"t":{trade_id},"p":"{bid // 100}.'
                    f'{bid % 100:02d}","q":"{bid_size}.000","X":"MARKET","m":{"false" if side else "true"}}}}}'
                )
            else:
                update_id = self._update_id = self._update_id + 7
                if fault == CROSSED:
                    bid, ask = ask, bid
                text = (
                    f'{self._quote_head[leg]}{update_id}{self._symbol[leg]},"b":"{bid // 100}.{bid % 100:02d}",'
                    f'"B":"{bid_size}.000","a":"{ask // 100}.{ask % 100:02d}",'
                    f'"A":"{ask_size}.000","T":{ms},"E":{ms}}}}}'
                )
            frame = text.encode()
            frames.append(frame)
            if place in gaps:
                injected.append((before, Reason.GAP))
            if fault == DUPLICATE:
                frames.append(frame)
                injected.append((before + 1, Reason.DUPLICATE))
            elif fault == CROSSED:
                injected.append((before, Reason.CROSSED))
            elif fault == GARBAGE:
                frames.append(garbage(frame, self._varieties))
                self._varieties += 1
                injected.append((before + 1, Reason.UNDECODABLE))
            lengths.append(len(frames) - before)
        times_ns = np.repeat(event_ns, lengths)
        receive_ns = (times_ns + LATENCY_NS).tolist()
        return Run(times_ns // NS_PER_MS * NS_PER_MS, receive_ns, frames), injected
