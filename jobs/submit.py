"""Jobs to the cluster: all of them in one Flink client, on TaskManagers that have today's code."""

import json
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from infra.flink_jobs import FlinkError, cancel, jobs, wait_until_running
from infra.parts.part import http_get
from infra.settings import Settings
from infra.taskmanagers import TaskManagers
from jobs.client import parallelism
from jobs.deployments import Deployments
from jobs.flink_client import FlinkClient, flink_client
from pipelines.contracts.strategy_file import load_strategy
from pipelines.domain.universe import Strategy
from pipelines.signals.deployment import Deployment, Ledger, State
from pipelines.signals.of_strategy import bound_signals

JOBS = ("market", "spreads", "signals", "trading", "risk")
"""`signals` stands for a job a signal."""

FUSED = "fused"
"""Three of them in one job (jobs/fused.py)."""
IN_ONE = ("spreads", "signals", "trading")
INSTEAD = MappingProxyType({FUSED: IN_ONE} | dict.fromkeys(IN_ONE, (FUSED,)))
"""Which jobs a job must not run beside: both would do the same work."""
OF_PYTHON = ("market", "spreads", "trading", "risk", FUSED)
PATIENCE_S = 180.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What the client is to submit: names of jobs after the session's prefix, how many slots they need in all, and what
    it has to be told besides."""

    jobs: tuple[str, ...]
    slots: int
    told: tuple[str, ...]


def submit(
    settings: Settings,
    names: Sequence[str],
    strategy_file: Path,
    prefix: str = "",
    *,
    savepoints: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = lambda doing: None,
) -> dict[str, str]:
    """Submit jobs of a session whose topics exist, and return when every task runs: Flink's id by job.

    FlinkError says in a line what was wrong; then none of these jobs is left on the cluster. `savepoints`: where jobs
    go on from, by name; the others begin at the beginning of their topics.
    """
    strategy = load_strategy(strategy_file)  # a faulty file is told here, before a JVM is started
    told = ["--strategy", str(strategy_file.resolve())]
    told += [f"--from={name}={savepoint}" for name, savepoint in savepoints.items()]
    slots = sum(parallelism(name, strategy) for name in names if name != "signals")
    if not {"signals", FUSED}.isdisjoint(names):
        bound_signals(strategy)  # so is a faulty parameter
    if "signals" not in names:
        return hand_over(settings, prefix, Order(tuple(names), slots, tuple(told)), progress)
    deployments = Deployments(settings, prefix)
    with deployments.held(progress) as lock:
        before = deployments.read()
        chosen = live_signals(strategy, before, savepoints)
        deployments.write(before.put(*chosen))
        expanded = [job for name in names for job in ([each.job for each in chosen] if name == "signals" else [name])]
        told += ["--signals", str(deployments.starting(chosen))]
        order = Order(tuple(expanded), slots + len(chosen), tuple(told))
        try:
            ids = hand_over(settings, prefix, order, progress, lock)
        except (FlinkError, KeyboardInterrupt):
            deployments.write(before)
            raise
        deployments.write(before.put(*(replace(each, job_id=ids[each.job]) for each in chosen)))
    return ids


def live_signals(strategy: Strategy, ledger: Ledger, savepoints: Mapping[str, str]) -> list[Deployment]:
    """The signals of a strategy, live: as the session has them, or else through all of its event time.

    FlinkError where that would be the past of a signal that has had other versions, or of one that is not live.
    """
    found = []
    for signal in bound_signals(strategy):
        known = ledger.get(signal.name, signal.version)
        others = ", ".join(f"{each.version} ({each.state})" for each in ledger.of(signal.name))
        if others and (known is None or known.state != State.LIVE):
            raise FlinkError(
                f"signal {signal.name} {signal.version} is not live in this session, which has {others}: "
                f"helios signals deploy {signal.name}"
            )
        new = known or Deployment(signal, strategy.account, strategy.shards)
        found.append(replace(new, savepoint=savepoints.get(new.job, ""), job_id=""))
    unknown = set(savepoints) - {each.job for each in found} - set(OF_PYTHON)
    if unknown:
        told = ", ".join(each.job for each in found)
        raise FlinkError(f"--from {min(unknown)}: the signal jobs of the strategy are {told}: its text has changed")
    return found


def start_signals(
    deployments: Deployments,
    chosen: Sequence[Deployment],
    lock: int,
    *,
    skip: Sequence[tuple[int, int]] = (),
    progress: Progress = lambda doing: None,
) -> dict[str, str]:
    """Start deployments, each from its savepoint, or the beginning of the log; Flink's id by job, once they run.

    `lock`: of `Deployments.held`. `skip`: records of market.spreads that are left out, by partition and offset: they
    cannot be decoded. FlinkError or none of them is left on the cluster.
    """
    told = ["--signals", str(deployments.starting(chosen))]
    told += [f"--skip={partition}:{offset}" for partition, offset in skip]
    order = Order(tuple(each.job for each in chosen), len(chosen), tuple(told))
    return hand_over(deployments.settings, deployments.prefix, order, progress, lock)


def hand_over(
    settings: Settings, prefix: str, order: Order, progress: Progress, lock: int | None = None
) -> dict[str, str]:
    """Have the client submit an order; Flink's id by job, once every task runs. `lock`: kept as long as it lives."""
    rest = settings.flink.rest
    there = {job.name for job in jobs(rest)}
    twice = [f"{prefix}{name}" for name in order.jobs if f"{prefix}{name}" in there]
    if twice:
        raise FlinkError(f"{', '.join(twice)} runs already: helios cancel {' '.join(twice)}")
    for name in order.jobs:
        part = "signals" if name.startswith("signal-") else name
        beside = [other for other in INSTEAD.get(part, ()) if other in order.jobs or _runs(other, prefix, there)]
        if beside:
            raise FlinkError(
                f"{prefix}{name} does the work of {', '.join(beside)}: submit {FUSED}, or {', '.join(IN_ONE)}; "
                f"what runs is ended by helios cancel {' '.join(beside)}"
            )
    # A signal's job has no Python in it that a TaskManager could have imported.
    workers = TaskManagers(settings, [f"jobs.{name}" for name in OF_PYTHON])
    imports = settings.flink.local and not set(order.jobs).isdisjoint(OF_PYTHON)
    if imports:
        workers.refresh(progress)
    free = json.loads(http_get(f"{rest}/overview"))["slots-available"]
    if free < order.slots:
        raise FlinkError(
            f"{', '.join(order.jobs)}: {order.slots} slots needed and {free} are free: cancel jobs (helios jobs), or "
            "raise flink.taskmanagers in helios.yaml and helios up"
        )
    progress(f"submitting {', '.join(order.jobs)}")
    with flink_client(settings, [*order.jobs, *_places(settings, prefix), *order.told], lock) as client:
        return _await(settings, client, progress, workers.remember if imports else lambda: None)


def _runs(part: str, prefix: str, there: Collection[str]) -> bool:
    """Whether a part of a session is among the jobs that are there; of signals, whether any is."""
    if part == "signals":
        return any(name.startswith(f"{prefix}signal-") for name in there)
    return f"{prefix}{part}" in there


@contextmanager
def standing_by(
    deployments: Deployments, chosen: Sequence[Deployment], lock: int, progress: Progress
) -> Iterator[Callable[[Sequence[Deployment]], dict[str, str]]]:
    """A client that has all but handed over these deployments, which run: to be called, once, with what they are to be
    when they have been stopped. As `start_signals` from then on. FlinkError where the client does not come so far."""
    settings, prefix = deployments.settings, deployments.prefix
    now = deployments.folder / f"starting-{uuid.uuid4().hex}.json"  # of this client alone
    progress("making a Flink client ready")
    told = ["--signals", str(deployments.starting(chosen)), "--stand-by", str(now), "--serves", str(os.getpid())]
    with flink_client(settings, [*(each.job for each in chosen), *_places(settings, prefix), *told], lock) as client:
        client.until_ready()

        def start(changed: Sequence[Deployment]) -> dict[str, str]:
            progress(f"submitting {', '.join(each.job for each in changed)}")
            deployments.starting(changed).replace(now)
            return _await(settings, client, progress)

        try:
            yield start
        finally:
            client.end()
            now.unlink(missing_ok=True)


def _places(settings: Settings, prefix: str) -> tuple[str, ...]:
    """Where the client finds the session."""
    bootstrap, registry = settings.kafka.bootstrap, settings.registry.url
    linger = ("--linger-ms", str(settings.flink.linger_ms))
    return ("--bootstrap", bootstrap, "--registry", registry, "--prefix", prefix, *linger)


def _await(
    settings: Settings, client: FlinkClient, progress: Progress, handed_over: Callable[[], None] = lambda: None
) -> dict[str, str]:
    """Flink's id by job once every task runs, or FlinkError and none of them is left."""
    rest = settings.flink.rest
    ids: dict[str, str] = {}
    try:
        client.finish(ids, progress)
        handed_over()
        wait_until_running(rest, list(ids.values()), PATIENCE_S, progress)
    except (FlinkError, KeyboardInterrupt):
        cancel(rest, list(ids.values()))
        raise
    return ids
