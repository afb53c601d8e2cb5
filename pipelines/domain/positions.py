"""A position in one instrument, its cash and its cost: exact integers, so that it equals the sum of its fills."""

import msgspec


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Lots, signed; `cash` and `cost` in price ticks x lots. New fields go last, with a default.

    `cash` is what selling brought less what buying took; `cost` what the open lots were paid for at average cost,
    signed as the lots are. Money in the instrument's currency = ticks x lots x tick_size x lot_size.
    """

    lots: int = 0
    cash: int = 0
    cost: int = 0

    @property
    def realised(self) -> int:
        """Profit made by average cost, in price ticks x lots."""
        return self.cash + self.cost

    def traded(self, lots: int, price_ticks: int) -> "Position":
        """After a fill of signed lots. A fill that crosses zero closes at average cost and opens at its own price."""
        after = self.lots + lots
        cash = self.cash - lots * price_ticks
        if self.lots * lots >= 0:
            return Position(after, cash, self.cost + lots * price_ticks)
        if self.lots * after <= 0:
            return Position(after, cash, after * price_ticks)
        return Position(after, cash, self.cost * after // self.lots)

    def corrected(self, value: int, sign: int) -> "Position":
        """After lots bought (sign 1) or sold (-1) turn out to be worth `value` more than was booked for them.

        The open lots' cost takes it where they are on the same side, else the profit does. Cash is exact either way.
        """
        cost = self.cost + sign * value if self.lots * sign > 0 else self.cost
        return Position(self.lots, self.cash - sign * value, cost)

    def of_lots(self, lots: int) -> "Position":
        """The same made of other lots, as a split does: what is open was paid for as before."""
        return Position(lots, self.cash, self.cost if lots * self.lots > 0 else 0)

    def unrealised(self, mark_ticks: float) -> float:
        """Open profit at a mark, in price ticks x lots."""
        return self.lots * mark_ticks - self.cost


FLAT = Position()
