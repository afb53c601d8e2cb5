"""Signal jobs: the market's topics through the SQL of a signal to trading.events, or to signals.shadow by event time.

Each version of a signal is a job of its own, made of a compiled plan; no Python runs in it. All of a strategy, live, on
a cluster of your own:

    flink run -pyexec .venv/bin/python -pyclientexec .venv/bin/python -pyfs .local/code -py jobs/signals.py \\
        --strategy strategy.yaml --bootstrap 127.0.0.1:19092 --registry http://127.0.0.1:18080/apis/ccompat/v7
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyflink.table import PlanReference

from jobs.client import place
from jobs.standalone import arguments, config_of
from pipelines.contracts.strategy_file import load_strategy
from pipelines.operators.flink import JobConfig, environment, number_plan_from_one, run_plan
from pipelines.signals.deployment import Deployment, Start
from pipelines.signals.of_strategy import bound_signals
from pipelines.signals.plan import compile_signal, windowed
from pipelines.signals.planner import columns
from pipelines.signals.signal_file import BoundSignal
from pipelines.signals.statement import insert_signals
from pipelines.signals.tables import Wires


def submit_signal(start: Start, config: JobConfig) -> str:
    """Hand a version of a signal to the cluster, made of its kept plan; its Flink id. SignalError where the planner
    refuses it."""
    deployment = start.deployment
    plan = _plan(start, config)
    _, t_env = environment(1, deployment.savepoint)
    return run_plan(t_env, windowed(plan, deployment.window), f"{config.prefix}{deployment.job}")


def warm(start: Start) -> None:
    """Have Flink read a kept plan and make operators of it, and hand over nothing: a second time it takes a moment."""
    _, t_env = environment()
    plan = windowed(Path(start.plan).read_text(encoding="utf-8"), start.deployment.window)
    t_env.load_plan(PlanReference.from_json_string(plan)).explain()


def _plan(start: Start, config: JobConfig) -> str:
    """The plan in its file; made where there is none, or records are to be left out: then it is another plan."""
    file = Path(start.plan)
    if file.exists() and not config.skip:
        return file.read_text(encoding="utf-8")
    deployment = start.deployment
    group = f"{config.prefix}{deployment.job}"
    wires = Wires(
        config.bootstrap, config.registry_url, config.topics, group, deployment.shards, config.skip, config.linger_ms
    )
    _, t_env = environment()
    for definition in wires.definitions(deployment.signal.tables):
        t_env.execute_sql(definition)
    number_plan_from_one()
    plan = compile_signal(t_env, deployment.signal, deployment.account, config.topics)
    draft = file.with_suffix(".draft")
    draft.write_text(plan, encoding="utf-8")
    draft.replace(file)
    return plan


def build(t_env: Any, signals: Sequence[BoundSignal], account: str) -> None:
    """Put signals into an environment that has the views and the sink, each with its own sources, live.

    Planned together, two patterns that differ in WITHIN alone would be taken for one: Flink's plan does not tell them
    apart. Planned one after the other, each also keeps its ids when another is added behind it.
    """
    for signal in signals:
        statements = t_env.create_statement_set()
        statements.add_insert_sql(insert_signals(signal, account, columns(t_env, signal)))
        statements.attach_as_datastream()


def main() -> None:
    parser = arguments("Submit the signals of a strategy, a job each, live.")
    parser.add_argument("--plans", type=Path, help="folder to keep the compiled plans in, and to take them from")
    parser.add_argument("--skip", type=place, action="append", default=[], help="PARTITION:OFFSET of a bad record")
    given = parser.parse_args()
    config = config_of(given, skip=tuple(given.skip))
    strategy = load_strategy(given.strategy)
    with tempfile.TemporaryDirectory() as passing:
        plans = given.plans or Path(passing)
        for signal in bound_signals(strategy):
            deployment = Deployment(signal, strategy.account, strategy.shards)
            submit_signal(Start(deployment, str(plans / f"{deployment.job}.json")), config)


if __name__ == "__main__":
    main()
