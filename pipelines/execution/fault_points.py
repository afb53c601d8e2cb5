"""Places where a gateway dies on request, so that tests can kill it between any two of its acts.

`HELIOS_DIE_AT=intent_written:3`: by SIGKILL, when it has come past that place for the third time.
"""

import os
import signal
from collections.abc import Mapping
from enum import StrEnum

VARIABLE = "HELIOS_DIE_AT"


class Place(StrEnum):
    """Of an order's way, in order."""

    BEFORE_INTENT = "before_intent"
    IN_TRANSACTION = "in_transaction"
    """Written, and not committed."""
    INTENT_WRITTEN = "intent_written"
    SENT = "sent"
    BEFORE_RECORD = "before_record"
    """A venue's word is heard, and not written."""
    RECORDED = "recorded"


class FaultPoints:
    """Counts how often each place is passed. Raises ValueError where what is asked for is no place."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        asked = environment.get(VARIABLE, "")
        name, _, count = asked.partition(":")
        known = ", ".join(Place)
        if asked and (name not in list(Place) or not (count or "1").isdigit()):
            raise ValueError(f"{VARIABLE}={asked}: give PLACE:COUNT with a place of {known}")
        self._at = Place(name) if asked else None
        self._left = int(count or 1)

    def passed(self, place: Place) -> None:
        if place is not self._at:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
