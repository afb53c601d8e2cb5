"""Both legs of a decision worked in step: one leads, the other follows with what the fills of the first have earned.

The leg that leads is the one of which something was sent first; before that the books say which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.domain.pair_legs import Lead, PairLeg, hedge_due, lead_leg
from pipelines.domain.parent_routes import limit_ticks, open_places
from pipelines.domain.parent_rules import Books
from pipelines.domain.parent_state import Parent
from pipelines.domain.venue_books import ParentOrder


@dataclass(frozen=True, slots=True)
class Legs:
    """Both legs of one decision, that are worked in step."""

    first: Parent
    second: Parent

    def other(self, parent: Parent) -> Parent:
        return self.second if parent is self.first else self.first

    @property
    def leading(self) -> Parent | None:
        """The leg of which something was sent first."""
        begun = [each for each in (self.first, self.second) if each.children]
        return min(begun, key=lambda each: _first_ns(each), default=None)

    def hedges(self, parent: Parent) -> bool:
        """Whether it follows the other leg."""
        leading = self.leading
        return leading is not None and leading is not parent

    def earned(self, parent: Parent) -> int:
        """Lots of the leg that follows that the other one's fills have earned."""
        lead = self.other(parent)
        filled = min(max(0, lead.filled), lead.order.quantity)
        return hedge_due(lead.order.quantity, filled, parent.order.quantity, 0)

    def lead(self, wanted: int, books: Books) -> Lead:
        """Which leg goes first now, with how many of the lots that are wanted of it."""
        leading = self.leading
        a, b = _leg(self.first, books), _leg(self.second, books)
        if leading is None:
            return lead_leg(a, b)
        mine, other = (a, b) if leading is self.first else (b, a)
        return _goes_on(mine, other, wanted, max(0, leading.filled))


@dataclass(slots=True)
class LegsInStep:
    """Parents whose rule keeps them in step, by what they were decided with."""

    _names: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def take(self, parent: Parent) -> None:
        order, rule = parent.order, parent.rule
        if rule is not None and rule.legs_in_step and order.pair:
            self._names.setdefault((order.cause, order.pair, order.leg), order.client_order_id)

    def of(self, parent: Parent, parents: Mapping[str, Parent]) -> Legs | None:
        """Both legs, where the parent is one of them and the other is there."""
        order = parent.order
        names = [self._names.get((order.cause, order.pair, leg)) for leg in (0, 1)]
        if names[0] is None or names[1] is None or order.client_order_id not in names:
            return None
        return Legs(parents[names[0]], parents[names[1]])


def _goes_on(mine: PairLeg, other: PairLeg, wanted: int, filled: int) -> Lead:
    """The leg that leads already, with no more lots than are displayed and the other could hedge now."""
    lots, hedge = mine.parent.lots, other.parent.lots
    done = min(filled, lots) * hedge // lots
    within = ((done + other.displayed_lots + 1) * lots - 1) // hedge - filled
    now = max(0, min(wanted, mine.displayed_lots, within))
    return Lead(mine.instrument, now, other.instrument, f"{mine.instrument} goes on with {now}")


def _leg(parent: Parent, books: Books) -> PairLeg:
    asked = ParentOrder(parent.order.side, parent.order.quantity, limit_ticks(parent))
    return PairLeg(parent.order.client_order_id, asked, open_places(parent, books)[1])


def _first_ns(parent: Parent) -> int:
    return min(each.order.event_time_ns for each in parent.children.values())
