"""The trading log on the wire: events and orders as dataclasses of the domain on this side, Avro records on that."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar, get_origin, get_type_hints

from pipelines.contracts.wire import BadRecord, Codec, Record, SchemaOf
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.standing import Standing
from pipelines.domain.trading import Body, Command, Marks, OrderRequest, Report, RiskUpdate, Signal, TradingEvent

EVENT = "helios.trading.TradingEvent"
ORDER = "helios.trading.OrderRequest"
POSITION = "helios.trading.Position"

KINDS: dict[str, type[Body]] = {
    "signal": Signal,
    "marks": Marks,
    "intent": OrderRequest,
    "report": Report,
    "command": Command,
    "risk": RiskUpdate,
}
"""The kinds of event, and what each holds: `kind` also names the field that is filled."""

_KIND_OF = {body: kind for kind, body in KINDS.items()}

Value = TypeVar("Value", bound=Body)


@dataclass(slots=True)
class EventCodec:
    """TradingEvents as framed bytes. Written under `schema_id`; read under it, or any other that `schema_of` knows."""

    schema_id: int
    schema_of: SchemaOf | None = None
    _codec: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._codec = Codec(EVENT, self.schema_id, self.schema_of)

    def encode(self, event: TradingEvent) -> bytes:
        kind = _KIND_OF[type(event.body)]
        return self._codec.encode(
            {
                "event_id": event.event_id,
                "kind": kind,
                "account": event.account,
                "event_time_ms": event.event_time_ns // NS_PER_MS,
                "event_time_ns": event.event_time_ns,
                kind: _record(event.body),
            }
        )

    def decode(self, data: bytes) -> TradingEvent:
        """The event in framed bytes. Raises BadRecord, also for an unknown kind and one that is not filled."""
        record = self._codec.decode(data)
        kind = record["kind"]
        body_type = KINDS.get(kind)
        if body_type is None:
            raise BadRecord(f"{EVENT} {record['event_id']}: kind {kind!r}: one of {', '.join(KINDS)} expected")
        if record[kind] is None:
            filled = [name for name in KINDS if record[name] is not None]
            raise BadRecord(
                f"{EVENT} {record['event_id']}: of kind {kind}, but {kind} is null; filled: {filled or 'none'}"
            )
        where = f"{EVENT} {record['event_id']}: {kind}"
        return TradingEvent(
            event_id=record["event_id"],
            account=record["account"],
            event_time_ns=record["event_time_ns"],
            body=_value(body_type, record[kind], where),
        )


@dataclass(slots=True)
class OrderCodec:
    """OrderRequests as framed bytes. Written under `schema_id`; read under it, or any other that `schema_of` knows."""

    schema_id: int
    schema_of: SchemaOf | None = None
    _codec: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._codec = Codec(ORDER, self.schema_id, self.schema_of)

    def encode(self, order: OrderRequest) -> bytes:
        return self._codec.encode(_record(order))

    def decode(self, data: bytes) -> OrderRequest:
        record = self._codec.decode(data)
        return _value(OrderRequest, record, f"{ORDER} {record['client_order_id']}")


@dataclass(slots=True)
class PositionCodec:
    """Where pairs stand, as framed bytes of Position. Read under `schema_id`, or any other that `schema_of` knows."""

    schema_id: int
    schema_of: SchemaOf | None = None
    _codec: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._codec = Codec(POSITION, self.schema_id, self.schema_of)

    def encode(self, told: Standing) -> bytes:
        record: Record = {each.name: getattr(told, each.name) for each in fields(told)}
        return self._codec.encode(record | {"event_time_ms": told.event_time_ns // NS_PER_MS})

    def decode(self, data: bytes) -> Standing:
        record = self._codec.decode(data)
        return Standing(**{each.name: record[each.name] for each in fields(Standing)})


def _record(body: Body) -> Record:
    """A dataclass as the record of its name; its time in ms, which SQL reads, beside that in ns."""
    record: Record = {each.name: getattr(body, each.name) for each in fields(body)}
    if isinstance(body, OrderRequest):
        record["event_time_ms"] = body.event_time_ns // NS_PER_MS
    return record


def _value(kind: type[Value], record: Record, where: str) -> Value:
    values = {}
    for name, convert in _CONVERSIONS[kind]:
        try:
            values[name] = record[name] if convert is None else convert(record[name])
        except ValueError as error:
            raise BadRecord(f"{where}.{name}: {error}: {_expected(convert)}") from error
    return kind(**values)


def _conversion(hint: Any) -> Callable[[Any], Any] | None:
    if get_origin(hint) is tuple:
        return tuple
    return hint if isinstance(hint, type) and issubclass(hint, StrEnum) else None


def _expected(convert: object) -> str:
    values = ", ".join(convert) if isinstance(convert, type) and issubclass(convert, StrEnum) else convert
    return f"one of {values} expected"


_CONVERSIONS: dict[type, list[tuple[str, Callable[[Any], Any] | None]]] = {
    kind: [(name, _conversion(hint)) for name, hint in get_type_hints(kind).items()] for kind in KINDS.values()
}
"""For each field of a dataclass, what makes it of the record's: an enum, a tuple, or nothing."""
