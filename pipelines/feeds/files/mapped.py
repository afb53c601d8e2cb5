"""Tables of ticks, CSV and Parquet, by a mapping file that says which column is what.

The mapping lies beside the table, as `ticks.csv.mapping.yaml`, or as `mapping.yaml` in its folder, for all tables
there. Rows that cannot be read are told with their number (from 1, a header not counted) and stop nothing.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from pipelines.contracts.mapping_file import TableMapping, load_mapping
from pipelines.domain.market import Flag, Kind
from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, Piece, UnknownFormat
from pipelines.feeds.files.mapped_columns import Wrong, numbers, texts, times, whole
from pipelines.feeds.files.parquet_process import ParquetError, batches, column_names
from pipelines.feeds.protocols.table import ROW, Table, TableRows, write_frame

FRAME_ROWS = 1000
CHUNK_ROWS = 64 * FRAME_ROWS
BLOCK_BYTES = 4 << 20
LONGEST_SYMBOL = 64

_CSV = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst", ".csv.bz2")

Ragged = list[tuple[int, str]]
"""Rows of a CSV file with too many or few fields: number, what is wrong."""


def recognise(path: Path, head: bytes) -> bool:
    """Whether it is Parquet by its first bytes, or CSV by its name."""
    return head.startswith(b"PAR1") or path.name.lower().endswith(_CSV)


def open_file(path: Path, mapping: Path | None = None) -> FrameFile:
    """A table by its mapping file, which is looked for beside it if none is given.

    Raises UnknownFormat where there is no mapping, or it names columns that the table lacks; MappingError for a mapping
    that is wrong; OSError where there is no table.
    """
    with path.open("rb") as file:
        parquet = file.read(4) == b"PAR1"
    told = load_mapping(mapping or _beside(path))
    present = _parquet_columns(path) if parquet else _csv_columns(path, told)
    if missing := [name for name in told.used if name not in present]:
        raise UnknownFormat(f"{path}: no column {missing[0]!r}: it has {', '.join(present)[:200]}")
    read = _parquet_chunks if parquet else _csv_chunks
    form = "parquet" if parquet else "csv"
    return FrameFile(path, form, told.venue, Table, "line", lambda: _pieces(path, told, read(path, told)))


def _beside(path: Path) -> Path:
    places = (path.with_name(f"{path.name}.mapping.yaml"), path.with_name("mapping.yaml"))
    for place in places:
        if place.is_file():
            return place
    raise UnknownFormat(
        f"{path}: which column is what? Say it in {places[0].name} or {places[1].name} beside it "
        "(pipelines/contracts/mapping_file.py has an example)"
    )


def _pieces(path: Path, mapping: TableMapping, chunks: Iterator[tuple[pa.RecordBatch, Ragged]]) -> Iterator[Piece]:
    row = 1
    try:
        for batch, ragged in chunks:
            following = row + batch.num_rows + len(ragged)
            if following > row:
                yield _piece(mapping, batch, ragged, row, following)
            row = following
    except (pa.ArrowException, ParquetError, OSError, EOFError) as error:
        raise BrokenFile(path, "line", row, " ".join(str(error).split())[:200]) from error


def _piece(mapping: TableMapping, batch: pa.RecordBatch, ragged: Ragged, first: int, following: int) -> Piece:
    """The rows of the table from number `first` to before `following`: those of the batch, and ragged ones."""
    numbered = np.setdiff1d(np.arange(first, following), np.array([number for number, _ in ragged], np.int64))
    wrong = Wrong(batch.num_rows)
    symbols, rows, ignored = _rows(mapping, batch, numbered, wrong)
    faults = sorted([(int(numbered[place]), what) for place, what in wrong.told.items()] + ragged)
    starts = list(range(first, following, FRAME_ROWS))
    frames, count = [], []
    for start, end in zip(starts, [*starts[1:], following], strict=True):
        here = slice(*np.searchsorted(numbered, (start, end)).tolist())
        some = rows[here][wrong.good[here] & ~ignored[here]]
        used, some["symbol"] = np.unique(some["symbol"], return_inverse=True)
        mine = [fault for fault in faults if start <= fault[0] < end]
        frames.append(write_frame([symbols[place] for place in used.tolist()], some, mine, int(ignored[here].sum())))
        count.append(end - start)
    return Piece([0] * len(frames), frames, starts, count)


def _rows(
    mapping: TableMapping, batch: pa.RecordBatch, numbered: NDArray[np.int64], wrong: Wrong
) -> tuple[list[str], TableRows, NDArray[np.bool_]]:
    """Symbols, rows (those that are wrong among them) and which of them are not wanted."""
    rows = np.zeros(batch.num_rows, ROW)
    rows["row"], rows["sequence"] = numbered, -1
    quotes, trades, ignored = _kinds(mapping, batch, wrong)
    rows["kind"] = np.where(trades, int(Kind.TRADE), int(Kind.QUOTE))
    wanted = Wrong(batch.num_rows)
    rows["event_ns"] = times(batch[mapping.time.column], mapping.time, wanted)
    symbols = _symbols(mapping, batch, rows, wanted)
    if mapping.sequence:
        rows["sequence"] = whole(batch[mapping.sequence], mapping.sequence, wanted)
    price, size = mapping.price_scale, mapping.size_scale
    if mapping.quote is not None:
        bid, ask = (mapping.quote.bid, mapping.quote.bid_size), (mapping.quote.ask, mapping.quote.ask_size)
        for side, (at, of) in (("bid", bid), ("ask", ask)):
            prices = numbers(batch[at], at, wanted, quotes, needed=False)
            sizes = numbers(batch[of], of, wanted, quotes, needed=False) if of else np.zeros(len(rows))
            rows[side][quotes] = prices[quotes] * price
            rows[f"{side}_size"][quotes] = np.where(prices == 0.0, 0.0, sizes * size)[quotes]
    if mapping.trade is not None:
        prices = numbers(batch[mapping.trade.price], mapping.trade.price, wanted, trades, needed=True)
        sizes = numbers(batch[mapping.trade.quantity], mapping.trade.quantity, wanted, trades, needed=True)
        rows["bid"][trades] = rows["ask"][trades] = prices[trades] * price
        rows["bid_size"][trades] = rows["ask_size"][trades] = sizes[trades] * size
        rows["flags"][trades] = _buyers(mapping, batch, trades, wanted)[trades]
    for place, what in wanted.told.items():
        if wrong.good[place] and not ignored[place]:
            wrong.good[place], wrong.told[place] = False, what
    return symbols, rows, ignored


def _kinds(
    mapping: TableMapping, batch: pa.RecordBatch, wrong: Wrong
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows are quotes, trades, and not wanted."""
    kind = mapping.kind
    if kind.constant:
        quotes = np.full(batch.num_rows, kind.constant == "quote")
        return quotes, ~quotes, np.zeros(batch.num_rows, np.bool_)
    said = texts(batch[kind.column])
    quotes, trades, ignored = (_among(said, values) for values in (kind.quote, kind.trade, kind.ignore))
    strange = np.flatnonzero(~(quotes | trades | ignored)).tolist()
    wrong.note(strange, kind.column, said, " or ".join((*kind.quote, *kind.trade)))
    return quotes, trades, ignored


def _among(values: pa.Array, known: tuple[str, ...]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.is_in(values, pa.array(known, pa.string())).to_numpy(zero_copy_only=False)
    return found


def _symbols(mapping: TableMapping, batch: pa.RecordBatch, rows: TableRows, wrong: Wrong) -> list[str]:
    """The instruments of a chunk; each row is given the place of its own."""
    if mapping.instrument.constant:
        return [mapping.instrument.constant]
    said = texts(batch[mapping.instrument.column])
    said = pc.if_else(pc.less_equal(pc.utf8_length(said), LONGEST_SYMBOL), said, None)
    wrong.note(np.flatnonzero(said.is_null()).tolist(), mapping.instrument.column, said, "an instrument")
    coded = pc.dictionary_encode(said)
    rows["symbol"] = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    symbols: list[str] = coded.dictionary.to_pylist()
    return symbols


def _buyers(mapping: TableMapping, batch: pa.RecordBatch, trades: NDArray[np.bool_], wrong: Wrong) -> NDArray[np.int32]:
    """The flag of trades in which the buyer took; 0 where nobody says."""
    if mapping.trade is None or not mapping.trade.side:
        return np.zeros(batch.num_rows, np.int32)
    said = texts(batch[mapping.trade.side])
    buys, sells = _among(said, mapping.trade.buy), _among(said, mapping.trade.sell)
    silent: NDArray[np.bool_] = said.is_null().to_numpy(zero_copy_only=False)
    expected = " or ".join((*mapping.trade.buy, *mapping.trade.sell))
    wrong.note(np.flatnonzero(trades & ~(buys | sells | silent)).tolist(), mapping.trade.side, said, expected)
    return np.where(buys, np.int32(Flag.BUYER_AGGRESSOR), np.int32(0))


def _csv_columns(path: Path, mapping: TableMapping) -> tuple[str, ...]:
    if mapping.columns:
        return mapping.columns
    try:
        with _open_csv(path, mapping, []) as opened:
            return tuple(opened.schema.names)
    except pa.ArrowException as error:
        raise UnknownFormat(f"{path}: no CSV that can be read: {' '.join(str(error).split())[:200]}") from error


def _open_csv(path: Path, mapping: TableMapping, ragged: Ragged) -> pyarrow.csv.CSVStreamingReader:
    def note(row: pyarrow.csv.InvalidRow) -> str:
        number = (row.number or 0) - (0 if mapping.columns else 1)
        ragged.append((number, f"{row.actual_columns} fields, expected {row.expected_columns}: {row.text[:60]!r}"))
        return "skip"

    return pyarrow.csv.open_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=list(mapping.columns) or None
        ),
        parse_options=pyarrow.csv.ParseOptions(delimiter=mapping.delimiter, invalid_row_handler=note),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=list(mapping.used) if mapping.columns else None,
            column_types={name: pa.string() for name in mapping.used},
            strings_can_be_null=True,
            null_values=[""],
            check_utf8=True,
        ),
    )


def _csv_chunks(path: Path, mapping: TableMapping) -> Iterator[tuple[pa.RecordBatch, Ragged]]:
    ragged: Ragged = []
    row = 1
    with _open_csv(path, mapping, ragged) as opened:
        for batch in opened:
            following = row + batch.num_rows
            mine: Ragged = []
            while ragged and ragged[0][0] <= following:  # Arrow reads ahead: later ones belong to later batches
                mine.append(ragged.pop(0))
                following += 1
            yield batch, mine
            row = following
    if ragged:
        yield pa.RecordBatch.from_pylist([], opened.schema), list(ragged)


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        return column_names(path)
    except ParquetError as error:
        raise UnknownFormat(f"{path}: no Parquet that can be read: {error}") from error


def _parquet_chunks(path: Path, mapping: TableMapping) -> Iterator[tuple[pa.RecordBatch, Ragged]]:
    return ((batch, []) for batch in batches(path, mapping.used, CHUNK_ROWS))
