"""What a pair made over time: profit by average cost, of its fills and the mids of its legs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.domain.ledger import Holding, Method
from pipelines.history.pair_course import Filled, Times, Values
from pipelines.history.profit import Terms


@dataclass(frozen=True, slots=True)
class ProfitCourse:
    """At each of some times: profit realised, and with what is open at the mids."""

    realised: Values
    total: Values


def profit_course(
    time_us: Times, mids: Mapping[str, Values], fills: Sequence[Filled], terms: Mapping[str, Terms]
) -> ProfitCourse:
    """`time_us`: rising; `mids`: of each leg at these times; `fills`: of the legs, in the order in which they happened.
    A fill counts from its own time on. Money is in the legs' currency; without terms a lot is one unit."""
    realised, total = np.zeros(len(time_us)), np.zeros(len(time_us))
    for leg, mid in mids.items():
        of = terms.get(leg, Terms())
        money = of.tick_size * of.lot_size
        holding = Holding(Method.AVERAGE)
        mine = [each for each in fills if each.fill.instrument == leg]
        begins = np.searchsorted(time_us, [each.time_us for each in mine], "left").tolist()
        for place, each in enumerate(mine):
            fill = each.fill
            holding.book(fill.booked, fill.signed, round(fill.price / of.tick_size), fill.amount)
            rows = slice(begins[place], begins[place + 1] if place + 1 < len(mine) else len(time_us))
            made = holding.realised * money + holding.income
            realised[rows] += made
            total[rows] += made + (holding.lots * mid[rows] / of.tick_size - holding.cost) * money
    return ProfitCourse(realised, total)
