"""FIX messages as a log has them, and rows of FIX's order state matrices as such messages."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from simplefix import FixMessage

STATUS = {
    "New": "0",
    "Partially Filled": "1",
    "Filled": "2",
    "Done for Day": "3",
    "Canceled": "4",
    "Replaced": "5",
    "Pending Cancel": "6",
    "Stopped": "7",
    "Rejected": "8",
    "Suspended": "9",
    "Pending New": "A",
    "Calculated": "B",
    "Expired": "C",
    "Pending Replace": "E",
}
KIND = {**STATUS, "Replace": "5", "Restated": "D", "Trade": "F", "Trade Correct": "G", "Trade Cancel": "H"} | {
    "Order Status": "I",
    "Triggered": "L",
}
TRANS = {"Trade Cancel": "1", "Trade Correct": "2", "Order Status": "3"}


def message(*fields: tuple[int, object], version: str = "FIX.4.4") -> bytes:
    """A message with its BodyLength and CheckSum."""
    made = FixMessage()
    made.append_pair(8, version)
    for tag, value in fields:
        if value is not None and value != "":
            made.append_pair(tag, value)
    encoded: bytes = made.encode()
    return encoded


@dataclass(frozen=True)
class Row:
    """A row of a matrix. `alt` is another way that it may go, on which the matrix does not go on."""

    what: str
    """D, F, G, H by the buy side; 8, 9 by the sell side."""
    ids: tuple[str, ...]
    kind: str = ""
    status: str = ""
    order_qty: int | None = None
    cum_qty: int | None = None
    leaves_qty: int | None = None
    last: int | None = None
    exec_id: str = ""
    refers: str = ""
    price: str = ""
    again: bool = False
    alt: bool = False

    def fix(self, number: int, version: str) -> bytes:
        """The row as a message, with an ExecID of its own and a session's number."""
        orig = self.ids[1] if len(self.ids) > 1 else None
        sent = f"20240102-10:00:{number % 60:02d}.000"
        sides = ("BUY", "SELL") if self.what in "DFGH" else ("SELL", "BUY")
        head = [
            (35, self.what),
            (49, sides[0]),
            (56, sides[1]),
            (34, number),
            (52, sent),
            (97, "Y" if self.again else ""),
        ]
        body: list[tuple[int, object]] = [(11, self.ids[0]), (41, orig), (55, "IBM"), (54, "1"), (60, sent)]
        if self.what == "9":
            body += [(37, "V1"), (39, STATUS[self.status]), (434, "1")]
        elif self.what == "8":
            body += [(37, "V1"), (17, self.exec_id or f"E{number}"), (19, self.refers), (39, STATUS[self.status])]
            body += [
                (38, self.order_qty),
                (14, self.cum_qty),
                (151, self.leaves_qty),
                (32, self.last),
                (31, self.price),
            ]
            body += self._kind(version)
        else:
            body += [(38, self.order_qty)]
        return message(*head, *body, version=version)

    def _kind(self, version: str) -> list[tuple[int, object]]:
        if version != "FIX.4.2":
            return [(150, KIND["Trade" if self.kind in ("Fill", "Partial Fill") else self.kind])]
        kind = self.kind
        if kind in ("Trade", "Trade Cancel", "Trade Correct", "Fill", "Partial Fill"):
            return [(20, TRANS.get(kind, "0")), (150, "2" if self.status == "Filled" else "1")]
        if kind == "Order Status":
            return [(20, "3"), (150, STATUS[self.status])]
        return [(20, "0"), (150, KIND[kind])]


def rows(table: str) -> list[Row]:
    """Rows of a table: `8 Y,X | Replace | New | 8000 0 8000 0 | exec_id(refers) @price`; `~` before another way."""
    found = []
    for line in filter(None, (each.strip() for each in table.splitlines())):
        head, *cells = (each.strip() for each in line.lstrip("~ ").split("|"))
        what, ids, *more = head.split()
        row = Row(what, tuple(ids.split(",")), alt=line.startswith("~"), again="again" in more)
        if what in "DGFH":
            found.append(replace(row, order_qty=int(more[0]) if more and more[0].isdigit() else None))
        elif what == "9":
            found.append(replace(row, status=cells[0]))
        else:
            numbers = [int(each) if each != "-" else None for each in cells[2].split()]
            row = replace(row, kind=cells[0], status=cells[1])
            row = replace(row, **dict(zip(("order_qty", "cum_qty", "leaves_qty", "last"), numbers, strict=False)))
            for part in cells[3].split() if len(cells) > 3 else ():
                if part.startswith("@"):
                    row = replace(row, price=part[1:])
                else:
                    exec_id, _, refers = part.rstrip(")").partition("(")
                    row = replace(row, exec_id=exec_id, refers=refers)
            found.append(row)
    return found


def paths(of: list[Row]) -> Iterator[list[Row]]:
    """The way that a matrix goes to its end, and each other way up to where it leaves that."""
    yield [row for row in of if not row.alt]
    for number, row in enumerate(of):
        if row.alt:
            yield [*(each for each in of[:number] if not each.alt), row]
