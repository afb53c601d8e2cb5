"""The symbols of a session, numbered as they come."""

from collections.abc import Iterator, Mapping


class Symbols:
    """Numbers from 0 for the listed symbols, in the order of their first message."""

    def __init__(self, index: Mapping[str, int]) -> None:
        self._index = index
        self.numbers: dict[str, int] = {}
        self._names: list[str] = []

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def number(self, name: str) -> int:
        """A symbol's number; -1 where it is not listed."""
        known = self.numbers.get(name, -1)
        if known < 0 and self._index.get(name, -1) >= 0:
            known = self.numbers[name] = len(self._names)
            self._names.append(name)
        return known

    def name(self, number: int) -> str:
        """The symbol of a number."""
        return self._names[number]

    def instrument(self, name: str) -> int:
        """A symbol's place in the listing."""
        return self._index.get(name, -1)
