"""Which versions of signals a session has, where in event time each is live, and a change from one to another.

All of it is a ledger of values: a command writes what it is about to do, does it, and writes what came of it. One that
was broken off is finished from what the ledger says.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from pipelines.signals.signal_file import BoundSignal

BEGINNING, END = 0, (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Window:
    """The event time, UTC ns, in which what a version gives is live: `from_ns` on, and before `until_ns`."""

    from_ns: int = BEGINNING
    until_ns: int = END


ALWAYS, NEVER = Window(), Window(END, END)


class State(StrEnum):
    """LIVE: from some event time on. LEAVING: up to one that another version goes on from. SHADOW: nowhere."""

    LIVE = "live"
    LEAVING = "leaving"
    SHADOW = "shadow"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version of a signal in a session. `shards`: how many partitions the market's topics have."""

    signal: BoundSignal
    account: str
    shards: int
    window: Window = ALWAYS
    job_id: str = ""
    """Flink's, of its run; empty where it is stopped or has not begun."""
    savepoint: str = ""
    """Where it goes on from; empty for the beginning of the log."""
    covered_ms: int = 0
    """When it was last stopped: all that it gives before this event time had been written."""
    retired: bool = False

    @property
    def name(self) -> str:
        return self.signal.name

    @property
    def version(self) -> str:
        return self.signal.version

    @property
    def job(self) -> str:
        """The job's name after the session's prefix."""
        return f"signal-{self.name}-{self.version}"

    @property
    def state(self) -> State:
        if self.retired:
            return State.RETIRED
        if self.window.from_ns >= END:
            return State.SHADOW
        return State.LIVE if self.window.until_ns == END else State.LEAVING


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of what is live, begun and not ended. `at_ns`: the event time asked for, 0 for the first there is;
    `turn_ns`: the one chosen once both versions were stopped, 0 before."""

    name: str
    old: str
    new: str
    at_ns: int = 0
    turn_ns: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """The deployments of a session, in the order in which they came, and switches that are not ended."""

    deployments: tuple[Deployment, ...] = ()
    switches: tuple[Switch, ...] = ()

    def of(self, name: str) -> tuple[Deployment, ...]:
        return tuple(each for each in self.deployments if each.name == name)

    def get(self, name: str, version: str) -> Deployment | None:
        return next((each for each in self.of(name) if each.version == version), None)

    def live(self, name: str) -> Deployment | None:
        return next((each for each in self.of(name) if each.state == State.LIVE), None)

    def switch(self, name: str) -> Switch | None:
        return next((each for each in self.switches if each.name == name), None)

    @property
    def current(self) -> Iterator[Deployment]:
        """Those that are to run."""
        return (each for each in self.deployments if not each.retired)

    def put(self, *changed: Deployment) -> "Ledger":
        """With these, each in the place of the one of its version, or behind all others."""
        new = {(each.name, each.version): each for each in changed}
        kept = [new.pop((each.name, each.version), each) for each in self.deployments]
        return replace(self, deployments=(*kept, *new.values()))

    def without(self, deployment: Deployment) -> "Ledger":
        """As if it had never been."""
        return replace(self, deployments=tuple(each for each in self.deployments if each.job != deployment.job))

    def begun(self, switch: Switch) -> "Ledger":
        """With a switch, in the place of the one of that name."""
        return replace(self, switches=(*(each for each in self.switches if each.name != switch.name), switch))

    def turned(self, switch: Switch, turn_ns: int) -> "Ledger":
        """With the windows that follow from the event time chosen: what ends for the old begins for the new."""
        old, new = self.get(switch.name, switch.old), self.get(switch.name, switch.new)
        assert old is not None
        assert new is not None
        old = replace(old, window=replace(old.window, until_ns=turn_ns))
        new = replace(new, window=Window(turn_ns))
        return self.put(old, new).begun(replace(switch, turn_ns=turn_ns))

    def ended(self, switch: Switch) -> "Ledger":
        return replace(self, switches=tuple(each for each in self.switches if each.name != switch.name))

    def dump(self) -> str:
        """As JSON, to be read by `load`."""
        told = {
            "deployments": [_told(each) for each in self.deployments],
            "switches": [asdict(each) for each in self.switches],
        }
        return json.dumps(told, indent=1)

    @classmethod
    def load(cls, text: str) -> "Ledger":
        told: Any = json.loads(text)
        return cls(tuple(map(_deployment, told["deployments"])), tuple(Switch(**each) for each in told["switches"]))


@dataclass(frozen=True, slots=True)
class Start:
    """A deployment to be handed to Flink. `plan`: the file that its compiled plan is kept in, and taken from."""

    deployment: Deployment
    plan: str

    def dump(self) -> dict[str, object]:
        """As a JSON document, to be read by `load`."""
        return {"deployment": _told(self.deployment), "plan": self.plan}

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> "Start":
        return cls(_deployment(told["deployment"]), str(told["plan"]))


def _told(deployment: Deployment) -> dict[str, object]:
    """Without the levels of its signal, which were checked when it came."""
    return asdict(deployment) | {"signal": {name: getattr(deployment.signal, name) for name in _OF_SIGNAL}}


def _deployment(told: Mapping[str, Any]) -> Deployment:
    signal = BoundSignal(**(told["signal"] | {"inputs": tuple(told["signal"]["inputs"])}))
    return Deployment(**(dict(told) | {"signal": signal, "window": Window(**told["window"])}))


_OF_SIGNAL = ("name", "version", "sql", "path", "first_line", "inputs", "forever")
