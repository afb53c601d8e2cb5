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
from jobs.paper_venues import PaperVenue, file_of, write_files
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
    `fused`: spreads, signals and trading are one job. `fix`: its venues speak FIX; `fault_seed`: and do not do so well.

    Services and jobs are named after the prefix, so that several sessions can share a stack.
    """

    strategy_file: Path
    prefix: str = ""
    seed: int = 1
    venue_port: int = 17001
    fused: bool = False
    fix: bool = False
    fault_seed: int | None = None
    execution: Path | None = None
    """How its orders are worked; each goes out whole where this is left out."""
    window_s: float = 60.0
    """Event time of the market that venues keep in memory: what an order further back meets, they read from the log."""


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
        programs = self._by_fix(log) if self.plan.fix else self._by_lines(log)
        programs.append(self._program("loader", ("jobs.loader", *log), ()))
        return tuple(programs)

    def _by_lines(self, log: tuple[str, ...]) -> list[Program]:
        """Venues and gateway that speak to each other in lines."""
        ports = self._venue_ports()
        programs = [
            self._program(
                f"venue-{name}",
                ("jobs.venue", *log, "--venue", name, "--port", str(port)),
                ("--seed", str(self.plan.seed), "--data", str(self.venue_folder(name))),
            )
            for name, port in ports.items()
        ]
        addresses = tuple(word for name, port in ports.items() for word in ("--venue", f"{name}=127.0.0.1:{port}"))
        return [*programs, self._program("gateway", ("jobs.gateway", *log), (*addresses, *self._worked()))]

    def _by_fix(self, log: tuple[str, ...]) -> list[Program]:
        """Venues and gateway that speak FIX."""
        programs = [
            self._program(
                f"venue-{name}",
                ("jobs.fix_venue", *log, "--venue", name, "--file", str(file_of(self.fix_folder, name))),
                ("--data", str(self.venue_folder(name)), "--window-s", str(self.plan.window_s)),
            )
            for name in self._venue_ports()
        ]
        words = ("--fix", str(self.fix_folder / "sessions.yaml"), "--data", str(self.folder / "gateway"))
        return [*programs, self._program("gateway", ("jobs.gateway", *log), (*words, *self._worked()))]

    def _worked(self) -> tuple[str, ...]:
        return ("--execution", str(self.plan.execution.resolve())) if self.plan.execution else ()

    def venue_folder(self, name: str) -> Path:
        """What a simulated venue keeps on disk."""
        return self.folder / f"venue-{name}"

    @property
    def fix_folder(self) -> Path:
        """Files of the session's FIX venues, and passwords for them."""
        return self.folder / "fix"

    def _venue_ports(self) -> dict[str, int]:
        return {venue.name: self.plan.venue_port + place for place, venue in enumerate(self.strategy.venues)}

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
        if self.plan.fix:
            places = tuple(PaperVenue(name, port) for name, port in self._venue_ports().items())
            write_files(self.fix_folder, places, self.plan.seed, self.plan.fault_seed)

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
