"""TotalView-ITCH 5.0's messages besides displayed orders: other trades, auctions, halts, short sale rules.

Each kernel gives the place of the next row, or below 0 what is wrong, as in `orders`.
"""

from pipelines.domain.compiled import inlined
from pipelines.domain.market import Condition, Flag, Kind, Status
from pipelines.feeds.protocols.itch50.layouts import LARGEST_PRICE
from pipelines.feeds.protocols.itch50.orders import CODE, FIELDS, PRICE, SHARES, SIDE
from pipelines.feeds.protocols.itch50.quotes import Where, tell_status
from pipelines.feeds.protocols.itch50.wire import Bytes, Made, Market, u32, u64, write_row

_TRADE, _AUCTION, _INDICATIVE = int(Kind.TRADE), int(Kind.AUCTION), int(Kind.INDICATIVE)
_ASK = int(Flag.ASK)
_HIDDEN, _CROSS = int(Condition.HIDDEN), int(Condition.CROSS)
_OPENING, _CLOSING, _REOPENING = int(Condition.OPENING), int(Condition.CLOSING), int(Condition.REOPENING)
_LATE_CLOSING = int(Condition.CLOSING | Condition.EXTENDED_HOURS)
_TRADING, _HALTED, _PAUSED, _QUOTING = (
    int(each) for each in (Status.TRADING, Status.HALTED, Status.PAUSED, Status.QUOTING)
)
_RESTRICTED, _FREE, _BROKEN = (
    int(each) for each in (Status.SHORT_SALE_RESTRICTED, Status.SHORT_SALE_FREE, Status.TRADE_BROKEN)
)
_O, _C, _H, _I, _A, _P, _Q, _T, _B, _S, _N, _X, _0, _2 = (ord(letter) for letter in "OCHIAPQTBSNX02")


@inlined
def _auction(cross: int) -> int:
    """The condition of a cross type; -1 for one that is not known. I: Nasdaq's former intraday cross."""
    if cross == _O:
        return _OPENING
    if cross == _C:
        return _CLOSING
    if cross == _H:
        return _REOPENING
    if cross == _A:
        return _LATE_CLOSING
    return 0 if cross == _I else -1


@inlined
def hidden_trade(buffer: Bytes, at: int, made: Made, row: int, where: Where) -> int:
    """P: a trade against an order that was not displayed. Its side is always B since 2014: nobody is told who took."""
    side, shares, price = buffer[at + 19], u32(buffer, at + 20), u32(buffer, at + 32)
    if side != _B and side != _S:
        return -(SIDE * FIELDS + 19)
    if shares == 0:
        return -(SHARES * FIELDS + 20)
    if price == 0 or price > LARGEST_PRICE:
        return -(PRICE * FIELDS + 32)
    return write_row(
        made, row, where.position, where.instrument, _TRADE, 0, _HIDDEN, where.event_ns, price, shares, price, shares
    )


@inlined
def cross_trade(buffer: Bytes, at: int, made: Made, row: int, where: Where) -> int:
    """Q: many orders at one price. One of no shares says that there was nothing to cross, and is no trade."""
    shares, price, auction = u64(buffer, at + 11), u32(buffer, at + 27), _auction(buffer[at + 39])
    if auction < 0:
        return -(CODE * FIELDS + 39)
    if shares == 0:
        return row
    if shares < 0:
        return -(SHARES * FIELDS + 11)
    if price == 0 or price > LARGEST_PRICE:
        return -(PRICE * FIELDS + 27)
    return write_row(
        made, row, where.position, where.instrument, _TRADE, 0, _CROSS | auction, where.event_ns,
        price, shares, price, shares,
    )  # fmt: skip


@inlined
def imbalance(buffer: Bytes, at: int, made: Made, row: int, where: Where) -> int:
    """I: what an auction has paired and has not, and where it would clear."""
    paired, unpaired, side = u64(buffer, at + 11), u64(buffer, at + 19), buffer[at + 27]
    far, near, reference, auction = (
        u32(buffer, at + 36),
        u32(buffer, at + 40),
        u32(buffer, at + 44),
        _auction(buffer[at + 48]),
    )
    if paired < 0:
        return -(SHARES * FIELDS + 11)
    if unpaired < 0:
        return -(SHARES * FIELDS + 19)
    if side != _B and side != _S and side != _N and side != _O and side != _P:
        return -(SIDE * FIELDS + 27)
    if far > LARGEST_PRICE or near > LARGEST_PRICE:
        return -(PRICE * FIELDS + (36 if far > LARGEST_PRICE else 40))
    if reference > LARGEST_PRICE:
        return -(PRICE * FIELDS + 44)
    if auction < 0:
        return -(CODE * FIELDS + 48)
    row = write_row(
        made, row, where.position, where.instrument, _AUCTION, _ASK if side == _S else 0, auction, where.event_ns,
        reference, paired, 0, unpaired,
    )  # fmt: skip
    return write_row(
        made, row, where.position, where.instrument, _INDICATIVE, 0, auction, where.event_ns, near, 0, far, 0
    )


@inlined
def trading_action(buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market) -> int:
    """H: an instrument halts, is quoted, trades."""
    state = buffer[at + 19]
    status = _TRADING if state == _T else _HALTED if state == _H else _PAUSED if state == _P else _QUOTING
    if status == _QUOTING and state != _Q:
        return -(CODE * FIELDS + 19)
    if where.book >= 0:
        market.tops[where.book].halted = 0 if status == _TRADING else 1
    return tell_status(made, row, where, status, 0)


@inlined
def operational_halt(buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market) -> int:
    """h: one market's own halt. Those of Nasdaq's other markets, BX and PSX, are not this book's."""
    market_code, action = buffer[at + 19], buffer[at + 20]
    if market_code != _Q and market_code != _B and market_code != _X:
        return -(CODE * FIELDS + 19)
    if action != _H and action != _T:
        return -(CODE * FIELDS + 20)
    if market_code != _Q:
        return row
    market.tops[where.book].halted = 1 if action == _H else 0
    return tell_status(made, row, where, _HALTED if action == _H else _TRADING, 0)


@inlined
def short_sale_rule(buffer: Bytes, at: int, made: Made, row: int, where: Where) -> int:
    """Y: the short sale price test of Reg SHO: 0 none, 1 came into force today, 2 is still in force."""
    action = buffer[at + 19]
    if action < _0 or action > _2:
        return -(CODE * FIELDS + 19)
    return tell_status(made, row, where, _FREE if action == _0 else _RESTRICTED, 0)


@inlined
def broken_trade(buffer: Bytes, at: int, made: Made, row: int, where: Where) -> int:
    """B: a trade is undone."""
    return tell_status(made, row, where, _BROKEN, u64(buffer, at + 11))
