"""The signals of a strategy file: which, with which parameters, and for which strategy of the account.

```yaml
signals:
  - file: sql/signals/pair_reversion.sql    # from the repository's root or this file's folder
    name: slow                              # the file's, if left out
    parameters: {entry_z: 2.0, exit_z: 0.5}
    strategy: carry                         # for whom it speaks; the file's own strategy, if left out
```
"""

from collections.abc import Iterator
from pathlib import Path

from pipelines.contracts.marked_yaml import Section, Unique
from pipelines.domain.universe import SignalUse

REPOSITORY = Path(__file__).resolve().parents[2]


def signal_path(use: SignalUse) -> Path:
    """Where the text of a signal lies."""
    return REPOSITORY / use.file


def read_signals(top: Section, folder: Path) -> Iterator[SignalUse]:
    """Of a file's top, faults noted in it. `folder`: where the file lies."""
    names = Unique("name")
    for section in top.sections("signals", required=False):
        file = section.text("file")
        name = section.name("name", default=Path(file).stem)
        parameters = section.section("parameters", required=False)
        values = {key: parameters.scalar(key) for key in parameters.names()} if parameters else {}
        strategy = section.name("strategy", default="")
        section.done()
        names.take(section, name, name)
        found = _found(file, folder)
        if file and found is None:
            section.fault("file", f"no file {file} in {folder} or {REPOSITORY}")
        yield SignalUse(file=str(found), parameters=values, name=name, strategy=strategy)


def dump_signal(use: SignalUse) -> dict[str, object]:
    """The section that reads as this use."""
    told: dict[str, object] = {"file": use.file, "name": use.name, "parameters": dict(use.parameters)}
    return told | ({"strategy": use.strategy} if use.strategy else {})


def _found(file: str, folder: Path) -> Path | None:
    """Where a file is: within the repository if it is, else in full."""
    for place in (REPOSITORY / file, folder / file):
        if place.is_file():
            place = place.resolve()
            return place.relative_to(REPOSITORY) if place.is_relative_to(REPOSITORY) else place
    return None
