"""Signal files: a header that says what a signal is and takes, and a body in Flink SQL over documented views.

-- signal: pair_reversion
-- about: enter when a spread leaves its band and turns back
-- owner: stat-arb desk
-- version: 3
-- inputs: crossings
-- param: entry_z  z = 2.0         range 0.5..6
-- param: hold     interval = 30 minutes
-- levels: 0.5, entry_z..
SELECT pair, ... WHERE ABS(z) >= :entry_z ...

`owner` and `version` are for people: a signal that runs is known by a hash of its text. `inputs` are the views that it
reads, for those who look for the readers of one. `state: forever` says that it means to keep state without a bound.
`levels` are the |z| whose crossings the signal reads, numbers or parameters of type z, `..` for all from there on; left
out, it reads all, if it reads `crossings`. The spreads job tells of no others: what a signal does not need costs
nothing. After a line of `--` alone, comments are prose.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pipelines.domain.ladder import ALL_LEVELS, Levels
from pipelines.signals.parameters import Parameter, ParameterError, rungs
from pipelines.signals.reads import TEXT, tables_of

_LINE = re.compile(r"--\s*(?P<key>\w+)\s*:\s*(?P<value>.*\S)?\s*$")
_TOKEN = re.compile(rf"{TEXT}|;|:(?P<name>[A-Za-z_]\w*)")
KEYS = ("signal", "about", "owner", "version", "inputs", "state", "param", "levels")
FOREVER = "forever"
_LEVEL = re.compile(r"(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(\.\d+)?)")


class SignalError(ValueError):
    """What is wrong with a signal or what it is given: file, line, thing, way out."""


@dataclass(frozen=True, slots=True)
class SignalFile:
    """A signal as written. `first_line`: of the body, from 1."""

    path: str
    name: str
    about: str
    parameters: tuple[Parameter, ...]
    body: str
    first_line: int
    levels: tuple[tuple[str, bool], ...] = ()
    """Level as written, a number or the name of a parameter, and whether all beyond it are meant. Empty: all levels."""
    owner: str = ""
    label: str = ""
    """The `version` of its header."""
    inputs: tuple[str, ...] = ()
    forever: bool = False
    inputs_line: int = 1

    def bound(self, given: Mapping[str, object], where: str = "") -> "BoundSignal":
        """The signal with values for its parameters, as typed literals. `where`: who gives them, for the errors."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                hint = nearest(name, tuple(known), "it has")
                raise SignalError(f"{where or self.path}: signal {self.name} has no parameter {name!r}: {hint}")
        values = {}
        for name, parameter in known.items():
            try:
                values[name] = parameter.literal(given.get(name, parameter.default))
            except ParameterError as error:
                place = f"{self.path}:{parameter.line}" + (f", given in {where}" if where and name in given else "")
                raise SignalError(f"signal {self.name}: parameter {name}: {error} ({place})") from None

        def literal(match: re.Match[str]) -> str:
            return values[match["name"]] if match["name"] else match[0]

        sql = _TOKEN.sub(literal, self.body)
        levels = self._levels({name: given.get(name, parameter.default) for name, parameter in known.items()}, sql)
        version = hashlib.blake2b(f"{levels}\n{sql}".encode(), digest_size=5).hexdigest()
        header = (self.inputs, self.forever, self.inputs_line)
        return BoundSignal(self.name, version, sql, self.path, self.first_line, levels, *header)

    def _levels(self, values: Mapping[str, object], sql: str) -> Levels:
        """The levels that the signal reads with these values, each on the ladder; none where it reads no crossings."""
        if not self.levels:
            return ALL_LEVELS if "crossings" in tables_of(sql) else Levels()
        told = [(abs(rungs(values.get(level, level))), beyond) for level, beyond in self.levels]
        open_from = min((at for at, beyond in told if beyond), default=None)
        return Levels(frozenset(at for at, _ in told)) | Levels(beyond=open_from)


@dataclass(frozen=True, slots=True)
class BoundSignal:
    """A signal ready to run. `version` is a hash of its text with its parameters: changed, it is another signal.

    `path` and `first_line`: where the text begins, for errors.
    """

    name: str
    version: str
    sql: str
    path: str = ""
    first_line: int = 1
    levels: Levels = ALL_LEVELS
    inputs: tuple[str, ...] = ()
    forever: bool = False
    inputs_line: int = 1

    @property
    def tables(self) -> frozenset[str]:
        """What its text names as tables: views, and whatever else stands in their places."""
        return tables_of(self.sql)

    def place_of(self, name: str) -> str:
        """`file:line:column` of a name where the text first has it."""
        found = re.search(rf"\b{name}\b", re.sub(TEXT, lambda text: " " * len(text[0]), self.sql), re.IGNORECASE)
        return self.place_at(found.start() if found else 0)

    def place_at(self, offset: int) -> str:
        """`file:line:column` of an offset in the text."""
        return _place(self.path, self.first_line, self.sql, max(offset, 0))


def nearest(name: str, known: Sequence[str], among: str) -> str:
    """What may have been meant by a name that is not known; where nothing is near it, all that are."""
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"{among} {', '.join(known) or 'none'}"


def load_signal(path: Path) -> SignalFile:
    """Read a signal file. Raises SignalError for every fault of its header, and of `:names` in its body."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SignalError(f"{path}: cannot be read: {error}") from None
    told: dict[str, str] = {}
    at: dict[str, int] = {}
    parameters: list[Parameter] = []
    first, prose = 0, False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("--"):
            first = number
            break
        prose = prose or text == "--"
        match = _LINE.match(text)
        if not match or (prose and match["key"] not in KEYS):
            continue
        key, value = match["key"], match["value"] or ""
        if key not in KEYS:
            raise SignalError(f"{path}:{number}: header {key!r}: {nearest(key, KEYS, 'one of')}")
        if key == "param":
            parameters.append(_parameter(path, number, value, parameters))
        elif key in told:
            raise SignalError(f"{path}:{number}: {key} is given twice: keep one")
        else:
            told[key], at[key] = value, number
    if not told.get("signal"):
        raise SignalError(f"{path}:1: no name: begin with a line `-- signal: {path.stem}`")
    if told["signal"] != path.stem:
        raise SignalError(f"{path}:1: signal {told['signal']!r} in a file called {path.name}: give both one name")
    if not first:
        raise SignalError(f"{path}:{len(lines) or 1}: no body: give a SELECT over the views of docs/signals.md")
    body = "\n".join(lines[first - 1 :]).rstrip().rstrip(";")
    _check_body(path, body, first, parameters)
    levels = _levels(path, at["levels"], told["levels"], parameters) if "levels" in at else ()
    if told.get("state", FOREVER) != FOREVER:
        raise SignalError(f"{path}:{at['state']}: state: {told['state']!r}: `{FOREVER}` expected, or no such line")
    return SignalFile(
        str(path),
        told["signal"],
        told.get("about", ""),
        tuple(parameters),
        body,
        first,
        levels,
        told.get("owner", ""),
        told.get("version", ""),
        tuple(each.strip() for each in told["inputs"].split(",")) if told.get("inputs") else (),
        "state" in told,
        at.get("inputs", 1),
    )


def _parameter(path: Path, line: int, text: str, before: list[Parameter]) -> Parameter:
    try:
        parameter = Parameter.parse(text, line)
    except ParameterError as error:
        raise SignalError(f"{path}:{line}: param: {error}") from None
    if any(other.name == parameter.name for other in before):
        raise SignalError(f"{path}:{line}: parameter {parameter.name} is declared twice: rename one")
    return parameter


def _levels(path: Path, line: int, text: str, parameters: list[Parameter]) -> tuple[tuple[str, bool], ...]:
    known = [parameter.name for parameter in parameters if parameter.type == "z"]
    found = []
    for part in text.split(","):
        level, beyond = part.strip().removesuffix("..").strip(), part.strip().endswith("..")
        match = _LEVEL.fullmatch(level)
        where = f"{path}:{line}: levels: {part.strip()!r}"
        if not match:
            raise SignalError(f"{where}: a number or a parameter of type z expected, with `..` for all from there on")
        if match["name"] and level not in known:
            raise SignalError(f"{where}: {level} is no parameter of type z: there are {', '.join(known) or 'none'}")
        if match["number"]:
            try:
                rungs(level)
            except ParameterError as error:
                raise SignalError(f"{where}: {error}") from None
        found.append((level, beyond))
    return tuple(found)


def _check_body(path: Path, body: str, first_line: int, parameters: list[Parameter]) -> None:
    """One SELECT, whose `:names` are parameters."""
    known = [parameter.name for parameter in parameters]
    begins = re.match(r"[\s(]*(\w*)", body)
    if begins and begins[1].upper() not in ("SELECT", "WITH"):
        raise SignalError(
            f"{path}:{first_line}:1: {begins[1] or body[:1]}: a signal is a SELECT (or WITH and SELECT) over views: "
            "its rows go to the trader by themselves"
        )
    for match in _TOKEN.finditer(body):
        name, place = match["name"], _place(str(path), first_line, body, match.start())
        if match[0] == ";":
            raise SignalError(f"{place}: a second statement after `;`: a signal is one SELECT: leave the rest out")
        if name and name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean :{near[0]}?" if near else "declare it with `-- param:` in the header"
            raise SignalError(f"{place}: :{name} is no parameter of this signal: {hint}")


def _place(path: str, first_line: int, text: str, at: int) -> str:
    return f"{path}:{first_line + text.count(chr(10), 0, at)}:{at - text.rfind(chr(10), 0, at)}"
