"""YAML read field by field, every fault noted with its line: a user sees all that is wrong with a file at once."""

import math
import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

Scalar = str | int | float | bool

_NULL = "tag:yaml.org,2002:null"
_TEXT = "tag:yaml.org,2002:str"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]*")


@dataclass(slots=True)
class Faults:
    """What is wrong with one file, one line each."""

    file: Path
    _found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, path: str, message: str) -> None:
        """Note a fault in a line, from 1, of the field at `path`."""
        self._found.append((line, f"{path}: {message}" if path else message))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __str__(self) -> str:
        return "\n".join(f"{self.file}:{line}: {text}" for line, text in sorted(self._found, key=lambda each: each[0]))


def read(path: Path) -> "tuple[Section, Faults]":
    """The top of a file, a mapping; an empty one, with the fault noted, where the file cannot be read at all."""
    faults = Faults(path)
    top = None
    try:
        top = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        if not isinstance(top, yaml.MappingNode):
            faults.add(1, "", "fields expected at the top, such as `strategy: NAME`")
    except OSError as error:
        faults.add(1, "", f"cannot be read: {error.strerror or error}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        faults.add(mark.line + 1 if mark else 1, "", f"not YAML: {problem}")
    if not isinstance(top, yaml.MappingNode):
        top = yaml.MappingNode(_NULL, [], yaml.Mark(str(path), 0, 0, 0, None, 0))
    return Section(top, "", faults), faults


class Section:
    """A mapping of the file. Each method gives a field, or notes what is wrong and gives a value that harms nothing."""

    def __init__(self, node: yaml.MappingNode, path: str, faults: Faults) -> None:
        self._node = node
        self._path = path
        self._faults = faults
        self._fields: dict[str, yaml.Node] = {}
        self._keys: dict[str, yaml.Node] = {}
        self._asked: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in self._fields:
                faults.add(_line(key), self.at(name), f"given twice, first in line {_line(self._keys[name])}")
            else:
                self._keys[name], self._fields[name] = key, value

    def at(self, name: str) -> str:
        """The path of a field, as a message has it."""
        return f"{self._path}.{name}" if self._path else name

    def line(self, name: str) -> int:
        """The line of a field, or that of the section where it is left out."""
        return _line(self._fields.get(name, self._node))

    def fault(self, name: str, message: str) -> None:
        """Note a fault of a field, in its line, or in that of the section where it is left out."""
        self._faults.add(self.line(name), self.at(name), message)

    def has(self, name: str) -> bool:
        self._asked.add(name)
        return name in self._fields and self._fields[name].tag != _NULL

    def names(self) -> tuple[str, ...]:
        """The fields that are there, in the file's order."""
        return tuple(self._fields)

    def text(self, name: str, default: str | None = None) -> str:
        """A scalar as it is written: `ON`, `0700` and `1.50` are text too."""
        node = self._scalar(name, default is None, "a text")
        return default or "" if node is None else str(node.value)

    def name(self, name: str, default: str | None = None) -> str:
        """A text that can be part of a key, an id or a file name."""
        value = self.text(name, default)
        self.check_name(name, value)
        return value

    def check_name(self, name: str, value: str) -> None:
        """Note a fault of a field where a text, its value or its own name, is not a name."""
        if value and not _NAME.fullmatch(value):
            self.fault(name, f"{value!r} is not a name: use letters, digits and . _ : + -")

    def zone(self, name: str, default: str) -> ZoneInfo:
        """A time zone of IANA; UTC where it is not one."""
        text = self.text(name, default=default)
        try:
            return ZoneInfo(text)
        except (KeyError, ValueError, OSError):  # not known; no name; a folder of names
            self.fault(name, f"unknown zone {text!r}: give one of IANA, such as America/New_York or UTC")
            return ZoneInfo("UTC")

    def number(self, name: str, default: float | None = None, *, positive: bool = False, zero: bool = True) -> float:
        """A finite number, greater than zero if `positive`, not zero unless `zero`; 0 where it is not one."""
        wanted = "one greater than 0" if positive else "a finite one" if zero else "one that is not 0"
        node = self._scalar(name, default is None, "a number")
        if node is None:
            return default or 0.0
        try:
            value = float(node.value)
        except ValueError:
            self.fault(name, f"{node.value!r} is not a number: give {wanted}")
            return 0.0
        if not math.isfinite(value) or (positive and value <= 0) or (not zero and value == 0):
            self.fault(name, f"{node.value} is out of range: give {wanted}")
            return 0.0
        return value

    def between(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`; the nearer of them where it is out of range."""
        value = self.number(name, default)
        if not low <= value <= high:
            self.fault(name, f"{value:g} is out of range: give one from {low:g} to {high:g}")
        return min(max(value, low), high)

    def share(self, name: str, default: float | None = None) -> float:
        """A number greater than 0, 1 at most."""
        value = self.number(name, default, positive=True)
        if value > 1:
            self.fault(name, f"{value:g} is out of range: give a share greater than 0, 1 at most")
        return min(value, 1.0)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Whether something holds."""
        value = self.scalar(name) if self.has(name) else default
        if not isinstance(value, bool):
            self.fault(name, f"{value!r} is neither true nor false")
        return value is True

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`; `high` where it is not one."""
        node = self._scalar(name, default is None, "a whole number")
        if node is None:
            return high if default is None else default
        try:
            value = int(node.value)
        except ValueError:
            self.fault(name, f"{node.value!r} is not a whole number: give one from {low} to {high}")
            return high
        if not low <= value <= high:
            self.fault(name, f"{value} is out of range: give {low} to {high}")
            return high
        return value

    def scalar(self, name: str) -> Scalar:
        """A number, a truth value or a text, as YAML has it (and 1e-5 a number, which YAML 1.1 does not)."""
        node = self._scalar(name, True, "one value")
        if node is None:
            return ""
        if node.tag == _TEXT and node.style is None:
            try:
                return float(node.value)
            except ValueError:
                return str(node.value)
        value: Scalar = yaml.SafeLoader("").construct_object(node)
        return value if isinstance(value, Scalar) else str(node.value)

    def section(self, name: str, *, required: bool = True) -> "Section | None":
        """A mapping within this one; None where it is left out."""
        node = self._given(name, required, "fields")
        if isinstance(node, yaml.MappingNode):
            return Section(node, self.at(name), self._faults)
        if node is not None:
            self.fault(name, "fields expected, such as {name: value}")
        return None

    def sections(self, name: str, *, required: bool = True) -> "Iterator[Section]":
        """The mappings of a list."""
        node = self._given(name, required, "a list")
        if node is not None and not isinstance(node, yaml.SequenceNode):
            self.fault(name, "a list expected, each line of it starting with -")
        if required and isinstance(node, yaml.SequenceNode) and not node.value:
            self.fault(name, "give at least one")
        for index, each in enumerate(node.value if isinstance(node, yaml.SequenceNode) else []):
            path = f"{self.at(name)}[{index}]"
            if isinstance(each, yaml.MappingNode):
                yield Section(each, path, self._faults)
            else:
                self._faults.add(_line(each), path, "fields expected, such as {name: value}")

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts, one at least, each as it is written."""
        node = self._given(name, default is None, "a list such as [A, B]")
        if node is None:
            return default or ()
        found = node.value if isinstance(node, yaml.SequenceNode) else []
        if not found or not all(isinstance(each, yaml.ScalarNode) for each in found):
            self.fault(name, "a list of texts expected, such as [A, B]")
            return ()
        return tuple(str(each.value) for each in found)

    def one_of(self, name: str, known: Iterable[str], what: str, default: str | None = None) -> str:
        """A text that names something known; the nearest name is offered where it does not."""
        value = self.text(name, default)
        known = tuple(known)
        if value and value not in known:
            self.fault(name, f"unknown {what} {value!r}{_nearest(value, known)}")
            return ""
        return value

    def done(self) -> None:
        """Note the fields that nobody asked for."""
        for name in self._fields.keys() - self._asked:
            near = _nearest(name, tuple(sorted(self._asked)))
            self._faults.add(_line(self._keys[name]), self.at(name), f"unknown field{near}")

    def _given(self, name: str, required: bool, what: str) -> yaml.Node | None:
        if self.has(name):
            return self._fields[name]
        if required:
            self.fault(name, f"missing: give {what}")
        return None

    def _scalar(self, name: str, required: bool, what: str) -> yaml.ScalarNode | None:
        node = self._given(name, required, what)
        if node is not None and not isinstance(node, yaml.ScalarNode):
            self.fault(name, f"{what} expected, not {'fields' if isinstance(node, yaml.MappingNode) else 'a list'}")
            return None
        return node


class Unique:
    """Values of a field that no two sections may share."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._taken: dict[Hashable, Section] = {}

    def take(self, section: Section, shown: str, key: Hashable) -> None:
        """Note a fault of the section if another has the same key; an empty one is none."""
        first = self._taken.setdefault(key, section)
        if shown and first is not section:
            section.fault(self._name, f"{shown!r} is taken, in line {first.line(self._name)}: give another")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _nearest(name: str, known: tuple[str, ...]) -> str:
    found = get_close_matches(name, known, n=1)
    if found:
        return f": did you mean {found[0]}?"
    some = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    return f": there is {some}" if known else ": there are none"
