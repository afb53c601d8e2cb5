"""What an order was to be expected to move its price by, before the trade: published laws, as shares of the price."""

import math

GAMMA, ETA = 0.314, 0.142
"""Of permanent and temporary impact, as Almgren and others fitted them to US large caps."""

OUTSTANDING_DAYS = 200.0
"""Shares outstanding in days of volume, where they are not known: usual of large caps, and a fourth root is taken."""

SHORTEST_DAYS = 1 / 390
"""The law of 2005 is of rates of trading: an order that took less than a minute of a session of 6.5 h is reckoned as
one that took a minute."""


def square_root(deviation: float, volumes: float) -> float:
    """deviation * sqrt(volumes) (Toth and others, "Anomalous price impact and the critical nature of liquidity in
    financial markets", Physical Review X 1, 2011). `deviation`: of a day's return, a share; `volumes`: lots, in days'
    volumes."""
    return deviation * math.sqrt(volumes)


def almgren_2005(
    deviation: float, volumes: float, days: float, outstanding_days: float = OUTSTANDING_DAYS
) -> tuple[float, float]:
    """Permanent impact I and the expected cost J, which has half of it (Almgren, Thum, Hauptmann, Li, "Direct
    estimation of equity market impact", Risk, July 2005):

    I = gamma * deviation * volumes * outstanding_days^(1/4), J = I / 2 + eta * deviation * (volumes / days)^(3/5).

    `days`: from the first to the last fill, in trading days, no less than `SHORTEST_DAYS`.
    """
    permanent = GAMMA * deviation * volumes * outstanding_days**0.25
    rate = volumes / max(days, SHORTEST_DAYS)
    return permanent, 0.5 * permanent + ETA * deviation * rate**0.6
