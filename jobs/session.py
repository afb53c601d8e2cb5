"""A trading session on the stack: its topics, services and jobs, and how to tell that all of it has been through."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.flink_jobs import Job, cancel, jobs, watermark_ms
from infra.parts.part import Program
from infra.settings import ROOT, Settings
from infra.stack import StackError
from infra.supervision import Supervision
from infra.topics import create_topics
from jobs.account_log import AccountLog
from jobs.deployments import Deployments, signal_job_prefix
from jobs.submit import FUSED, JOBS, Progress, submit
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import load_strategy
from pipelines.contracts.topics import Topics
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.universe import Strategy

TOPOLOGIES = {False: JOBS, True: (JOBS[0], FUSED, JOBS[-1])}
"""The jobs of a session: each alone, or three of them fused; market and risk always stand alone."""
SERVICE_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """What makes a session: its strategy file, the prefix of its topics, the ports and seed of its simulated venues.
    `fused`: spreads, signals and trading are one job.

    Services and jobs are named after the prefix, so that several sessions can share a stack.
    """

    strategy_file: Path
    prefix: str = ""
    seed: int = 1
    venue_port: int = 17001
    fused: bool = False


class TradingSession:
    """One session from its topics to its last settled order."""

    def __init__(self, settings: Settings, plan: SessionPlan) -> None:
        self.settings = settings
        self.plan = plan
        self.strategy: Strategy = load_strategy(plan.strategy_file)
        self.topics = Topics(plan.prefix)
        self.supervision = Supervision(settings)
        self.session_id = ""
        self.schema_ids: Mapping[str, int] = {}

    @property
    def folder(self) -> Path:
        """What its services keep on disk: of this session alone."""
        return self.settings.home / "sessions" / self.session_id

    @property
    def services(self) -> tuple[Program, ...]:
        """Loader, simulated venues and gateway, as supervisor keeps them."""
        log = (
            *("--bootstrap", self.settings.kafka.bootstrap),
            *("--registry", self.settings.registry.url),
            *("--prefix", self.plan.prefix),
            *("--strategy", str(self.plan.strategy_file.resolve())),
        )
        venues = self._venue_addresses()
        programs = [
            self._program(
                f"venue-{name}",
                ("jobs.venue", *log, "--venue", name, "--port", address.rpartition(":")[2]),
                ("--seed", str(self.plan.seed), "--data", str(self.folder / f"venue-{name}")),
            )
            for name, address in venues.items()
        ]
        addresses = tuple(word for name, address in venues.items() for word in ("--venue", f"{name}={address}"))
        programs.append(self._program("gateway", ("jobs.gateway", *log), addresses))
        programs.append(self._program("loader", ("jobs.loader", *log), ()))
        return tuple(programs)

    def _venue_addresses(self) -> dict[str, str]:
        return {
            venue.name: f"127.0.0.1:{self.plan.venue_port + number}"
            for number, venue in enumerate(self.strategy.venues)
        }

    def _program(self, name: str, module: tuple[str, ...], more: tuple[str, ...]) -> Program:
        command = (sys.executable, "-m", *module, *more)
        environment = {"PYTHONPATH": str(ROOT), "HELIOS_TIMESCALE_DSN": self.settings.timescale.dsn}
        return Program(f"{self.plan.prefix}{name}", command, environment)

    def open(self) -> None:
        """Make the topics anew: a new session id. What the topics held is gone."""
        self.schema_ids = SchemaRegistry(self.settings.registry.url).register_all()
        venues = tuple(venue.name for venue in self.strategy.venues)
        self.session_id = create_topics(
            self.settings.kafka.bootstrap, self.topics, venues, self.strategy.shards, recreate=True
        )

    def start(self, progress: Progress = lambda doing: None) -> None:
        """Start services and jobs; return when each is at work."""
        progress("starting venue, gateway and loader")
        self.supervision.start(self.services)
        progress("submitting jobs")
        names = TOPOLOGIES[self.plan.fused]
        submit(self.settings, names, self.plan.strategy_file, self.plan.prefix, progress=progress)
        self._await_services()

    def _await_services(self) -> None:
        names = {program.name for program in self.services}
        deadline = time.monotonic() + SERVICE_PATIENCE_S
        while True:
            states = {p.program: p for p in self.supervision.processes() if p.program in names}
            waiting = [name for name in names if name not in states or states[name].state != "RUNNING"]
            if not waiting:
                return
            dead = [name for name in waiting if name in states and states[name].state == "FATAL"]
            if dead or time.monotonic() > deadline:
                raise StackError("\n".join(f"{name} does not run: helios logs {name}" for name in dead or waiting))
            time.sleep(0.1)

    def jobs(self) -> dict[str, Job]:
        """This session's running jobs, by their names after its prefix."""
        prefix = self.plan.prefix
        names = {f"{prefix}{name}" for name in (*JOBS, FUSED)}
        return {
            job.name.removeprefix(prefix): job
            for job in jobs(self.settings.flink.rest)
            if job.name in names or signal_job_prefix(job.name) == prefix
        }

    def signals_done(self, end_ns: int) -> bool:
        """Whether every signal up to an event time has been made: the watermark of each operator that they pass is past
        it. Not while the job of one is away: it may be on its way back."""
        rest, end_ms = self.settings.flink.rest, end_ns // NS_PER_MS
        if self.plan.fused:
            fused = self.jobs().get(FUSED)
            return fused is not None and watermark_ms(rest, fused.id, "rows of") >= end_ms
        deployments = Deployments(self.settings, self.plan.prefix, self.session_id)
        there = deployments.running()
        mine = [there.get(each.job) for each in deployments.read().current]
        return bool(mine) and all(job and watermark_ms(rest, job.id) >= end_ms for job in mine)

    def drain(self, patience_s: float) -> bool:
        """Whether, in time, every order that follows from the trading log as it is now has had its last report."""
        log = AccountLog(self.settings.kafka.bootstrap, self.settings.registry.url, self.plan.prefix)
        written = log.write(
            self.strategy.account, "drain", operator="helios", reason="end of session", time_ns=time.time_ns()
        )
        return log.await_drained(written, patience_s)

    def close(self) -> None:
        """Cancel the jobs and stop the services; topics and history stay.

        Also those of a session of other venues that ran under this prefix: they hold the ports of ours.
        """
        cancel(self.settings.flink.rest, [job.id for job in self.jobs().values()])
        running = {process.program for process in self.supervision.processes()}
        venues = {program for program in running if program.startswith(f"{self.plan.prefix}venue-")}
        self.supervision.stop({program.name for program in self.services} | venues)
