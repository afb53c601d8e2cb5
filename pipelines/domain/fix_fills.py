"""What an order's executions come to: each counts once, and a bust or correction stands in for the one that it names.

The sums do not depend on the order in which executions come: a bust may come before the fill that it takes back.
"""

from decimal import Context, Decimal
from typing import NamedTuple

from pipelines.domain.fix_words import Moment, older

EXECUTIONS_KEPT = 10_000
"""Executions of one order known by id; of more, the oldest count on, and can no longer be busted."""

ZERO = Decimal(0)
_EXACT = Context(prec=80)
"""Sums and products of quantities and prices, of at most 15 digits before the point and 12 after it, are exact."""
_QUOTIENT = Context(prec=28)


class Execution(NamedTuple):
    """One fill, bust or correction. `quantity` is what stands by it, 0 for a bust; `cum` the CumQty it told."""

    exec_id: str
    refers: str
    quantity: Decimal
    price: Decimal | None
    cum: Decimal | None
    moment: Moment


class Fills:
    """The executions of one order."""

    def __init__(self) -> None:
        self._of: dict[str, Execution] = {}
        self._referred: set[str] = set()
        self._restated: Moment | None = None
        self._base_quantity = self._base_value = ZERO
        self._base_priced = True
        self.quantity = ZERO
        """What is filled by the executions that are known."""
        self.value = ZERO
        """What that is worth, in prices times quantity."""
        self.priced = True
        """Whether all of them have a price."""

    def __contains__(self, exec_id: str) -> bool:
        return exec_id in self._of

    @property
    def amended(self) -> bool:
        """Something was busted, corrected or restated: a CumQty told before that cannot be compared with one after."""
        return bool(self._referred) or self._restated is not None

    def stands(self, exec_id: str) -> bool:
        """Whether an execution of this id counts by itself, and is not busted or corrected."""
        return exec_id not in self._referred

    def average(self) -> Decimal | None:
        """The mean price, to 28 digits; None where nothing is filled, or a price is not known."""
        return _QUOTIENT.divide(self.value, self.quantity) if self.quantity and self.priced else None

    def add(self, execution: Execution) -> None:
        """Count an execution whose id is new."""
        self._of[execution.exec_id] = execution
        if execution.refers:
            self._referred.add(execution.refers)
        if len(self._of) > EXECUTIONS_KEPT:
            self._fold()
        if self.amended:
            self._count()
        else:
            self._take(execution)

    def restate(self, quantity: Decimal, average: Decimal | None, moment: Moment) -> None:
        """Let `quantity` stand for all that was told before `moment`: a corporate action changed it."""
        if self._restated is not None and older(moment, self._restated):
            return
        self._restated = moment
        self._base_quantity, self._base_priced = quantity, average is not None
        self._base_value = _EXACT.multiply(quantity, average or ZERO)
        self._of = {one: each for one, each in self._of.items() if older(moment, each.moment)}
        self._count()

    def overlaps(self, cum: Decimal, quantity: Decimal) -> bool:
        """Whether a fill that made CumQty `cum` by `quantity` was partly told by another one."""
        return any(
            each.cum is not None and cum - quantity < each.cum and each.cum - each.quantity < cum
            for each in self._of.values()
        )

    def _take(self, execution: Execution) -> None:
        self.quantity = _EXACT.add(self.quantity, execution.quantity)
        if execution.price is not None:
            self.value = _EXACT.add(self.value, _EXACT.multiply(execution.price, execution.quantity))
        elif execution.quantity:
            self.priced = False

    def _count(self) -> None:
        self.quantity, self.value, self.priced = self._base_quantity, self._base_value, self._base_priced
        standing: dict[str, Execution] = {}
        for each in self._of.values():
            if each.exec_id in self._referred:
                continue
            if self._restated is not None and older(each.moment, self._restated):
                continue
            root = self._root(each)
            held = standing.get(root)
            if held is None or not older(each.moment, held.moment):
                standing[root] = each  # two corrections of one fill: the later one stands
        for each in standing.values():
            self._take(each)

    def _root(self, execution: Execution) -> str:
        at, seen = execution, {execution.exec_id}
        while at.refers:
            found = self._of.get(at.refers)
            if found is None or found.exec_id in seen:
                return at.refers
            seen.add(found.exec_id)
            at = found
        return at.exec_id

    def _fold(self) -> None:
        """Let go of the oldest tenth, and keep what they come to."""
        for exec_id in list(self._of)[: EXECUTIONS_KEPT // 10]:
            each = self._of.pop(exec_id)
            if exec_id in self._referred:
                self._referred.discard(exec_id)
                continue
            self._base_quantity = _EXACT.add(self._base_quantity, each.quantity)
            self._base_value = _EXACT.add(self._base_value, _EXACT.multiply(each.price or ZERO, each.quantity))
            self._base_priced = self._base_priced and (each.price is not None or not each.quantity)
