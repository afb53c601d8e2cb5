"""Whether a rule of an execution file can be: what is alike over its venues, what fits it, what it is scheduled by."""

from collections.abc import Iterator, Sequence

from pipelines.contracts.marked_yaml import Section
from pipelines.domain.parent_rules import Algo, WorkRule
from pipelines.domain.schedules import ScheduleError
from pipelines.domain.trading import Decision, OrderRequest, Side
from pipelines.domain.universe import Instrument, Strategy


def check_alike(section: Section, strategy: Strategy, ids: Sequence[str], instrument: str, pair: str) -> None:
    """Lots of one venue are those of another: same currency, tick and lot."""
    known = [strategy.instrument_by_id[each] for each in dict.fromkeys([*([instrument] if instrument else []), *ids])]
    for other in known[1:]:
        for name, mine, its in _differences(known[0], other):
            section.fault(
                "venues",
                f"{other.id} has {name} {its}, {known[0].id} {mine}: only what is alike can be split over venues",
            )
    legs = next(({each.a, each.b} for each in strategy.pairs if each.name == pair), set())
    if pair and not legs.intersection({instrument} if instrument else ids):
        section.fault(
            "of", f"neither leg of {pair} ({', '.join(sorted(legs))}) is an instrument of it: no order would fit"
        )


def _differences(first: Instrument, other: Instrument) -> Iterator[tuple[str, object, object]]:
    for name in ("currency", "tick_size", "lot_size"):
        mine, its = getattr(first, name), getattr(other, name)
        if mine != its:
            yield name, mine, its


def check_time(section: Section, rule: WorkRule) -> None:
    """Whether a rule has the time that it needs, and makes a schedule; faults noted in the section."""
    if rule.algo is not Algo.NOW and not rule.duration_ns:
        section.fault("duration_s", f"missing: {rule.algo} needs a time to trade in: give one above 0")
    elif rule.urgency < 1 and not rule.duration_ns:
        section.fault("duration_s", "missing: below urgency 1 lots wait in queues: give how long they may")
    elif rule.algo is Algo.POV and rule.legs_in_step:
        section.fault("legs", "pov follows the volume and not another leg: leave one of the two out")
    elif rule.places and rule.duration_ns:
        _try(section, rule)


def _try(section: Section, rule: WorkRule) -> None:
    """Schedule an order, so that what makes none is told now and not when one comes."""
    place = rule.places[0]
    of = (Decision.NEW, "", 0, place.venue.name, place.instrument, Side.BUY, 1_000, "market", 0.0, "", 0, "", "")
    if rule.algo is Algo.VWAP or (rule.algo is Algo.IS and rule.shortfall is None):
        return  # the one depends on the time of the day, the other has a fault already
    try:
        rule.schedule(OrderRequest("", *of))
    except ScheduleError as error:
        section.fault("algo", str(error))
