"""A FIX log through the order states: a step for each message about an order, and for each one that is garbled."""

from collections.abc import Iterator
from decimal import Context, Decimal
from typing import BinaryIO

import msgspec

from pipelines.domain.fix_orders import FixOrders, Known
from pipelines.domain.fix_words import Report
from pipelines.execution.fix_log import FixMessage, read_log
from pipelines.execution.fix_message import NAMES, Incomplete, word_of

_SHOWN = Context(prec=15)
"""Digits of an average price that are shown."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an order after a message. None where it is not known, or the message is of no known order."""

    line: int
    msg_type: str | None
    message: str
    cl_ord_id: str | None
    """The id that the order goes by: of a request only once it is accepted."""
    ord_status: str | None
    order_qty: Decimal | None
    cum_qty: Decimal | None
    leaves_qty: Decimal | None
    avg_px: Decimal | None
    error: str | None
    order_id: str | None
    exec_id: str | None
    exec_type: str | None
    msg_cl_ord_id: str | None
    """ClOrdID and OrigClOrdID as the message has them."""
    msg_orig_cl_ord_id: str | None
    symbol: str | None
    side: str | None
    pending: tuple[str, ...]


def replay_log(source: BinaryIO, orders: FixOrders) -> Iterator[Step]:
    """Each message of a log about an order, told to `orders`, and what is known after it."""
    for message in read_log(source):
        step = _step(message, orders)
        if step is not None:
            yield step


def _step(message: FixMessage, orders: FixOrders) -> Step | None:
    if message.garbled:
        return _passed_over(message, orders, message.garbled)
    try:
        word = word_of(message.fields)
    except Incomplete as error:
        return _passed_over(message, orders, str(error))
    known = None if word is None else orders.hear(word)
    if known is None:
        return None
    return _told(message, known, known.error, word.kind.value if isinstance(word, Report) else None)


def _passed_over(message: FixMessage, orders: FixOrders, why: str) -> Step:
    """The order of a message that does not count, as it stands."""
    known = orders.known(message.fields.get(11, ""), message.fields.get(41, ""))
    return _told(message, known, f"line {message.line}: {why}: passed over", None)


def _told(message: FixMessage, known: Known | None, error: str | None, kind: str | None) -> Step:
    fields = message.fields
    msg_type = fields.get(35)
    return Step(
        line=message.line,
        msg_type=msg_type,
        message=NAMES.get(msg_type or "", msg_type or "?"),
        cl_ord_id=known.cl_ord_id if known else fields.get(11),
        ord_status=known.ord_status.value if known else None,
        order_qty=_plain(known.order_qty) if known else None,
        cum_qty=_plain(known.cum_qty) if known else None,
        leaves_qty=_plain(known.leaves_qty) if known else None,
        avg_px=_plain(known.avg_px) if known else None,
        error=error,
        order_id=(known.order_id if known else "") or None,
        exec_id=fields.get(17),
        exec_type=kind,
        msg_cl_ord_id=fields.get(11),
        msg_orig_cl_ord_id=fields.get(41),
        symbol=(known.symbol if known else "") or fields.get(55),
        side=(known.side if known else "") or fields.get(54),
        pending=known.pending if known else (),
    )


def _plain(value: Decimal | None) -> Decimal | None:
    """Without trailing zeros or exponent: 4100.000000 is 4100."""
    if value is None:
        return None
    exact = value if len(value.as_tuple().digits) < 28 else _SHOWN.plus(value)
    return Decimal(f"{exact.normalize():f}")
