"""The execution file: what it makes of orders, and every fault with its line."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.contracts.execution_file import ExecutionFileError, load_execution
from pipelines.contracts.strategy_file import load_strategy
from pipelines.domain.market import NS_PER_S
from pipelines.domain.parent_rules import Algo, OnReject, Takes, WorkRules
from pipelines.domain.schedules import ScheduleError
from pipelines.domain.trading import Decision, OrderRequest, Side
from pipelines.domain.volume_curve import VolumeCurve

EXAMPLES = Path(__file__).parents[2] / "examples" / "execution"
STRATEGY = load_strategy(EXAMPLES / "aig-bac.strategy.yaml")
FLAT = VolumeCurve(np.ones(1440))
VENUES = """venues:
  - {name: Q, latency_ms: 2}
  - {name: N, latency_ms: 4}
orders:
"""


def curve(file: Path) -> VolumeCurve:
    if file.name != "volume.csv":
        raise ScheduleError(f"{file.name}: no such file")
    return FLAT


def loaded(tmp_path: Path, orders: str, head: str = VENUES) -> WorkRules:
    file = tmp_path / "execution.yaml"
    file.write_text(head + orders)
    return load_execution(file, STRATEGY, curve)


def faults(tmp_path: Path, orders: str, head: str = VENUES) -> list[str]:
    with pytest.raises(ExecutionFileError) as caught:
        loaded(tmp_path, orders, head)
    return [line.partition("execution.yaml:")[2] for line in str(caught.value).splitlines()]


def order(instrument: str = "AIG.Q", pair: str = "AIG-BAC", strategy: str = "", lots: int = 100) -> OrderRequest:
    of = (Decision.NEW, "paper", 0, "Q", instrument, Side.BUY, lots, "market", 0.0, pair, 0, "signal/1", "", strategy)
    return OrderRequest("order-1", *of)


def test_the_example_works_both_legs_of_its_pair_in_step() -> None:
    rules = load_execution(EXAMPLES / "aig-bac.yaml", STRATEGY, curve)
    aig, bac = rules.of(order()), rules.of(order("BAC.Q"))
    assert aig is not None
    assert bac is not None
    assert [(p.venue.name, p.instrument) for p in aig.places] == [("Q", "AIG.Q"), ("N", "AIG.N")]
    assert (aig.algo, aig.duration_ns, aig.slices, aig.legs_in_step) == (Algo.TWAP, 60 * NS_PER_S, 6, True)
    assert (bac.algo, bac.legs_in_step, bac.model.tick_size, bac.model.drift_ticks) == (Algo.NOW, True, 0.01, 0.5)
    assert [each.lots for each in aig.schedule(order(lots=12)).slices] == [2] * 6


def test_the_first_rule_that_fits_is_an_orders(tmp_path: Path) -> None:
    rules = loaded(
        tmp_path,
        "  - {of: {strategy: aig-bac, instrument: AIG.Q}, venues: {Q: AIG.Q}, tries: 1}\n"
        "  - {venues: {Q: AIG.Q, N: AIG.N}, tries: 2}\n",
    )
    found = [rules.of(order(strategy="aig-bac")), rules.of(order()), rules.of(order("BAC.Q"))]
    assert [each and each.tries for each in found] == [1, 2, None]


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    (rule,) = loaded(tmp_path, "  - {venues: {Q: AIG.Q}}\n").rules
    assert (rule.algo, rule.urgency, rule.rest, rule.takes) == (Algo.NOW, 1.0, True, Takes.MARKET)
    assert (rule.on_reject, rule.legs_in_step, rule.jitter_seed) == (OnReject.REROUTE, False, None)


def test_vwap_follows_the_curve_by_the_clock_of_its_zone(tmp_path: Path) -> None:
    (rule,) = loaded(
        tmp_path,
        "  - {venues: {Q: AIG.Q}, algo: vwap, duration_s: 600, slices: 2, curve: volume.csv, zone: America/New_York}\n",
    ).rules
    assert [each.lots for each in rule.schedule(order()).slices] == [50, 50]


def test_shortfall_is_read_by_the_papers_names(tmp_path: Path) -> None:
    (rule,) = loaded(
        tmp_path,
        "  - {venues: {Q: AIG.Q}, algo: is, duration_s: 3600, slices: 4, sigma: 0.95, epsilon: 0.0625,"
        " gamma: 2.5e-7, eta: 2.5e-6, lambda: 1e-4}\n",
    ).rules
    sizes = [each.lots for each in rule.schedule(order(lots=1000)).slices]
    assert sum(sizes) == 1000
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("{venues: {Q: AIG}}", "5: orders[0].venues.Q: unknown instrument 'AIG': did you mean AIG.Q?"),
        ("{venues: {X: AIG.Q}}", "5: orders[0].venues.X: no venue of that name is described: there is Q, N"),
        ("{venues: {N: AIG.Q}}", "5: orders[0].venues.N: AIG.Q trades on Q by the strategy: give that of N"),
        ("{venues: {}}", "5: orders[0].venues: is empty: give a venue and its instrument"),
        (
            "{of: {pair: AIG-BAG}, venues: {Q: AIG.Q}}",
            "5: orders[0].of.pair: unknown pair 'AIG-BAG': did you mean AIG-BAC?",
        ),
        (
            "{of: {pair: AIG-BAC}, venues: {N: AIG.N}}",
            "5: orders[0].of: neither leg of AIG-BAC (AIG.Q, BAC.Q) is an instrument of it: no order would fit",
        ),
        (
            "{venues: {Q: AIG.Q}, algo: twap}",
            "5: orders[0].duration_s: missing: twap needs a time to trade in: give one above 0",
        ),
        (
            "{venues: {Q: AIG.Q}, urgency: 0.5}",
            "5: orders[0].duration_s: missing: below urgency 1 lots wait in queues: give how long they may",
        ),
        (
            "{venues: {Q: AIG.Q}, algo: pov, duration_s: 60, participation: 0.3, cap: 0.2}",
            "5: orders[0].algo: cap: 0.2: give the participation, 0.3, or more",
        ),
        (
            "{venues: {Q: AIG.Q}, algo: pov, duration_s: 60, participation: 0.1, legs: in_step}",
            "5: orders[0].legs: pov follows the volume and not another leg: leave one of the two out",
        ),
        ("{venues: {Q: AIG.Q}, tires: 2}", "5: orders[0].tires: unknown field: did you mean tries?"),
        (
            "{venues: {Q: AIG.Q}, algo: vwap, duration_s: 1, curve: other.csv}",
            "5: orders[0].curve: other.csv: no such file",
        ),
        (
            "{venues: {Q: AIG.Q}, zone: Mars}",
            "5: orders[0].zone: unknown zone 'Mars': give one of IANA, such as America/New_York or UTC",
        ),
    ],
)
def test_a_fault_is_told_with_its_line_and_the_way_out(tmp_path: Path, rule: str, fault: str) -> None:
    assert faults(tmp_path, f"  - {rule}\n") == [fault]


def test_instruments_that_differ_are_not_split_over_venues(tmp_path: Path) -> None:
    text = (EXAMPLES / "aig-bac.strategy.yaml").read_text()
    changed = tmp_path / "strategy.yaml"
    changed.write_text(
        text.replace("symbol: AIGN, tick_size: 0.01, lot_size: 1", "symbol: AIGN, tick_size: 0.05, lot_size: 100")
    )
    file = tmp_path / "execution.yaml"
    file.write_text(VENUES + "  - {venues: {Q: AIG.Q, N: AIG.N}}\n")
    with pytest.raises(ExecutionFileError) as caught:
        load_execution(file, load_strategy(changed), curve)
    assert [line.partition("orders[0].venues: ")[2] for line in str(caught.value).splitlines()] == [
        "AIG.N has tick_size 0.05, AIG.Q 0.01: only what is alike can be split over venues",
        "AIG.N has lot_size 100.0, AIG.Q 1.0: only what is alike can be split over venues",
    ]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, "  - {venues: {Q: AIG}, algo: twop}\n  - {venues: {X: BAC.Q}}\n")
    assert [line.partition(":")[0] for line in found] == ["5", "5", "6"]
