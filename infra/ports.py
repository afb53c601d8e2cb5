"""Ports of this machine: which are free, and who holds one."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def listeners(port: int) -> Iterator[str]:
    """Who listens on a port of this machine, as far as it may be known: `pid 123 (java kafka.Kafka)`."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                column = line.split()
                if column[3] == "0A" and int(column[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{column[9]}]")
    if not inodes:
        return
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(os.readlink(handle) in inodes for handle in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().split(b"\0")
                yield f"pid {process.name} ({words[0].decode(errors='replace')})"
