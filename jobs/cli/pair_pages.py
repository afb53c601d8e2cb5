"""helios pairs page and pages: a page to look at for a pair, or for each of a session."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.settings import Settings, load_settings
from jobs.cli.answers import note
from jobs.cli.history_market import From, Session, Until, length_of, span_of

if TYPE_CHECKING:
    from pipelines.pages.bands import Band

StrategyFile = Annotated[
    Path | None,
    typer.Option(
        "--strategy", help="Whose signals' levels are drawn; of a demo's session its own if left out.", exists=True
    ),
]
Silent = Annotated[str, typer.Option("--silent", help="Lines are open where a leg has no quote for so long.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")]


class PagesError(RuntimeError):
    """Why a page cannot be written: a place or a strategy, and the way out."""


def page(
    pair: Annotated[str, typer.Option("--pair", help="Of this pair.", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", help="The file; PAIR.html if left out.", dir_okay=False)] = None,
    session: Session = "",
    start: From = "",
    end: Until = "",
    strategy: StrategyFile = None,
    silent: Silent = "5m",
    as_json: AsJson = False,
) -> None:
    """A page of a pair, in one file that needs no network: spread, z and bands, prices, signals, fills, profit."""
    from pipelines.history.pair_history import PairHistory
    from pipelines.pages.pair_index import file_of
    from pipelines.pages.pair_page import pair_page

    settings, span, longest = load_settings(), span_of(start, end), length_of(silent, "--silent")
    file = out or Path(file_of(pair))
    with PairHistory(settings.timescale.reader_dsn) as history:
        of = history.session(session)
        made = pair_page(history.course(of, pair, span, longest), bands_of(settings, of, strategy), longest)
    _write(file, made.text)
    if as_json:
        print(json.dumps({"file": str(file), **made.told}))
    else:
        note(f"{file}: {made.told['rows']:,} rows of {pair}, {made.told['fills']} fills")


def pages(
    out: Annotated[Path, typer.Option("--out", help="The folder.", file_okay=False)] = Path("pages"),
    session: Session = "",
    start: From = "",
    end: Until = "",
    strategy: StrategyFile = None,
    silent: Silent = "5m",
    as_json: AsJson = False,
) -> None:
    """A page for each pair of a session, and index.html. They share plotly.min.js beside them: no network is needed."""
    from plotly.offline import get_plotlyjs

    from pipelines.history.pair_history import PairHistory
    from pipelines.history.timescale import HistoryError
    from pipelines.pages.pair_index import file_of, pair_index
    from pipelines.pages.pair_page import PLOTLY_FILE, pair_page

    settings, span, longest = load_settings(), span_of(start, end), length_of(silent, "--silent")
    told: list[dict[str, object]] = []
    left_out: dict[str, str] = {}
    with PairHistory(settings.timescale.reader_dsn) as history:
        of = history.session(session)
        levels = bands_of(settings, of, strategy)
        _write(out / PLOTLY_FILE, get_plotlyjs())
        for pair in history.pairs(of):
            try:
                made = pair_page(history.course(of, pair, span, longest), levels, longest, shared=True)
            except HistoryError as error:
                left_out[pair] = str(error)
                continue
            _write(out / file_of(pair), made.text)
            told.append({"file": str(out / file_of(pair)), **made.told})
    if not told:
        raise HistoryError(next(iter(left_out.values()), f"session {of} has no pairs"))
    _write(out / "index.html", pair_index(of, told, left_out))
    if as_json:
        print(json.dumps({"index": str(out / "index.html"), "pages": told, "left_out": left_out}))
    else:
        for pair, why in left_out.items():
            note(f"{pair}: {why}")
        note(f"{out / 'index.html'}: {len(told)} pages")


def bands_of(settings: Settings, session: str, strategy: Path | None) -> "tuple[Band, ...]":
    """The levels of a strategy's signals; of the demo's own where it was its session; none where nobody says."""
    from pipelines.contracts.strategy_file import load_strategy, signal_path
    from pipelines.pages.bands import bands
    from pipelines.signals.signal_file import load_signal

    file = strategy or _of_demo(settings, session)
    if file is None:
        return ()
    levels = []
    for use in load_strategy(file).signals:
        for parameter in load_signal(signal_path(use)).parameters:
            if parameter.type == "z":
                value = use.parameters.get(parameter.name, parameter.default)
                levels.append((use.name, parameter.name, _z(value, f"{file}: signal {use.name}: {parameter.name}")))
    return bands(levels)


def _of_demo(settings: Settings, session: str) -> Path | None:
    """The strategy file of the demo's last session, if it is this one and the file is still there."""
    try:
        told = json.loads((settings.home / "demo" / "summary.json").read_text())
    except (OSError, ValueError):
        return None
    file = Path(told.get("strategy", "")) if told.get("session") == session else None
    return file if file is not None and file.is_file() else None


def _z(value: object, where: str) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise PagesError(f"{where}: {value!r} is no level of z: give a number") from None


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PagesError(f"{file}: cannot be written: {error.strerror or error}: give another --out") from error
