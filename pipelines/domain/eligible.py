"""Which quotes and trades count: bars, averages and quotes as of a time all go by these."""

from pipelines.domain.market import Condition, Flag

SPOILED = int(Flag.CROSSED | Flag.OUTLIER | Flag.DUPLICATE)
"""Flags of rows that are left out."""

SUSPICIOUS = int(Condition.SUSPICIOUS)
"""Conditions of trades that are left out: so marked by who recorded them."""

VOLUME_ONLY = int(Condition.NOT_LAST | Condition.OUT_OF_SEQUENCE)
"""Conditions of trades that count for volume and set no price."""
