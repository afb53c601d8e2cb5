"""How a gateway works orders, in a file: which go over which venues, by what schedule. YAML, checked with the strategy.

```yaml
venues:                             # what each costs, as `helios route preview` has it (route_file.py)
  - {name: Q, latency_ms: 2, taker: {per_unit: 0.003}, chance: 0.98, lifetime_ms: 500}
  - {name: N, latency_ms: 4, taker: {per_unit: 0.0025}, chance: 0.98, lifetime_ms: 500}
model: {drift_ticks: 0.5, impact_ticks: 0.5}        # what the router reckons by; may be left out
orders:                             # the first that fits is an order's; one that none fits goes to its venue as it is
  - of: {instrument: AIG.Q}         # and or or pair, strategy; left out: any order of an instrument in `venues`
    venues: {Q: AIG.Q, N: AIG.N}    # venue -> the instrument of the strategy that is the same there
    algo: twap                      # now (the default), twap, vwap, is, pov
    duration_s: 60                  # of event time
    slices: 6
    least: 1                        # lots; smaller slices wait for those after them
    seed: 7                         # sizes and times vary by it; left out, they do not
    urgency: 1                      # from 0; below 1 lots are posted where waiting is cheaper
    repeg_ms: 1000                  # how often it is asked whether they are better placed elsewhere
    tries: 3                        # how often what did not fill is routed again, after each slice
    retry_ms: 1000                  # where nothing was found to send
    rest: send                      # the last time, also what the router keeps back; or cancel
    takes: market                   # or immediate: a limit, and what is not there at once is canceled (by FIX)
    on_reject: reroute              # to other venues; or end: the order is over
    legs: in_step                   # with the other leg of the same decision; alone where left out
    curve: volume.csv               # of vwap: as `helios schedule` takes it; its clock is in `zone`
    zone: America/New_York
    participation: 0.1              # of pov: a share of what is traded at `venues`; `cap`: when it catches up
    sigma: 0.6                      # of is, with epsilon, gamma, eta and lambda: by the names of `helios schedule`
```
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from pipelines.contracts import marked_yaml
from pipelines.contracts.execution_checks import check_alike, check_time
from pipelines.contracts.marked_yaml import Section
from pipelines.contracts.route_file import MOST_LOTS, MOST_MS, read_model, read_venues
from pipelines.domain.almgren_chriss import Impact
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.parent_rules import Algo, OnReject, Place, Shortfall, Takes, WorkRule, WorkRules
from pipelines.domain.schedules import MOST_SLICES, ScheduleError
from pipelines.domain.universe import Strategy
from pipelines.domain.venue_books import RouteModel, RouteVenue
from pipelines.domain.volume_curve import VolumeCurve

MOST_S = 7 * 86_400.0
MOST_TRIES = 1_000

ReadCurve = Callable[[Path], VolumeCurve]
"""The curve in a file. Raises ScheduleError."""


class ExecutionFileError(ValueError):
    """What is wrong with the file: one line a fault, `file:line: field: what: way out`."""


def load_execution(path: Path, strategy: Strategy, read_curve: ReadCurve) -> WorkRules:
    """The rules of a file. Raises ExecutionFileError with all that is wrong with it."""
    top, faults = marked_yaml.read(path)
    venues = {each.name: each for each in read_venues(top) if each.name}
    model = read_model(top.section("model", required=False), Decimal(1), 1.0)
    rules = tuple(_rules(top, strategy, venues, model, path.parent, read_curve))
    top.done()
    if faults:
        raise ExecutionFileError(str(faults))
    return WorkRules(rules)


def _rules(
    top: Section,
    strategy: Strategy,
    venues: dict[str, RouteVenue],
    model: RouteModel,
    folder: Path,
    read_curve: ReadCurve,
) -> Iterator[WorkRule]:
    for section in top.sections("orders"):
        instrument, pair, of_strategy = _of(section, strategy)
        places = tuple(_places(section, strategy, venues))
        check_alike(section, strategy, [p.instrument for p in places], instrument, pair)
        algo = Algo(section.one_of("algo", tuple(Algo), "algo", default="now") or "now")
        first = strategy.instrument_by_id.get(instrument or (places[0].instrument if places else ""))
        rule = WorkRule(
            places=places,
            model=replace(model, tick_size=first.tick_size, lot_size=first.lot_size) if first else model,
            instrument=instrument,
            pair=pair,
            strategy=of_strategy,
            algo=algo,
            duration_ns=round(section.between("duration_s", 0.0, MOST_S, 0.0) * NS_PER_S),
            slices=section.whole("slices", 1, MOST_SLICES, default=1),
            least=section.whole("least", 1, MOST_LOTS, default=1),
            jitter_seed=section.whole("seed", 0, 2**63 - 1) if section.has("seed") else None,
            urgency=section.between("urgency", 0.0, 1.0, 1.0),
            repeg_ns=_ms(section, "repeg_ms", 1000.0),
            tries=section.whole("tries", 0, MOST_TRIES, default=3),
            retry_ns=_ms(section, "retry_ms", 1000.0),
            rest=section.one_of("rest", ("send", "cancel"), "rest", default="send") == "send",
            takes=Takes(section.one_of("takes", tuple(Takes), "takes", default="market") or "market"),
            on_reject=OnReject(
                section.one_of("on_reject", tuple(OnReject), "on_reject", default="reroute") or "reroute"
            ),
            legs_in_step=section.one_of("legs", ("in_step", "alone"), "legs", default="alone") == "in_step",
            curve=_curve(section, folder, read_curve, algo),
            zone=section.zone("zone", default="UTC").key,
            shortfall=_shortfall(section) if algo is Algo.IS else None,
            rate=section.share("participation") if algo is Algo.POV else 1.0,
            cap=section.share("cap", 1.0) if algo is Algo.POV else 1.0,
        )
        check_time(section, rule)
        section.done()
        yield rule


def _of(section: Section, strategy: Strategy) -> tuple[str, str, str]:
    of = section.section("of", required=False)
    if of is None:
        return "", "", ""
    instrument = of.one_of("instrument", strategy.instrument_by_id, "instrument", default="")
    pair = of.one_of("pair", [each.name for each in strategy.pairs], "pair", default="")
    names = {strategy.name, *(use.strategy for use in strategy.signals if use.strategy)}
    name = of.one_of("strategy", sorted(names), "strategy", default="")
    of.done()
    return instrument, pair, name


def _places(section: Section, strategy: Strategy, venues: dict[str, RouteVenue]) -> Iterator[Place]:
    inner = section.section("venues")
    for name in inner.names() if inner is not None else ():
        assert inner is not None
        instrument = inner.one_of(name, strategy.instrument_by_id, "instrument")
        if name not in venues:
            inner.fault(name, f"no venue of that name is described: there is {', '.join(venues) or 'none'}")
        elif instrument:
            known = strategy.instrument_by_id[instrument]
            if known.venue != name:
                inner.fault(name, f"{instrument} trades on {known.venue} by the strategy: give that of {name}")
            yield Place(venues[name], instrument)
    if inner is not None and not inner.names():
        section.fault("venues", "is empty: give a venue and its instrument")


def _ms(section: Section, name: str, default: float) -> int:
    return round(section.between(name, 1.0, MOST_MS, default) * NS_PER_MS)


def _curve(section: Section, folder: Path, read_curve: ReadCurve, algo: Algo) -> VolumeCurve | None:
    if algo is not Algo.VWAP:
        return None
    file = section.text("curve")
    if not file:
        return None
    try:
        return read_curve(folder / file)
    except ScheduleError as error:
        section.fault("curve", str(error))
        return None


def _shortfall(section: Section) -> Shortfall | None:
    """By the names of the paper, all of them."""
    numbers = {name: section.number(name) for name in ("sigma", "epsilon", "gamma", "eta")}
    aversion = section.number("lambda")
    day_ns = round(section.between("day_hours", 0.01, 24.0, 6.5) * 3600 * NS_PER_S)
    try:
        return Shortfall(Impact(**numbers), aversion, day_ns)
    except ScheduleError as error:
        section.fault(str(error).partition(":")[0], str(error).partition(": ")[2])
        return None
