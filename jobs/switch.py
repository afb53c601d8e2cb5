"""From one version of a signal to another at an event time: nothing lost, nothing made twice.

A Flink client is made ready, which takes seconds; then both jobs are stopped with savepoints. The turn is after all
event time that the logs have by then, so whatever the two have given is before it. They go on from the savepoints, the
old one live before the turn and the new one from it on: where a signal goes is decided by its own event time, however
far behind either job is.

Each step is in the ledger before it is taken, and may be taken again. So a switch that was broken off anywhere, by
SIGKILL too, is finished by the same command.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from infra.flink_jobs import FlinkError, wait_until_running
from infra.topics import last_time_ms
from jobs.deploy import covered_ms, retire, stopped, version_of
from jobs.deployments import PATIENCE_S, Deployments
from jobs.submit import standing_by, start_signals
from pipelines.domain.market import NS_PER_MS
from pipelines.signals.deployment import Deployment, Ledger, State, Switch
from pipelines.signals.signal_file import SignalError

Progress = Callable[[str], None]

CALLED_OFF = -1
"""Of a switch whose event time had passed by the time that both were stopped: they go on as they were."""


@dataclass(frozen=True, slots=True)
class Switched:
    """`turn_ns`: event time from which on the new version is live. `retired`: whether the old one's job has ended."""

    name: str
    old: str
    new: str
    turn_ns: int
    retired: bool = False


def switch(
    deployments: Deployments, name: str, progress: Progress, *, to: str = "", old: str = "", at_ns: int = 0
) -> Switched:
    """Make a version that is in shadow the live one, or finish a switch of this name that was broken off.

    `to`: the version, where several are in shadow; `old`, where several are live. `at_ns`: the turn, UTC ns; left out,
    1 ms after the logs' last event time. SignalError for what cannot be switched so; FlinkError where a job does not
    stop or start: then the same command goes on.
    """
    with deployments.held(progress) as lock:
        ledger = deployments.read()
        change = ledger.switch(name)
        if change is None:
            change = _chosen(deployments, ledger, name, to, old, at_ns)
            deployments.write(ledger.begun(change))
        elif to not in ("", change.new) or at_ns not in (0, change.at_ns):
            raise SignalError(
                f"signal {name}: a switch to {change.new} was begun and not ended: helios signals switch {name} "
                "finishes it as it was begun"
            )
        else:
            progress(f"finishing the switch of {name} to {change.new}")
        try:
            change = _done(deployments, change, lock, progress)
        except FlinkError as error:
            raise FlinkError(f"{error}; once that is mended, helios signals switch {name} goes on") from None
    if change.turn_ns == CALLED_OFF:
        raise SignalError(f"signal {name}: {_late(change.at_ns)}: both versions go on as they were")
    return Switched(name, change.old, change.new, change.turn_ns)


def _done(deployments: Deployments, change: Switch, lock: int, progress: Progress) -> Switch:
    """Take the steps that are left of a switch; as it is with its turn."""
    if change.turn_ns:
        _start(deployments, change, partial(start_signals, deployments, lock=lock, progress=progress), progress)
        return change
    both = [version_of(deployments, deployments.read(), change.name, each) for each in (change.old, change.new)]
    with standing_by(deployments, both, lock, progress) as start:
        change = _stop_and_turn(deployments, change, progress)
        _start(deployments, change, start, progress)
    return change


def _chosen(deployments: Deployments, ledger: Ledger, name: str, to: str, old: str, at_ns: int) -> Switch:
    there = deployments.named(ledger, name)
    new = _one(deployments, ledger, name, to, State.SHADOW, "--to")
    gone = _one(deployments, ledger, name, old, State.LIVE, "--from")
    leaving = next((each for each in there if each.state == State.LEAVING), None)
    if leaving is not None:
        raise SignalError(
            f"signal {name}: {leaving.version} has not ended yet: helios signals retire {name} {leaving.version}"
        )
    if at_ns and at_ns < _earliest_ns(deployments, gone, new):
        raise SignalError(f"signal {name}: {_late(at_ns)}: give a later --at, or none for the first there is")
    return Switch(name, gone.version, new.version, at_ns)


def _one(deployments: Deployments, ledger: Ledger, name: str, version: str, state: State, option: str) -> Deployment:
    """The version of this state; the given one, if it is of it."""
    if version:
        found = version_of(deployments, ledger, name, version)
        if found.state != state:
            raise SignalError(f"signal {name} {version} is {found.state}, not {'in ' * (state == 'shadow')}{state}")
        return found
    those = [each for each in ledger.of(name) if each.state == state]
    if not those:
        told = ", ".join(f"{each.version} is {each.state}" for each in ledger.of(name))
        way = f": helios signals deploy {name} first" if state == State.SHADOW else ""
        raise SignalError(f"signal {name}: no version is {'in ' * (state == 'shadow')}{state} ({told}){way}")
    if len(those) > 1:
        raise SignalError(
            f"signal {name}: {', '.join(each.version for each in those)} are {state}: choose one with {option}"
        )
    return those[0]


def _stop_and_turn(deployments: Deployments, change: Switch, progress: Progress) -> Switch:
    """Stop both with savepoints, and choose the turn."""
    for version in (change.old, change.new):
        ledger = deployments.read()
        deployment = version_of(deployments, ledger, change.name, version)
        progress(f"stopping {deployment.job} with a savepoint")
        deployments.write(ledger.put(stopped(deployments, deployment)))
    ledger = deployments.read()
    both = [version_of(deployments, ledger, change.name, version) for version in (change.old, change.new)]
    earliest_ns = _earliest_ns(deployments, *both)
    turn_ns = change.at_ns or earliest_ns
    if turn_ns < earliest_ns:
        turned = ledger.begun(replace(change, turn_ns=CALLED_OFF))
    else:
        turned = ledger.turned(change, turn_ns)
    progress("choosing the turn")
    deployments.write(turned)
    found = turned.switch(change.name)
    assert found is not None
    return found


def _earliest_ns(deployments: Deployments, *both: Deployment) -> int:
    """The first event time after all that the logs have, and not before the old one is live at all."""
    read = set().union(*map(deployments.topics_read, both))
    last_ms = last_time_ms(deployments.settings.kafka.bootstrap, read)
    return max((last_ms + 1) * NS_PER_MS, both[0].window.from_ns)


def _late(at_ns: int) -> str:
    return f"{at_ns // NS_PER_MS} ms is not after the last event time of the logs, which the live version may have read"


def _start(
    deployments: Deployments,
    change: Switch,
    start: Callable[[Sequence[Deployment]], dict[str, str]],
    progress: Progress,
) -> None:
    """Have both run, those that a command which was broken off has not started, and end the switch."""
    ledger, running = deployments.read(), deployments.running()
    both = [version_of(deployments, ledger, change.name, version) for version in (change.old, change.new)]
    there = {each.job: running[each.job].id for each in both if each.job in running}
    missing = [each for each in both if each.job not in there]
    progress(f"starting {change.name} {change.old} and {change.new}")
    started = start(missing) if missing else {}
    wait_until_running(deployments.settings.flink.rest, list(there.values()), PATIENCE_S, progress)
    ids = there | started
    progress("writing down that both run")
    deployments.write(ledger.put(*(replace(each, job_id=ids[each.job]) for each in both)).ended(change))


def retire_when_through(deployments: Deployments, done: Switched, patience_s: float, progress: Progress) -> Switched:
    """Retire the old version as soon as its job has passed the turn; as it is, where that does not come in time."""
    deadline = time.monotonic() + patience_s
    while True:
        found = version_of(deployments, deployments.read(), done.name, done.old)
        if covered_ms(deployments, found) * NS_PER_MS >= done.turn_ns:
            break
        if time.monotonic() > deadline:
            return done
        progress(f"waiting for event time to pass the turn, to retire {done.old}")
        time.sleep(0.5)
    try:
        retire(deployments, done.name, done.old, progress)
    except FlinkError:  # its job has a fault of its own; what is live does not hang on it
        return done
    return replace(done, retired=True)
