"""Compiled plans: the same for the same signal, with the window as their only open place."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.parts.flink import CONNECTORS
from infra.settings import ROOT
from pipelines.contracts.topics import Topics
from pipelines.operators.flink import environment, number_plan_from_one
from pipelines.signals.deployment import NEVER, Window
from pipelines.signals.plan import FROM, UNTIL, compile_signal, topics_read, windowed
from pipelines.signals.signal_file import BoundSignal, SignalError, load_signal
from pipelines.signals.tables import Wires

TOPICS = Topics("t.")
HERE = "127.0.0.1:9"
FOLDER = ROOT / "sql" / "signals"

pytestmark = pytest.mark.skipif(not list(CONNECTORS.glob("*.jar")), reason=f"no jars in {CONNECTORS}: make setup")


def planned(signal: BoundSignal) -> str:
    made: Any = environment()[1]
    for jar in CONNECTORS.glob("flink-sql-*.jar"):
        made.execute_sql(f"ADD JAR '{jar}'")
    for definition in Wires(HERE, f"http://{HERE}", TOPICS, "group", 2).definitions():
        made.execute_sql(definition)
    number_plan_from_one()
    return compile_signal(made, signal, "paper", TOPICS)


def test_the_same_signal_has_the_same_plan_whatever_was_planned_before_it() -> None:
    reversion, stop = (load_signal(FOLDER / f"{name}.sql").bound({}) for name in ("pair_reversion", "pair_stop"))
    first = planned(reversion)
    assert planned(stop) != first
    assert planned(reversion) == first


def test_plans_of_two_windows_differ_in_two_constants_of_steps_without_state() -> None:
    plan = planned(load_signal(FOLDER / "pair_reversion.sql").bound({}))
    one, other = (json.loads(windowed(plan, window))["nodes"] for window in (Window(5, 9), NEVER))
    changed = [node["type"] for node, another in zip(one, other, strict=True) if node != another]
    assert set(changed) == {"stream-exec-calc_1"}
    assert not {str(FROM), str(UNTIL)} & set(json.dumps(one).replace(",", " ").split())


def test_a_plan_tells_the_topics_that_it_reads() -> None:
    assert topics_read(planned(load_signal(FOLDER / "pair_reversion.sql").bound({}))) == {"t.market.spreads"}
    assert topics_read(planned(load_signal(FOLDER / "pair_stop.sql").bound({}))) == {
        "t.market.spreads",
        "t.market.samples",
        "t.market.pair_bars",
    }


def test_state_without_an_end_is_refused_where_it_is_compiled(tmp_path: Path) -> None:
    endless = tmp_path / "endless.sql"
    endless.write_text(
        "-- signal: endless\nSELECT c.pair, c.event_time_ns, 'exit' AS action, c.z, c.beta, c.mid_a, c.mid_b,\n"
        "  c.shard, c.`sequence` AS last_sequence FROM spreads s JOIN crossings c ON s.pair = c.pair\n"
    )
    with pytest.raises(SignalError, match=r"endless\.sql:3:57: state without an end"):
        planned(load_signal(endless).bound({}))
