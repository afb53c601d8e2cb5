"""Signal versions put into a session and taken out of it, each a job of its own."""

from collections.abc import Callable
from dataclasses import replace

from infra.flink_jobs import (
    FlinkError,
    await_ended,
    last_state,
    stop_with_savepoint,
    wait_until_running,
    watermark_ms,
)
from infra.lag import forget
from infra.topics import last_time_ms
from jobs.deployments import PATIENCE_S, Deployments
from jobs.submit import start_signals
from pipelines.contracts.topics import Topics
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.universe import Strategy
from pipelines.signals.deployment import NEVER, Deployment, Ledger, State, Window
from pipelines.signals.of_strategy import check_told
from pipelines.signals.signal_file import BoundSignal, SignalError

Progress = Callable[[str], None]


def deploy(deployments: Deployments, signal: BoundSignal, strategy: Strategy, progress: Progress) -> Deployment:
    """Start a version of a signal: live from now on where none of its name runs, else in shadow, from the beginning of
    the log. One that the session had goes on as it was.

    Raises SignalError for what is wrong with the signal, FlinkError for what is wrong with its job; then nothing has
    changed.
    """
    check_told(strategy, signal)
    with deployments.held(progress) as lock:
        before = deployments.read()
        _no_switch(before, signal.name)
        known, running = before.get(signal.name, signal.version), deployments.running()
        if known is not None and known.job in running:
            job = running[known.job]
            if known.job_id == job.id:
                raise SignalError(f"signal {signal.name} {signal.version} runs already: {known.state}")
            adopted = replace(known, job_id=job.id)  # started by a command that was broken off
            wait_until_running(deployments.settings.flink.rest, [job.id], PATIENCE_S, progress)
            deployments.write(before.put(adopted))
            return adopted
        ledger = _with(deployments, before, signal, strategy)
        starting = ledger.get(signal.name, signal.version)
        assert starting is not None
        deployments.write(ledger)
        try:
            ids = start_signals(deployments, [starting], lock, progress=progress)
        except (FlinkError, KeyboardInterrupt):
            deployments.write(before)
            if known is None:
                deployments.plan(starting).unlink(missing_ok=True)
            raise
        started = replace(starting, job_id=ids[starting.job])
        deployments.write(ledger.put(started))
        return started


def _with(deployments: Deployments, ledger: Ledger, signal: BoundSignal, strategy: Strategy) -> Ledger:
    """The ledger with a version that is to be started."""
    known, running = ledger.get(signal.name, signal.version), deployments.running()
    if known is not None and not known.retired:
        return ledger.put(stopped(deployments, known))
    savepoint = known.savepoint if known is not None else ""
    new = Deployment(signal, strategy.account, strategy.shards, NEVER, savepoint=savepoint)
    if any(each.job in running for each in ledger.of(signal.name)):
        return ledger.put(new)
    topics = Topics(deployments.prefix)
    past_ms = last_time_ms(deployments.settings.kafka.bootstrap, (topics.spreads, topics.samples, topics.bars))
    now_ns = (past_ms + 1) * NS_PER_MS if past_ms else 0  # what the log has already is history, not to be traded on
    gone = [
        replace(each, window=replace(each.window, until_ns=max(each.window.from_ns, now_ns)), retired=True)
        for each in ledger.of(signal.name)
        if each.state == State.LIVE
    ]
    return ledger.put(*gone, replace(new, window=Window(now_ns)))


def retire(deployments: Deployments, name: str, version: str, progress: Progress) -> Deployment:
    """End a version that is in shadow, or one whose live window its job has passed. SignalError where it is neither."""
    with deployments.held(progress):
        ledger = deployments.read()
        _no_switch(ledger, name)
        found = version_of(deployments, ledger, name, version)
        match found.state:
            case State.RETIRED:
                raise SignalError(f"signal {name} {version} is retired already")
            case State.LIVE:
                raise SignalError(
                    f"signal {name} {version} is live: helios signals switch {name} to one in shadow, or end its job "
                    f"(helios cancel {found.job})"
                )
            case State.LEAVING:
                found = replace(found, covered_ms=covered_ms(deployments, found))
                if found.covered_ms * NS_PER_MS < found.window.until_ns:
                    raise SignalError(
                        f"signal {name} {version} has still to give what is before its end: event time is at "
                        f"{found.covered_ms} ms, and it is live before {found.window.until_ns // NS_PER_MS}: try again"
                    )
        deployments.write(ledger.put(found))
        progress(f"stopping {found.job}")
        ended = replace(stopped(deployments, found), retired=True)
        deployments.write(ledger.put(ended))
        forget(deployments.settings.kafka.bootstrap, f"{deployments.prefix}{ended.job}")
        return ended


def stopped(deployments: Deployments, deployment: Deployment) -> Deployment:
    """A deployment whose job has ended, all that it took being written: with where it goes on from.

    Also where it had ended before: by a command that was broken off, or by itself.
    """
    rest = deployments.settings.flink.rest
    job = deployments.running().get(deployment.job)
    if job is None:
        state = last_state(rest, deployment.job_id) if deployment.job_id else ""
        return replace(deployment, job_id="", savepoint=state or deployment.savepoint)
    covered = max(deployment.covered_ms, watermark_ms(rest, job.id))
    try:
        savepoint = stop_with_savepoint(rest, job.id)
    except FlinkError:  # also where another request for one, of a command that was broken off, came to its end
        if deployment.job in deployments.running():
            raise
        savepoint = last_state(rest, job.id)
    await_ended(rest, [job.id])
    return replace(deployment, job_id="", savepoint=savepoint, covered_ms=covered)


def covered_ms(deployments: Deployments, deployment: Deployment) -> int:
    """The event time before which a version has given all that it gives, ms."""
    job = deployments.running().get(deployment.job)
    now = watermark_ms(deployments.settings.flink.rest, job.id) if job else 0
    return max(deployment.covered_ms, now)


def version_of(deployments: Deployments, ledger: Ledger, name: str, version: str) -> Deployment:
    """SignalError where the session has no such version."""
    there = deployments.named(ledger, name)
    found = ledger.get(name, version)
    if found is None:
        told = ", ".join(f"{each.version} ({each.state})" for each in there)
        raise SignalError(f"signal {name} has no version {version!r} in this session: there are {told}")
    return found


def _no_switch(ledger: Ledger, name: str) -> None:
    begun = ledger.switch(name)
    if begun is not None:
        raise SignalError(
            f"signal {name}: a switch to {begun.new} was begun and not ended: helios signals switch {name} finishes it"
        )
