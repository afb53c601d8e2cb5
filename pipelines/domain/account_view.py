"""An account as a person asks about it: whether it trades, its limits and how far they are used, what it holds, works
and has made. Read off its state; money is the account's."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipelines.domain.account import PairState, Stop, Stops, TraderState
from pipelines.domain.account_limits import Used, limits_used
from pipelines.domain.account_profits import Made, profits, tick_money
from pipelines.domain.exposure import mid_of, one_lot
from pipelines.domain.orders import OrderState
from pipelines.domain.positions import Position


class Status(StrEnum):
    """Whether an account trades. REDUCING: it is being closed; HALTED: nothing new; KILLED: nothing leaves."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"
    KILLED = "KILLED"


@dataclass(frozen=True, slots=True)
class Stopped:
    """A scope that is stopped: how, why, and since when (UTC ns; 0: not known)."""

    scope: str
    how: str
    why: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class Held:
    """A position. Prices in the instrument's currency, worth and profit in money of the account; None: no mark."""

    instrument: str
    lots: int
    average: float
    mark: float | None
    worth: float | None
    realised: float
    unrealised: float | None


@dataclass(frozen=True, slots=True)
class Working:
    """An order that may still fill. `unknown`: its fate is not known."""

    client_order_id: str
    pair: str
    strategy: str
    instrument: str
    side: str
    quantity: int
    filled: int
    state: str
    canceling: bool

    @property
    def unknown(self) -> bool:
        return self.state == OrderState.UNKNOWN


@dataclass(frozen=True, slots=True)
class PairHeld:
    """A pair that is not flat: lots by leg, filled and wanted, and whose they are (strategy -> entries)."""

    pair: str
    stance: str
    lots: tuple[int, int]
    wanted: tuple[int, int]
    strategies: Mapping[str, int]
    due: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """Everything that is shown of an account. `time_ns`: of its last marks."""

    account: str
    status: Status
    why: str
    since_ns: int
    time_ns: int
    stops: tuple[Stopped, ...]
    limits: tuple[Used, ...]
    positions: tuple[Held, ...]
    orders: tuple[Working, ...]
    pairs: tuple[PairHeld, ...]
    profits: tuple[Made, ...]
    measured_ns: int
    """As of when risk was measured; -1: it was not."""


def view(state: TraderState, killed_ns: int = 0) -> AccountView:
    """An account as it stands. `killed_ns`: when it was killed, which its state does not keep."""
    account = state.config.account
    status, why, since_ns = _status(state, killed_ns)
    stops = [Stopped(scope, stop.kind.value, stop.why, stop.since_ns) for scope, stop in sorted(state.stops.items())]
    if state.killed:
        stops.insert(0, Stopped(account, Stops.KILL.value, state.killed, killed_ns))
    return AccountView(
        account=account,
        status=status,
        why=why,
        since_ns=since_ns,
        time_ns=state.marked_ns,
        stops=tuple(stops),
        limits=tuple(limits_used(state)),
        positions=tuple(_held(state, name, each) for name, each in sorted(state.positions.items()) if each.lots),
        orders=tuple(
            Working(
                name,
                each.pair,
                each.strategy,
                each.instrument,
                each.side.value,
                each.quantity,
                each.filled,
                each.state.value,
                bool(each.cancel),
            )
            for name, each in state.orders.items()
        ),
        pairs=tuple(
            PairHeld(
                name,
                each.stance.value,
                each.lots,
                each.goal,
                {who: of[2] for who, of in each.targets.items()},
                each.due,
            )
            for name, each in sorted(state.pairs.items())
        ),
        profits=tuple(profits(state)),
        measured_ns=state.measured.as_of_ns,
    )


def _status(state: TraderState, killed_ns: int) -> tuple[Status, str, int]:
    if state.killed:
        return Status.KILLED, state.killed, killed_ns
    stop: Stop | None = state.stops.get(state.config.account)
    if stop is None:
        return Status.ACTIVE, "", 0
    by_kind = {Stops.REDUCE: Status.REDUCING, Stops.HALT: Status.HALTED, Stops.KILL: Status.KILLED}
    return by_kind[stop.kind], stop.why, stop.since_ns


def _entries(pair: PairState) -> dict[str, int]:
    return {strategy: target[2] for strategy, target in pair.targets.items()}


def _held(state: TraderState, name: str, position: Position) -> Held:
    instrument = state.config.instruments.get(name)
    if instrument is None:
        return Held(name, position.lots, 0.0, None, None, 0.0, None)
    mid, money = mid_of(state, name), tick_money(state, instrument)
    average = position.cost / position.lots * instrument.tick_size
    if not mid:
        return Held(name, position.lots, average, None, None, position.realised * money, None)
    worth = position.lots * one_lot(state, instrument)
    unrealised = position.unrealised(mid / instrument.tick_size) * money
    return Held(name, position.lots, average, mid, worth, position.realised * money, unrealised)
