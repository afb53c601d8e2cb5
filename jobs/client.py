"""What runs inside the one Flink client that `jobs.submit` starts: each job defined and handed to the cluster.

Its standard output is read by a program: a line `helios-job {"job": …, "id": …}` a job, or `helios-fault {"fault": …}`.
One that stands by says `helios-ready`, and hands over what it then finds in a file: what takes a client seconds is
behind it when jobs are stopped to be started anew.
"""

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.flink_jobs import root_cause
from infra.topics import session_id
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import load_strategy
from pipelines.contracts.topics import Topics
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import JobConfig, environment
from pipelines.signals.deployment import Start

JOB, FAULT, READY = "helios-job ", "helios-fault ", "helios-ready"


def parallelism(job: str, strategy: Strategy) -> int:
    """Of a job on a cluster with one slot a TaskManager: what works shard by shard has a subtask a shard."""
    return strategy.shards if job in ("spreads", "fused") else 1


def submit_job(name: str, config: JobConfig, strategy: Strategy) -> str:
    """Define the job of jobs/<name>.py and hand it to the cluster; its Flink id."""
    module: Any = importlib.import_module(f"jobs.{name}")
    env, t_env = environment(config.parallelism, config.savepoint)
    module.define(env, t_env, config, strategy)
    client = env.execute_async(f"{config.prefix}{name}")
    return str(client.get_job_id())


def starts(file: Path | None) -> dict[str, Start]:
    """The signal jobs to be submitted, by name."""
    told: Any = json.loads(file.read_text()) if file else []
    found = map(Start.load, told)
    return {each.deployment.job: each for each in found}


def stand_by(file: Path, pid: int, told: Mapping[str, Start]) -> dict[str, Start]:
    """What is to be started, once it is in `file`. Plans are loaded before: it is the first that takes long.

    Raises RuntimeError where the process that would write it is gone.
    """
    warm: Any = importlib.import_module("jobs.signals").warm
    for start in told.values():
        warm(start)
    print(READY, flush=True)
    parent = os.getppid()  # the JVM
    while not file.exists():
        if os.getppid() != parent or not Path("/proc", str(pid)).exists():
            raise RuntimeError("the command that this client was to serve is gone")
        time.sleep(0.02)
    return starts(file)


def place(text: str) -> tuple[int, int]:
    """Partition and offset, of `PARTITION:OFFSET`."""
    partition, _, offset = text.partition(":")
    return int(partition), int(offset)


def named(text: str) -> tuple[str, str]:
    """Job and savepoint, of `JOB=SAVEPOINT`."""
    job, _, savepoint = text.partition("=")
    return job, savepoint


def main() -> None:
    parser = argparse.ArgumentParser(description="Submit jobs of one strategy; started by `helios submit`.")
    parser.add_argument("jobs", nargs="+")
    parser.add_argument("--strategy", help="needed by all but signal jobs")
    parser.add_argument("--signals", type=Path, help="file of the signal jobs among them")
    parser.add_argument("--stand-by", type=Path, help="file to wait for, of the signal jobs as they are to be started")
    parser.add_argument("--serves", type=int, default=0, help="process that writes it")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--linger-ms", type=int, default=1, help="of what goes into Kafka")
    parser.add_argument("--skip", type=place, action="append", default=[], help="PARTITION:OFFSET of market.spreads")
    parser.add_argument("--from", dest="savepoints", type=named, action="append", default=[], help="JOB=SAVEPOINT")
    given = parser.parse_args()
    savepoints = dict(given.savepoints)
    doing = "reading the session"
    try:
        strategy = load_strategy(given.strategy) if given.strategy else None
        signals = starts(given.signals)
        session = session_id(given.bootstrap, Topics(given.prefix))
        ids = SchemaRegistry(given.registry).ids()
        if given.stand_by:
            signals = stand_by(given.stand_by, given.serves, signals)
        for name in given.jobs:
            doing = f"job {name}"
            config = JobConfig(
                bootstrap=given.bootstrap,
                registry_url=given.registry,
                session_id=session,
                schema_ids=ids,
                prefix=given.prefix,
                parallelism=parallelism(name, strategy) if strategy else 1,
                skip=tuple(given.skip),
                linger_ms=given.linger_ms,
                savepoint=savepoints.get(name, ""),
            )
            if name in signals:
                job_id = importlib.import_module("jobs.signals").submit_signal(signals[name], config)
            else:
                assert strategy is not None
                job_id = submit_job(name, config, strategy)
            print(JOB + json.dumps({"job": name, "id": job_id}), flush=True)
    except Exception as error:
        # Whatever a job's definition raises is told in one line; the trace goes to the client's log.
        traceback.print_exc()
        print(FAULT + json.dumps({"fault": f"{doing}: {_in_one_line(error)}"}), flush=True)
        sys.exit(1)


def _in_one_line(error: Exception) -> str:
    java = getattr(error, "java_exception", None)
    if java is not None:
        return root_cause(_java_trace(java))
    return root_cause(str(error)) if "Caused by: " in str(error) else str(error) or type(error).__name__


def _java_trace(java: Any) -> str:
    """Of a py4j proxy: its chain of causes, in the form of a stack trace."""
    lines = [java.toString()]
    while (java := java.getCause()) is not None:
        lines.append(f"Caused by: {java.toString()}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
