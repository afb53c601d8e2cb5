"""Sale and quote conditions of LEAN's equity ticks, and what they make of a line.

Bits: LEAN's TradeConditionFlags and QuoteConditionFlags (Data/equity/readme.md), after AlgoSeek's "US Equity TAQ".
Which trades set the last price: CTA and UTP "Consolidated Processing Guidelines", columns high/low and last.
"""

from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import Condition


class Sale(IntFlag):
    """Conditions of a trade that matter here; the others change nothing."""

    CASH = 0x2
    NEXT_DAY = 0x4
    SELLER = 0x8
    SWEEP = 0x20
    OPENING = 0x40
    CLOSING = 0x80
    REOPENING = 0x100
    DERIVATIVELY_PRICED = 0x200
    FORM_T = 0x400
    SOLD_LATE = 0x800
    EXTENDED_HOURS = 0x2000
    OUT_OF_SEQUENCE = 0x4000
    STOCK_OPTION = 0x40000
    AVERAGE_PRICE = 0x100000
    CROSS = 0x200000
    PRICE_VARIATION = 0x400000
    OFFICIAL_CLOSE = 0x1000000
    PRIOR_REFERENCE_PRICE = 0x2000000
    OFFICIAL_OPEN = 0x4000000
    ODD_LOT = 0x80000000


CONDITION_OF = {
    Sale.CASH: Condition.NOT_LAST,
    Sale.NEXT_DAY: Condition.NOT_LAST,
    Sale.SELLER: Condition.NOT_LAST,
    Sale.SWEEP: Condition.SWEEP,
    Sale.OPENING: Condition.OPENING,
    Sale.CLOSING: Condition.CLOSING,
    Sale.REOPENING: Condition.REOPENING,
    Sale.DERIVATIVELY_PRICED: Condition.NOT_LAST,
    Sale.FORM_T: Condition.EXTENDED_HOURS,
    Sale.EXTENDED_HOURS: Condition.EXTENDED_HOURS,
    Sale.OUT_OF_SEQUENCE: Condition.OUT_OF_SEQUENCE,
    Sale.STOCK_OPTION: Condition.NOT_LAST,
    Sale.AVERAGE_PRICE: Condition.NOT_LAST,
    Sale.CROSS: Condition.CROSS,
    Sale.PRICE_VARIATION: Condition.NOT_LAST,
    Sale.ODD_LOT: Condition.ODD_LOT | Condition.NOT_LAST,
}
"""What a sale condition is to us. Sold late (L) and prior reference price (P) may set the last price where nothing else
has: they are left as they are. Trades of extended hours do not set the tape's last price, but are the only ones there
are before the opening: their own bit tells them apart."""

OFFICIAL = int(Sale.OFFICIAL_OPEN | Sale.OFFICIAL_CLOSE)
"""A market centre's official price: it repeats an auction's price, and is no trade. Counted into volume, it counts an
auction twice (SPY, 2013-10-07: 3.2 million shares)."""


class Listed(IntFlag):
    """Conditions of a quote that matter here."""

    MANUAL = 0x4
    HALT_NEWS_DISSEMINATED = 0x10
    HALT_NEWS_PENDING = 0x20
    INDICATION = 0x40
    HALT_PRICE_MOVE = 0x200
    NOT_FIRM = 0x400
    RESUMED = 0x2000
    HALT_REST_OF_DAY = 0x20000
    PRICE_BAND = 0x40000
    PRICE_BAND_AGAIN = 0x80000
    MANUAL_BOTH = 0x100000


HALT = int(Listed.HALT_NEWS_DISSEMINATED | Listed.HALT_NEWS_PENDING | Listed.HALT_PRICE_MOVE | Listed.HALT_REST_OF_DAY)
"""Regulatory halts: of the instrument, on every exchange. Other halts are of one exchange, whose quote is withdrawn."""
RESUMED = int(Listed.RESUMED)
NOT_A_QUOTE = int(Listed.INDICATION | Listed.PRICE_BAND | Listed.PRICE_BAND_AGAIN)
NOT_TO_BE_HAD = int(Listed.MANUAL | Listed.NOT_FIRM | Listed.MANUAL_BOTH)
"""Quotes that nobody need trade at: the side counts as not there."""


class Message(IntEnum):
    """What a line is counted as, by its name in small letters."""

    TRADE = 0
    QUOTE = 1
    BAR = 2
    OPEN_INTEREST = 3
    OFFICIAL_PRICE = 4
    SUSPICIOUS_QUOTE = 5
    INDICATION = 6
    HALT = 7


CONDITIONS: NDArray[np.int32] = np.zeros(32, np.int32)
"""By bit of a sale condition: the `Condition` that it is to us."""
for _sale, _condition in CONDITION_OF.items():
    CONDITIONS[int(_sale).bit_length() - 1] = int(_condition)
