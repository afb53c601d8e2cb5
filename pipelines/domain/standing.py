"""Where an account's pairs stand, told as it changes: what the trader's state says to those who read it elsewhere.

A function of the state before an event, the state after it and the event. The time of what is told is the account's:
the running maximum of its marks, and of signals and reports as far as these are not more than `AHEAD_NS` ahead of the
marks, so that one wrong stamp does not carry it off. Commands move no time: they bear that of the wall. Once in each
second of it a heartbeat says that time has passed.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from pipelines.domain.account import PairState, Stance, Told, TraderState
from pipelines.domain.changed import changed
from pipelines.domain.trading import Marks, Report, Signal, TradingEvent

AHEAD_NS = 5_000_000_000
BEAT_NS = 1_000_000_000

NOWHERE = PairState(Stance.FLAT)


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing told, mirrors the Avro record Position. Lots signed, by leg; of a heartbeat, `pair` is empty."""

    kind: str
    account: str
    sequence: int
    event_time_ns: int
    pair: str
    stance: str
    lots_a: int
    lots_b: int
    cause: str


def tell(before: TraderState, after: TraderState, event: TradingEvent) -> tuple[TraderState, tuple[Standing, ...]]:
    """`after` with what has been told noted in it, and what is to be told of an event that led there from `before`."""
    told = before.told if before.told.time_ns else _begun(before)
    marked_ns, time_ns = _times(told, event)
    account = after.config.account
    changed = _changed(before if told.sequence else None, after)
    found = []
    for number, (pair, state) in enumerate(changed, told.sequence + 1):
        lots_a, lots_b = state.lots
        found.append(
            Standing("position", account, number, time_ns, pair, state.stance.value, lots_a, lots_b, event.event_id)
        )
    if time_ns // BEAT_NS > told.time_ns // BEAT_NS:
        found.append(Standing("heartbeat", account, told.sequence + len(found) + 1, time_ns, "", "", 0, 0, ""))
    now = Told(told.sequence + len(found), time_ns, marked_ns)
    return (after if now == after.told else replace(after, told=now)), tuple(found)


def _begun(state: TraderState) -> Told:
    """Nothing told yet: of a state that was kept before this was told of, the time is that of its quotes."""
    quoted_ns = max((quote[2] for marks in state.marks.values() for quote in marks.quotes.values()), default=0)
    return Told(0, quoted_ns, quoted_ns)


def _times(told: Told, event: TradingEvent) -> tuple[int, int]:
    """The latest of the marks, and the account's time."""
    match event.body:
        case Marks():
            marked_ns = max(told.marked_ns, event.event_time_ns)
            return marked_ns, max(told.time_ns, marked_ns)
        case Signal() | Report() if event.event_time_ns <= told.marked_ns + AHEAD_NS:
            return told.marked_ns, max(told.time_ns, event.event_time_ns)
    return told.marked_ns, told.time_ns


def _changed(before: TraderState | None, after: TraderState) -> list[tuple[str, PairState]]:
    """Pairs that stand elsewhere than before, by name; where nothing has been told yet, all that are not flat."""
    was = before.pairs if before is not None else {}
    if was is after.pairs:
        return []
    found = []
    for name in sorted(changed(was, after.pairs)):
        then, now = was.get(name, NOWHERE), after.pairs.get(name, NOWHERE)
        if (then.stance, then.lots) != (now.stance, now.lots):
            found.append((name, now))
    return found
