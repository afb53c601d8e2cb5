"""Binance's WebSocket frames, spot and USD-M futures: best quotes (bookTicker) and trades.

Streams as Binance's API documents them ("WebSocket Market Streams"): a combined stream wraps the event as
`{"stream": ..., "data": ...}`, a raw one gives it bare. Spot quotes carry no time; futures carry E (event) and T
(transaction), ms. E is taken: it falls back less often than T (recorded USD-M BTC: on 6.0 and 7.3 % of frames).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, cast

import msgspec
import numpy as np
from msgspec import Meta, Struct

from pipelines.domain.market import NS_PER_MS, Flag, Kind
from pipelines.domain.normalise import Decoded, Fault, Reason
from pipelines.domain.sequencing import DECODED, DecodedRows
from pipelines.feeds.decimals import LARGEST, read_decimals

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


def decode(frames: Sequence[bytes], index: Mapping[str, int]) -> Decoded:
    """Frames to rows of `DECODED`, one each, or a fault with the field, its value and what was expected."""
    quotes_at: list[int] = []
    quotes: list[Quote] = []
    trades_at: list[int] = []
    trades: list[Trade] = []
    faults: list[Fault] = []
    ascii_only = b"".join(frames).isascii()
    for position, frame in enumerate(frames):
        # What a frame looks to be decides only who reads it first: a reader takes nothing that is not its own.
        wrapped = frame[:10] == b'{"stream":'
        try:
            if not ascii_only:
                frame.decode()  # msgspec does not look into the strings of fields that it skips
            if frame.find(b'"e":"trade"', 0, 128) > 0:
                trades.append(_wrapped_trade(frame).data if wrapped else _trade(frame))
                trades_at.append(position)
            else:
                quotes.append(_wrapped_quote(frame).data if wrapped else _quote(frame))
                quotes_at.append(position)
        except BAD_JSON:
            match read_slowly(frame):
                case Quote() as quote:
                    quotes.append(quote)
                    quotes_at.append(position)
                case Trade() as trade:
                    trades.append(trade)
                    trades_at.append(position)
                case str() as detail:
                    faults.append(Fault(position, Reason.UNDECODABLE, detail))
    rows = np.zeros(len(frames), DECODED)
    rows["instrument"] = -1
    _fill_quotes(rows, quotes_at, quotes, index, faults)
    _fill_trades(rows, trades_at, trades, index, faults)
    good = rows["instrument"] >= 0
    faults.sort(key=lambda fault: fault.position)
    return Decoded(rows if not faults else rows[good], tuple(faults))


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
    made = np.empty(count, DECODED)
    made["position"] = at
    made["instrument"] = [index.get(q.s, -1) for q in quotes]
    made["kind"] = Kind.QUOTE
    made["flags"] = 0
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
    made = np.empty(count, DECODED)
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
            faults.append(Fault(position, Reason.UNKNOWN_INSTRUMENT, detail))
