"""What a batch of TotalView-ITCH 5.0 comes to: rows, faults and counts, gathered from several runs of the kernel."""

import numpy as np

from pipelines.domain.decoding import DECODED, Decoded, Fault, Missing, Reason
from pipelines.domain.market import Kind, Status
from pipelines.feeds.protocols.itch50.faults import told
from pipelines.feeds.protocols.itch50.orders import NEVER_READ
from pipelines.feeds.protocols.itch50.wire import FAULT, FAULTS, ROWS, Frames, Integers, Made


class Output:
    """Room for a batch, used again for the next."""

    def __init__(self) -> None:
        self.made = Made(np.zeros(4096, DECODED), np.zeros(64, FAULT), np.zeros(256, np.int64))
        self.rows = 0
        self.faults: list[Fault] = []
        self.missing: list[Missing] = []
        self.packets: dict[str, int] = {}
        """Messages of the transport, by name."""

    def grow_rows(self) -> None:
        """Twice the room for rows."""
        more = np.zeros(len(self.made.rows), DECODED)
        self.made = self.made._replace(rows=np.concatenate((self.made.rows, more)))

    def status(self, progress: Integers, position: int, instrument: int, status: Status, event_ns: int) -> None:
        """A row that says what a venue's message did not."""
        if progress[ROWS] == len(self.made.rows):
            self.grow_rows()
        row = np.zeros(1, DECODED)
        row["position"], row["instrument"], row["kind"], row["code"] = position, instrument, Kind.STATUS, status
        row["event_ns"], row["venue_sequence"] = event_ns, -1
        self.made.rows[progress[ROWS]] = row[0]
        progress[ROWS] += 1

    def take_faults(self, progress: Integers, frames: Frames, bases: Integers, symbols: list[str]) -> None:
        """What the kernel found wrong, in words."""
        for found in self.made.faults[: progress[FAULTS]]:
            frame, at, size = int(found["frame"]), int(found["at"]), int(found["size"])
            position, code, book = int(frames.positions[frame]), int(found["code"]), int(found["book"])
            symbol = symbols[book] if book >= 0 else ""
            if code == NEVER_READ:
                detail = "messages refer to orders placed before the first one, or lost: the book is not whole"
                self.missing.append(Missing(position, detail, symbol))
                continue
            detail = told(code, int(found["field"]), frames.buffer[at : at + size].tobytes())
            field_offset = int(found["field"]) + 2 if found["field"] else 0
            offset = at - int(bases[frame]) + field_offset
            self.faults.append(Fault(position, Reason.UNDECODABLE, detail, offset, symbol))
        progress[FAULTS] = 0

    def decoded(self) -> Decoded:
        """All of the batch; then it is empty again."""
        counts = {chr(kind): int(count) for kind, count in enumerate(self.made.messages) if count}
        rows = self.made.rows[: self.rows].copy()
        made = Decoded(rows, tuple(self.faults), tuple(self.missing), counts | self.packets)
        self.made.messages[:] = 0
        self.rows, self.faults, self.missing, self.packets = 0, [], [], {}
        return made
