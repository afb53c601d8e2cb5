"""Binance's WebSocket frames, spot and USD-M futures: best quotes (bookTicker) and trades.

Streams as Binance's API documents them ("WebSocket Market Streams"): a combined stream wraps the event as
`{"stream": ..., "data": ...}`, a raw one gives it bare. Spot quotes carry no time; futures carry E (event) and T
(transaction), ms. E is taken: it falls back less often than T (recorded USD-M BTC: on 6.0 and 7.3 % of frames).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, cast

import msgspec
import numpy as np
from msgspec import Meta, Struct

from pipelines.domain.decoding import DECODED, Decoded, DecodedRows, Fault, Reason
from pipelines.domain.market import NS_PER_MS, Flag, Kind
from pipelines.feeds.protocols.decimals import LARGEST, read_decimals

Milliseconds = Annotated[int, Meta(gt=0, le=9_000_000_000_000)]
"""Until the year 2255: beyond it, nanoseconds do not fit in 64 bits."""

Id = Annotated[int, Meta(ge=0, le=1 << 62)]


class Quote(Struct, gc=False):
    """bookTicker: best bid and ask, with book update id `u`; `E` is 0 where the frame has none (spot)."""

    s: str
    u: Id
    b: str
    B: str
    a: str
    A: str
    E: Milliseconds = 0
    T: Milliseconds = 0
    e: Literal["bookTicker"] = "bookTicker"


class Trade(Struct, gc=False):
    """One trade, with its id `t`; `m`: the buyer was the maker, so the seller took."""

    e: Literal["trade"]
    E: Milliseconds
    T: Milliseconds
    s: str
    t: Id
    p: str
    q: str
    m: bool


class WrappedQuote(Struct, gc=False):
    stream: str
    data: Quote


class WrappedTrade(Struct, gc=False):
    stream: str
    data: Trade


_quote, _wrapped_quote = msgspec.json.Decoder(Quote).decode, msgspec.json.Decoder(WrappedQuote).decode
_trade, _wrapped_trade = msgspec.json.Decoder(Trade).decode, msgspec.json.Decoder(WrappedTrade).decode
_anything = msgspec.json.Decoder().decode

BAD_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a frame that is not what was asked for."""


class Binance:
    """The decoder of a session: a row a frame, or a fault with the field, its value and what was expected."""

    def __init__(self, index: Mapping[str, int]) -> None:
        self._index = index

    def decode(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> Decoded:
        read, faults = _read(frames)
        rows = np.zeros(len(frames), DECODED)
        rows["instrument"] = -1
        _fill_quotes(rows, read.quotes_at, read.quotes, self._index, faults)
        _fill_trades(rows, read.trades_at, read.trades, self._index, faults)
        good = rows["instrument"] >= 0
        faults.sort(key=lambda fault: fault.position)
        messages = {"bookTicker": len(read.quotes), "trade": len(read.trades)}
        return Decoded(rows if not faults else rows[good], tuple(faults), messages=messages)

    def dump(self) -> bytes:
        return b""

    def load(self, data: bytes) -> None:
        if data:
            raise ValueError(f"binance decoder: {len(data)} bytes of state where there are none")


class _Read(NamedTuple):
    """The messages of a batch by kind, and the position of the frame of each."""

    quotes_at: list[int]
    quotes: list[Quote]
    trades_at: list[int]
    trades: list[Trade]


def _read(frames: Sequence[bytes]) -> tuple[_Read, list[Fault]]:
    """Read a batch as what it looks to be: how a frame looks decides only who reads it first, and a reader takes
    nothing that is not its own. A batch with a frame that is not what it seems is read again, frame by frame."""
    looks = [frame.find(b'"e":"trade"', 0, 128) for frame in frames]
    quotes_at = [position for position, found in enumerate(looks) if found < 0]
    trades_at = [position for position, found in enumerate(looks) if found >= 0]
    try:
        if not b"".join(frames).isascii():
            return _read_each(frames)  # msgspec does not look into the strings of fields that it skips
        quote_frames, trade_frames = [frames[at] for at in quotes_at], [frames[at] for at in trades_at]
        if frames and frames[0].startswith(b'{"stream":'):
            quotes = [wrapped.data for wrapped in map(_wrapped_quote, quote_frames)]
            trades = [wrapped.data for wrapped in map(_wrapped_trade, trade_frames)]
        else:
            quotes, trades = list(map(_quote, quote_frames)), list(map(_trade, trade_frames))
    except BAD_JSON:
        return _read_each(frames)
    return _Read(quotes_at, quotes, trades_at, trades), []


def _read_each(frames: Sequence[bytes]) -> tuple[_Read, list[Fault]]:
    read = _Read([], [], [], [])
    faults: list[Fault] = []
    for position, frame in enumerate(frames):
        message: Quote | Trade | str
        try:
            frame.decode()
            if frame.find(b'"e":"trade"', 0, 128) >= 0:
                message = _wrapped_trade(frame).data
            else:
                message = _wrapped_quote(frame).data
        except BAD_JSON:
            message = read_slowly(frame)
        match message:
            case Quote():
                read.quotes.append(message)
                read.quotes_at.append(position)
            case Trade():
                read.trades.append(message)
                read.trades_at.append(position)
            case _:
                faults.append(Fault(position, Reason.UNDECODABLE, message))
    return read, faults


def read_slowly(frame: bytes) -> Quote | Trade | str:
    """A frame in any shape that the venue may give it (fields in any order, spaces), or one line of what is wrong."""
    try:
        frame.decode()
        document = _anything(frame)
    except BAD_JSON as error:
        return f"not JSON: {error} ({len(frame)} bytes: {frame[:60]!r})"
    if not isinstance(document, dict):
        return f"frame: {_shown(document)}: expected an object"
    wrapped = "data" in document
    event = document["data"] if wrapped else document
    if not isinstance(event, dict):
        return f"data: {_shown(event)}: expected an object"
    kind = event.get("e", "bookTicker" if "u" in event else None)
    if kind not in ("bookTicker", "trade"):
        return f"e: {_shown(kind)}: expected bookTicker or trade"
    bare, envelope = (Trade, WrappedTrade) if kind == "trade" else (Quote, WrappedQuote)
    try:
        if wrapped:
            return cast(WrappedQuote | WrappedTrade, msgspec.convert(document, envelope)).data
        return cast(Quote | Trade, msgspec.convert(document, bare))
    except BAD_JSON as error:
        return _misfit(event if "`$.data" in str(error) or not wrapped else document, str(error))


def _misfit(event: Mapping[str, object], message: str) -> str:
    """`Expected `str`, got `int` - at `$.data.b`` as `b: 5: expected `str`, got `int``."""
    problem, _, place = message.partition(" - at `$.")
    field = place.rstrip("`").removeprefix("data.")
    if field and field in event:
        return f"{field}: {_shown(event[field])}: {problem[:1].lower()}{problem[1:]}"
    return problem[:1].lower() + problem[1:]


def _shown(value: object) -> str:
    huge = isinstance(value, int) and value.bit_length() > 128
    text = f"an integer of {cast(int, value).bit_length()} bits" if huge else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fill_quotes(
    rows: DecodedRows, at: list[int], quotes: list[Quote], index: Mapping[str, int], faults: list[Fault]
) -> None:
    if not quotes:
        return
    count = len(quotes)
    texts = [q.b for q in quotes] + [q.B for q in quotes] + [q.a for q in quotes] + [q.A for q in quotes]
    numbers = read_decimals(texts)
    made = np.zeros(count, DECODED)
    made["position"] = at
    made["instrument"] = [index.get(q.s, -1) for q in quotes]
    made["kind"] = Kind.QUOTE
    made["event_ns"] = [q.E for q in quotes]
    made["venue_sequence"] = [q.u for q in quotes]
    made["bid"], made["bid_size"], made["ask"], made["ask_size"] = numbers.reshape(4, count)
    _set_aside(made, quotes, texts, numbers, "bBaA", faults)
    made["event_ns"] *= NS_PER_MS
    rows[at] = made


def _fill_trades(
    rows: DecodedRows, at: list[int], trades: list[Trade], index: Mapping[str, int], faults: list[Fault]
) -> None:
    if not trades:
        return
    count = len(trades)
    texts = [t.p for t in trades] + [t.q for t in trades]
    numbers = read_decimals(texts)
    made = np.zeros(count, DECODED)
    made["position"] = at
    made["instrument"] = [index.get(t.s, -1) for t in trades]
    made["kind"] = Kind.TRADE
    made["flags"] = [0 if t.m else int(Flag.BUYER_AGGRESSOR) for t in trades]
    made["event_ns"] = [t.E for t in trades]
    made["venue_sequence"] = [t.t for t in trades]
    made["bid"], made["bid_size"] = numbers.reshape(2, count)
    made["ask"], made["ask_size"] = made["bid"], made["bid_size"]
    _set_aside(made, trades, texts, numbers, "pq", faults)
    made["event_ns"] *= NS_PER_MS
    rows[at] = made


def _set_aside(
    made: DecodedRows,
    messages: Sequence[Quote | Trade],
    texts: list[str],
    numbers: np.ndarray[tuple[int], np.dtype[np.float64]],
    fields: str,
    faults: list[Fault],
) -> None:
    """Rows with a number that is none, or of an instrument not listed, become faults; their instrument is -1."""
    count = len(made)
    bad = np.isnan(numbers)
    for place in np.flatnonzero(bad.reshape(len(fields), count).any(axis=0) | (made["instrument"] < 0)).tolist():
        position = int(made["position"][place])
        wrong = [column for column in range(len(fields)) if bad[column * count + place]]
        if wrong:
            text = texts[wrong[0] * count + place]
            detail = f"{fields[wrong[0]]}: {_shown(text)}: expected a decimal of at most {LARGEST:.0e}"
            faults.append(Fault(position, Reason.UNDECODABLE, detail))
            made["instrument"][place] = -1
        else:
            detail = f"s: {_shown(messages[place].s)}: not among the strategy's instruments of this venue"
            faults.append(Fault(position, Reason.UNKNOWN_INSTRUMENT, detail, symbol=messages[place].s))
