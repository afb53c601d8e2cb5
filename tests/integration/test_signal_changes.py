"""Signals of a session that runs: deployed, switched, restarted, retired, over spreads that are written by hand."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.flink_jobs import FlinkError, Job
from jobs.bad_records import fault_of
from jobs.cli.main import app
from jobs.deployments import Deployments
from jobs.signal_log import Given, SignalLog
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.domain.market import NS_PER_MS
from pipelines.feeds.simulated import Simulation
from pipelines.signals.signal_file import SignalError
from tests.conftest import OpenSession, OpenSessions
from tests.support.spreads_log import SpreadsLog

SIMULATION = Simulation(seed=1, instruments=2, seconds=1.0, ticks_per_second=100.0, shards=1)
NAME = "pair_reversion"
PATIENCE_S = 120.0

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Desk:
    """A session without jobs of its own, and the commands of one who works with its signals."""

    session: OpenSession
    strategy: Path
    log: SpreadsLog

    def helios(self, *words: str, json_out: bool = True) -> Any:
        command = [*words, "--prefix", self.session.prefix, *(["--json"] if json_out else [])]
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout) if json_out else done.stdout

    def signals(self, *words: str) -> Any:
        return self.helios("signals", *words)

    def deploy(self, entry_z: float) -> Any:
        values = ("--set", f"entry_z={entry_z}", "--strategy", str(self.strategy))
        return self.signals("deploy", NAME, *values)

    def refused(self, *words: str) -> str:
        with pytest.raises((SignalError, FlinkError)) as error:
            self.signals(*words)
        assert "\n" not in str(error.value)
        return str(error.value)

    def jobs(self) -> list[Job]:
        return list(Deployments(self.session.settings, self.session.prefix).running().values())

    def through(self) -> None:
        """Return once all signals have given what the log has them give."""
        until(lambda: all(each["event_time_ms"] >= self.log.now_ms - 1 for each in self._at_work()), "a watermark")

    def _at_work(self) -> list[Any]:
        return [each for each in self.signals("running") if each["state"] != "retired"]

    def given(self) -> list[Given]:
        """All that signals gave, live and in shadow."""
        versions = [each["version"] for each in self.signals("running")]
        with closing(SignalLog(self.session.settings, self.session.prefix, from_beginning=True)) as log:
            return list(log.to_the_end(versions))


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come in {PATIENCE_S:.0f} s"
        time.sleep(0.3)


@pytest.fixture
def desk(open_session: OpenSessions, tmp_path: Path) -> Iterator[Desk]:
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(dump_strategy(SIMULATION.strategy()))
    session = open_session((SIMULATION.venue,), 1)
    with closing(SpreadsLog(session, SIMULATION.strategy().pairs[0].name)) as log:
        yield Desk(session, strategy, log)


def test_a_half_finished_pattern_outlives_a_switch_and_a_restart(desk: Desk) -> None:
    old, new = desk.deploy(2.0), desk.deploy(1.75)
    assert (old["state"], new["state"]) == ("live", "shadow")
    peak = desk.log.crosses(2.0, 2.25)
    desk.through()
    done = desk.signals("switch", NAME, "--wait", "0")
    assert (done["old"], done["new"]) == (old["version"], new["version"])
    assert done["turn_ns"] == (desk.log.now_ms + 1) * NS_PER_MS
    turn = desk.log.crosses(2.0)
    desk.through()
    found = {(each.signal.version, each.live): each.signal for each in desk.given()}
    assert found.keys() == {(old["version"], False), (new["version"], True)}
    assert {(each.first_sequence, each.last_sequence) for each in found.values()} == {(peak, turn)}

    desk.signals("retire", NAME, old["version"])
    peak = desk.log.crosses(2.25, 2.5)
    desk.through()
    desk.helios("cancel", new["job_name"], "--savepoint", json_out=False)
    again = desk.deploy(1.75)
    assert (again["version"], again["state"]) == (new["version"], "live")
    turn = desk.log.crosses(2.25)
    desk.through()
    last = max(desk.given(), key=lambda each: each.event.event_time_ns)
    assert (last.live, last.signal.version, last.signal.first_sequence) == (True, new["version"], peak)
    assert last.signal.last_sequence == turn


def test_a_signal_that_is_deployed_late_does_not_trade_on_the_past(desk: Desk) -> None:
    desk.log.crosses(2.0, 2.25, 2.0)
    told = desk.deploy(2.0)
    assert told["state"] == "live"
    assert told["live_from_ns"] == (desk.log.now_ms + 1) * NS_PER_MS
    desk.log.crosses(2.25, 2.0)
    desk.through()
    assert [each.live for each in sorted(desk.given(), key=lambda each: each.event.event_time_ns)] == [False, True]


def test_what_cannot_be_is_told_in_a_line_with_the_way_out(desk: Desk) -> None:
    there = desk.deploy(2.0)
    version, strategy = there["version"], ("--strategy", str(desk.strategy))
    assert "no signal 'pair_reverse' is deployed in this session: did you mean pair_reversion?" in desk.refused(
        "switch", "pair_reverse"
    )
    assert f"{NAME} {version} runs already: live" in desk.refused("deploy", NAME, *strategy)
    assert f"no version is in shadow ({version} is live): helios signals deploy {NAME} first" in desk.refused(
        "switch", NAME
    )
    assert f"{version} is live, not in shadow" in desk.refused("switch", NAME, "--to", version)
    assert f"no version '0000000000' in this session: there are {version} (live)" in desk.refused(
        "switch", NAME, "--to", "0000000000"
    )
    assert f"{version} is live: helios signals switch {NAME}" in desk.refused("retire", NAME, version)
    assert "two versions are compared" in desk.refused("diff", NAME)
    assert "exit_z: 7 is outside 0..6" in desk.refused("deploy", NAME, "--set", "exit_z=7", *strategy)
    desk.deploy(1.75)
    desk.log.crosses(2.0, 2.25)
    late = desk.refused("switch", NAME, "--at", "2026-01-05T08:00:01")
    assert "is not after the last event time of the logs" in late
    assert [each["job"] for each in desk.signals("running")] == ["running", "running"]


def test_a_record_that_stops_signals_is_left_out_and_each_stays_live_where_it_was(desk: Desk) -> None:
    desk.log.crosses(2.0, 2.25)
    there = desk.deploy(2.0)
    desk.log.spoil()
    until(lambda: any("helios skip" in fault_of(desk.session.settings, job) for job in desk.jobs()), "a fault")
    desk.helios("skip", json_out=False)
    (again,) = desk.signals("running")
    assert (again["version"], again["live_from_ns"]) == (there["version"], there["live_from_ns"])
    desk.log.crosses(2.0)
    desk.through()
    assert [each.live for each in desk.given()] == [True]


def test_a_signal_for_which_there_is_no_slot_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.submit.http_get", lambda url: b'{"slots-available": 0}')
    assert "1 slots needed and 0 are free: cancel jobs (helios jobs), or raise" in desk.refused(
        "deploy", NAME, "--strategy", str(desk.strategy)
    )
    assert desk.signals("running") == []


def test_what_the_planner_refuses_leaves_nothing_behind(desk: Desk, tmp_path: Path) -> None:
    endless = tmp_path / "endless.sql"
    endless.write_text(
        "-- signal: endless\nSELECT s.pair, s.event_time_ns,\n"
        "  'exit' AS action, s.z, s.beta, s.mid_a, s.mid_b, s.shard,\n"
        "  s.`sequence` AS last_sequence FROM spreads s JOIN crossings c ON s.pair = c.pair\n"
    )
    told = desk.refused("deploy", str(endless), "--strategy", str(desk.strategy))
    assert "endless.sql:4:" in told
    assert "state without an end" in told
    assert desk.signals("running") == []
    assert list(Deployments(desk.session.settings, desk.session.prefix).folder.glob("*.plan.json")) == []
