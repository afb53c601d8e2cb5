"""Both legs of a pair kept in step: the leg that is harder to trade goes first, the other follows its fills.

Ratios are compared crosswise in whole numbers. The leg that follows is never more of its order than the first one's
fills are of its own: a lot is due once the first leg has earned it in full.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.domain.venue_books import ParentOrder, RoutingError, VenueBook


@dataclass(frozen=True, slots=True)
class PairLeg:
    """One leg of a pair: its order, and the books of its instrument."""

    instrument: str
    parent: ParentOrder
    books: Sequence[VenueBook]

    @property
    def displayed_lots(self) -> int:
        """What its order could take now, within its limit."""
        side = self.parent.side
        return sum(
            level.lots for book in self.books for level in book.far(side) if self.parent.allows(level.price_ticks)
        )


@dataclass(frozen=True, slots=True)
class Lead:
    """The leg to trade first, how many lots of it now, and why. 0 lots: none of it is displayed."""

    instrument: str
    lots: int
    follows: str
    reason: str


def lead_leg(a: PairLeg, b: PairLeg, filled_lots: int = 0) -> Lead:
    """Which leg leads: the one whose order is more of what is displayed; of equals the first.

    As many lots as are displayed of it and as the other leg could hedge now, `filled_lots` of the leading leg done.
    """
    # a is the harder one if a.lots / a.displayed >= b.lots / b.displayed.
    first, other = (a, b) if a.parent.lots * b.displayed_lots >= b.parent.lots * a.displayed_lots else (b, a)
    left = first.parent.lots - filled_lots
    if not 0 <= left <= first.parent.lots:
        raise RoutingError(f"{first.instrument}: {filled_lots} lots filled of {first.parent.lots}")
    # The most lots for which hedge_due is not above what is displayed of the other leg.
    done = filled_lots * other.parent.lots // first.parent.lots
    within = ((done + other.displayed_lots + 1) * first.parent.lots - 1) // other.parent.lots - filled_lots
    lots = min(left, first.displayed_lots, within)
    reason = (
        f"{first.instrument} first: {first.parent.lots} lots of {first.displayed_lots} displayed, against "
        f"{other.parent.lots} of {other.displayed_lots} of {other.instrument}; {lots} now, which "
        f"{(filled_lots + lots) * other.parent.lots // first.parent.lots - done} of {other.instrument} hedge"
    )
    return Lead(first.instrument, lots, other.instrument, reason)


def hedge_due(lead_lots: int, lead_filled: int, hedge_lots: int, hedge_sent: int) -> int:
    """Lots of the following leg to send after a fill of the leading one; `hedge_sent`: filled, working and unknown.

    All of it once the leading leg is filled; before, what its fills have earned in full. 0 where more is out already,
    as after a bust. Raises RoutingError for what cannot be.
    """
    if lead_lots < 1 or hedge_lots < 1:
        raise RoutingError(f"legs of {lead_lots} and {hedge_lots} lots: a leg has 1 or more")
    if not 0 <= lead_filled <= lead_lots:
        raise RoutingError(f"{lead_filled} lots filled of {lead_lots}")
    if hedge_sent < 0:
        raise RoutingError(f"{hedge_sent} lots sent: give 0 or more")
    return max(0, lead_filled * hedge_lots // lead_lots - hedge_sent)
