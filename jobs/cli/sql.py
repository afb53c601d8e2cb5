"""helios sql: Flink's SQL client, the session's topics declared as tables."""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.flink_jobs import FlinkError
from infra.parts.flink import flink_environment, sql_client_command
from infra.parts.part import Unhealthy
from infra.settings import Settings, load_settings
from pipelines.contracts.ddl import table_ddl
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.signals.sources import VIEWS
from pipelines.signals.views import queries_of


def sql(
    statements: Annotated[str, typer.Option("-e", "--execute", help="Run these statements, and end.")] = "",
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Run the statements of a file, and end.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Tables that go on growing: a query then has no end.")] = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Run on the Flink cluster, in a free slot; else in the client itself.")
    ] = False,
    prefix: Annotated[str, typer.Option("--prefix", help="Of the session's topics.")] = "",
) -> None:
    """Ask the topics in SQL: market_ticks, market_spreads, trading_events … as tables, spreads and crossings as views.

    With -e or -f it runs them and ends, with status 1 if one failed; without, it is Flink's own client. Tables hold
    what was in the topics when the query began, unless --live.
    """
    if statements and file is not None:
        raise typer.BadParameter("give -e or -f, not both")
    settings = load_settings()
    with tempfile.TemporaryDirectory() as folder:
        begin = Path(folder) / "tables.sql"
        begin.write_text(";\n".join(preamble(settings, prefix, live=live, cluster=cluster)) + ";\n")
        arguments = ["-i", str(begin)]
        if statements:
            file = Path(folder) / "statements.sql"
            file.write_text(re.sub(r";\s+", ";\n", statements.rstrip().rstrip(";")) + ";\n")  # the client's own rule
        if file is not None:
            arguments += ["-f", str(file.resolve())]
        command = sql_client_command(settings, arguments)
        environment = {**os.environ, **flink_environment(settings)}
        if file is None:
            raise typer.Exit(subprocess.run(command, env=environment).returncode)
        _run(command, environment)


ANSI = re.compile(r"\x1b\[[\d;]*m")
NOISE = re.compile(
    r"(Flink SQL> )*(\d{4}-\d\d-\d\d [\d:,]+ |[\w.$]+(Exception|Error)\b|\s+at [\w.$/<>]+\(|\s+\.\.\. \d+ |Caused by: "
    r"|Successfully initialized|\w{3} \d+, \d{4} .*jline|WARNING: Unable to create a system terminal|\[INFO\]"
    r"|Command history file|End of exception|Shutting down the session|done\.$|$)"
)
"""What the client says of itself."""


def preamble(settings: Settings, prefix: str, *, live: bool, cluster: bool) -> list[str]:
    """Settings of the client, and every topic of the session as a table. Unhealthy if the broker does not answer."""
    options = {
        "sql-client.execution.result-mode": "tableau",
        "sql-client.execution.max-table-result.rows": "1000000",
        "execution.runtime-mode": "streaming" if live else "batch",
        "execution.target": "remote" if cluster else "local",
        "rest.bind-port": "0",  # a cluster of the client's own must not want the port of the one that is up
        "parallelism.default": "1",
        "table.local-time-zone": "UTC",
    }
    tables = [_table(settings, name, record, topic, live=live) for name, record, topic in _topics(settings, prefix)]
    views = [f"CREATE VIEW `{name}` AS {query}" for name, query in queries_of(tuple(VIEWS)).items()]
    return [*(f"SET '{key}' = '{value}'" for key, value in options.items()), *tables, *views]


def _table(settings: Settings, name: str, record: str, topic: str, *, live: bool) -> str:
    return table_ddl(
        name,
        record,
        topic,
        bootstrap=settings.kafka.bootstrap,
        registry_url=settings.registry.url,
        options={} if live else {"scan.bounded.mode": "latest-offset"},
    )


def _topics(settings: Settings, prefix: str) -> list[tuple[str, str, str]]:
    """Table, record and topic. Raw topics are those that there are: their names are the venues'."""
    fixed = [(name.replace(".", "_"), RECORDS[name], f"{prefix}{name}") for name in RECORDS if name != "raw"]
    try:
        admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap.split(","), bootstrap_timeout_ms=5_000)
        try:
            raw = sorted(topic for topic in admin.list_topics() if topic.startswith(Topics(prefix).raw("")))
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise Unhealthy(f"{settings.kafka.bootstrap} does not list its topics ({type(error).__name__})") from None
    return [*fixed, *((topic.removeprefix(prefix).replace(".", "_"), RECORDS["raw"], topic) for topic in raw)]


def _run(command: tuple[str, ...], environment: dict[str, str]) -> None:
    """Run statements; what they give goes to stdout. FlinkError with the client's reason if one failed."""
    fault, reason_comes = "", False
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
    ) as client:
        assert client.stdout is not None
        for line in client.stdout:
            text = ANSI.sub("", line.rstrip())
            if reason_comes:
                fault, reason_comes = re.sub(r"^[\w.$]+(Exception|Error): ", "", text), False
            elif "[ERROR]" in text:
                fault, reason_comes = text, text.endswith("Reason:")
            elif not NOISE.match(text):
                print(text.removeprefix("Flink SQL> "), flush=True)
    if fault or client.returncode:
        raise FlinkError(f"sql: {fault or f'the client ended with status {client.returncode}'}")
