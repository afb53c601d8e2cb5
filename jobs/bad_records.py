"""Signal jobs that fail at a record they cannot decode: which record it is, and the jobs started anew without it."""

from collections.abc import Callable
from dataclasses import replace

from infra.flink_jobs import FlinkError, Job, cancel, jobs, root_cause, trace
from infra.settings import Settings
from jobs.deployments import Deployments, signal_job_prefix
from jobs.submit import FUSED, start_signals
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.signals.poison import PoisonRecord, bad_records, poison_record

RECORD = RECORDS["market.spreads"]


def fault_of(settings: Settings, job: Job) -> str:
    """A job's last fault in one line: where a record stops it, that record and the command that goes past it."""
    exception = trace(settings.flink.rest, job.id)
    prefix = signal_job_prefix(job.name)
    if not job.running and prefix is not None:
        found = _stopped_by(settings, job, prefix, exception)
        if found is not None:
            option = f" --prefix {prefix}" if prefix else ""
            return f"stopped by {found}. helios skip{option} restarts signals without it"
    return root_cause(exception)


def _stopped_by(settings: Settings, job: Job, prefix: str, exception: str) -> PoisonRecord | None:
    """The record of market.spreads at which a signal's job fails; None if something else is wrong with it."""
    return poison_record(
        exception,
        bootstrap=settings.kafka.bootstrap,
        registry_url=settings.registry.url,
        topic=Topics(prefix).spreads,
        record=RECORD,
        group=job.name,
    )


def restart_without(
    settings: Settings, prefix: str, *, progress: Callable[[str], None] = lambda doing: None
) -> list[PoisonRecord]:
    """Start the session's signal jobs anew, reading market.spreads from its beginning but for what cannot be decoded;
    these.

    Patterns come to where they were, and the signals that are made again have the ids that they had. FlinkError if
    every record can be decoded: then nothing is restarted.
    """
    topic = Topics(prefix).spreads
    running = jobs(settings.flink.rest)
    if any(job.name == f"{prefix}{FUSED}" for job in running):
        raise FlinkError(
            f"{prefix}{FUSED} does not read {topic}: no record there stops it (helios jobs shows what is wrong)"
        )
    progress(f"looking through {topic}")
    found = list(bad_records(settings.kafka.bootstrap, settings.registry.url, topic, RECORD))
    if not found:
        raise FlinkError(f"every record of {topic} can be decoded: nothing to skip (helios jobs shows what is wrong)")
    places = [(each.partition, each.offset) for each in found]
    deployments = Deployments(settings, prefix)
    with deployments.held(progress) as lock:
        cancel(settings.flink.rest, [job.id for job in deployments.running().values()])
        # Left out, records make it another plan, which no savepoint is of.
        anew = [replace(each, savepoint="", job_id="") for each in deployments.read().current]
        deployments.write(deployments.read().put(*anew))
        ids = start_signals(deployments, anew, lock, skip=places, progress=progress)
        deployments.write(deployments.read().put(*(replace(each, job_id=ids[each.job]) for each in anew)))
    return found
