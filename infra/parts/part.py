"""What the stack has to know of a part."""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


class PartError(RuntimeError):
    """A part cannot be started: what is wrong, and the way out, in one line."""


class Unhealthy(RuntimeError):
    """A part does not answer as it should: why, in one line."""


INSTANCE = "%(process_num)d"
"""Stands in a command for the number of the instance, from 0."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process that supervisor keeps running, or several of the same."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    instances: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One service. `prepare` makes its files before the start; `probe` says how it is, or raises Unhealthy; `settle`
    completes a healthy one."""

    name: str
    address: str
    local: bool
    programs: tuple[Program, ...]
    ports: tuple[int, ...]
    prepare: Callable[[], None]
    probe: Callable[[], str]
    settle: Callable[[], None] = lambda: None


def need(folder: Path, what: str) -> None:
    """Raise PartError unless `make setup` has brought the folder."""
    if not folder.is_dir() or not any(folder.iterdir()):
        raise PartError(f"{what} is missing ({folder}): make setup")


def port_answers(port: int, timeout_s: float = 0.5) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(timeout_s)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def http_get(url: str, timeout_s: float = 2) -> bytes:
    """The body; Unhealthy says what came instead."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        raise Unhealthy(f"{url} answers {error.code} {error.reason}") from None
    except OSError as error:
        raise Unhealthy(f"{url} does not answer ({getattr(error, 'reason', error)})") from None
