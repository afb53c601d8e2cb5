"""The stack as one thing: up, its state, down."""

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.parts.flink import flink_part
from infra.parts.kafka import kafka_part
from infra.parts.part import Part, PartError, Unhealthy, port_answers
from infra.parts.registry import registry_part
from infra.parts.timescale import timescale_part
from infra.ports import listeners
from infra.settings import Settings
from infra.supervision import Process, Supervision

PARTS: dict[str, Callable[[Settings], Part]] = {
    "kafka": kafka_part,
    "registry": registry_part,
    "timescale": timescale_part,
    "flink": flink_part,
}
PATIENCE_S = 240
LEAST_FREE_BYTES = 2 << 30


class StackError(RuntimeError):
    """What keeps the stack from being up, one line a part, each with its way out."""


@dataclass(frozen=True, slots=True)
class State:
    """A part, as `status` shows it. `fault` is empty when it is healthy."""

    part: str
    address: str
    local: bool
    says: str
    fault: str
    memory_bytes: int

    @property
    def healthy(self) -> bool:
        return not self.fault


Progress = Callable[[str, str], None]
"""Called with a part's name and what it does: `preparing`, `starting`, `waiting: why`, `healthy: what it says`."""


def up(settings: Settings, names: Sequence[str] = tuple(PARTS), progress: Progress = lambda part, doing: None) -> None:
    """Start what is not running; return when every part asked for is healthy.

    StackError says what is wrong, a line a part, and then nothing that this call started is left running.
    """
    parts = [make(settings) for name, make in PARTS.items() if name in names]
    local = [part for part in parts if part.local]
    supervision = Supervision(settings)
    _check_disk(settings, local)
    running = {process.program for process in supervision.processes() if process.state in ("RUNNING", "STARTING")}
    fresh = [part for part in local if not running.issuperset(program.name for program in part.programs)]
    _check_ports(fresh, running)

    with ThreadPoolExecutor(len(parts)) as pool:

        def prepare(part: Part) -> None:
            progress(part.name, "preparing")
            part.prepare()
            progress(part.name, "starting")

        _gather([pool.submit(prepare, part) for part in local])
        started = supervision.start(program for part in local for program in part.programs) if local else []
        try:
            _gather([pool.submit(_await, part, supervision, progress) for part in parts])
        except (StackError, KeyboardInterrupt):
            supervision.stop(started)
            raise


def _gather(futures: Sequence[object]) -> None:
    """Wait for all; one StackError with a line for each that failed."""
    faults = []
    for future in futures:
        try:
            future.result()  # type: ignore[attr-defined]
        except (PartError, StackError) as error:
            faults.append(str(error))
    if faults:
        raise StackError("\n".join(faults))


def _await(part: Part, supervision: Supervision, progress: Progress) -> None:
    deadline = time.monotonic() + (PATIENCE_S if part.local else 10)
    while True:
        try:
            part.probe()
            part.settle()
            says = part.probe()
        except Unhealthy as error:
            mine = [
                process for process in supervision.processes() if process.program in {p.name for p in part.programs}
            ]
            dead = next((process for process in mine if process.state == "FATAL"), None)
            if part.local and dead is not None:
                raise StackError(
                    f"{part.name}: it ended as often as it was started: {_last_error(supervision, dead)}"
                ) from None
            if time.monotonic() > deadline:
                where = f"see helios logs {part.name}" if part.local else "check its address in helios.yaml"
                raise StackError(f"{part.name}: not healthy: {error}; {where}") from None
            progress(part.name, f"waiting: {error}")
            time.sleep(0.2)
        else:
            progress(part.name, f"healthy: {says}")
            return


def _last_error(supervision: Supervision, process: Process) -> str:
    log = supervision.log(process.name)
    lines = log.read_text(errors="replace").splitlines()[-200:] if log.exists() else []
    wrong = [
        line for line in lines if any(word in line for word in ("ERROR", "FATAL", "Exception", "rror:", "setpriv:"))
    ]
    return (
        f"{(wrong or lines or [process.said or 'no word why'])[-1].strip()} (all of it: helios logs {process.program})"
    )


def _check_disk(settings: Settings, parts: Sequence[Part]) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free
    if parts and free < LEAST_FREE_BYTES:
        raise StackError(
            f"{settings.home}: {free >> 20} MB free, and the stack wants {LEAST_FREE_BYTES >> 20}: "
            "make room, or put it elsewhere with HELIOS_HOME=/a/folder"
        )


def _check_ports(parts: Sequence[Part], running: set[str]) -> None:
    faults = []
    for part in parts:
        if running & {program.name for program in part.programs}:
            continue
        for port in part.ports:
            if port_answers(port):
                holder = next(listeners(port), "another user's process")
                faults.append(
                    f"{part.name}: port {port} is taken by {holder}: stop that, "
                    f"or give another port in helios.yaml ({part.name}), or use that service by its address there"
                )
    if faults:
        raise StackError("\n".join(faults))


def state(settings: Settings, names: Sequence[str] = tuple(PARTS)) -> list[State]:
    """Each part as it is now; never raises for a part that is not there."""
    processes = Supervision(settings).processes()
    with ThreadPoolExecutor(len(PARTS)) as pool:
        return list(pool.map(lambda name: _state(settings, name, processes), [n for n in PARTS if n in names]))


def _state(settings: Settings, name: str, processes: Sequence[Process]) -> State:
    try:
        part = PARTS[name](settings)
    except PartError as error:
        return State(name, "", True, "", str(error), 0)
    mine = [process for process in processes if process.program in {program.name for program in part.programs}]
    memory = sum(_resident_bytes(process.pid) for process in mine if process.pid)
    if part.local and not any(process.pid for process in mine):
        ended = next((f" ({process.state.lower()})" for process in mine), "")
        return State(name, part.address, True, "", f"not running{ended}: helios up", 0)
    try:
        return State(name, part.address, part.local, part.probe(), "", memory)
    except Unhealthy as error:
        return State(name, part.address, part.local, "", str(error), memory)


def _resident_bytes(pid: int) -> int:
    """Of a process and its children, as the kernel counts it; what they share counts once a process."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0
    return pages * 4096 + sum(_resident_bytes(int(child)) for child in children)


def down(settings: Settings) -> bool:
    """Stop every service of this home; whether there was anything to stop."""
    supervision = Supervision(settings)
    if not supervision.alive():
        return False
    supervision.stop()
    return True
