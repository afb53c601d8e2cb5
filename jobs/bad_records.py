"""A SQL job that fails at a record it cannot decode: which record it is, and the job started anew without it."""

from collections.abc import Callable
from pathlib import Path

from infra.flink_jobs import FlinkError, Job, cancel, jobs, root_cause, trace
from infra.settings import Settings
from jobs.submit import FUSED, submit
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.signals.poison import PoisonRecord, bad_records, poison_record

NAME = "signals"
RECORD = RECORDS["market.spreads"]


def fault_of(settings: Settings, job: Job) -> str:
    """A job's last fault in one line: where a record stops it, that record and the command that goes past it."""
    exception = trace(settings.flink.rest, job.id)
    if not job.running and job.name.endswith(NAME):
        found = _stopped_by(settings, job, exception)
        if found is not None:
            prefix = job.name.removesuffix(NAME)
            option = f" --prefix {prefix}" if prefix else ""
            return f"stopped by {found}. helios skip --strategy FILE{option} restarts the job without it"
    return root_cause(exception)


def _stopped_by(settings: Settings, job: Job, exception: str) -> PoisonRecord | None:
    """The record of market.spreads at which a signals job fails; None if something else is wrong with it."""
    return poison_record(
        exception,
        bootstrap=settings.kafka.bootstrap,
        registry_url=settings.registry.url,
        topic=Topics(job.name.removesuffix(NAME)).spreads,
        record=RECORD,
        group=job.name,
    )


def restart_without(
    settings: Settings, strategy_file: Path, prefix: str, *, progress: Callable[[str], None] = lambda doing: None
) -> list[PoisonRecord]:
    """Start the signals job anew, reading market.spreads from its beginning but for what cannot be decoded; these.

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
    cancel(settings.flink.rest, [job.id for job in running if job.name == f"{prefix}{NAME}"])
    places = [(each.partition, each.offset) for each in found]
    submit(settings, [NAME], strategy_file, prefix, skip=places, progress=progress)
    return found
