"""Frames held against their suites, with Data Docs as HTML; every failure with the rows that it is about."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read at its import: nothing is sent anywhere

import great_expectations as gx
import pandas as pd

from pipelines.domain.market import Flag
from pipelines.expectations.rules import CROSSED, Subject
from pipelines.expectations.suites import expectations

SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold. `rows`: how many; `examples`: the first of them, by the columns that name
    them, and the value found."""

    subject: str
    says: str
    rows: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        found = f": {self.rows:,} row{'s' if self.rows != 1 else ''}: " + "; ".join(self.examples)
        return f"{self.subject}: {self.says}" + (found if self.rows else "")


@dataclass(frozen=True, slots=True)
class Validated:
    """What came of it. `checked`: rows by subject."""

    checked: Mapping[str, int]
    expectations: int
    failures: tuple[Failure, ...]
    docs: Path | None

    @property
    def good(self) -> bool:
        return not self.failures


def validate(frames: Mapping[str, tuple[Subject, pd.DataFrame]], docs_in: Path | None = None) -> Validated:
    """Hold each frame against its subject's suite. `docs_in`: make Data Docs in this folder, instead of those there."""
    if docs_in is None:
        context = gx.get_context(mode="ephemeral")
    else:
        shutil.rmtree(docs_in / "gx", ignore_errors=True)
        docs_in.mkdir(parents=True, exist_ok=True)
        context = gx.get_context(mode="file", project_root_dir=docs_in)
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("helios")
    failures: list[Failure] = []
    count = 0
    for name, (subject, frame) in frames.items():
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("sample")
        suite = context.suites.add(gx.ExpectationSuite(name, expectations=expectations(subject)))
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
        checkpoint = gx.Checkpoint(name=name, validation_definitions=[definition], result_format=_format(subject))
        (result,) = _run(context, checkpoint, _marked(frame))
        count += len(result.results)
        failures += [_failure(name, subject, each) for each in result.results if not each.success]
    docs = None
    if docs_in is not None:
        pages = context.build_data_docs()
        docs = Path(next(iter(pages.values())).removeprefix("file://"))
    return Validated({name: len(frame) for name, (_, frame) in frames.items()}, count, tuple(failures), docs)


def _marked(frame: pd.DataFrame) -> pd.DataFrame:
    """With the columns that rules ask for and flags of quotes say."""
    quoted = {"flags", "bid"} <= set(frame)
    return frame.assign(**{CROSSED: (frame["flags"] & int(Flag.CROSSED)) != 0}) if quoted else frame


def _run(context: Any, checkpoint: Any, frame: pd.DataFrame) -> list[Any]:
    added = context.checkpoints.add(checkpoint)
    return list(added.run(batch_parameters={"dataframe": frame}).run_results.values())


def _format(subject: Subject) -> dict[str, Any]:
    return {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": list(subject.identity),
        "include_unexpected_rows": False,
    }


def _failure(name: str, subject: Subject, result: Any) -> Failure:
    config, found = result.expectation_config, result.result
    says = config.notes if isinstance(config.notes, str) else config.type
    if error := result.exception_info and _exception(result.exception_info):
        return Failure(name, f"{says}: cannot be checked: {error}", 0, ())
    rows = found.get("unexpected_index_list") or []
    examples = tuple(_named(row, subject.identity) for row in rows[:SHOWN_ROWS])
    if "unexpected_count" not in found:
        examples = (str(found.get("details") or found.get("observed_value")),)
    return Failure(name, says, int(found.get("unexpected_count", 1)), examples)


def _named(row: Mapping[str, object], identity: tuple[str, ...]) -> str:
    """A row by the columns that name it, then by what was found in it."""
    order = [*identity, *(column for column in row if column not in identity)]
    return ", ".join(f"{column} {row[column]}" for column in order if column in row)


def _exception(info: Any) -> str:
    """Why an expectation could not be checked; empty where it was."""
    if "raised_exception" in info:
        return str(info.get("exception_message") or "") if info["raised_exception"] else ""
    for each in info.values():
        if isinstance(each, dict) and each.get("raised_exception"):
            return str(each.get("exception_message"))
    return ""
