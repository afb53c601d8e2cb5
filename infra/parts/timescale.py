"""TimescaleDB from its own folder. Postgres will not run as root: there it runs as nobody."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from infra.parts.part import Part, PartError, Program, Unhealthy
from infra.settings import READER, Settings, TimescaleSettings
from infra.timescale_tree import BINARIES, installed

NOBODY = 65534
SETPCAP = 8
"""The bit of the capability to set securebits (capabilities(7))."""


def timescale_part(settings: Settings) -> Part:
    timescale, data = settings.timescale, settings.home / "timescale" / "data"
    options = {
        "port": timescale.port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "shared_preload_libraries": "timescaledb",
        "timescaledb.telemetry_level": "off",
        "max_worker_processes": 16,
        "timescaledb.max_background_workers": 4,
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "max_wal_size": "1GB",
        "shared_buffers": "128MB",
    }
    postgres = [str(BINARIES / "postgres"), "-D", str(data)]
    for name, value in options.items():
        postgres += ["-c", f"{name}={value}"]
    command = (*as_nobody(data), *postgres) if timescale.local else ()
    address = _without_password(timescale.dsn)
    return Part(
        name="timescale",
        address=address,
        local=timescale.local,
        programs=(Program("timescale", command, stop_signal="INT"),),
        ports=(timescale.port,),
        prepare=lambda: _prepare(timescale.password, data),
        probe=lambda: probe(timescale.dsn, local=timescale.local),
        settle=lambda: _make_reader(timescale) if timescale.local else None,
    )


def as_nobody(data: Path) -> tuple[str, ...]:
    """What goes before a Postgres command: nothing, or for root the way to be nobody and still reach the folder."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        raise PartError(
            "timescale: Postgres does not run as root, and setpriv (util-linux) is missing: run as another user"
        )
    drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    above = dict.fromkeys(folder for folder in (*BINARIES.parents, *data.parents) if folder.exists())
    closed = [str(folder) for folder in above if not folder.stat().st_mode & 0o001]
    if not closed:
        return drop
    # A checkout in /root or of mktemp, say: nobody may pass through, and no more. Postgres asks with access(2) whether
    # its programs are there, which takes capabilities from all but root unless no_setuid_fixup is set.
    capability = _capability_to_pass(closed)
    return (*drop, "--securebits=+no_setuid_fixup", f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}")


def _capability_to_pass(closed: Sequence[str]) -> str:
    held = int(
        next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapPrm"))[7:], 16
    )
    if held & 1 << SETPCAP:
        for name, bit in (("dac_read_search", 2), ("dac_override", 1)):
            if held & 1 << bit:
                return name
    raise PartError(
        f"timescale: Postgres does not run as root, and no other user may enter {', '.join(closed)}: "
        f"chmod o+x {' '.join(closed)}, or move the checkout"
    )


def _prepare(password: str, data: Path) -> None:
    if not installed():
        raise PartError("TimescaleDB is missing (.local/timescaledb/tree): make setup")
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    secret = data.with_name("initial")
    secret.touch(mode=0o600)
    secret.write_text(password)
    data.mkdir(parents=True, mode=0o700)
    if not os.geteuid():
        for path in (data, secret):
            os.chown(path, NOBODY, NOBODY)
    command = [*as_nobody(data), str(BINARIES / "initdb"), "-D", str(data), "-U", "helios", f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8"]
    command += ["-c", "unix_socket_directories=", "-c", "shared_preload_libraries=timescaledb"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    secret.unlink()
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise PartError(f"timescale: initdb: {(done.stderr or done.stdout).strip().splitlines()[-1]}")


def probe(dsn: str, local: bool) -> str:
    """The server's version; makes the database `helios` of a local one that is new."""
    try:
        with psycopg.connect(dsn, connect_timeout=3, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
            return f"TimescaleDB {row[0] if row else '?'}, Postgres {connection.info.server_version // 10000}"
    except psycopg.Error as error:
        if local and 'database "helios" does not exist' in str(error):
            with psycopg.connect(
                dsn.rpartition("/")[0] + "/postgres", connect_timeout=3, autocommit=True
            ) as connection:
                connection.execute(sql.SQL("CREATE DATABASE helios"))
            return probe(dsn, local)
        raise Unhealthy(f"{_without_password(dsn)}: {str(error).strip().splitlines()[0]}") from None


def _make_reader(timescale: TimescaleSettings) -> None:
    """The local database's role for questions, with the tables there are and will be."""
    from pipelines.history.roles import make_reader

    fresh = not timescale.password_file(READER).exists()
    with psycopg.connect(timescale.dsn, connect_timeout=3, autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (READER,)).fetchone()
        if fresh or known is None:
            make_reader(connection, READER, timescale.password_of(READER))


def _without_password(dsn: str) -> str:
    found = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"{found.get('host', 'localhost')}:{found.get('port', 5432)}/{found.get('dbname', '')}"
