"""Breaches of a session: from the notice that an account reduces to the one that it is active again, or halted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
"""Of `helios history orders`."""

BEGINS = ("reducing: ", "flattening: ")
ENDS = ("active: ", "halted: ", "flat: ")


@dataclass(slots=True)
class Breach:
    """`why`: limit and value as it broke, or who wanted it flat. `how` it ended and when: empty and None while it goes
    on. `orders`, `cancels`: those of the unwinding; `refused`: how many entries were."""

    began: datetime
    why: str
    ended: datetime | None = None
    how: str = ""
    orders: list[Row] = field(default_factory=list)
    cancels: list[Row] = field(default_factory=list)
    refused: int = 0

    @property
    def seconds(self) -> float | None:
        """Of event time, from the breach to its end."""
        return (self.ended - self.began).total_seconds() if self.ended else None

    @property
    def first_order_s(self) -> float | None:
        return (self.orders[0]["time"] - self.began).total_seconds() if self.orders else None

    @property
    def last_fill_s(self) -> float | None:
        """To the last order of it that was filled."""
        filled = [row for row in self.orders if row["filled"]]
        return (filled[-1]["time"] - self.began).total_seconds() if filled else None


def breaches(rows: Iterable[Row]) -> list[Breach]:
    """Of decisions in the order of their making. What a person flattens counts too; orders are those that marks caused:
    no signal did."""
    found: list[Breach] = []
    for row in rows:
        now = found[-1] if found and found[-1].ended is None else None
        text = str(row["reason"])
        if row["action"] == "notice" and text.startswith(BEGINS) and now is None:
            found.append(Breach(row["time"], text))
        elif now is None:
            continue
        elif row["action"] == "notice" and text.startswith(ENDS):
            now.ended, now.how = row["time"], text
        elif row["action"] in ("new", "booked") and str(row["cause"]).startswith("marks/"):
            now.orders.append(row)
        elif row["action"] == "cancel":
            now.cancels.append(row)
        elif row["action"] == "refused":
            now.refused += 1
    return found
