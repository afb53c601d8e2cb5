"""What gateway and simulated venue say to each other: one JSON object a line over TCP. (FIX takes its place later.)

The gateway speaks first, with Logon; the venue answers LogonAccepted, or Reject and closes. A message that cannot be
read, or may not be said now, is answered with Reject; the session goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from pipelines.domain.trading import OrderRequest, Report, TradingEvent

MAX_LINE_BYTES = 65_536
"""A longer line is not read to its end: it is rejected and skipped."""


class _Message(msgspec.Struct, tag_field="type", frozen=True, forbid_unknown_fields=True):
    pass


class Logon(_Message, tag="logon", frozen=True):
    """`session` is the trading session's id; `epoch` rises with every gateway process of it, and never falls."""

    session: str
    epoch: int


class NewOrder(_Message, tag="new_order", frozen=True):
    order: OrderRequest


class StatusRequest(_Message, tag="status_request", frozen=True):
    """Answered with every report of the order so far, or with NotKnownHere."""

    client_order_id: str


class CancelOrder(_Message, tag="cancel_order", frozen=True):
    """Answered as a StatusRequest is, once the order is canceled or it is too late."""

    client_order_id: str
    request_id: str
    event_time_ns: int


class Heartbeat(_Message, tag="heartbeat", frozen=True):
    """Answered with the same."""


class LogonAccepted(_Message, tag="logon_accepted", frozen=True):
    venue: str


class Execution(_Message, tag="execution", frozen=True):
    """A report, new or repeated: its exec id tells."""

    account: str
    event_id: str
    event_time_ns: int
    report: Report

    @staticmethod
    def of(event: TradingEvent) -> "Execution":
        assert isinstance(event.body, Report)
        return Execution(event.account, event.event_id, event.event_time_ns, event.body)

    def event(self) -> TradingEvent:
        return TradingEvent(self.event_id, self.account, self.event_time_ns, self.report)


class NotKnownHere(_Message, tag="not_known", frozen=True):
    client_order_id: str


class Reject(_Message, tag="reject", frozen=True):
    """Why a message was not taken. `client_order_id` where it was an order; `final` where the session ends with it."""

    reason: str
    client_order_id: str = ""
    final: bool = False


FromGateway = Logon | NewOrder | StatusRequest | CancelOrder | Heartbeat
FromVenue = LogonAccepted | Execution | NotKnownHere | Reject | Heartbeat

_encoder = msgspec.json.Encoder()
_from_gateway: msgspec.json.Decoder[FromGateway] = msgspec.json.Decoder(FromGateway)
_from_venue: msgspec.json.Decoder[FromVenue] = msgspec.json.Decoder(FromVenue)


class BadMessage(ValueError):
    """A line that is no message: says what, and where in it. `client_order_id` where one could still be read."""

    def __init__(self, reason: str, client_order_id: str = "") -> None:
        super().__init__(reason)
        self.client_order_id = client_order_id


def encode(*messages: FromGateway | FromVenue) -> bytes:
    return b"".join(_encoder.encode(message) + b"\n" for message in messages)


def read_from_gateway(line: bytes) -> FromGateway:
    try:
        return _from_gateway.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessage(f"not a message: {error}: {_shown(line)}", _client_order_id(line)) from error


def read_from_venue(line: bytes) -> FromVenue:
    try:
        return _from_venue.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessage(f"not a message: {error}: {_shown(line)}") from error


@dataclass(slots=True)
class Lines:
    """Bytes as they come, cut into lines. A line that is too long gives BadMessage in its place, once."""

    _rest: bytes = b""
    _skipping: bool = field(default=False)

    def feed(self, data: bytes) -> Iterator[bytes | BadMessage]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            if self._skipping:
                self._skipping = False
            elif len(line) > MAX_LINE_BYTES:
                yield _too_long()
            elif line.strip():
                yield line
        if len(self._rest) > MAX_LINE_BYTES:
            if not self._skipping:
                yield _too_long()
            self._skipping, self._rest = True, b""


def _too_long() -> BadMessage:
    return BadMessage(f"not a message: a line of more than {MAX_LINE_BYTES} bytes")


def _client_order_id(line: bytes) -> str:
    """The id in an order whose other fields are wrong, so that its sender can be told which."""
    try:
        message = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    order = message.get("order") if isinstance(message, dict) else None
    found = order.get("client_order_id") if isinstance(order, dict) else None
    return found if isinstance(found, str) else ""


def _shown(line: bytes) -> str:
    return repr(line if len(line) <= 80 else line[:80] + b"...")
