"""FIX sessions in a file: what is read, and what is said of one that is amiss."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.contracts.fix_sessions import FixSession, FixVenue, Hours, Reset
from pipelines.contracts.fix_sessions_file import FixSessionsError, load_fix_sessions
from pipelines.contracts.secret import NoSecret, Secret
from pipelines.domain.restraint import Restraint

WINTER, SUMMER = date(2026, 1, 15), date(2026, 7, 15)
WHOLE = """
sender: HELIOS
venues:
  xnas:
    address: 127.0.0.1:17101
    target: XNAS
    username: desk
    password: {file: xnas.password}
    account: D-17
    heartbeat_s: 7
    reset: logon
    hours: {start: "09:00", end: "17:30", zone: America/New_York}
    cancel_on_disconnect: true
    messages_per_s: 50
    orders_per_s: 20
    order_worth: 250000
    drop_copy: {address: 127.0.0.1:17101, target: XNAS, sender: HELIOS-DC}
"""


def loaded(tmp_path: Path, text: str, on: date = WINTER) -> tuple[FixVenue, ...]:
    file = tmp_path / "sessions.yaml"
    file.write_text(text)
    return load_fix_sessions(file, on)


def test_every_field_is_read(tmp_path: Path) -> None:
    hours = Hours("14:00:00", "22:30:00")
    session = FixSession("HELIOS", "XNAS", "127.0.0.1", 17101, heartbeat_s=7, reset=Reset.LOGON, hours=hours)
    assert loaded(tmp_path, WHOLE) == (
        FixVenue(
            name="xnas",
            session=session,
            username="desk",
            password=Secret(tmp_path / "xnas.password"),
            account="D-17",
            cancel_on_disconnect=True,
            restraint=Restraint(50, 20, 250_000.0),
            drop_copy=FixSession("HELIOS-DC", "XNAS", "127.0.0.1", 17101),
        ),
    )


def test_hours_follow_the_clock_of_their_zone(tmp_path: Path) -> None:
    ((venue),) = loaded(tmp_path, WHOLE, SUMMER)
    assert venue.session.hours == Hours("13:00:00", "21:30:00")


@pytest.mark.parametrize(
    ("was", "now", "message"),
    [
        ("127.0.0.1:17101\n", "xnas\n", "5: venues.xnas.address: 'xnas' is no address: give HOST:PORT"),
        ("{file: xnas.password}", "hunter2", "8: venues.xnas.password: fields expected"),
        ("{file: xnas.password}", "{file: a, environment: B}", "8: venues.xnas.password.file: give one of"),
        ("logon", "hourly", "11: venues.xnas.reset: unknown reset 'hourly': there is never"),
        ('"09:00"', "nine", "12: venues.xnas.hours.start: 'nine' is not a time of day"),
        ("America/New_York", "Mars", "12: venues.xnas.hours.zone: unknown zone 'Mars'"),
        ("sender: HELIOS-DC", "sender: HELIOS", "17: venues.xnas.drop_copy.sender: HELIOS to XNAS is the session"),
        ("orders_per_s: 20", "orders_per_s: many", "15: venues.xnas.orders_per_s: 'many' is not a whole number"),
        ("account: D-17", "acount: D-17", "9: venues.xnas.acount: unknown field"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, was: str, now: str, message: str) -> None:
    with pytest.raises(FixSessionsError) as told:
        loaded(tmp_path, WHOLE.replace(was, now, 1))
    assert message in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_secret_is_read_from_its_place_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s").write_text("hunter2\n")
    assert Secret(tmp_path / "s").read() == "hunter2"
    monkeypatch.setenv("XNAS_PASSWORD", "hunter3")
    assert Secret(environment="XNAS_PASSWORD").read() == "hunter3"


def test_a_secret_that_is_not_there_is_told_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for secret, told in (
        (Secret(tmp_path / "none"), "No such file"),
        (Secret(tmp_path / "empty"), "is empty"),
        (Secret(environment="HELIOS_NOT_SET"), "the environment has no HELIOS_NOT_SET"),
    ):
        with pytest.raises(NoSecret, match=told):
            secret.read()
