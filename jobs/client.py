"""What runs inside the one Flink client that `jobs.submit` starts: each job defined and handed to the cluster.

Its standard output is read by a program: a line `helios-job {"job": …, "id": …}` a job, or `helios-fault {"fault": …}`.
"""

import argparse
import importlib
import json
import sys
import traceback
from typing import Any

from infra.flink_jobs import root_cause
from infra.topics import session_id
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import load_strategy
from pipelines.contracts.topics import Topics
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import JobConfig, environment

JOB, FAULT = "helios-job ", "helios-fault "


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
    parser.add_argument("--strategy", required=True)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--skip", type=place, action="append", default=[], help="PARTITION:OFFSET of market.spreads")
    parser.add_argument("--from", dest="savepoints", type=named, action="append", default=[], help="JOB=SAVEPOINT")
    given = parser.parse_args()
    savepoints = dict(given.savepoints)
    doing = "reading the session"
    try:
        strategy = load_strategy(given.strategy)
        session = session_id(given.bootstrap, Topics(given.prefix))
        ids = SchemaRegistry(given.registry).ids()
        for name in given.jobs:
            doing = f"job {name}"
            config = JobConfig(
                bootstrap=given.bootstrap,
                registry_url=given.registry,
                session_id=session,
                schema_ids=ids,
                prefix=given.prefix,
                parallelism=parallelism(name, strategy),
                skip=tuple(given.skip),
                savepoint=savepoints.get(name, ""),
            )
            print(JOB + json.dumps({"job": name, "id": submit_job(name, config, strategy)}), flush=True)
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
