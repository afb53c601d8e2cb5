"""The file of a venue that speaks FIX: what it says, and every fault of it with its line."""

import re
from pathlib import Path

import pytest

from infra.settings import ROOT
from pipelines.contracts import fix_venue_file
from pipelines.contracts.fix_session import Hours, Reset
from pipelines.contracts.fix_venue_file import FixVenueFileError, load_fix_venue
from pipelines.contracts.secret import Secret
from pipelines.domain.fault_plan import Fault
from pipelines.domain.market import NS_PER_MS

LEAST = """
comp_id: XSIM
port: 17010
participants: [{comp_id: DESK, username: desk, password: {file: desk.secret}}]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "venue.yaml"
    path.write_text(text.removeprefix("\n"))
    return path


def test_the_example_of_the_docstring_is_read(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", fix_venue_file.__doc__ or "", re.DOTALL)
    assert found is not None
    file = load_fix_venue(written(tmp_path, found[1]))
    assert file.hours == Hours("00:00:00", "21:00:00")
    assert [each.comp_id for each in file.participants] == ["DESK"]
    assert file.participants[0].password == Secret(tmp_path / "desk.secret")
    assert (file.drop_copies[0].comp_id, file.drop_copies[0].of) == ("RISK", ("DESK",))
    assert file.fill_chance == 0.1
    assert {fault for fault, rate in file.faults.rates.items() if rate} == set(Fault)
    assert (file.faults.after_first_word, file.faults.slow_in_order, file.faults.gap) == (True, True, 3)


def test_what_is_left_out_has_its_usual_value(tmp_path: Path) -> None:
    file = load_fix_venue(written(tmp_path, LEAST))
    assert (file.allowed, file.heartbeat_s, file.reset, file.hours) == (("127.0.0.1",), 5, Reset.NEVER, None)
    assert (file.min_latency_ns, file.max_latency_ns) == (NS_PER_MS, 5 * NS_PER_MS)
    assert (file.fill_chance, file.drop_copies) == (None, ())
    assert not any(file.faults.rates.values())


@pytest.mark.parametrize("path", sorted((ROOT / "examples/venues").glob("*.yaml")), ids=lambda path: path.name)
def test_examples_are_read(path: Path) -> None:
    load_fix_venue(path)


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
comp_id: X SIM
port: 99999
allowed: [localhost]
reset: logoff
hours: {start: "8:00", end: "17:00:00", start_day: monday}
participants:
  - {comp_id: DESK, username: desk, password: {file: a, environment: B}}
  - {comp_id: DESK, password: {file: a}}
drop_copies:
  - {comp_id: RISK, username: risk, password: {file: a}, of: [DISK]}
  - {comp_id: MORE, username: more, password: {file: a}, of: DESK}
latency_ms: {min: 5, max: 1}
midpoint: {chance: 0.1}
faults:
  bust: 2
  disconnect: {rate: 0.1, when: now}
  slow: {ms: 10, in_order: perhaps}
speed: 9
""",
    )
    with pytest.raises(FixVenueFileError) as caught:
        load_fix_venue(path)
    told = [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    assert told == [
        "1: comp_id: 'X SIM' is not a name: use letters, digits and . _ : + -",
        "2: port: 99999 is out of range: give 1 to 65535",
        "3: allowed: 'localhost' is no address: give such as 10.0.0.5, each by itself",
        "4: reset: unknown reset 'logoff': did you mean logon?",
        "5: hours.start: '8:00' is not a time of day: give HH:MM or HH:MM:SS, in quotes",
        "5: hours.end_day: missing: give both days, or neither",
        "7: participants[0].password.file: give one of `file` and `environment`: "
        "where the secret is kept, not the secret",
        "8: participants[1].comp_id: 'DESK' is taken, in line 7: give another",
        "8: participants[1].username: missing: give a text",
        "10: drop_copies[0].of: unknown participant 'DISK': there is DESK",
        "11: drop_copies[1].of: a list of texts expected, such as [A, B]",
        "12: latency_ms.max: 1 is below the minimum, 5: give it or more",
        "13: midpoint.chance: unknown field: did you mean fill_chance?",
        "15: faults.bust: 2 is out of range: give one from 0 to 1",
        "16: faults.disconnect.when: unknown time 'now': there is before_first_word, after_first_word",
        "17: faults.slow.rate: missing: give a number",
        "17: faults.slow.in_order: 'perhaps' is neither true nor false",
        "18: speed: unknown field: did you mean seed?",
    ]
