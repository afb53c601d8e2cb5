"""Simulated venues that speak FIX, for one session: their files, the gateway's file of sessions, their passwords."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

GATEWAY, COPY = "HELIOS", "HELIOS-DC"
"""CompIDs of the gateway's sessions: orders, and the copies of what is said of them."""

FAULTS: dict[str, Any] = {
    "reject": 0.02,
    "lost_acknowledgement": 0.03,
    "fill_first": 0.03,
    "duplicate_fill": 0.03,
    "bust": 0.02,
    "correct": 0.02,
    "amend_after_ms": 50,
    "correct_ticks": 1,
    "disconnect": {"rate": 0.01, "when": "after_first_word"},
    "sequence_gap": {"rate": 0.01, "numbers": 3},
    "slow": {"rate": 0.03, "ms": 300, "in_order": True},
}
"""Shares of orders that meet each fault, where a session is to have them."""


@dataclass(frozen=True, slots=True)
class PaperVenue:
    """One venue: its name in the strategy, and where it listens."""

    name: str
    port: int


def write_files(folder: Path, venues: tuple[PaperVenue, ...], seed: int, fault_seed: int | None = None) -> Path:
    """Write each venue's file and the gateway's, beside each other; the gateway's. `fault_seed` puts faults in."""
    folder.mkdir(parents=True, exist_ok=True)
    sessions: dict[str, Any] = {}
    for venue in venues:
        password = _password(folder / f"{venue.name}.password")
        who = {"username": GATEWAY.lower(), "password": {"file": password.name}}
        target = venue.name.upper()
        told: dict[str, Any] = {
            "comp_id": target,
            "port": venue.port,
            "participants": [{"comp_id": GATEWAY, **who}],
            "drop_copies": [{"comp_id": COPY, **who, "of": [GATEWAY]}],
            "seed": seed,
        }
        if fault_seed is not None:
            told["faults"] = {"seed": fault_seed, **FAULTS}
        file_of(folder, venue.name).write_text(yaml.safe_dump(told, sort_keys=False))
        place = {"address": f"127.0.0.1:{venue.port}", "target": target}
        sessions[venue.name] = {**place, **who, "drop_copy": {**place, "sender": COPY}}
    file = folder / "sessions.yaml"
    file.write_text(yaml.safe_dump({"sender": GATEWAY, "venues": sessions}, sort_keys=False))
    return file


def file_of(folder: Path, venue: str) -> Path:
    """The file of a venue."""
    return folder / f"{venue}.venue.yaml"


def _password(file: Path) -> Path:
    """A file that only its owner reads, with a password of its own."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(secrets.token_urlsafe(24))
    return file
