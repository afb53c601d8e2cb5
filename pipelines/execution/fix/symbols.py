"""A venue's instruments as FIX names them: by symbol, quantities in units, prices and units as exact decimals."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from pipelines.domain.trading import Side
from pipelines.domain.universe import Instrument

_NUMBER = re.compile(r"(-?)([0-9]{1,15}(\.[0-9]{0,12})?|\.[0-9]{1,12})")


SIDES: Mapping[str, Side] = {"1": Side.BUY, "2": Side.SELL, "5": Side.SELL, "6": Side.SELL}
"""Side (54): sell short (5) and sell short exempt (6) sell too."""


class Unfit(ValueError):
    """A message that cannot be taken, in words. `code`: OrdRejReason (103)."""

    def __init__(self, text: str, code: int = 99) -> None:
        super().__init__(text)
        self.code = code


class Symbols:
    """Instruments by Symbol (55). Raises ValueError for two of one symbol."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._by_symbol: dict[str, Instrument] = {}
        self._by_id: dict[str, Instrument] = {}
        for each in instruments:
            first = self._by_symbol.setdefault(each.symbol, each)
            if first is not each:
                raise ValueError(f"instruments {first.id} and {each.id} have one symbol, {each.symbol}: rename one")
            self._by_id[each.id] = each

    def find(self, symbol: str) -> Instrument:
        """Raises Unfit."""
        if symbol not in self._by_symbol:
            raise Unfit(f"Symbol (55) {symbol!r} is not traded here", 1)
        return self._by_symbol[symbol]

    def of(self, instrument: str) -> Instrument:
        """By its id. Raises KeyError."""
        return self._by_id[instrument]

    def units(self, instrument: str, lots: int) -> str:
        """Lots as units, exact."""
        return units_of(lots, self._by_id[instrument])


def units_of(lots: int, instrument: Instrument) -> str:
    """Lots as units, exact."""
    return decimal_text(lots * _exact(instrument.lot_size))


def lots_of(units: str, instrument: Instrument) -> int:
    """Units as whole lots, 1 at least. Raises Unfit."""
    value = read_decimal(units, "OrderQty (38)")
    lots, over = divmod(value, _exact(instrument.lot_size))
    if over or lots < 1:
        lot = decimal_text(_exact(instrument.lot_size))
        raise Unfit(f"OrderQty (38) {units} is not a whole number of lots of {lot}", 13)
    return int(lots)


def read_decimal(text: str, name: str) -> Decimal:
    """A number as FIX writes it. Raises Unfit."""
    if not _NUMBER.fullmatch(text):
        raise Unfit(f"{name} {text!r} is not a number")
    return Decimal(text)


def decimal_text(value: float | Decimal) -> str:
    """Without an exponent and without noughts that say nothing."""
    text = f"{value if isinstance(value, Decimal) else Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exact(size: float) -> Decimal:
    return Decimal(repr(size))
