"""The local services under supervisor: its configuration, and what is asked of it over its socket."""

import contextlib
import fcntl
import hashlib
import http.client
import os
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.parts.part import INSTANCE, PartError, Program
from infra.settings import Settings

LIVE = frozenset({"RUNNING", "STARTING", "BACKOFF", "STOPPING"})
LONGEST_SOCKET_PATH = 100
"""Of 107 that the kernel allows; supervisor adds a suffix while it binds."""


@dataclass(frozen=True, slots=True)
class Process:
    """What supervisor says of one process. `pid` is 0 when there is none."""

    program: str
    name: str
    state: str
    pid: int
    said: str


class Supervision:
    """The supervisor of one home. Nothing runs before `start`."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._conf = self._home / "supervisor" / "supervisord.conf"
        self._logs = self._home / "logs"
        self._socket = self._home / "supervisor" / "socket"
        if len(str(self._socket)) > LONGEST_SOCKET_PATH:
            digest = hashlib.blake2b(str(self._home).encode(), digest_size=6).hexdigest()
            self._socket = Path(f"/tmp/helios-{os.getuid()}-{digest}")

    def log(self, program: str) -> Path:
        """Where a program's output goes; of several instances, the pattern with a `*`."""
        return self._logs / f"{program}.log"

    def alive(self) -> bool:
        try:
            self._server().supervisor.getState()
        except (OSError, xmlrpc.client.Error, http.client.HTTPException):
            return False
        return True

    def processes(self) -> list[Process]:
        """Empty when no supervisor runs."""
        if not self.alive():
            return []
        found: Any = self._server().supervisor.getAllProcessInfo()
        return [Process(p["group"], p["name"], p["statename"], p["pid"], p["spawnerr"]) for p in found]

    def start(self, programs: Iterable[Program]) -> list[str]:
        """Start those programs that do not run; the names of those started. Others of the home are left alone."""
        programs = list(programs)
        with self._configuring():
            self._write(self._known_sections() | {program.name: self._section(program) for program in programs})
            if self.alive():
                self._update()
            else:
                self._launch()
        live = {process.program for process in self.processes() if process.state in LIVE}
        started = [program.name for program in programs if program.name not in live]
        for name in started:
            self._server().supervisor.startProcessGroup(name, False)
        return started

    def restart(self, program: str, instances: Iterable[str] | None = None) -> None:
        """Stop and start a program, or only those of its instances; returns when they have stopped and start anew."""
        supervisor = self._server().supervisor
        if instances is None:
            supervisor.stopProcessGroup(program, True)
            supervisor.startProcessGroup(program, False)
            return
        names = [f"{program}:{instance}" for instance in instances]
        with ThreadPoolExecutor(len(names) or 1) as pool:
            list(pool.map(self._stop_process, names))
        for name in names:
            supervisor.startProcess(name, False)

    def _stop_process(self, name: str) -> None:
        with contextlib.suppress(xmlrpc.client.Fault):  # it does not run
            self._server().supervisor.stopProcess(name, True)

    def stop(self, programs: Iterable[str] | None = None) -> None:
        """Stop and forget those programs, or stop all and supervisor itself; returns when they have gone."""
        if not self.alive():
            return
        if programs is not None:
            with self._configuring():
                known = self._known_sections()
                leaving = known.keys() & set(programs)
                self._write({name: section for name, section in known.items() if name not in leaving})
                self._update()
            return
        pid: Any = self._server().supervisor.getPID()
        self._server().supervisor.shutdown()
        while _exists(pid):
            time.sleep(0.05)

    def _launch(self) -> None:
        command = [str(Path(sys.executable).with_name("supervisord")), "-c", str(self._conf)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._home)
        if done.returncode:
            raise PartError(f"supervisor: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
        deadline = time.monotonic() + 10
        while not self.alive():
            if time.monotonic() > deadline:
                raise PartError(f"supervisor does not answer on {self._socket}: see {self._logs / 'supervisor.log'}")
            time.sleep(0.05)

    def _update(self) -> None:
        """Have the running supervisor take the new configuration; a program whose section changed is stopped."""
        supervisor = self._server().supervisor
        changes: Any = supervisor.reloadConfig()
        added, changed, removed = changes[0]
        for name in (*changed, *removed):
            supervisor.stopProcessGroup(name, True)
            supervisor.removeProcessGroup(name)
        for name in (*added, *changed):
            supervisor.addProcessGroup(name)

    @contextlib.contextmanager
    def _configuring(self) -> Iterator[None]:
        """One at a time: several sessions may add their programs to one supervisor."""
        self._conf.parent.mkdir(parents=True, exist_ok=True)
        with self._conf.with_name("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _known_sections(self) -> dict[str, str]:
        """The programs that the running supervisor has; none if it does not run."""
        if not self._conf.exists() or not self.alive():
            return {}
        sections = self._conf.read_text().split("\n[program:")[1:]
        return {section.partition("]")[0]: "[program:" + section.rstrip() for section in sections}

    def _section(self, program: Program) -> str:
        """Supervisor's section of a program. It dies with its supervisor, so a kill -9 leaves no half a stack."""
        wrapped = ("setpriv", "--pdeathsig", program.stop_signal, *_without_setpriv(program.command))
        environment = {"HELIOS_HOME": str(self._home), **program.environment}
        several = INSTANCE in " ".join(program.command)  # then each has its number, even if there is one
        lines = [
            f"[program:{program.name}]",
            f"command={' '.join(_quoted(word) for word in wrapped)}",
            f"environment={','.join(f'{name}={_quoted(value)}' for name, value in environment.items())}",
            f"process_name={program.name}" + ("-%(process_num)d" if several else ""),
            f"numprocs={program.instances}",
            f"directory={self._home}",
            "autostart=false",
            "autorestart=true",
            "startsecs=2",
            "startretries=3",
            f"stopsignal={program.stop_signal}",
            "stopwaitsecs=30",
            f"killasgroup={'false' if program.stop_signal == 'INT' else 'true'}",
            "redirect_stderr=true",
            f"stdout_logfile={self._logs / program.name}" + ("-%(process_num)d" if several else "") + ".log",
            "stdout_logfile_maxbytes=20MB",
            "stdout_logfile_backups=1",
        ]
        return "\n".join(lines)

    def _write(self, sections: dict[str, str]) -> None:
        for folder in (self._conf.parent, self._logs):
            folder.mkdir(parents=True, exist_ok=True)
        user = "user=root\n" if os.geteuid() == 0 else ""
        self._conf.touch(mode=0o600)  # programs are given passwords in their environment
        self._conf.write_text(
            f"[unix_http_server]\nfile={self._socket}\nchmod=0700\n\n"
            f"[supervisord]\n{user}pidfile={self._conf.with_name('pid')}\nlogfile={self._logs / 'supervisor.log'}\n"
            f"logfile_maxbytes=5MB\nlogfile_backups=1\nchildlogdir={self._logs}\n\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\n"
            + "\n\n".join(sections[name] for name in sorted(sections))
            + "\n"
        )

    def _server(self) -> xmlrpc.client.ServerProxy:
        return xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_UnixTransport(self._socket))


class _UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _UnixConnection(self._path)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _without_setpriv(command: tuple[str, ...]) -> tuple[str, ...]:
    return command[1:] if command[:1] == ("setpriv",) else command


def _quoted(word: str) -> str:
    escaped = (
        word.replace("%", "%%").replace(INSTANCE.replace("%", "%%"), INSTANCE).replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{escaped}"'


def _exists(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, 0)
        return True
    return False
