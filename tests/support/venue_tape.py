"""A market for a simulated venue's engine, written row by row; and the words of its participants."""

from collections.abc import Iterable, Sequence

import numpy as np

from pipelines.domain.market import Flag, Kind, Status
from pipelines.domain.trading import Side
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_engine import MARKET_ROW, EngineConfig, MarketRows, VenueEngine
from pipelines.domain.venue_orders import (
    OrderKind,
    TimeInForce,
    VenueCancel,
    VenueOrder,
    VenueReplace,
    VenueReport,
    VenueWord,
)
from pipelines.domain.venue_rows import Row

BTC, ETH = "BTC", "ETH"
INSTRUMENTS = {name: Instrument(name, "sim", name, tick_size=0.1, lot_size=0.5) for name in (BTC, ETH)}
AT_ONCE = EngineConfig(min_latency_ns=0, max_latency_ns=0, levels=10)
"""Orders meet the book at their event time."""


def quote(time_ns: int, bid: float, bid_lots: int, ask: float, ask_lots: int, of: int = 0) -> Row:
    return time_ns, of, Kind.QUOTE, 0, 0, bid, bid_lots * 0.5, ask, ask_lots * 0.5


def trade(time_ns: int, price: float, lots: int, code: int = 0, buyer: bool = False, of: int = 0) -> Row:
    flags = int(Flag.BUYER_AGGRESSOR) if buyer else 0
    return time_ns, of, Kind.TRADE, int(code), flags, price, lots * 0.5, price, lots * 0.5


def level(time_ns: int, side: Side, price: float, lots: int, of: int = 0) -> Row:
    flags = int(Flag.ASK) if side is Side.SELL else 0
    return time_ns, of, Kind.LEVEL, 0, flags, price, lots * 0.5, price, lots * 0.5


def status(time_ns: int, code: Status, of: int = 0) -> Row:
    return time_ns, of, Kind.STATUS, int(code), 0, 0.0, 0.0, 0.0, 0.0


def beat(time_ns: int) -> Row:
    return time_ns, -1, Kind.HEARTBEAT, 0, 0, 0.0, 0.0, 0.0, 0.0


def end(time_ns: int) -> Row:
    return time_ns, -1, Kind.END, 0, 0, 0.0, 0.0, 0.0, 0.0


def rows(of: Iterable[Row]) -> MarketRows:
    return np.array(list(of), MARKET_ROW)


def order(
    name: str,
    side: Side = Side.BUY,
    lots: int = 2,
    price: float = 0.0,
    at_ns: int = 10,
    force: TimeInForce = TimeInForce.DAY,
    by: str = "desk",
    of: str = BTC,
    post_only: bool = False,
) -> VenueOrder:
    """A limit order where a price is given, else a market order."""
    kind = OrderKind.LIMIT if price else OrderKind.MARKET
    return VenueOrder(by, name, of, side, lots, kind, price, force, at_ns, post_only)


def cancel(name: str, target: str, at_ns: int, by: str = "desk") -> VenueCancel:
    return VenueCancel(by, name, target, at_ns)


def change(name: str, target: str, lots: int, price: float, at_ns: int, by: str = "desk") -> VenueReplace:
    return VenueReplace(by, name, target, lots, price, at_ns)


class Venue:
    """An engine with a log behind it, of which it has read the first `read` rows."""

    def __init__(self, tape: Sequence[Row], config: EngineConfig = AT_ONCE, behind: Sequence[Row] = ()) -> None:
        self.tape = list(tape)
        self.read = 0
        self.asked: list[tuple[str, int, int]] = []
        everything = rows([*behind, *tape])

        def history(instrument: str, from_ns: int, to_ns: int) -> MarketRows:
            self.asked.append((instrument, from_ns, to_ns))
            times = everything["time_ns"]
            found: MarketRows = everything[(times >= from_ns) & (times < to_ns)]
            return found

        self.engine = VenueEngine(config, INSTRUMENTS, dict.fromkeys(INSTRUMENTS, 0), history)

    def go(self, count: int | None = None) -> list[VenueReport]:
        """Read so many rows on; all that are left if none is given."""
        until = len(self.tape) if count is None else min(len(self.tape), self.read + count)
        part, self.read = self.tape[self.read : until], until
        return self.engine.market(0, rows(part))


def told(reports: Iterable[VenueReport], name: str | None = None) -> list[tuple[VenueWord, int, float]]:
    """Word, lots and price of reports but for NEW."""
    return [
        (each.word, each.last_quantity, each.last_price)
        for each in reports
        if each.word is not VenueWord.NEW and (name is None or each.client_order_id == name)
    ]
